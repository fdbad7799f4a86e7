-- Change a schedule that has not been changed since it was read, and has not
-- spawned the run since that is to be its next one.
-- in:  as schedule_create, and $18 timestamptz updated_at as it was read
-- out: one row: as schedule_create, and taken boolean: another schedule has
--      the name.  The id is NULL when nothing was changed.
WITH taken AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM fliq.schedules
                    WHERE account_id = $1::uuid AND name = $3::text
                      AND name <> '' AND id <> $2::uuid) AS taken
), made AS (
    UPDATE fliq.schedules
       SET name = $3::text, cron = $4::text, url = $5::text,
           method = $6::text, headers = $7::text, body = $8::bytea,
           max_retries = $9::int4, timeout_seconds = $10::int4,
           backoff = $11::text::fliq.backoff, webhook_url = $12::text,
           webhook_headers = $13::text, lane = $14::int4,
           webhook_lane = $15::int4, next_run_at = $16::timestamptz,
           paused = $17::boolean, updated_at = clock_timestamp()
     WHERE account_id = $1::uuid AND id = $2::uuid
       AND updated_at = $18::timestamptz
       AND coalesce(last_run_at < $16::timestamptz, true)
       AND NOT (SELECT taken FROM taken)
 RETURNING *
)
SELECT account_id, id, name, cron, paused, backoff::text AS backoff,
       max_retries, timeout_seconds, next_run_at, last_run_at, created_at,
       updated_at, method, url, headers, body, webhook_url, webhook_headers,
       clock_timestamp() AS now, taken
  FROM taken
  LEFT JOIN made ON true
