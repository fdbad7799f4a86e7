-- Delete a buffer.  From the commit of this on it is gone for everybody; its
-- items follow (buffer_sweep).
-- in:  $1 uuid account_id, $2 uuid id
-- out: one row when it was there
-- locks: the tail, behind the pushes under way; the head, behind a claim or
--        an outcome under way
WITH tail AS (
    UPDATE fliq.buffer_tails
       SET deleted = true
     WHERE buffer_id = $2::uuid AND account_id = $1::uuid AND NOT deleted
 RETURNING buffer_id
), head AS (
    DELETE FROM fliq.buffer_heads h
     USING tail
     WHERE h.buffer_id = tail.buffer_id
), gone AS (
    DELETE FROM fliq.buffers b
     USING tail
     WHERE b.account_id = $1::uuid AND b.id = tail.buffer_id
)
SELECT 1 FROM tail
