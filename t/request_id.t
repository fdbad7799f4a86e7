# Every answer carries X-Request-ID: the client's own if it is one to take,
# else one of ours.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

our $job = job_id();
our $ours = 'X-Request-ID: [0-9a-f]{32}';

our @taken = ('a', 'A-Z.a_z-09', 'x' x 128);
our @refused = ('', 'x' x 129, 'a b', 'a,b', 'a"b', "caf\xc3\xa9", 'a/b',
                '<script>');

no_long_string();
run_tests();

__DATA__

=== TEST 1: the client's own
--- request eval: [('GET /jobs') x @::taken]
--- more_headers eval
[map { ::bearer() . "\nX-Request-ID: $_" } @::taken]
--- response_headers eval: [map { "X-Request-ID: $_" } @::taken]
--- error_code eval: [(200) x @::taken]



=== TEST 2: not one to take
--- request eval: [('GET /jobs') x @::refused]
--- more_headers eval
[map { ::bearer() . "\nX-Request-ID: $_" } @::refused]
--- response_headers_like eval: [($::ours) x @::refused]
--- error_code eval: [(200) x @::refused]



=== TEST 3: none given
--- request eval: ['GET /jobs', ::post(), "GET /jobs/$::job", 'GET /health']
--- response_headers_like eval: [($::ours) x 4]
--- error_code eval: [200, 201, 200, 200]



=== TEST 4: on errors
--- request eval
['GET /nowhere', 'GET /jobs/job_x', 'PUT /jobs', "POST /jobs\n{",
 'GET /jobs?limit=0']
--- more_headers eval: ::bearer() . "\nX-Request-ID: mine"
--- response_headers eval: [('X-Request-ID: mine') x 5]
--- error_code eval: [404, 404, 405, 400, 400]



=== TEST 5: on 401
--- request
GET /jobs
--- more_headers
X-Request-ID: mine
--- response_headers
X-Request-ID: mine
--- error_code: 401



=== TEST 6: on an answer without a body
--- request eval: ["DELETE /jobs/$::job", 'OPTIONS /jobs', 'HEAD /jobs']
--- more_headers eval: ::bearer() . "\nX-Request-ID: mine"
--- response_headers eval: [('X-Request-ID: mine') x 3]
--- error_code eval: [204, 204, 200]



=== TEST 7: on errors that nginx makes
--- config
    location / {
        fliq_api;
        client_max_body_size 10;
    }
    location /closed/ {
        fliq_api;
        deny all;
    }
--- request eval: [::post(), 'GET /closed/jobs']
--- more_headers eval: ::bearer() . "\nX-Request-ID: mine"
--- response_headers eval: [('X-Request-ID: mine') x 2]
--- error_code eval: [413, 403]
