-- Put the rows of the batch in their places.
-- A job that is running, or could be before this ends, is left for later: what
-- settles it finds it by the place of its row.  So is a schedule that spawns.
-- out:   how many rows were changed
-- locks: those rows, which are passed over when somebody else has them locked,
--        so that this waits for nobody
WITH free_job AS MATERIALIZED (
    SELECT b.*
      FROM batch b
     CROSS JOIN LATERAL (
               SELECT 1 FROM fliq.jobs j
                WHERE j.account_id = b.account_id AND j.id = b.id
                  AND (j.status::text <> 'waiting'
                       OR j.due_at > statement_timestamp() + interval '5 s')
                  AND pg_temp.seen(j.headers, j.webhook_headers, j.body)
                      = b.seen
                  FOR NO KEY UPDATE SKIP LOCKED) AS free
     WHERE b.kind = 'job'
       AND num_nonnulls(b.headers, b.webhook_headers, b.body) > 0
), job AS (
    UPDATE fliq.jobs j
       SET headers = coalesce(convert_from(b.headers, 'UTF8'), j.headers),
           webhook_headers = coalesce(convert_from(b.webhook_headers, 'UTF8'),
                                      j.webhook_headers),
           body = coalesce(b.body, j.body)
      FROM free_job b
     WHERE j.account_id = b.account_id AND j.id = b.id
 RETURNING 1
), free_schedule AS MATERIALIZED (
    SELECT b.*
      FROM batch b
     CROSS JOIN LATERAL (
               SELECT 1 FROM fliq.schedules s
                WHERE s.account_id = b.account_id AND s.id = b.id
                  AND coalesce(s.next_run_at > statement_timestamp()
                                               + interval '5 s', true)
                  AND pg_temp.seen(s.headers, s.webhook_headers, s.body)
                      = b.seen
                  FOR NO KEY UPDATE SKIP LOCKED) AS free
     WHERE b.kind = 'schedule'
       AND num_nonnulls(b.headers, b.webhook_headers, b.body) > 0
), schedule AS (
    UPDATE fliq.schedules s
       SET headers = coalesce(convert_from(b.headers, 'UTF8'), s.headers),
           webhook_headers = coalesce(convert_from(b.webhook_headers, 'UTF8'),
                                      s.webhook_headers),
           body = coalesce(b.body, s.body)
      FROM free_schedule b
     WHERE s.account_id = b.account_id AND s.id = b.id
 RETURNING 1
), free_buffer AS MATERIALIZED (
    SELECT b.*
      FROM batch b
     CROSS JOIN LATERAL (
               SELECT 1 FROM fliq.buffers f
                WHERE f.account_id = b.account_id AND f.id = b.id
                  AND pg_temp.seen(f.headers, f.webhook_headers, NULL)
                      = b.seen
                  FOR NO KEY UPDATE SKIP LOCKED) AS free
     WHERE b.kind = 'buffer'
       AND num_nonnulls(b.headers, b.webhook_headers, b.body) > 0
), buffer AS (
    UPDATE fliq.buffers f
       SET headers = coalesce(convert_from(b.headers, 'UTF8'), f.headers),
           webhook_headers = coalesce(convert_from(b.webhook_headers, 'UTF8'),
                                      f.webhook_headers)
      FROM free_buffer b
     WHERE f.account_id = b.account_id AND f.id = b.id
 RETURNING 1
), free_item AS MATERIALIZED (
    SELECT b.*
      FROM batch b
     CROSS JOIN LATERAL (
               SELECT 1 FROM fliq.buffer_items i
                WHERE i.buffer_id = b.buffer_id AND i.id = b.id
                  AND pg_temp.seen(i.headers, NULL, i.body) = b.seen
                  FOR NO KEY UPDATE SKIP LOCKED) AS free
     WHERE b.kind = 'item'
       AND num_nonnulls(b.headers, b.webhook_headers, b.body) > 0
), item AS (
    UPDATE fliq.buffer_items i
       SET headers = coalesce(convert_from(b.headers, 'UTF8'), i.headers),
           body = coalesce(b.body, i.body)
      FROM free_item b
     WHERE i.buffer_id = b.buffer_id AND i.id = b.id
 RETURNING 1
), free_secret AS MATERIALIZED (
    SELECT b.*
      FROM batch b
     CROSS JOIN LATERAL (
               SELECT 1 FROM fliq.signing_secrets s
                WHERE s.account_id = b.account_id
                  AND pg_temp.seen(s.secret, NULL, NULL) = b.seen
                  FOR NO KEY UPDATE SKIP LOCKED) AS free
     WHERE b.kind = 'secret' AND b.secret IS NOT NULL
), secret AS (
    UPDATE fliq.signing_secrets s
       SET secret = convert_from(b.secret, 'UTF8')
      FROM free_secret b
     WHERE s.account_id = b.account_id
 RETURNING 1
)
SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM schedule)
       + (SELECT count(*) FROM buffer) + (SELECT count(*) FROM item)
       + (SELECT count(*) FROM secret);
