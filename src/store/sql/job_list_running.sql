-- A page of an account's jobs whose attempt is under way, newest first.  The
-- claims are few: a row for each batch that some dispatcher has in flight.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows
-- out: the columns of fliq.job_records
SELECT r.*
  FROM (SELECT DISTINCT t.job_id
          FROM fliq.claims c
         CROSS JOIN unnest(c.account_ids, c.job_ids) AS t (account_id, job_id)
         WHERE t.account_id = $1::uuid AND t.job_id < $2::uuid) AS t
 CROSS JOIN LATERAL (
           SELECT * FROM fliq.job_records
            WHERE account_id = $1::uuid AND id = t.job_id
            LIMIT 1) AS r
 WHERE r.status = 'running'
 ORDER BY t.job_id DESC
 LIMIT $3::int4
