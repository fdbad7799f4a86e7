-- Revoke a token.
-- in:  $1 uuid account_id, $2 uuid id
-- out: hash bytea; no row when there is no such token that is live
-- locks: its row
UPDATE fliq.tokens
   SET revoked_at = now()
 WHERE account_id = $1::uuid AND id = $2::uuid AND revoked_at IS NULL
RETURNING hash
