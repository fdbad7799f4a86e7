# POST /alerts: a channel is made of a type and a target that may be called.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my $target = 'https://hooks.example.com/services/T0/B0/x';

our %body = (type => 'slack', target => $target, name => 'on-call');
our $whole = has(
    %body, id => qr/"alt_[0-7][0-9a-hjkmnp-tv-z]{25}"/,
    enabled => JSON::PP::true, created_at => qr/"20[^"]+Z"/,
    updated_at => qr/"20[^"]+Z"/);

route('POST /alerts', allow => 'GET, HEAD, POST, OPTIONS',
      body => { type => 'slack', target => $target });

run_tests();

__DATA__

=== TEST 1: a channel
--- request eval: "POST /alerts\n" . ::json(\%::body)
--- error_code: 201
--- response_headers_like
Content-Type: application/json
Location: /alerts/alt_[0-9a-z]{26}
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses
--- always: access methods body dialects



=== TEST 3: what is taken
--- accepts
type  "webhook"
target  "http://127.0.0.1:9/"
target  "https://hooks.example.com/#x"
name  "x" x 256
name  null  ""
name  absent  ""
colour  "red"  -



=== TEST 4: what is not
--- known: target name
--- fields
type  absent  is required
type  null  is required
type  "email"  webhook.*slack.*email is not supported yet
type  "Slack"  webhook.*slack
type  ""  webhook.*slack
type  1  must be a string
target  absent  is required
target  null  is required



=== TEST 5: an account without credits may: a channel executes nothing
--- rows
@broke {"type":"slack","target":"http://127.0.0.1/"}  201
@limited {"type":"slack","target":"http://127.0.0.1/"}  201
