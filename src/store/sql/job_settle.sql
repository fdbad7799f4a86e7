-- Record what came of a batch of attempts, with everything that follows from
-- it, in one commit.  Fenced twice: an owner that others have buried changes
-- nothing, not even its claims, by which its jobs are found; and an attempt
-- counts only when it is the job's next.
-- in:  $1 uuid owner; one array each, of the same length:
--      $2 uuid[] account_id, $3 uuid[] job_id, $4 int4[] attempt, $5 uuid[]
--      execution id,
--      $6 timestamptz[] started_at, $7 int4[] duration_ms,
--      $8 int4[] status_code, $9 text[] error, $10 text[] response_excerpt,
--      $11 text[] job status: waiting (a retry follows), success or failed,
--      $12 timestamptz[] due_at of the retry, $13 int4[] histogram bucket;
--      $14 int8[] claims that are finished with this, $15 int4 shard;
--      $16 int4[] 1 where no request was made: nothing is counted
-- out: one row: owner boolean (not buried), settled int8, posted int8
--      (webhooks and alerts that now wait in the outbox)
-- The jobs are reached by ctid and "waiting" is told by due_at, so that the
-- plan begins with the input and never with the index of waiting jobs.
-- locks: the owner's row against being buried; the jobs; the usage rows in
--        the order of their key
WITH me AS MATERIALIZED (
    SELECT id FROM fliq.owners WHERE id = $1::uuid FOR KEY SHARE
), input AS MATERIALIZED (
    SELECT t.*, j.ctid AS job
      FROM (SELECT unnest($2::uuid[]) AS account_id,
                   unnest($3::uuid[]) AS job_id, unnest($4::int4[]) AS attempt,
                   unnest($5::uuid[]) AS execution_id,
                   unnest($6::timestamptz[]) AS started_at,
                   unnest($7::int4[]) AS duration_ms,
                   unnest($8::int4[]) AS status_code,
                   unnest($9::text[]) AS error, unnest($10::text[]) AS excerpt,
                   unnest($11::text[]) AS status,
                   unnest($12::timestamptz[]) AS due_at,
                   unnest($13::int4[]) AS bucket,
                   unnest($16::int4[]) AS refused
              FROM me) AS t
     CROSS JOIN LATERAL (
               SELECT jobs.ctid FROM fliq.jobs
                WHERE jobs.account_id = t.account_id AND jobs.id = t.job_id
                LIMIT 1) AS j
), done AS (
    UPDATE fliq.jobs j
       SET status = i.status::fliq.job_status,
           attempts = i.attempt - i.refused,
           due_at = i.due_at,
           last_status_code = CASE WHEN i.refused = 0 THEN i.status_code
                                   ELSE j.last_status_code END,
           last_error = i.error,
           started_at = CASE WHEN i.refused = 0
                             THEN coalesce(j.started_at, i.started_at)
                             ELSE j.started_at END,
           completed_at = CASE WHEN i.due_at IS NULL
                               THEN i.started_at
                                    + i.duration_ms * interval '1 ms' END,
           updated_at = now()
      FROM input i
     WHERE j.ctid = i.job AND j.id = i.job_id
       AND j.due_at IS NOT NULL AND j.attempts = i.attempt - 1
 RETURNING j.account_id, j.lane, i.job_id, j.attempts AS attempt,
           i.execution_id, i.started_at, i.duration_ms,
           j.last_status_code AS status_code, i.error, i.excerpt, i.status,
           i.due_at, i.bucket, i.refused, j.completed_at, j.schedule_id,
           j.method, j.url, j.webhook_url, j.webhook_headers, j.webhook_lane
), recorded AS (
    INSERT INTO fliq.executions
           (id, account_id, job_id, owner_id, executed_at, duration_ms,
            attempt_num, status_code, success, error, response_excerpt)
    SELECT execution_id, account_id, job_id, $1::uuid, started_at,
           duration_ms, attempt, status_code, status = 'success', error,
           excerpt
      FROM done
     WHERE refused = 0
), again AS (
    INSERT INTO fliq.due (account_id, job_id, due_at, lane)
    SELECT account_id, job_id, due_at, lane
      FROM done
     WHERE due_at IS NOT NULL
), daily AS (
    INSERT INTO fliq.usage_daily AS u
           (account_id, day, kind, shard, executions, succeeded, failed,
            duration_ms_sum)
    SELECT account_id, started_at::date AS day, 'job', $15::int4, count(*),
           count(*) FILTER (WHERE status = 'success'),
           count(*) FILTER (WHERE status <> 'success'), sum(duration_ms)
      FROM done
     WHERE refused = 0
     GROUP BY account_id, day
     ORDER BY account_id, day
        ON CONFLICT (account_id, day, kind, shard) DO UPDATE
       SET executions = u.executions + excluded.executions,
           succeeded = u.succeeded + excluded.succeeded,
           failed = u.failed + excluded.failed,
           duration_ms_sum = u.duration_ms_sum + excluded.duration_ms_sum
), durations AS (
    INSERT INTO fliq.usage_durations AS u
           (account_id, day, kind, shard, bucket, count)
    SELECT account_id, started_at::date AS day, 'job', $15::int4, bucket,
           count(*)
      FROM done
     WHERE refused = 0
     GROUP BY account_id, day, bucket
     ORDER BY account_id, day, bucket
        ON CONFLICT (account_id, day, kind, shard, bucket) DO UPDATE
       SET count = u.count + excluded.count
), hooks AS (
    INSERT INTO fliq.outbox
           (account_id, delivery_id, lane, url, headers, body)
    SELECT account_id, fliq.id_text('job', job_id), webhook_lane, webhook_url,
           webhook_headers,
           json_build_object(
               'job_id', fliq.id_text('job', job_id),
               'status', CASE status WHEN 'success' THEN 'completed'
                                     ELSE status END,
               'status_code', status_code,
               'last_error', error,
               'completed_at', fliq.time_text(completed_at),
               'attempt_num', attempt)::text
      FROM done
     WHERE due_at IS NULL AND webhook_url IS NOT NULL
 RETURNING 1
), alerts AS (
    INSERT INTO fliq.outbox (account_id, delivery_id, lane, url, body)
    SELECT d.account_id, fliq.id_text('job', d.job_id), c.lane, c.target,
           fliq.alert_text(c.type, 'job', fliq.id_text('job', d.job_id), NULL,
                           fliq.id_text('sched', d.schedule_id), d.url,
                           d.method, d.error, d.status_code, d.attempt,
                           d.completed_at)
      FROM done d
     CROSS JOIN LATERAL (
               SELECT type, target, lane
                 FROM fliq.alert_channels
                WHERE account_id = d.account_id AND enabled
                LIMIT 1000) AS c
     WHERE d.status = 'failed'
 RETURNING 1
), closed AS (
    DELETE FROM fliq.claims
     WHERE owner_id = $1::uuid AND id = ANY ($14::int8[])
       AND EXISTS (SELECT FROM me)
)
SELECT EXISTS (SELECT FROM me) AS owner,
       (SELECT count(*) FROM done) AS settled,
       (SELECT count(*) FROM hooks) + (SELECT count(*) FROM alerts)
           AS posted
