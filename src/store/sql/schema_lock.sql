-- Begin to migrate: one node at a time.  0x666c6971 is "fliq".
BEGIN;
SELECT pg_advisory_xact_lock(1718380913);
