# POST /tokens: a token is made, and told once. (What it is good for is
# t/tokens_api.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $whole = has(
    id => qr/"tok_[0-7][0-9a-hjkmnp-tv-z]{25}"/, name => 'deploy',
    scope => 'read', token => qr/"fliq_sk_[0-9A-Za-z]{40}"/,
    prefix => qr/"fliq_sk_[0-9A-Za-z]{4}"/, last_used_at => undef,
    created_at => qr/"20[^"]+Z"/);

route('POST /tokens', allow => 'GET, HEAD, POST, OPTIONS',
      body => { name => 'ci' });

run_tests();

__DATA__

=== TEST 1: a token
--- request eval
"POST /tokens\n" . ::json({ name => 'deploy', scope => 'read' })
--- error_code: 201
--- response_headers
Content-Type: application/json
Cache-Control: no-store
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses
--- always: access methods body dialects



=== TEST 3: what is taken
--- accepts
name  "x" x 256
name  ""
name  null  ""
name  absent  ""
scope  "write"
scope  "read"
scope  null  "write"
scope  absent  "write"
colour  "red"  -



=== TEST 4: what is not
--- known: name
--- fields
scope  "admin"  write.*read
scope  "Write"  write.*read
scope  ""  write.*read
scope  5  must be a string
scope  ["read"]  must be a string
scope  "read\u0000"  u0000
