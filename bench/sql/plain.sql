-- The table that an application would keep its jobs in by itself: a key, and
-- an index to find what is due.
CREATE SCHEMA bench;

CREATE TABLE bench.jobs (
    id            bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    account_id    uuid NOT NULL,
    status        text NOT NULL DEFAULT 'waiting',
    scheduled_at  timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    attempts      integer NOT NULL DEFAULT 0,
    max_retries   integer NOT NULL,
    method        text NOT NULL,
    url           text NOT NULL,
    headers       jsonb,
    body          text
);

CREATE INDEX jobs_due ON bench.jobs (scheduled_at) WHERE status = 'waiting';
