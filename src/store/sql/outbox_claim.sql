-- Take webhooks and alerts to send, the oldest first.
-- in:  $1 uuid owner, $2 int4 rows at most, $3 int4[] lanes to pass over
-- out: id int8, account_id uuid, delivery_id text, lane int4, url text,
--      headers text, body text, secret text
-- locks: the rows that it takes (those locked are skipped)
WITH taken AS (
    UPDATE fliq.outbox
       SET owner_id = $1::uuid
     WHERE ctid = ANY (ARRAY(
               SELECT o.ctid
                 FROM fliq.outbox o
                WHERE o.owner_id IS NULL AND o.lane <> ALL ($3::int4[])
                  AND EXISTS (SELECT FROM fliq.owners WHERE id = $1::uuid)
                ORDER BY o.id
                LIMIT $2::int4
                  FOR UPDATE SKIP LOCKED))
 RETURNING id, account_id, delivery_id, lane, url, headers, body
)
SELECT t.id, t.account_id, t.delivery_id, t.lane, t.url, t.headers, t.body,
       s.secret
  FROM taken t
  LEFT JOIN fliq.signing_secrets s ON s.account_id = t.account_id
 ORDER BY t.id
