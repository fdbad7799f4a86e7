-- One item of a buffer, by its id or by its idempotency key: either may be
-- NULL.
-- in:  $1 uuid account_id, $2 uuid buffer_id, $3 uuid id, $4 text
--      idempotency_key
-- out: the columns of fliq.item_records, and the buffer's max_retries int2;
--      at most one row
SELECT r.*, b.max_retries
  FROM fliq.buffers b
 CROSS JOIN LATERAL (
           (SELECT * FROM fliq.item_records
             WHERE buffer_id = b.id AND id = $3::uuid)
           UNION ALL
           (SELECT * FROM fliq.item_records
             WHERE buffer_id = b.id AND idempotency_key = $4::text)
           LIMIT 1) AS r
 WHERE b.account_id = $1::uuid AND b.id = $2::uuid
