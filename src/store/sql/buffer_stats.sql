-- How a buffer stands.
-- in:  $1 uuid account_id, $2 uuid id
-- out: pending int8, running int8, completed int8, failed int8; at most one
--      row
SELECT t.next_seq - h.completed - h.failed - h.running AS pending, h.running,
       h.completed, h.failed
  FROM (SELECT buffer_id, completed, failed,
               (item_id IS NOT NULL)::int::int8 AS running
          FROM fliq.buffer_heads
         WHERE buffer_id = $2::uuid AND account_id = $1::uuid) AS h
 CROSS JOIN LATERAL (
           SELECT next_seq FROM fliq.buffer_tails
            WHERE buffer_id = h.buffer_id
            LIMIT 1) AS t
