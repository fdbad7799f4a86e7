-- Clone a failed job into a fresh one that is due now.
-- in:  $1 uuid account_id, $2 uuid id, $3 uuid the clone's id
-- out: one row: the columns of fliq.job_records, the id NULL when no clone was
--      made, and found boolean
WITH source AS MATERIALIZED (
    SELECT *
      FROM fliq.jobs
     WHERE account_id = $1::uuid AND id = $2::uuid
), made AS (
    INSERT INTO fliq.jobs
           (account_id, id, url, method, scheduled_at, due_at, headers, body,
            max_retries, timeout_seconds, backoff, webhook_url,
            webhook_headers, lane, webhook_lane, replay_of)
    SELECT account_id, $3::uuid, url, method, now(), now(), headers, body,
           max_retries, timeout_seconds, backoff, webhook_url,
           webhook_headers, lane, webhook_lane, id
      FROM source
     WHERE status::text = 'failed'
        ON CONFLICT DO NOTHING
 RETURNING *
), queued AS (
    INSERT INTO fliq.due (account_id, job_id, due_at, lane)
    SELECT account_id, id, due_at, lane FROM made
)
SELECT m.account_id, m.id, 'pending' AS status, m.backoff::text AS backoff,
       m.max_retries, m.last_status_code, m.timeout_seconds, m.attempts,
       m.scheduled_at, m.due_at AS next_attempt_at, m.created_at,
       m.updated_at, m.started_at, m.completed_at, m.replay_of,
       m.schedule_id, m.method, m.url, m.headers, m.body, m.idempotency_key,
       m.request_hash, m.webhook_url, m.webhook_headers, m.last_error,
       source.found
  FROM (SELECT EXISTS (SELECT FROM source) AS found) AS source
  LEFT JOIN made m ON true
