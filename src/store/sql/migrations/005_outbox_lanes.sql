-- Webhooks and alerts are claimed lane by lane, and who holds which is asked
-- for twice a second by each dispatcher.
DROP INDEX fliq.outbox_waiting;

CREATE INDEX outbox_waiting ON fliq.outbox (lane, id) WHERE owner_id IS NULL;
CREATE INDEX outbox_taken ON fliq.outbox (owner_id)
    WHERE owner_id IS NOT NULL;
