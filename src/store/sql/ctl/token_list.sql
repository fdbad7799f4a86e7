-- The tokens of an account, revoked ones too, oldest first.
-- vars: account (uuid)
-- out:  a JSON array; nothing when there is no such account
\ir functions.sql
SELECT '[' || coalesce((
           SELECT string_agg(row_to_json(record)::text, ',')
             FROM (SELECT pg_temp.public_id('tok', id) AS id, name, prefix,
                          scope, pg_temp.utc(created_at) AS created_at,
                          pg_temp.utc(last_used_at) AS last_used_at,
                          pg_temp.utc(revoked_at) AS revoked_at
                     FROM fliq.tokens
                    WHERE account_id = a.id
                    ORDER BY created_at, tokens.id) AS record), '') || ']'
  FROM fliq.accounts a
 WHERE a.id = :'account';
