-- Create an alert channel.
-- in:  $1 uuid account_id, $2 uuid id, $3 text type, $4 text name,
--      $5 text target, $6 int4 lane
-- out: id uuid, type text, name text, target text, enabled boolean,
--      created_at timestamptz, updated_at timestamptz
INSERT INTO fliq.alert_channels (account_id, id, type, name, target, lane)
VALUES ($1::uuid, $2::uuid, $3::text::fliq.channel_type, $4::text, $5::text,
        $6::int4)
RETURNING id, type::text AS type, name, target, enabled, created_at,
          updated_at
