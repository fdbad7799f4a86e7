-- A page of an account's schedules, newest first.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows
-- out: as schedule_create
SELECT account_id, id, name, cron, paused, backoff::text AS backoff,
       max_retries, timeout_seconds, next_run_at, last_run_at, created_at,
       updated_at, method, url, headers, body, webhook_url, webhook_headers,
       clock_timestamp() AS now
  FROM fliq.schedules
 WHERE account_id = $1::uuid AND id < $2::uuid
 ORDER BY account_id DESC, id DESC
 LIMIT $3::int4
