-- Revoke a token; one that is revoked keeps its first time.
-- vars: token (uuid)
-- out:  the token, a JSON object; nothing when there is no such token
\ir functions.sql
WITH revoked AS (
    UPDATE fliq.tokens SET revoked_at = coalesce(revoked_at, now())
     WHERE id = :'token'
    RETURNING *
)
SELECT row_to_json(record)
  FROM (SELECT pg_temp.public_id('tok', id) AS id, name, prefix, scope,
               pg_temp.utc(created_at) AS created_at,
               pg_temp.utc(last_used_at) AS last_used_at,
               pg_temp.utc(revoked_at) AS revoked_at
          FROM revoked) AS record;
