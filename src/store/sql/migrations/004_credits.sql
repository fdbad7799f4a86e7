-- What accounts on the plans free and paid have, used and were given.

-- Executions of the day used_on (UTC), counted where they are claimed.
ALTER TABLE fliq.accounts ADD COLUMN used_on date;
ALTER TABLE fliq.accounts ADD COLUMN used_today integer NOT NULL DEFAULT 0;

CREATE TYPE fliq.credit_type AS ENUM
    ('job_execution', 'buffer_execution', 'grant');

-- One row for each grant, and one for each day and kind of executions.
CREATE TABLE fliq.credit_transactions (
    account_id   uuid NOT NULL,
    id           uuid NOT NULL,
    type         fliq.credit_type NOT NULL,
    day          date,                    -- of executions
    amount       bigint NOT NULL,         -- negative: spent
    description  text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, id)
);

CREATE UNIQUE INDEX credit_transactions_by_day
    ON fliq.credit_transactions (account_id, day, type)
    WHERE day IS NOT NULL;

-- A UUIDv7 of this moment, for rows that the database makes by itself.
CREATE FUNCTION fliq.make_id() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::int8),
                 12, '0')
            || '7' || substr(random, 14))::uuid
      FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS random) AS r
$$;

-- How many executions an account may still have now; NULL: any number.
CREATE FUNCTION fliq.allowance(account fliq.accounts) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN account.plan = 'unlimited' THEN NULL
           ELSE greatest(0, least(
               account.balance,
               CASE WHEN account.plan = 'free'
                    THEN account.daily_limit - CASE
                         WHEN account.used_on
                              = (now() AT TIME ZONE 'UTC')::date
                         THEN account.used_today ELSE 0 END
               END))
           END
$$;
