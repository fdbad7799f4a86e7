-- A sign of life, and the clock.
-- out: one row: now timestamptz
SELECT clock_timestamp() AS now
