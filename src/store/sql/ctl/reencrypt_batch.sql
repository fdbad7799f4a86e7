-- Where fliqctl copies what comes out of fliq-seal, some rows at a time.
\ir reencrypt_functions.sql
CREATE TEMPORARY TABLE batch (
    account_id       uuid,
    headers          bytea,         -- NULL here and below: stays as it is
    webhook_headers  bytea,
    body             bytea,
    secret           bytea,
    kind             text,
    id               uuid,
    buffer_id        uuid,
    seen             bytea
) ON COMMIT DELETE ROWS;

-- Nothing is known of the batch, but its rows are few: go by their keys.
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET jit = off;
