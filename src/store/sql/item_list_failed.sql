-- A page of a buffer's items that failed for good, newest first.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows,
--      $4 uuid buffer_id
-- out: as item_get; no row when the account has no such buffer
SELECT r.*, b.max_retries
  FROM fliq.buffers b
 CROSS JOIN LATERAL (
           SELECT r.*
             FROM fliq.buffer_items i
            CROSS JOIN LATERAL (
                      SELECT * FROM fliq.item_records
                       WHERE buffer_id = i.buffer_id AND id = i.id
                       LIMIT 1) AS r
            WHERE i.buffer_id = b.id AND i.id < $2::uuid
              AND i.status = 'failed'
            ORDER BY i.buffer_id DESC, i.id DESC
            LIMIT $3::int4) AS r
 WHERE b.account_id = $1::uuid AND b.id = $4::uuid
