-- One job of an account.
-- in:  $1 uuid account_id, $2 uuid id
-- out: the columns of fliq.job_records; at most one row
SELECT * FROM fliq.job_records
 WHERE account_id = $1::uuid AND id = $2::uuid
