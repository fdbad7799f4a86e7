-- pgbench: one job by its key.
\set n random(1, :count)
SELECT * FROM fliq.jobs
 WHERE account_id = :account::uuid
   AND id = ('01800001-0000-7000-8000-'
             || lpad(to_hex(:n::int), 12, '0'))::uuid;
