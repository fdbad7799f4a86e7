-- Create a batch of jobs without idempotency keys in one commit, as job_create
-- does, but with nothing to look for first: their ids are new.  A row whose
-- time is not later than the clock is left out.
-- in:  one array each, of the same length: $1 uuid[] account_id, $2 uuid[] id,
--      $3 text[] url, $4 text[] method, $5 timestamptz[] scheduled_at,
--      $6 text[] headers, $7 bytea[] body, $8 int4[] max_retries,
--      $9 int4[] timeout_seconds, $10 text[] backoff,
--      $11 text[] webhook_url, $12 text[] webhook_headers, $13 int4[] lane,
--      $14 int4[] webhook_lane
-- out: id uuid, created_at timestamptz of each job made
WITH input AS (
    SELECT unnest($1::uuid[]) AS account_id, unnest($2::uuid[]) AS id,
           unnest($3::text[]) AS url, unnest($4::text[]) AS method,
           unnest($5::timestamptz[]) AS scheduled_at,
           unnest($6::text[]) AS headers, unnest($7::bytea[]) AS body,
           unnest($8::int4[]) AS max_retries,
           unnest($9::int4[]) AS timeout_seconds,
           unnest($10::text[]) AS backoff, unnest($11::text[]) AS webhook_url,
           unnest($12::text[]) AS webhook_headers, unnest($13::int4[]) AS lane,
           unnest($14::int4[]) AS webhook_lane
), made AS (
    INSERT INTO fliq.jobs
           (account_id, id, url, method, scheduled_at, due_at, headers, body,
            max_retries, timeout_seconds, backoff, webhook_url,
            webhook_headers, lane, webhook_lane)
    SELECT account_id, id, url, method, scheduled_at, scheduled_at, headers,
           body, max_retries, timeout_seconds, backoff::fliq.backoff,
           webhook_url, webhook_headers, lane, webhook_lane
      FROM input
     WHERE scheduled_at > now()
 RETURNING account_id, id, lane, due_at, created_at
), queued AS (
    INSERT INTO fliq.due (account_id, job_id, due_at, lane)
    SELECT account_id, id, due_at, lane FROM made
)
SELECT id, created_at FROM made
