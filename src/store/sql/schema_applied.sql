-- The newest applied migration.
-- out: one row: version int4, 0 when none is
SELECT coalesce(max(version), 0) AS version FROM fliq.schema_migrations
