-- Ask for the right to spawn, so that the dispatchers do not all compute the
-- same runs.  It saves work; that a run is spawned once is schedule_spawn's.
-- out: one row: locked boolean
SELECT pg_try_advisory_lock(1718380914) AS locked
