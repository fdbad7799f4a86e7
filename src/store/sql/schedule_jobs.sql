-- A page of the jobs that a schedule spawned, newest first.
-- in:  $1 uuid account_id, $2 uuid id that the page lies behind, $3 int4 rows,
--      $4 uuid schedule_id, $5 text[] the states to list, NULL: all
-- out: the columns of fliq.job_records
SELECT r.*
  FROM fliq.jobs j
 CROSS JOIN LATERAL (
           SELECT * FROM fliq.job_records
            WHERE account_id = j.account_id AND id = j.id
            LIMIT 1) AS r
 WHERE j.schedule_id = $4::uuid AND j.account_id = $1::uuid
   AND j.id < $2::uuid
   AND ($5::text[] IS NULL OR r.status = ANY ($5::text[]))
 ORDER BY j.schedule_id DESC, j.id DESC
 LIMIT $3::int4
