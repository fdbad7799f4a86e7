-- Give back the webhooks and alerts that a living dispatcher took without
-- knowing it: the connection was lost before the answer to a claim came.
-- in:  $1 uuid owner, $2 int8[] the ids that it knows
-- out: one row: released int8
WITH freed AS (
    UPDATE fliq.outbox
       SET owner_id = NULL
     WHERE owner_id = $1::uuid AND id <> ALL ($2::int8[])
 RETURNING 1
)
SELECT count(*) AS released FROM freed
