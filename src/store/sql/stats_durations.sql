-- The histogram of an account's job durations over the last days.
-- in:  $1 uuid account_id, $2 int4 days
-- out: bucket int2, count int8, by bucket
SELECT bucket, sum(count)::int8 AS count
  FROM fliq.usage_durations
 WHERE account_id = $1::uuid AND kind = 'job'
   AND day > (now() AT TIME ZONE 'UTC')::date - $2::int4
 GROUP BY bucket
 ORDER BY bucket
