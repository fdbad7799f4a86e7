-- The signing secret of an account.
-- in:  $1 uuid account_id
-- out: secret text, created_at timestamptz; no row when it has none
SELECT secret, created_at
  FROM fliq.signing_secrets
 WHERE account_id = $1::uuid
