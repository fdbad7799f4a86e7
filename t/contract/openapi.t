# GET /openapi.json: the description of the API, for anybody. (That it is true
# is t/openapi.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

route('GET /openapi.json', allow => 'GET, HEAD, OPTIONS', public => 1);

run_tests();

__DATA__

=== TEST 1: the description, with a token and without one
--- request eval: ['GET /openapi.json', 'GET /openapi.json']
--- more_headers eval: [::bearer(), 'X-Nothing: x']
--- error_code eval: [200, 200]
--- response_headers eval: [('Content-Type: application/json') x 2]
--- response_body_like eval: [('^\{\s*"openapi":\s*"3\.') x 2]



=== TEST 2: what every route refuses
--- always: methods no_body dialects
