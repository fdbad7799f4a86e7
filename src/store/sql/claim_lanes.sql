-- Claim due jobs lane by lane, for when more is due than can be fired: no
-- account and no host can keep the others waiting.  A lane is one host of one
-- account; the walk goes on behind the lane where the last one ended.
-- in:  $1 uuid owner, $2 int4 rows at most, $3 int4[] lanes to pass over,
--      $4 uuid account_id and $5 int4 lane to begin behind, $6 int4 lanes to
--      visit, $7 int4 rows of one lane
-- out: as claim_due
-- locks: as claim_due
WITH RECURSIVE me AS MATERIALIZED (
    SELECT id FROM fliq.owners WHERE id = $1::uuid FOR KEY SHARE
), step AS (
    (SELECT d.account_id, d.lane, 1 AS n
       FROM fliq.due d
      WHERE (d.account_id, d.lane) > ($4::uuid, $5::int4)
      ORDER BY d.account_id, d.lane
      LIMIT 1)
    UNION ALL
    SELECT next.account_id, next.lane, step.n + 1
      FROM step
     CROSS JOIN LATERAL (
               SELECT d.account_id, d.lane
                 FROM fliq.due d
                WHERE (d.account_id, d.lane) > (step.account_id, step.lane)
                ORDER BY d.account_id, d.lane
                LIMIT 1) AS next
     WHERE step.n < $6::int4
), taken AS (
    DELETE FROM fliq.due
     WHERE ctid = ANY (ARRAY(
               SELECT picked.ctid
                 FROM step
                CROSS JOIN LATERAL (
                          SELECT d.ctid
                            FROM fliq.due d
                           WHERE d.account_id = step.account_id
                             AND d.lane = step.lane AND d.due_at <= now()
                           ORDER BY d.due_at
                           LIMIT $7::int4
                             FOR UPDATE SKIP LOCKED) AS picked
                WHERE step.lane <> ALL ($3::int4[])
                  AND EXISTS (SELECT FROM me)
                LIMIT $2::int4))
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
 ORDER BY j.account_id, j.lane
