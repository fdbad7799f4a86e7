-- A sign of life.
-- out: one row
SELECT 1
