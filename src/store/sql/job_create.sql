-- Create a batch of jobs in one commit.  A row whose time is not later than
-- the clock, or whose key its account has used, is left out and fails none of
-- the others.
-- in:  one array each, of the same length: $1 uuid[] account_id, $2 uuid[] id,
--      $3 text[] url, $4 text[] method, $5 timestamptz[] scheduled_at,
--      $6 text[] headers, $7 bytea[] body, $8 int4[] max_retries,
--      $9 int4[] timeout_seconds, $10 text[] backoff,
--      $11 text[] idempotency_key, $12 bytea[] request_hash,
--      $13 text[] webhook_url, $14 text[] webhook_headers, $15 int4[] lane,
--      $16 int4[] webhook_lane
-- out: id uuid, created_at timestamptz of each job made
-- Keys are inserted in one order everywhere, so that two batches which wait
-- for each other's keys cannot deadlock.
WITH input AS (
    SELECT unnest($1::uuid[]) AS account_id, unnest($2::uuid[]) AS id,
           unnest($3::text[]) AS url, unnest($4::text[]) AS method,
           unnest($5::timestamptz[]) AS scheduled_at,
           unnest($6::text[]) AS headers, unnest($7::bytea[]) AS body,
           unnest($8::int4[]) AS max_retries,
           unnest($9::int4[]) AS timeout_seconds,
           unnest($10::text[]) AS backoff,
           unnest($11::text[]) AS idempotency_key,
           unnest($12::bytea[]) AS request_hash,
           unnest($13::text[]) AS webhook_url,
           unnest($14::text[]) AS webhook_headers, unnest($15::int4[]) AS lane,
           unnest($16::int4[]) AS webhook_lane
), made AS (
    INSERT INTO fliq.jobs
           (account_id, id, url, method, scheduled_at, due_at, headers, body,
            max_retries, timeout_seconds, backoff, idempotency_key,
            request_hash, webhook_url, webhook_headers, lane, webhook_lane)
    SELECT account_id, id, url, method, scheduled_at, scheduled_at, headers,
           body, max_retries, timeout_seconds, backoff::fliq.backoff,
           idempotency_key, request_hash, webhook_url, webhook_headers, lane,
           webhook_lane
      FROM input
     WHERE scheduled_at > now()
     ORDER BY account_id, idempotency_key, id
        ON CONFLICT DO NOTHING
 RETURNING account_id, id, lane, due_at, created_at
), queued AS (
    INSERT INTO fliq.due (account_id, job_id, due_at, lane)
    SELECT account_id, id, due_at, lane FROM made
)
SELECT id, created_at FROM made
