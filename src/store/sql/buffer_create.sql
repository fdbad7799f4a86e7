-- Create a buffer.
-- in:  $1 uuid account_id, $2 uuid id, $3 text name, $4 text url,
--      $5 text method, $6 text headers, $7 int4 max_retries,
--      $8 int4 timeout_seconds, $9 text backoff, $10 int4 rate_limit,
--      $11 text webhook_url, $12 text webhook_headers, $13 int4 lane,
--      $14 int4 webhook_lane
-- out: account_id uuid, id uuid, name text, paused boolean, backoff text,
--      max_retries int2, timeout_seconds int4, rate_limit int4,
--      created_at timestamptz, updated_at timestamptz, method text, url text,
--      headers text, webhook_url text, webhook_headers text; no row when the
--      name is taken
WITH made AS (
    INSERT INTO fliq.buffers
           (account_id, id, name, url, method, headers, max_retries,
            timeout_seconds, backoff, rate_limit, webhook_url,
            webhook_headers, lane, webhook_lane)
    VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text,
            $7::int4, $8::int4, $9::text::fliq.backoff, $10::int4,
            $11::text, $12::text, $13::int4, $14::int4)
        ON CONFLICT DO NOTHING
 RETURNING *
), tail AS (
    INSERT INTO fliq.buffer_tails (buffer_id, account_id)
    SELECT id, account_id FROM made
), head AS (
    INSERT INTO fliq.buffer_heads (buffer_id, account_id, lane)
    SELECT id, account_id, lane FROM made
 RETURNING buffer_id, paused
)
SELECT b.account_id, b.id, b.name, h.paused, b.backoff::text AS backoff,
       b.max_retries, b.timeout_seconds, b.rate_limit, b.created_at,
       b.updated_at, b.method, b.url, b.headers, b.webhook_url,
       b.webhook_headers
  FROM made b
 CROSS JOIN head h
