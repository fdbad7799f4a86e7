-- A dispatcher that has settled everything goes.
-- in: $1 uuid id
DELETE FROM fliq.owners WHERE id = $1::uuid
