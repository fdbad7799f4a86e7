-- Delete an alert channel.
-- in:  $1 uuid account_id, $2 uuid id
-- out: one row when it was there
DELETE FROM fliq.alert_channels
 WHERE account_id = $1::uuid AND id = $2::uuid
RETURNING 1
