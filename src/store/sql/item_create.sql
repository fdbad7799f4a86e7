-- Append an item to a buffer.
-- in:  $1 uuid account_id, $2 uuid buffer_id, $3 uuid id, $4 text headers,
--      $5 bytea body, $6 text idempotency_key, $7 uuid replay_of: a failed
--      item of the buffer to take headers and body from, or NULL
-- out: one row: found boolean (the buffer), source boolean (replay_of),
--      failed boolean (it has), created_at timestamptz (NULL: none was made),
--      max_retries int2 (the buffer's)
-- locks: the buffer's tail; then its head, when the buffer was empty
WITH tail AS MATERIALIZED (
    SELECT buffer_id, next_seq, idle
      FROM fliq.buffer_tails
     WHERE buffer_id = $2::uuid AND account_id = $1::uuid AND NOT deleted
       FOR UPDATE
), source AS MATERIALIZED (
    SELECT headers, body, status::text = 'failed' AS failed
      FROM fliq.buffer_items
     WHERE buffer_id = $2::uuid AND id = $7::uuid
       AND account_id = $1::uuid
), made AS (
    INSERT INTO fliq.buffer_items
           (buffer_id, id, account_id, seq, headers, body, idempotency_key,
            replay_of)
    SELECT t.buffer_id, $3::uuid, $1::uuid, t.next_seq,
           coalesce($4::text, s.headers), coalesce($5::bytea, s.body),
           $6::text, $7::uuid
      FROM tail t
      LEFT JOIN source s ON true
     WHERE $7::uuid IS NULL OR s.failed
        ON CONFLICT DO NOTHING
 RETURNING buffer_id, created_at
), moved AS (
    UPDATE fliq.buffer_tails t
       SET next_seq = t.next_seq + 1, idle = false
      FROM made
     WHERE t.buffer_id = made.buffer_id
), woken AS (
    UPDATE fliq.buffer_heads h
       SET due_at = greatest(h.free_at, now())
      FROM made
     CROSS JOIN tail
     WHERE h.buffer_id = made.buffer_id AND tail.idle
)
SELECT EXISTS (SELECT FROM tail) AS found,
       EXISTS (SELECT FROM source) AS source,
       EXISTS (SELECT FROM source WHERE failed) AS failed,
       (SELECT created_at FROM made) AS created_at,
       (SELECT max_retries FROM fliq.buffers
         WHERE account_id = $1::uuid AND id = $2::uuid) AS max_retries
