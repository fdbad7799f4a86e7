-- What was sent, or could not be: one try each.
-- in:  $1 int8[] id
DELETE FROM fliq.outbox WHERE id = ANY ($1::int8[])
