# Whatever goes wrong in a location of the API has one shape, the errors that
# nginx itself makes included; a permanent refusal is never a 5xx.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

my $job = job_id();

our $unknown = bad(404, 'unknown_route', map { ("GET $_", "POST $_\n{}") }
    '/', '/job', '/jobsx', '/Jobs', "/jobs/$job/nothing",
    "/jobs/$job/executions/1", '/v1/jobs', '/index.html', '/jobs/a/b/c/d',
    '/health/x');

our @made_by_nginx = map { '^\{"error":\{"code":"' . $_
                           . '","message":".+"\}\}$' }
    qw(body_too_large forbidden unknown_route unavailable);

no_long_string();
run_tests();

__DATA__

=== TEST 1: routes that there are not
--- request eval: $::unknown->{request}
--- error_code eval: $::unknown->{status}
--- response_headers eval
[('Content-Type: application/json') x @{ $::unknown->{request} }]
--- response_body_like eval: $::unknown->{body}



=== TEST 2: client_max_body_size, announced and chunked
--- config
    location / {
        fliq_api;
        client_max_body_size 100;
    }
--- raw_request eval
"POST /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. ::bearer() . "\r\nTransfer-Encoding: chunked\r\n\r\n"
. sprintf("%x\r\n%s\r\n", 200, 'x' x 200) . "0\r\n\r\n"
--- error_code: 413
--- response_body_like eval: $::made_by_nginx[0]



=== TEST 3: client_max_body_size, announced
--- config
    location / {
        fliq_api;
        client_max_body_size 100;
    }
--- request eval: ::post(body => 'x' x 200)
--- error_code: 413
--- response_headers
Content-Type: application/json
--- response_body_like eval: $::made_by_nginx[0]



=== TEST 4: access denied by nginx
--- config
    location / {
        fliq_api;
        deny all;
    }
--- request
GET /jobs
--- error_code: 403
--- response_headers
Content-Type: application/json
--- response_body_like eval: $::made_by_nginx[1]



=== TEST 5: too many requests for limit_req
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    limit_req_zone $server_port zone=all:1m rate=1r/m;
--- config
    location / {
        fliq_api;
        limit_req zone=all;
    }
--- request eval: ['GET /health', 'GET /health']
--- error_code eval: [200, 503]
--- response_body_like eval: ['"ok"', $::made_by_nginx[3]]



=== TEST 6: return in the location
--- config
    location / {
        fliq_api;
        return 404;
    }
--- request
GET /jobs
--- error_code: 404
--- response_body_like eval: $::made_by_nginx[2]



=== TEST 7: a chunked body that is none
--- raw_request eval
"POST /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. ::bearer() . "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnonsense\r\n"
--- error_code: 400
--- response_headers
Content-Type: application/json
--- response_body_like: ^\{"error":\{"code":"\w+","message":".+"\}\}$



=== TEST 8: other locations keep their own errors
--- config
    location /api/ {
        fliq_api;
    }
--- request
GET /nowhere
--- error_code: 404
--- response_body_like: <html>
