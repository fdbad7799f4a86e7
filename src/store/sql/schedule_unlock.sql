-- Give the right to spawn back.
SELECT pg_advisory_unlock(1718380914)
