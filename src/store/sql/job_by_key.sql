-- The job that used an idempotency key, or that has an id: what became of a
-- row that job_create left out.
-- in:  $1 uuid account_id, $2 text idempotency_key or NULL, $3 uuid id
-- out: the columns of fliq.job_records; at most one row
(SELECT * FROM fliq.job_records
  WHERE account_id = $1::uuid AND idempotency_key = $2::text)
UNION ALL
(SELECT * FROM fliq.job_records
  WHERE account_id = $1::uuid AND id = $3::uuid)
LIMIT 1
