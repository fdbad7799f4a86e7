-- Make the unfinished jobs of ended dispatchers due again, at their own times
-- and with the same attempt number.
-- out: one row: released int8
WITH orphan AS (
    DELETE FROM fliq.claims c
     WHERE NOT EXISTS (SELECT FROM fliq.owners o WHERE o.id = c.owner_id)
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
