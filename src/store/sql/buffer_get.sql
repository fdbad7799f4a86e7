-- One buffer of an account.
-- in:  $1 uuid account_id, $2 uuid id
-- out: as buffer_create; at most one row
SELECT b.account_id, b.id, b.name, h.paused, b.backoff::text AS backoff,
       b.max_retries, b.timeout_seconds, b.rate_limit, b.created_at,
       b.updated_at, b.method, b.url, b.headers, b.webhook_url,
       b.webhook_headers
  FROM fliq.buffers b
 CROSS JOIN LATERAL (
           SELECT paused FROM fliq.buffer_heads
            WHERE buffer_id = b.id
            LIMIT 1) AS h
 WHERE b.account_id = $1::uuid AND b.id = $2::uuid
