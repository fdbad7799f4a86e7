# $fliq_account, $fliq_token, $fliq_route and $fliq_job tell logs and limits
# whose request it is, and never a token's secret.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

our $job = job_id();
our $account = sandbox->{account};
our $id = sandbox->fliqctl('token', 'list', '--account', $account)->[0]{id};

our $http_config = <<'CONF';
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8;
    log_format fliq "<$fliq_account|$fliq_token|$fliq_route|$fliq_job>";
    access_log logs/fliq.log fliq;
    add_header X-Account $fliq_account always;
    add_header X-Token $fliq_token always;
CONF

our $who = "X-Account: $account\nX-Token: $id";

no_long_string();
run_tests();

__DATA__

=== TEST 1: whose request it is
--- http_config eval: $::http_config
--- request eval
['GET /jobs', "GET /jobs/$::job", 'GET /jobs/x', ::post(), 'PUT /jobs']
--- error_code eval: [200, 200, 404, 201, 405]
--- response_headers eval
[$::who, $::who, $::who, $::who, 'X-None: ']



=== TEST 2: nobody's
--- http_config eval: $::http_config
--- request eval: ['GET /health', 'GET /jobs']
--- more_headers
Authorization: Bearer nobody
--- error_code eval: [200, 401]
--- response_headers eval: [("! X-Account\n! X-Token") x 2]



=== TEST 3: in a log
--- http_config eval
my $conf = $::http_config;
$conf =~ s{logs/fliq.log}{\$TEST_NGINX_SERVER_ROOT/logs/access.log};
$conf
--- request eval: "GET /jobs/$::job"
--- access_log eval
my $who = quotemeta "<$::account|$::id|";
[qr/$who[^|]+\|$::job>/]



=== TEST 4: limits by account
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    limit_req_zone $fliq_account zone=account:1m rate=1r/m;
--- config
    location / {
        fliq_api;
        limit_req zone=account;
        limit_req_status 429;
    }
--- request eval: [('GET /jobs') x 3]
--- error_code eval: [200, 200, 429]
--- response_body_like eval
['"jobs"', '"jobs"', '^\{"error":\{"code":"\w+","message":".+"\}\}$']
