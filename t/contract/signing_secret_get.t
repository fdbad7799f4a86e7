# GET /signing-secret: what the requests of an account are signed with; not for
# a token that only reads.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $whole = has(secret => qr/"whsec_[0-9A-Za-z]{40}"/,
                 created_at => qr/"20[^"]+Z"/);

route('GET /signing-secret', allow => 'GET, HEAD, OPTIONS', writes => 1);

run_tests();

__DATA__

=== TEST 1: the secret
--- request
GET /signing-secret
--- response_headers
Content-Type: application/json
Cache-Control: no-store
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses
--- always: access methods no_body dialects
