-- Create an API token.
-- in:  $1 uuid account_id, $2 uuid id, $3 text name, $4 text prefix,
--      $5 bytea SHA-256 of the token, $6 text scope, $7 int4 live tokens that
--      an account may have
-- out: id uuid, name text, prefix text, scope text, last_used_at timestamptz,
--      created_at timestamptz; no row when the account has $7 of them
INSERT INTO fliq.tokens (account_id, id, name, prefix, hash, scope)
SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::bytea,
       $6::text::fliq.token_scope
  FROM (SELECT count(*) AS n
          FROM (SELECT
                  FROM fliq.tokens
                 WHERE account_id = $1::uuid AND revoked_at IS NULL
                 LIMIT $7::int4) AS live) AS counted
 WHERE counted.n < $7::int4
RETURNING id, name, prefix, scope::text AS scope, last_used_at, created_at
