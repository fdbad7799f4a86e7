-- The live token with a hash, and its account.
-- in:  $1 bytea SHA-256 of the token
-- out: id uuid, account_id uuid, writes boolean, suspended boolean,
--      gated boolean (pays for its executions), stale boolean (token_touch
--      would move last_used_at); no row when there is none
SELECT t.id, t.account_id, t.scope = 'write' AS writes,
       a.suspended_at IS NOT NULL AS suspended,
       a.plan <> 'unlimited' AS gated,
       coalesce(t.last_used_at <= now() - interval '1 minute', true) AS stale
  FROM fliq.tokens t
  JOIN fliq.accounts a ON a.id = t.account_id
 WHERE t.hash = $1::bytea AND t.revoked_at IS NULL
