-- The attempts of a job, oldest first.
-- in:  $1 uuid account_id, $2 uuid job_id
-- out: id uuid, owner_id uuid, executed_at timestamptz, duration_ms int4,
--      attempt_num int4, status_code int2, success boolean, error text,
--      response_excerpt text; one row with a NULL id when the job has none,
--      no row when the account has no such job
SELECT e.id, e.owner_id, e.executed_at, e.duration_ms, e.attempt_num,
       e.status_code, e.success, e.error, e.response_excerpt
  FROM fliq.jobs j
  LEFT JOIN fliq.executions e
    ON e.job_id = j.id AND e.account_id = j.account_id
       AND e.executed_at >= j.created_at - interval '1 hour'
 WHERE j.account_id = $1::uuid AND j.id = $2::uuid
 ORDER BY e.attempt_num, e.executed_at
