-- Change an account; what is empty stays as it is.
-- vars: account (uuid); name; plan; daily_limit, a number or none; suspended,
--       yes or no (one that is suspended keeps its first time)
-- out:  the account, a JSON object; nothing when there is no such account
\ir functions.sql
UPDATE fliq.accounts
   SET name = coalesce(nullif(:'name', ''), name),
       plan = coalesce(nullif(:'plan', '')::fliq.plan, plan),
       daily_limit = CASE :'daily_limit' WHEN '' THEN daily_limit
                     ELSE nullif(:'daily_limit', 'none')::integer END,
       suspended_at = CASE :'suspended' WHEN '' THEN suspended_at
                      WHEN 'yes' THEN coalesce(suspended_at, now()) END
 WHERE id = :'account'
RETURNING pg_temp.shown(accounts);
