-- The schedules whose next run has come, the longest due first.
-- in:  $1 int4 rows at most
-- out: account_id uuid, id uuid, cron text, next_run_at timestamptz,
--      now timestamptz
SELECT account_id, id, cron, next_run_at, clock_timestamp() AS now
  FROM fliq.schedules
 WHERE next_run_at AT TIME ZONE 'UTC' <= now() AT TIME ZONE 'UTC'
   AND NOT paused
 ORDER BY next_run_at AT TIME ZONE 'UTC'
 LIMIT $1::int4
