-- What an account's jobs did in the last days, today included.
-- in:  $1 uuid account_id, $2 int4 days
-- out: one row: executions int8, succeeded int8, failed int8,
--      duration_ms_sum int8
SELECT coalesce(sum(executions), 0)::int8 AS executions,
       coalesce(sum(succeeded), 0)::int8 AS succeeded,
       coalesce(sum(failed), 0)::int8 AS failed,
       coalesce(sum(duration_ms_sum), 0)::int8 AS duration_ms_sum
  FROM fliq.usage_daily
 WHERE account_id = $1::uuid AND kind = 'job'
   AND day > (now() AT TIME ZONE 'UTC')::date - $2::int4
