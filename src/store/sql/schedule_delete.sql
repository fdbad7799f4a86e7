-- Delete a schedule; the jobs that it spawned stay.
-- in:  $1 uuid account_id, $2 uuid id
-- out: one row when it was there
DELETE FROM fliq.schedules
 WHERE account_id = $1::uuid AND id = $2::uuid
RETURNING 1
