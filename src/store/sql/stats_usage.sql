-- An account's executions for each of the last days, the oldest first, today
-- included, and what it has.
-- in:  $1 uuid account_id, $2 int4 days
-- out: day int4 (counted from 1970-01-01), jobs int8, buffers int8,
--      balance int8, plan text
SELECT d.day - date '1970-01-01' AS day,
       coalesce(sum(u.executions) FILTER (WHERE u.kind = 'job'), 0)::int8
           AS jobs,
       coalesce(sum(u.executions) FILTER (WHERE u.kind = 'buffer'), 0)::int8
           AS buffers,
       a.balance, a.plan::text AS plan
  FROM fliq.accounts a
 CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date - n AS day
               FROM generate_series($2::int4 - 1, 0, -1) AS n) AS d
  LEFT JOIN fliq.usage_daily u
    ON u.account_id = a.id AND u.day = d.day
 WHERE a.id = $1::uuid
 GROUP BY d.day, a.balance, a.plan
 ORDER BY d.day
