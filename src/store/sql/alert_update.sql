-- Switch or rename an alert channel.
-- in:  $1 uuid account_id, $2 uuid id, $3 text name, NULL to keep it,
--      $4 boolean enabled, NULL to keep it
-- out: one row when it was there
UPDATE fliq.alert_channels
   SET name = coalesce($3::text, name),
       enabled = coalesce($4::boolean, enabled), updated_at = now()
 WHERE account_id = $1::uuid AND id = $2::uuid
RETURNING 1
