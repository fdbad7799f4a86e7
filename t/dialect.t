# "fliq_api dialect=sdk" speaks the client library's words for a job's status
# and its shape of an error, over the same data; nothing else differs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

our $job = job_id();
our $config = <<'CONF';
    location / {
        fliq_api;
    }
    location /sdk/ {
        fliq_api dialect=sdk;
    }
    location /same/ {
        fliq_api dialect=reference;
    }
    location /sdk/closed/ {
        fliq_api dialect=sdk;
        deny all;
    }
CONF

our @errors = map { "^\\{\"error\":\".+\",\"code\":\"$_\"\\}\$" }
    qw(not_found unknown_route method_not_allowed invalid_limit forbidden);

no_long_string();
run_tests();

__DATA__

=== TEST 1: a waiting job is scheduled, or pending
--- config eval: $::config
--- request eval
["GET /jobs/$::job", "GET /sdk/jobs/$::job", "GET /same/jobs/$::job"]
--- error_code eval: [200, 200, 200]
--- response_body_like eval
['"status":"scheduled"', '"status":"pending"', '"status":"scheduled"']



=== TEST 2: in lists, too
--- config eval: $::config
--- request eval
["GET /jobs", "GET /sdk/jobs", "GET /sdk/jobs?status=pending"]
--- error_code eval: [200, 200, 200]
--- response_body_like eval
['"status":"scheduled"', '"status":"pending"', '"status":"pending"']



=== TEST 3: in the answer to a create
--- config eval: $::config
--- request eval: my $post = ::post(); $post =~ s{ /jobs}{ /sdk/jobs}; $post
--- error_code: 201
--- response_body_like: "status":"pending"



=== TEST 4: errors
--- config eval: $::config
--- request eval
['GET /sdk/jobs/x', 'GET /sdk/x', 'PUT /sdk/jobs', 'GET /sdk/jobs?limit=0',
 'GET /sdk/closed/jobs']
--- error_code eval: [404, 404, 405, 400, 403]
--- response_body_like eval: \@::errors



=== TEST 5: errors without a token
--- config eval: $::config
--- request
GET /sdk/jobs
--- more_headers
X-Nothing: x
--- error_code: 401
--- response_body_like: ^\{"error":"(?:[^"\\]|\\.)+","code":"unauthorized"\}$
