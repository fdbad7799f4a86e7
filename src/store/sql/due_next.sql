-- When the next job is due.
-- out: one row: due_at timestamptz or NULL, now timestamptz
SELECT (SELECT due_at FROM fliq.due
         WHERE due_at AT TIME ZONE 'UTC' > now() AT TIME ZONE 'UTC'
         ORDER BY due_at AT TIME ZONE 'UTC'
         LIMIT 1) AS due_at,
       clock_timestamp() AS now
