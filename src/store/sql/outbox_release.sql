-- Give the webhooks and alerts of ended dispatchers to the others.
-- out: one row: released int8
WITH freed AS (
    UPDATE fliq.outbox o
       SET owner_id = NULL
     WHERE o.owner_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM fliq.owners w WHERE w.id = o.owner_id)
 RETURNING 1
)
SELECT count(*) AS released FROM freed
