-- Create an account and its signing secret.
-- vars: name; plan; balance; daily_limit, empty for the plan's own; secret
-- out:  the account, a JSON object
\ir functions.sql
WITH account AS (
    INSERT INTO fliq.accounts (id, name, plan, balance, daily_limit)
    VALUES (pg_temp.new_id(), :'name', :'plan', :'balance',
            nullif(:'daily_limit', '')::integer)
    RETURNING *
), secret AS (
    INSERT INTO fliq.signing_secrets (account_id, secret)
    SELECT id, :'secret' FROM account
)
SELECT row_to_json(record)
  FROM (SELECT pg_temp.public_id('acct', id) AS id, name, plan, balance,
               daily_limit, pg_temp.utc(created_at) AS created_at
          FROM account) AS record;
