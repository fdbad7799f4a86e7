-- The newest applied migration, 0 in a database that has none.
-- out: version integer
SELECT to_regclass('fliq.schema_migrations') IS NULL AS blank \gset
\if :blank
    \echo 0
\else
    SELECT coalesce(max(version), 0) FROM fliq.schema_migrations;
\endif
