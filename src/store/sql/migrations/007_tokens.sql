-- Tokens are listed and counted without those that were revoked, however many
-- these are; and each one's last use is written up to once a minute.
DROP INDEX fliq.tokens_by_account;

CREATE INDEX tokens_live ON fliq.tokens (account_id, id)
    WHERE revoked_at IS NULL;

ALTER TABLE fliq.tokens SET (fillfactor = 80);
