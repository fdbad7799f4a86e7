-- Give an account another signing secret.
-- in:  $1 uuid account_id, $2 text secret
-- out: secret text, created_at timestamptz, which grows from one to the next
-- locks: the account's row of fliq.signing_secrets
INSERT INTO fliq.signing_secrets AS s (account_id, secret, created_at)
VALUES ($1::uuid, $2::text, clock_timestamp())
    ON CONFLICT (account_id) DO UPDATE
   SET secret = excluded.secret, created_at = clock_timestamp()
RETURNING s.secret, s.created_at
