-- Jobs that several clients ask for at one time, each of its own account.
-- in:  one array each, of the same length: $1 uuid[] account_id, $2 uuid[] id
-- out: the columns of fliq.job_records, place int4 (which of the arrays'
--      elements it is, counted from 1); no row for a job that is not there
WITH input AS NOT MATERIALIZED (
    SELECT unnest($1::uuid[]) AS account_id, unnest($2::uuid[]) AS id,
           generate_subscripts($1::uuid[], 1) AS place
)
SELECT job.*, input.place
  FROM input
 CROSS JOIN LATERAL (
           SELECT * FROM fliq.job_records AS r
            WHERE r.account_id = input.account_id AND r.id = input.id
            LIMIT 1) AS job
