-- All values at rest that are not as they are to be.  Those of the outbox are
-- gone in a moment, and left alone.
-- vars: id of a key, or empty: see reencrypt_functions.sql
-- out:  the lines of reencrypt_batch.sql, of which fliq-seal reads the first
--       five columns
\ir reencrypt_functions.sql
COPY (
    SELECT account_id,
           CASE WHEN h THEN pg_temp.bytes(headers) END,
           CASE WHEN w THEN pg_temp.bytes(webhook_headers) END,
           CASE WHEN b THEN body END,
           CASE WHEN s THEN pg_temp.bytes(secret) END, kind, id, buffer_id,
           pg_temp.seen(coalesce(headers, secret), webhook_headers, body)
      FROM (SELECT v.*, pg_temp.stale(headers, :'id') AS h,
                   pg_temp.stale(webhook_headers, :'id') AS w,
                   pg_temp.stale(body, :'id') AS b,
                   pg_temp.stale(secret, :'id') AS s
              FROM (SELECT account_id, headers, webhook_headers, body,
                           NULL AS secret, 'job' AS kind, id,
                           NULL::uuid AS buffer_id
                      FROM fliq.jobs
                    UNION ALL
                    SELECT account_id, headers, webhook_headers, body, NULL,
                           'schedule', id, NULL
                      FROM fliq.schedules
                    UNION ALL
                    SELECT account_id, headers, webhook_headers, NULL, NULL,
                           'buffer', id, NULL
                      FROM fliq.buffers
                    UNION ALL
                    SELECT account_id, headers, NULL, body, NULL, 'item', id,
                           buffer_id
                      FROM fliq.buffer_items
                    UNION ALL
                    SELECT account_id, NULL, NULL, NULL, secret, 'secret',
                           account_id, NULL
                      FROM fliq.signing_secrets) AS v) AS t
     WHERE h OR w OR b OR s
) TO STDOUT;
