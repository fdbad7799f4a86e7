# Routes are relative to the location that holds fliq_api, whatever its
# prefix; HEAD is GET without a body, OPTIONS names the methods, a trailing
# slash does not matter, and an encoded slash separates nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

our $job = job_id();
our $like = has(id => $job);
our $missing = '"code":"not_found"';
our $unknown = '"code":"unknown_route"';

# A path in which every character is encoded.
our $encoded = join '', map { sprintf '%%%02x', ord } split //, $job;

no_long_string();
run_tests();

__DATA__

=== TEST 1: HEAD is GET without a body
--- request eval
['HEAD /jobs', "HEAD /jobs/$::job", "HEAD /jobs/$::job/executions",
 'HEAD /jobs/x', 'HEAD /nowhere']
--- error_code eval: [200, 200, 200, 404, 404]
--- response_headers_like eval
[("Content-Type: application/json\nContent-Length: [1-9]\\d*") x 5]
--- response_body eval: [('') x 5]



=== TEST 2: OPTIONS names the methods
--- request eval
['OPTIONS /jobs', "OPTIONS /jobs/$::job", "OPTIONS /jobs/$::job/executions",
 'OPTIONS /health']
--- error_code eval: [204, 204, 204, 204]
--- response_headers_like eval
['Allow: (?=.*\bGET\b)(?=.*\bHEAD\b)(?=.*\bPOST\b)(?=.*\bOPTIONS\b).*',
 'Allow: (?=.*\bGET\b)(?=.*\bHEAD\b)(?=.*\bDELETE\b)(?=.*\bOPTIONS\b).*',
 'Allow: (?=.*\bGET\b)(?=.*\bHEAD\b)(?!.*\bPOST\b)(?=.*\bOPTIONS\b).*',
 'Allow: (?=.*\bGET\b)(?=.*\bHEAD\b)(?!.*\bPOST\b)(?=.*\bOPTIONS\b).*']
--- response_body eval: [('') x 4]



=== TEST 3: OPTIONS of no route
--- request
OPTIONS /nowhere
--- error_code: 404
--- response_body_like eval: $::unknown



=== TEST 4: a trailing slash does not matter
--- request eval
["GET /jobs/$::job/", "GET /jobs/?limit=1", "GET /jobs/$::job/executions/"]
--- error_code eval: [200, 200, 200]
--- response_body_like eval: [$::like, '"jobs":\[\{', '"executions":\[\]']



=== TEST 5: POST to a route with a trailing slash
--- request eval: my $post = ::post(); $post =~ s{ /jobs}{ /jobs/}; $post
--- error_code: 201
--- response_body_like: "id":"job_



=== TEST 6: segments are decoded, once
--- request eval
["GET /%6aobs/$::encoded", "GET /jobs/$::encoded/executions",
 "GET /jobs/" . $::encoded =~ s/%/%25/gr]
--- error_code eval: [200, 200, 404]
--- response_body_like eval: [$::like, '"executions":\[\]', $::missing]



=== TEST 7: an encoded slash is part of a segment
--- request eval
["GET /jobs/$::job%2Fexecutions", "GET /jobs%2F$::job", "GET %2Fjobs",
 "GET /jobs/$::job%2F"]
--- error_code_like eval: [404, 404, '40[04]', 404]
--- response_body_like eval: [$::missing, $::unknown, '', $::missing]



=== TEST 8: a location with a prefix
--- config
    location /v1/ {
        fliq_api;
    }
--- request eval
["GET /v1/jobs/$::job", 'GET /v1/jobs?limit=1', 'GET /v1/health',
 'GET /v1/jobsx', 'GET /v1/', 'GET /v1/v1/jobs', 'GET /jobs']
--- error_code eval: [200, 200, 200, 404, 404, 404, 404]
--- response_body_like eval
[$::like, '"jobs":\[\{', '"ok"', $::unknown, $::unknown, $::unknown,
 '<html>']



=== TEST 9: a deeper prefix, and one without a slash at its end
--- config
    location /a/b/c/ {
        fliq_api;
    }
    location /fliq {
        fliq_api;
    }
--- request eval
["GET /a/b/c/jobs/$::job", "GET /fliq/jobs/$::job", 'GET /a/b/jobs']
--- error_code eval: [200, 200, 404]
--- response_body_like eval: [$::like, $::like, '<html>']



=== TEST 10: nested locations, the inner without an API of its own
--- config
    location /v1/ {
        fliq_api;

        location /v1/static/ {
            return 204;
        }

        location /v1/jobs {
            add_header X-Inner yes;
            fliq_api;
        }
    }
--- request eval: ['GET /v1/health', 'GET /v1/static/x']
--- error_code eval: [200, 204]
--- response_body_like eval: ['"ok"', '^$']



=== TEST 11: two locations are one service
--- config
    location /one/ {
        fliq_api;
    }
    location /two/ {
        fliq_api;
    }
--- request eval: ["GET /one/jobs/$::job", "GET /two/jobs/$::job"]
--- error_code eval: [200, 200]
--- response_body_like eval: [$::like, $::like]



=== TEST 12: HTTP/1.0, and a connection that goes on
--- raw_request eval
"GET /jobs/$::job HTTP/1.0\r\n" . ::bearer() . "\r\n\r\n"
--- response_body_like eval: $::like



=== TEST 13: pipelined requests are answered in their order
--- pipelined_requests eval
["GET /jobs/$::job", ::post(), 'GET /jobs/x', 'GET /health']
--- error_code eval: [200, 201, 404, 200]
--- response_body_like eval: [$::like, '"id":"job_', $::missing, '"ok"']
