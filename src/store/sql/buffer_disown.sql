-- Free the buffers that a living dispatcher took without knowing it: the
-- connection was lost before the answer to a claim came.
-- in:  $1 uuid owner, $2 uuid[] the buffers that it knows
-- out: one row: released int8
WITH freed AS (
    UPDATE fliq.buffer_heads h
       SET owner_id = NULL, item_id = NULL, attempt = NULL,
           due_at = greatest(h.free_at, now())
     WHERE h.owner_id = $1::uuid AND h.buffer_id <> ALL ($2::uuid[])
 RETURNING 1
)
SELECT count(*) AS released FROM freed
