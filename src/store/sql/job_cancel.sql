-- Cancel a job that waits for an attempt.  Whoever deletes its row of fliq.due
-- first, this or a claim, has the job.
-- in:  $1 uuid account_id, $2 uuid id
-- out: one row: found boolean, cancelled boolean; its webhook waits in the
--      outbox then
-- locks: the row of fliq.due, the row of fliq.jobs
WITH job AS MATERIALIZED (
    SELECT account_id, id, lane, due_at
      FROM fliq.jobs
     WHERE account_id = $1::uuid AND id = $2::uuid
), gone AS (
    DELETE FROM fliq.due
     WHERE ctid = ANY (ARRAY(
               SELECT d.ctid
                 FROM job
                CROSS JOIN LATERAL (
                          SELECT due.ctid
                            FROM fliq.due
                           WHERE due.account_id = job.account_id
                             AND due.lane = job.lane
                             AND due.due_at = job.due_at
                             AND due.job_id = job.id
                           LIMIT 1) AS d))
 RETURNING account_id, job_id
), ended AS (
    UPDATE fliq.jobs j
       SET status = 'cancelled', due_at = NULL, completed_at = now(),
           updated_at = now()
     WHERE j.account_id = $1::uuid AND j.id = $2::uuid
       AND EXISTS (SELECT FROM gone)
 RETURNING j.*
), hooks AS (
    INSERT INTO fliq.outbox
           (account_id, delivery_id, lane, url, headers, body)
    SELECT account_id, fliq.id_text('job', id), webhook_lane, webhook_url,
           webhook_headers,
           json_build_object(
               'job_id', fliq.id_text('job', id),
               'status', 'cancelled',
               'status_code', last_status_code,
               'last_error', last_error,
               'completed_at', fliq.time_text(completed_at),
               'attempt_num', attempts)::text
      FROM ended
     WHERE webhook_url IS NOT NULL
)
SELECT EXISTS (SELECT FROM job) AS found,
       EXISTS (SELECT FROM ended) AS cancelled
