-- Clone a failed job into a fresh one that is due now.
-- in:  $1 uuid account_id, $2 uuid id, $3 uuid the clone's id
-- out: one row: found boolean, replayed boolean
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
 RETURNING account_id, id, due_at, lane
), queued AS (
    INSERT INTO fliq.due (account_id, job_id, due_at, lane)
    SELECT account_id, id, due_at, lane FROM made
)
SELECT EXISTS (SELECT FROM source) AS found,
       EXISTS (SELECT FROM made) AS replayed
