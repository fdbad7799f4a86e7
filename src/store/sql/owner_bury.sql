-- End the dispatchers whose session has been gone for 700 ms (one that only
-- lost its connection is back by then), or that hold a session but have been
-- silent for 8 s (a node that vanished, a worker that is stopped).
-- in:  $1 uuid the asker's id
-- out: id uuid, node text, pid int4 of each
-- locks: waits for a settlement of that owner that is under way; one that
--        comes later finds no owner and changes nothing.
DELETE FROM fliq.owners
 WHERE id <> $1::uuid
   AND (gone_at < clock_timestamp() - interval '700 ms'
        OR gone_at IS NULL AND beat_at < clock_timestamp() - interval '8 s')
RETURNING id, node, pid
