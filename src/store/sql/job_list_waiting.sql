-- A page of an account's jobs that wait for an attempt, newest first.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows
-- out: the columns of fliq.job_records
SELECT r.*
  FROM fliq.jobs j
 CROSS JOIN LATERAL (
           SELECT * FROM fliq.job_records
            WHERE account_id = j.account_id AND id = j.id
            LIMIT 1) AS r
 WHERE j.account_id = $1::uuid AND j.status = 'waiting' AND j.id < $2::uuid
   AND r.next_attempt_at IS NOT NULL
 ORDER BY j.account_id DESC, j.id DESC
 LIMIT $3::int4
