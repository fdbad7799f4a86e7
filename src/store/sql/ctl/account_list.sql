-- All accounts, oldest first.
-- out: a JSON array
\ir functions.sql
SELECT '[' || coalesce(string_agg(pg_temp.shown(a)::text, ','
                                  ORDER BY a.created_at, a.id), '') || ']'
  FROM fliq.accounts a;
