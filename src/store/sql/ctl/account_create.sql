-- Create an account, its signing secret and the grant of its credits.
-- vars: account (uuid), empty for a new one; name; plan; balance;
--       daily_limit, empty for the plan's own; secret (hex), may be sealed
-- out:  the account, a JSON object
\ir functions.sql
WITH account AS (
    INSERT INTO fliq.accounts (id, name, plan, balance, daily_limit)
    VALUES (coalesce(nullif(:'account', '')::uuid, pg_temp.new_id()),
            :'name', :'plan', :'balance', nullif(:'daily_limit', '')::integer)
    RETURNING accounts.*, pg_temp.shown(accounts) AS shown
), secret AS (
    INSERT INTO fliq.signing_secrets (account_id, secret)
    SELECT id, convert_from(decode(:'secret', 'hex'), 'UTF8') FROM account
), given AS (
    INSERT INTO fliq.credit_transactions
           (account_id, id, type, amount, description)
    SELECT id, pg_temp.new_id(), 'grant', balance, 'at creation'
      FROM account
     WHERE balance > 0
)
SELECT shown FROM account;
