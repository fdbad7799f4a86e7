-- Apply one migration unless it is there, alone in the database meanwhile.
-- vars: version, name, file of the migration; latest that this program knows
-- out:  "newer" and nothing done, when the database is ahead of latest;
--       the version, when it was applied; nothing, when it was there
\o /dev/null
\ir ../schema_lock.sql
SELECT to_regclass('fliq.schema_migrations') IS NULL AS blank \gset
\if :blank
    \ir ../schema_create.sql
\endif

SELECT coalesce(max(version), 0) > :latest AS newer,
       coalesce(bool_or(version = :version), false) AS applied
  FROM fliq.schema_migrations \gset
\if :newer
    \echo newer
\elif :applied
\else
    \i :file
    INSERT INTO fliq.schema_migrations (version, name)
    VALUES (:version, :'name');
    \echo :version
\endif
COMMIT;
