-- The alert channels of an account, newest first.
-- in:  $1 uuid account_id
-- out: as alert_create; at most 1000 rows
SELECT id, type::text AS type, name, target, enabled, created_at, updated_at
  FROM fliq.alert_channels
 WHERE account_id = $1::uuid
 ORDER BY account_id DESC, id DESC
 LIMIT 1000
