-- Remove items of a deleted buffer, some at a time; when none is left, what
-- remained of the buffer.
-- out: one row: removed int8
-- locks: the tail (a locked one is skipped), which nobody else wants any more
WITH tail AS MATERIALIZED (
    SELECT buffer_id
      FROM fliq.buffer_tails
     WHERE deleted
     ORDER BY buffer_id
     LIMIT 1
       FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM fliq.buffer_items
     WHERE ctid = ANY (ARRAY(
               SELECT i.ctid
                 FROM tail t
                CROSS JOIN LATERAL (
                          SELECT buffer_items.ctid
                            FROM fliq.buffer_items
                           WHERE buffer_items.buffer_id = t.buffer_id
                           ORDER BY buffer_items.buffer_id, buffer_items.id
                           LIMIT 500) AS i))
 RETURNING 1
), gone AS (
    DELETE FROM fliq.buffer_tails t
     USING tail
     WHERE t.buffer_id = tail.buffer_id AND NOT EXISTS (SELECT FROM removed)
)
SELECT count(*) AS removed FROM removed
