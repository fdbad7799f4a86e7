-- Spawn the jobs of a batch of runs, and move each schedule to its next run.
-- Guarded by the run that the caller read: of two that spawn the same run one
-- wins, and a schedule that was paused or changed in the meantime spawns none.
-- in:  one array each, of the same length: $1 uuid[] account_id, $2 uuid[] id,
--      $3 timestamptz[] the run, $4 timestamptz[] the next run or NULL,
--      $5 uuid[] id of the job
-- out: one row: spawned int8
-- locks: the schedules, in the order of their key
WITH input AS MATERIALIZED (
    SELECT t.*, s.ctid AS schedule
      FROM (SELECT unnest($1::uuid[]) AS account_id, unnest($2::uuid[]) AS id,
                   unnest($3::timestamptz[]) AS run_at,
                   unnest($4::timestamptz[]) AS next_run_at,
                   unnest($5::uuid[]) AS job_id) AS t
     CROSS JOIN LATERAL (
               SELECT schedules.ctid FROM fliq.schedules
                WHERE schedules.account_id = t.account_id
                  AND schedules.id = t.id
                LIMIT 1) AS s
     ORDER BY t.account_id, t.id
), moved AS (
    UPDATE fliq.schedules s
       SET last_run_at = i.run_at, next_run_at = i.next_run_at
      FROM input i
     WHERE s.ctid = i.schedule AND s.id = i.id
       AND s.next_run_at = i.run_at AND NOT s.paused
 RETURNING s.account_id, s.id, s.url, s.method, s.headers, s.body,
           s.max_retries, s.timeout_seconds, s.backoff, s.webhook_url,
           s.webhook_headers, s.lane, s.webhook_lane, i.run_at, i.job_id
), made AS (
    INSERT INTO fliq.jobs
           (account_id, id, url, method, scheduled_at, due_at, headers, body,
            max_retries, timeout_seconds, backoff, webhook_url,
            webhook_headers, lane, webhook_lane, schedule_id)
    SELECT account_id, job_id, url, method, run_at, run_at, headers, body,
           max_retries, timeout_seconds, backoff, webhook_url,
           webhook_headers, lane, webhook_lane, id
      FROM moved
 RETURNING account_id, id, due_at, lane
), queued AS (
    INSERT INTO fliq.due (account_id, job_id, due_at, lane)
    SELECT account_id, id, due_at, lane FROM made
)
SELECT count(*) AS spawned FROM made
