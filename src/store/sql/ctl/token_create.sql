-- Store a token of an account: its hash, and the prefix to know it by.
-- vars: account (uuid), name, scope, prefix, hash (hex)
-- out:  the token, a JSON object; nothing when there is no such account
\ir functions.sql
WITH created AS (
    INSERT INTO fliq.tokens (id, account_id, name, prefix, hash, scope)
    SELECT pg_temp.new_id(), id, :'name', :'prefix',
           decode(:'hash', 'hex'), :'scope'
      FROM fliq.accounts
     WHERE id = :'account'
    RETURNING *
)
SELECT row_to_json(record)
  FROM (SELECT pg_temp.public_id('tok', id) AS id, name, prefix, scope,
               pg_temp.utc(created_at) AS created_at,
               pg_temp.utc(last_used_at) AS last_used_at,
               pg_temp.utc(revoked_at) AS revoked_at
          FROM created) AS record;
