-- All accounts, oldest first.
-- out: a JSON array
\ir functions.sql
SELECT '[' || coalesce(string_agg(row_to_json(record)::text, ','), '') || ']'
  FROM (SELECT pg_temp.public_id('acct', id) AS id, name, plan, balance,
               daily_limit, pg_temp.utc(created_at) AS created_at
          FROM fliq.accounts
         ORDER BY created_at, accounts.id) AS record;
