-- Whether an account that pays for its executions may add to them.
-- in:  $1 uuid account_id
-- out: credits boolean (some are left), today boolean (the daily limit is not
--      reached), seconds int4 until the next UTC day
SELECT a.balance > 0 AS credits,
       a.plan::text <> 'free' OR a.daily_limit IS NULL
       OR a.daily_limit > CASE WHEN a.used_on
                                    = (now() AT TIME ZONE 'UTC')::date
                               THEN a.used_today ELSE 0 END AS today,
       ceil(extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC')
                               + interval '1 day'
                               - now() AT TIME ZONE 'UTC'))::int4 AS seconds
  FROM fliq.accounts a
 WHERE a.id = $1::uuid
