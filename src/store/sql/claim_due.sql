-- Claim due jobs, the longest due first.
-- in:  $1 uuid owner, $2 int4 rows at most, $3 int4[] lanes to pass over
-- out: claim_id int8, account_id uuid, id uuid, attempt int4, max_retries int2,
--      timeout_seconds int4, lane int4, backoff text, due_at timestamptz,
--      method text, url text, headers text, body bytea, secret text
-- locks: the rows of fliq.due that it deletes (those locked are skipped); the
--        owner's row against being buried
WITH me AS MATERIALIZED (
    SELECT id FROM fliq.owners WHERE id = $1::uuid FOR KEY SHARE
), taken AS (
    DELETE FROM fliq.due
     WHERE ctid = ANY (ARRAY(
               SELECT d.ctid
                 FROM fliq.due d
                WHERE d.due_at AT TIME ZONE 'UTC' <= now() AT TIME ZONE 'UTC'
                  AND d.lane <> ALL ($3::int4[])
                  AND EXISTS (SELECT FROM me)
                ORDER BY d.due_at AT TIME ZONE 'UTC'
                LIMIT $2::int4
                  FOR UPDATE SKIP LOCKED))
 RETURNING account_id, job_id
), job AS MATERIALIZED (
    SELECT j.account_id, j.id, j.attempts + 1 AS attempt, j.max_retries,
           j.timeout_seconds, j.lane, j.backoff, j.due_at, j.method, j.url,
           j.headers, j.body
      FROM taken t
     CROSS JOIN LATERAL (
               SELECT * FROM fliq.jobs
                WHERE jobs.account_id = t.account_id AND jobs.id = t.job_id
                LIMIT 1) AS j
), claim AS (
    INSERT INTO fliq.claims (owner_id, account_ids, job_ids, attempts)
    SELECT $1::uuid, array_agg(account_id), array_agg(id), array_agg(attempt)
      FROM job
    HAVING count(*) > 0
 RETURNING id
)
SELECT c.id AS claim_id, j.account_id, j.id, j.attempt, j.max_retries,
       j.timeout_seconds, j.lane, j.backoff::text AS backoff, j.due_at,
       j.method, j.url, j.headers, j.body, s.secret
  FROM job j
 CROSS JOIN claim c
  LEFT JOIN fliq.signing_secrets s ON s.account_id = j.account_id
