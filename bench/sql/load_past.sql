-- Part of a long history: of every two jobs, one waits for a far day and one
-- has ended with an execution.
-- in: account, part (0-99), count
SET synchronous_commit = off;

CREATE TEMPORARY TABLE past AS
SELECT n, ('017f' || lpad(:'part', 4, '0') || '-0000-7000-8000-'
           || lpad(to_hex(n), 12, '0'))::uuid AS id,
       n % 2 = 1 AS waits,
       now() - interval '1 day' - n * interval '1 ms' AS past,
       now() + interval '1 day' + n * interval '1 ms' AS ahead
  FROM generate_series(1, :count) AS n;

INSERT INTO fliq.jobs
       (account_id, id, url, method, scheduled_at, due_at, headers, body,
        max_retries, timeout_seconds, lane, status, attempts,
        last_status_code, started_at, completed_at, created_at, updated_at)
SELECT :'account', id, 'http://127.0.0.1:9/hooks/orders', 'POST',
       CASE WHEN waits THEN ahead ELSE past END,
       CASE WHEN waits THEN ahead END,
       '{"X-Tenant":"shop-17","X-Event":"order.paid"}',
       rpad('{"order":"4711","customer":"c-0815","total":1999',
            256, 'x')::bytea,
       3, 30, 2,
       (CASE WHEN waits THEN 'waiting' ELSE 'success' END)::fliq.job_status,
       CASE WHEN waits THEN 0 ELSE 1 END,
       CASE WHEN NOT waits THEN 200 END,
       CASE WHEN NOT waits THEN past END, CASE WHEN NOT waits THEN past END,
       past, past
  FROM past;

INSERT INTO fliq.due (account_id, job_id, due_at, lane)
SELECT :'account', id, ahead, 2 FROM past WHERE waits;

INSERT INTO fliq.executions
       (id, account_id, job_id, owner_id, executed_at, duration_ms,
        attempt_num, status_code, success, response_excerpt)
SELECT id, :'account', id, id, past, 12, 1, 200, true, 'ok'
  FROM past
 WHERE NOT waits;
