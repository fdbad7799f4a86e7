# GET /jobs/{id}/executions: the attempts of a job, in their order.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our %ids = (job => job_with('running'), other => job_id(),
            tried => job_tried());

our $execution = qr/\{"id":"exec_[0-9a-z]{26}","attempt_num":1,
    "status":"failed","status_code":null,"duration_ms":\d+,
    "executed_at":"20[^"]+Z","error":"[^"]+","response_excerpt":null\}/x;

route('GET /jobs/{job}/executions', allow => 'GET, HEAD, OPTIONS',
      ids => \%ids);

run_tests();

__DATA__

=== TEST 1: one of one that could not connect
--- request eval: "GET /jobs/$::ids{tried}/executions"
--- response_body_like eval: qr/^\{"executions":\[$::execution\]\}$/



=== TEST 2: none yet: one that waits, and one whose first is under way
--- rows
GET /jobs/{other}/executions  200  ^\{"executions":\[\]\}$
GET /jobs/{job}/executions  200  ^\{"executions":\[\]\}$



=== TEST 3: what every route refuses
--- always: access methods ids no_body dialects
