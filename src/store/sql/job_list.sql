-- A page of an account's jobs, newest first.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows
-- out: the columns of fliq.job_records
SELECT * FROM fliq.job_records
 WHERE account_id = $1::uuid AND id < $2::uuid
 ORDER BY account_id DESC, id DESC
 LIMIT $3::int4
