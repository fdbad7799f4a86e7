-- Webhooks and alerts: a row is written in the transaction that made it true,
-- and deleted when it was sent.

CREATE TYPE fliq.channel_type AS ENUM ('webhook', 'slack');

CREATE TABLE fliq.alert_channels (
    account_id  uuid NOT NULL,
    id          uuid NOT NULL,
    type        fliq.channel_type NOT NULL,
    name        text NOT NULL DEFAULT '',
    target      text NOT NULL,
    lane        integer NOT NULL,
    enabled     boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, id)
);

CREATE TABLE fliq.outbox (
    id           bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    account_id   uuid NOT NULL,
    delivery_id  text NOT NULL,           -- X-Fliq-Delivery-Id
    lane         integer NOT NULL,
    owner_id     uuid,                    -- of the dispatcher that sends it
    url          text NOT NULL,
    headers      text,
    body         text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX outbox_waiting ON fliq.outbox (id) WHERE owner_id IS NULL;

ALTER TABLE fliq.outbox SET (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0
);

-- A webhook's lane is fixed with its job, so that nothing parses a URL here.
ALTER TABLE fliq.jobs ADD COLUMN webhook_lane integer;
ALTER TABLE fliq.schedules ADD COLUMN webhook_lane integer;

-- An id as the API writes it: the prefix and the 26 digits of fliq_id.h.
CREATE FUNCTION fliq.id_text(prefix text, id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT prefix || '_' || string_agg(
               substr('0123456789abcdefghjkmnpqrstvwxyz',
                      substring(bits FROM i * 5 + 1 FOR 5)::bit(5)::int + 1,
                      1), '' ORDER BY i)
      FROM (SELECT B'00' || ('x' || replace(id::text, '-', ''))::bit(128)
                   AS bits) AS b
     CROSS JOIN generate_series(0, 25) AS i
$$;

-- A time as the API writes it: a fraction only where it is not zero.
CREATE FUNCTION fliq.time_text(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT rtrim(rtrim(to_char(at AT TIME ZONE 'UTC',
                               'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.')
           || 'Z'
$$;

-- What a channel is sent when a job or a buffer item has failed for good.
CREATE FUNCTION fliq.alert_text(channel fliq.channel_type,
    resource_type text, resource_id text, buffer_id text, schedule_id text,
    url text, method text, last_error text, status_code integer,
    attempts integer, failed_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE channel
           WHEN 'slack' THEN json_build_object('text', format(
               '%s %s failed for good: %s %s. Last error: %s. Attempts: %s.',
               CASE resource_type WHEN 'job' THEN 'Job'
                                  ELSE 'Buffer item' END,
               resource_id, method, url, coalesce(last_error, 'none'),
               attempts))::jsonb
           ELSE json_strip_nulls(json_build_object(
                    'event', 'failure',
                    'resource_type', resource_type,
                    'resource_id', resource_id,
                    'buffer_id', buffer_id,
                    'schedule_id', schedule_id))::jsonb
                || jsonb_build_object(
                    'url', url,
                    'method', method,
                    'last_error', last_error,
                    'status_code', status_code,
                    'attempts', attempts,
                    'failed_at', fliq.time_text(failed_at))
           END::text
$$;
