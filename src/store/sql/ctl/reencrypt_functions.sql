-- What of the values at rest is not as it is to be: fliq_seal.h has their
-- forms.  id is that of the key that all are to be sealed with, '' means that
-- all are to be plain.
CREATE FUNCTION pg_temp.stale(value text, id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(CASE id WHEN '' THEN left(value, 7) = 'sealed:'
                        ELSE left(value, 26) <> 'sealed:1:' || id || ':' END,
                        false)
    $$;

CREATE FUNCTION pg_temp.stale(value bytea, id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(CASE id WHEN '' THEN substr(value, 1, 1) = '\xff'
                        ELSE substr(value, 1, 10)
                             <> '\xff01'::bytea || decode(id, 'hex') END,
                        false)
    $$;

-- To tell whether a row was changed since it was read.  Of a secret's row,
-- that stands in the place of the headers.
CREATE FUNCTION pg_temp.seen(headers text, webhook_headers text, body bytea)
    RETURNS bytea
    LANGUAGE sql IMMUTABLE AS $$
        SELECT sha256(convert_to((headers, webhook_headers, body)::text,
                                 'UTF8'))
    $$;

CREATE FUNCTION pg_temp.bytes(value text) RETURNS bytea
    LANGUAGE sql IMMUTABLE AS $$ SELECT convert_to(value, 'UTF8') $$;
