-- An account's executions for each of the last days, the oldest first, today
-- included, and what it has.
-- in:  $1 uuid account_id, $2 int4 days
-- out: day int4 (counted from 1970-01-01), jobs int8, buffers int8,
--      balance int8, plan text
WITH used AS (
    SELECT (now() AT TIME ZONE 'UTC')::date - n AS day, 0::int8 AS jobs,
           0::int8 AS buffers
      FROM generate_series(0, $2::int4 - 1) AS n
     UNION ALL
    SELECT day, CASE kind WHEN 'job' THEN executions ELSE 0 END,
           CASE kind WHEN 'buffer' THEN executions ELSE 0 END
      FROM fliq.usage_daily
     WHERE account_id = $1::uuid
       AND day > (now() AT TIME ZONE 'UTC')::date - $2::int4
       AND day <= (now() AT TIME ZONE 'UTC')::date
)
SELECT d.day - date '1970-01-01' AS day, d.jobs, d.buffers, a.balance,
       a.plan::text AS plan
  FROM fliq.accounts a
 CROSS JOIN (SELECT day, sum(jobs)::int8 AS jobs,
                    sum(buffers)::int8 AS buffers
               FROM used
              GROUP BY day) AS d
 WHERE a.id = $1::uuid
 ORDER BY d.day
