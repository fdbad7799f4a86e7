-- How many values are not as they are to be, those of the outbox too.
-- vars: id of a key, or empty: see reencrypt_functions.sql
-- out:  a number
\ir reencrypt_functions.sql
SELECT count(*) FILTER (WHERE pg_temp.stale(headers, :'id'))
       + count(*) FILTER (WHERE pg_temp.stale(webhook_headers, :'id'))
       + count(*) FILTER (WHERE pg_temp.stale(body, :'id'))
       + count(*) FILTER (WHERE pg_temp.stale(secret, :'id'))
  FROM (SELECT headers, webhook_headers, body, NULL AS secret
          FROM fliq.jobs
        UNION ALL
        SELECT headers, webhook_headers, body, NULL FROM fliq.schedules
        UNION ALL
        SELECT headers, webhook_headers, NULL, NULL FROM fliq.buffers
        UNION ALL
        SELECT headers, NULL, body, NULL FROM fliq.buffer_items
        UNION ALL
        SELECT NULL, NULL, NULL, secret FROM fliq.signing_secrets
        UNION ALL
        SELECT headers, NULL, NULL, NULL FROM fliq.outbox) AS v;
