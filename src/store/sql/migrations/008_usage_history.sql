-- Days that are over become running totals, so that a histogram over any
-- window is the difference of two rows.  buckets[i] has had totals[i] of an
-- account's executions up to the end of day.  What stands in usage_durations
-- is not in here, whatever its day: a reader adds it.
CREATE TABLE fliq.usage_history (
    account_id  uuid NOT NULL,
    kind        fliq.usage_kind NOT NULL,
    day         date NOT NULL,
    buckets     smallint[] NOT NULL,
    totals      bigint[] NOT NULL,
    PRIMARY KEY (account_id, kind, day)
);


-- One row: whose turn it is to move days there, one dispatcher's at a time.

CREATE TABLE fliq.usage_turn (
    account_id  uuid NOT NULL,      -- go on behind it
    runs        bigint NOT NULL     -- how many have been
);

INSERT INTO fliq.usage_turn
VALUES ('00000000-0000-0000-0000-000000000000', 0);
