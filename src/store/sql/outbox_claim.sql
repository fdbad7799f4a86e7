-- Take webhooks and alerts to send, lane by lane, of each the oldest first: a
-- host that does not answer keeps nobody else's waiting, and what waits for
-- it is not stepped over row by row.
-- in:  $1 uuid owner, $2 int4 rows at most, $3 int4[] lanes to pass over,
--      $4 int8 lane to begin behind, $5 int4 lanes to visit
-- out: id int8, account_id uuid, delivery_id text, lane int4, url text,
--      headers text, body text, secret text; in the order of the walk
-- locks: the rows that it takes (those locked are skipped)
WITH RECURSIVE step AS (
    (SELECT o.lane, 1 AS n
       FROM fliq.outbox o
      WHERE o.owner_id IS NULL AND o.lane > $4::int8
      ORDER BY o.lane
      LIMIT 1)
    UNION ALL
    SELECT next.lane, step.n + 1
      FROM step
     CROSS JOIN LATERAL (
               SELECT o.lane
                 FROM fliq.outbox o
                WHERE o.owner_id IS NULL AND o.lane > step.lane
                ORDER BY o.lane
                LIMIT 1) AS next
     WHERE step.n < $5::int4
), taken AS (
    UPDATE fliq.outbox
       SET owner_id = $1::uuid
     WHERE ctid = ANY (ARRAY(
               SELECT picked.ctid
                 FROM step
                CROSS JOIN LATERAL (
                          SELECT o.ctid
                            FROM fliq.outbox o
                           WHERE o.owner_id IS NULL AND o.lane = step.lane
                           ORDER BY o.id
                           LIMIT $2::int4
                             FOR UPDATE SKIP LOCKED) AS picked
                WHERE step.lane <> ALL ($3::int4[])
                  AND EXISTS (SELECT FROM fliq.owners WHERE id = $1::uuid)
                LIMIT $2::int4))
 RETURNING id, account_id, delivery_id, lane, url, headers, body
)
SELECT t.id, t.account_id, t.delivery_id, t.lane, t.url, t.headers, t.body,
       s.secret
  FROM taken t
  LEFT JOIN fliq.signing_secrets s ON s.account_id = t.account_id
 ORDER BY t.lane, t.id
