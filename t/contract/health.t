# GET /health answers from memory, without a token and without the database;
# ?deep=1 asks the database too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $ok = has(status => 'ok', version => qr/"\d+\.\d+\.\d+"/,
              time => qr/"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"/);
our $away = <<'CONF';
    fliq_database "host=/nonexistent dbname=fliq user=fliq";
CONF

route('GET /health', allow => 'GET, HEAD, OPTIONS', public => 1);

run_tests();

__DATA__

=== TEST 1: health, without a token
--- request eval: ['GET /health', 'GET /health/', 'GET /health?deep=0']
--- more_headers
X-Nothing: x
--- error_code eval: [200, 200, 200]
--- response_headers eval: [('Content-Type: application/json') x 3]
--- response_body_like eval: [$::ok, $::ok, $::ok]



=== TEST 2: health, with a bad token
--- request
GET /health
--- more_headers
Authorization: Bearer nonsense
--- response_body_like eval: $::ok



=== TEST 3: deep
--- request
GET /health?deep=1
--- more_headers
X-Nothing: x
--- response_body_like eval: $::ok



=== TEST 4: what is sent beside it
--- rows
?deep=  200  "status":"ok"
?colour=red  200  "status":"ok"
?deep=2  400 invalid_deep  must be 0 or 1
?deep=yes  400 invalid_deep  must be 0 or 1



=== TEST 5: what every route refuses
--- always: methods no_body dialects



=== TEST 6: the database is away: alive, but not deeply
--- http_config eval: $::away
--- request eval: ['GET /health', 'GET /health?deep=1', 'GET /health']
--- error_code eval: [200, 503, 200]
--- response_body_like eval
[$::ok, '"error":\{"code":"unavailable"', $::ok]



=== TEST 7: the database is away: 503 says when to come again
--- http_config eval: $::away
--- request eval
['GET /health?deep=1', 'GET /jobs', ::post(), 'GET /health?deep=1']
--- error_code eval: [503, 503, 503, 503]
--- response_headers_like eval: [('Retry-After: \d+') x 4]
--- response_body_like eval
[('^\{"error":\{"code":"unavailable","message":".+"\}\}$') x 4]
