# DELETE /alerts/{id}: a channel is gone, once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our ($mine, $other) = map {
    made('/alerts', { type => 'slack', target => 'http://127.0.0.1:9/' })->{id}
} 1 .. 2;

route('DELETE /alerts/{alt}', allow => 'GET, HEAD, PATCH, DELETE, OPTIONS',
      ids => { alt => $mine });

run_tests();

__DATA__

=== TEST 1: what every route refuses
--- always: access methods ids dialects



=== TEST 2: gone, the other one is there
--- request eval
["GET /alerts/$::mine", "DELETE /alerts/$::mine", "GET /alerts/$::mine",
 "DELETE /alerts/$::mine", "PATCH /alerts/$::mine\n{\"enabled\":true}",
 'GET /alerts']
--- error_code eval: [200, 204, 404, 404, 404, 200]
--- response_body_like eval
['"id":', '^$', ('"code":"not_found"') x 3,
 qr/^\{"channels":\[\{"id":"$::other"[^{}]+\}\]\}$/]
