-- The histogram of an account's job durations over the last days: the totals
-- of the days that are closed, less those from before the window, and what
-- is in no total yet.
-- in:  $1 uuid account_id, $2 int4 days
-- out: bucket int2, count int8, by bucket
WITH totals AS (
    (SELECT 1 AS sign, buckets, totals
       FROM fliq.usage_history
      WHERE account_id = $1::uuid AND kind = 'job'
      ORDER BY day DESC
      LIMIT 1)
     UNION ALL
    (SELECT -1, buckets, totals
       FROM fliq.usage_history
      WHERE account_id = $1::uuid AND kind = 'job'
        AND day <= (now() AT TIME ZONE 'UTC')::date - $2::int4
      ORDER BY day DESC
      LIMIT 1)
), counted AS (
    SELECT u.bucket, t.sign * u.total AS count
      FROM totals t
     CROSS JOIN unnest(t.buckets, t.totals) AS u (bucket, total)
     UNION ALL
    SELECT bucket, count
      FROM fliq.usage_durations
     WHERE account_id = $1::uuid AND kind = 'job'
       AND day > (now() AT TIME ZONE 'UTC')::date - $2::int4
)
SELECT bucket, sum(count)::int8 AS count
  FROM counted
 GROUP BY bucket
HAVING sum(count) > 0
 ORDER BY bucket
