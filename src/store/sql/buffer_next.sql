-- When the next buffer may send.
-- out: one row: due_at timestamptz or NULL, now timestamptz
SELECT (SELECT due_at FROM fliq.buffer_heads
         WHERE due_at AT TIME ZONE 'UTC' > now() AT TIME ZONE 'UTC'
           AND NOT paused
         ORDER BY due_at AT TIME ZONE 'UTC'
         LIMIT 1) AS due_at,
       clock_timestamp() AS now
