-- The live tokens of an account, newest first.
-- in:  $1 uuid account_id
-- out: as token_create; at most 2000 rows: creates of one moment may pass the
--      limit of 1000 together, and fliqctl knows none
SELECT id, name, prefix, scope::text AS scope, last_used_at, created_at
  FROM fliq.tokens
 WHERE account_id = $1::uuid AND revoked_at IS NULL
 ORDER BY account_id DESC, id DESC
 LIMIT 2000
