-- What the statements of fliqctl share, for the length of its session.

-- The public form of an id: prefix, _, and 26 base32 digits.
CREATE FUNCTION pg_temp.public_id(prefix text, id uuid) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
        SELECT prefix || '_' || string_agg(
                   substr('0123456789abcdefghjkmnpqrstvwxyz', digit + 1, 1),
                   '' ORDER BY i)
          FROM generate_series(0, 25) AS i,
               CAST('x0' || replace(id::text, '-', '') AS bit(132)) AS bits,
               CAST(substring(bits FROM 3 + 5 * i FOR 5)::bit(5) AS int)
                   AS digit
    $$;

-- A new UUIDv7: the millisecond, then a random UUID's bits and variant.
CREATE FUNCTION pg_temp.new_id() RETURNS uuid
    LANGUAGE sql VOLATILE AS $$
        SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp())
                             * 1000)::bigint), 12, '0')
                || '7'
                || substr(replace(gen_random_uuid()::text, '-', ''), 14)
               )::uuid
    $$;

-- RFC 3339 in UTC, a fraction only where it is not zero.
CREATE FUNCTION pg_temp.utc(t timestamptz) RETURNS text
    LANGUAGE sql STABLE AS $$
        SELECT (to_json(t AT TIME ZONE 'UTC') #>> '{}') || 'Z'
    $$;

-- An account as fliqctl shows it.
CREATE FUNCTION pg_temp.shown(account fliq.accounts) RETURNS json
    LANGUAGE sql STABLE AS $$
        SELECT row_to_json(record)
          FROM (SELECT pg_temp.public_id('acct', account.id) AS id,
                       account.name, account.plan, account.balance,
                       account.daily_limit,
                       pg_temp.utc(account.suspended_at) AS suspended_at,
                       pg_temp.utc(account.created_at) AS created_at
               ) AS record
    $$;
