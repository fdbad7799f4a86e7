-- When the next schedule runs.  One that should have run lately counts, so
-- that nothing is lost between two looks; how far back is bounded, for behind
-- that lie the dead index entries of all runs since the last vacuum.
-- out: one row: next_run_at timestamptz or NULL, now timestamptz
SELECT (SELECT next_run_at FROM fliq.schedules
         WHERE next_run_at AT TIME ZONE 'UTC'
               > now() AT TIME ZONE 'UTC' - interval '1 minute'
           AND NOT paused
         ORDER BY next_run_at AT TIME ZONE 'UTC'
         LIMIT 1) AS next_run_at,
       clock_timestamp() AS now
