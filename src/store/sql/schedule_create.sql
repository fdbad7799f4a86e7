-- Create a schedule.
-- in:  $1 uuid account_id, $2 uuid id, $3 text name, $4 text cron,
--      $5 text url, $6 text method, $7 text headers, $8 bytea body, $9 int4
--      max_retries,
--      $10 int4 timeout_seconds, $11 text backoff, $12 text webhook_url,
--      $13 text webhook_headers, $14 int4 lane, $15 int4 webhook_lane,
--      $16 timestamptz next_run_at, $17 boolean paused
-- out: the columns of fliq.schedule_records; no row when the name is taken
WITH made AS (
    INSERT INTO fliq.schedules
           (account_id, id, name, cron, url, method, headers, body,
            max_retries, timeout_seconds, backoff, webhook_url,
            webhook_headers, lane, webhook_lane, next_run_at, paused)
    VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text,
            $7::text, $8::bytea, $9::int4, $10::int4,
            $11::text::fliq.backoff, $12::text, $13::text, $14::int4,
            $15::int4, $16::timestamptz, $17::boolean)
        ON CONFLICT DO NOTHING
 RETURNING *
)
SELECT account_id, id, name, cron, paused, backoff::text AS backoff,
       max_retries, timeout_seconds, next_run_at, last_run_at, created_at,
       updated_at, method, url, headers, body, webhook_url, webhook_headers,
       clock_timestamp() AS now
  FROM made
