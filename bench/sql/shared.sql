-- pgbench: 64 jobs, one commit.
INSERT INTO bench.jobs
       (account_id, scheduled_at, max_retries, method, url, headers, body)
SELECT :account, '2099-01-01T00:00:00Z', 3, 'POST',
       'http://127.0.0.1:8080/hooks/orders',
       '{"X-Tenant":"shop-17","X-Event":"order.paid"}',
       rpad('{"order":"4711","customer":"c-0815","total":1999', 256, 'x')
  FROM generate_series(1, 64)
RETURNING id;
