-- The item of a buffer that is in flight.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows,
--      $4 uuid buffer_id
-- out: as item_get; no row when the account has no such buffer
SELECT r.*, b.max_retries
  FROM fliq.buffers b
 CROSS JOIN LATERAL (
           SELECT item_id FROM fliq.buffer_heads
            WHERE buffer_id = b.id
            LIMIT 1) AS h
 CROSS JOIN LATERAL (
           SELECT * FROM fliq.item_records
            WHERE buffer_id = b.id AND id = h.item_id AND id < $2::uuid
            LIMIT 1) AS r
 WHERE b.account_id = $1::uuid AND b.id = $4::uuid
   AND r.status = 'running'
 LIMIT $3::int4
