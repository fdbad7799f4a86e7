-- Whether the schema is there at all.
-- out: one row: exists boolean
SELECT to_regclass('fliq.schema_migrations') IS NOT NULL AS exists
