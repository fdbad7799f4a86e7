-- Make due again what a living dispatcher claimed without knowing it: the
-- connection was lost before the answer to a claim came.
-- in:  $1 uuid owner, $2 int8[] the claims that it knows
-- out: one row: released int8
WITH orphan AS (
    DELETE FROM fliq.claims c
     WHERE c.owner_id = $1::uuid AND c.id <> ALL ($2::int8[])
 RETURNING c.account_ids, c.job_ids, c.attempts
), queued AS (
    INSERT INTO fliq.due (account_id, job_id, due_at, lane)
    SELECT j.account_id, j.id, j.due_at, j.lane
      FROM orphan o
     CROSS JOIN unnest(o.account_ids, o.job_ids, o.attempts)
                AS t (account_id, job_id, attempt)
     CROSS JOIN LATERAL (
               SELECT * FROM fliq.jobs
                WHERE jobs.account_id = t.account_id AND jobs.id = t.job_id
                LIMIT 1) AS j
     WHERE j.status = 'waiting' AND j.attempts = t.attempt - 1
 RETURNING 1
)
SELECT count(*) AS released FROM queued
