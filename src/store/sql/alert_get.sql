-- One alert channel of an account.
-- in:  $1 uuid account_id, $2 uuid id
-- out: as alert_create; at most one row
SELECT id, type::text AS type, name, target, enabled, created_at, updated_at
  FROM fliq.alert_channels
 WHERE account_id = $1::uuid AND id = $2::uuid
