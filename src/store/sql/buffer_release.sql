-- Free the buffers of ended dispatchers.  Whether their last request was sent
-- nobody knows: a second later it is outside of any window of the rate.
-- out: one row: released int8
WITH freed AS (
    UPDATE fliq.buffer_heads h
       SET owner_id = NULL, item_id = NULL, attempt = NULL,
           free_at = now() + interval '1 s', due_at = now() + interval '1 s'
     WHERE h.owner_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM fliq.owners o WHERE o.id = h.owner_id)
 RETURNING 1
)
SELECT count(*) AS released FROM freed
