-- Jobs that are all due at one moment, as a client's creates would have left
-- them.
-- in: account, set (0-9999), count, due (seconds since 1970), url
WITH made AS (
    INSERT INTO fliq.jobs
           (account_id, id, url, method, scheduled_at, due_at, headers, body,
            max_retries, timeout_seconds, lane)
    SELECT :'account',
           ('0180' || lpad(:'set', 4, '0') || '-0000-7000-8000-'
            || lpad(to_hex(n), 12, '0'))::uuid,
           :'url', 'POST', to_timestamp(:due), to_timestamp(:due),
           '{"X-Tenant":"shop-17","X-Event":"order.paid"}',
           rpad('{"order":"4711","customer":"c-0815","total":1999',
                256, 'x')::bytea,
           3, 30, 1
      FROM generate_series(1, :count) AS n
 RETURNING account_id, id, due_at, lane
)
INSERT INTO fliq.due (account_id, job_id, due_at, lane)
SELECT account_id, id, due_at, lane FROM made;
