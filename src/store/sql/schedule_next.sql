-- When the next schedule runs.
-- out: one row: next_run_at timestamptz or NULL, now timestamptz
SELECT (SELECT next_run_at FROM fliq.schedules
         WHERE next_run_at AT TIME ZONE 'UTC' > now() AT TIME ZONE 'UTC'
         ORDER BY next_run_at AT TIME ZONE 'UTC'
         LIMIT 1) AS next_run_at,
       clock_timestamp() AS now
