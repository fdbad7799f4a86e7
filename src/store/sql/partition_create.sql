-- Make the partitions of fliq.executions for this week and the next four.
-- Weeks begin on Monday, UTC.  Rows that fell into the default partition in
-- the meantime stay there, and their week with them.
DO $$
DECLARE
    week date := date_trunc('week', now() AT TIME ZONE 'UTC')::date;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(1718380913);
    FOR i IN 0 .. 4 LOOP
        name := 'executions_' || to_char(week, 'YYYYMMDD');
        IF to_regclass('fliq.' || name) IS NULL AND NOT EXISTS (
            SELECT FROM fliq.executions_default
             WHERE executed_at >= week AND executed_at < week + 7)
        THEN
            EXECUTE format(
                'CREATE TABLE fliq.%I PARTITION OF fliq.executions'
                || ' FOR VALUES FROM (%L) TO (%L)',
                name, week::text || ' 00:00+00',
                (week + 7)::text || ' 00:00+00');
        END IF;
        week := week + 7;
    END LOOP;
END
$$
