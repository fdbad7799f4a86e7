# GET /stats/usage: executions by day, zero days included. (What is counted is
# t/stats_api.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $day = qr/\{"date":"20\d\d-\d\d-\d\d","job_executions":0,
                "buffer_executions":0\}/x;
our $none = qr/^\{"buckets":\[(?:$day,){29}$day\],"total_job_executions":0,
    "total_buffer_executions":0,"balance":9007199254740991,
    "plan":"unlimited","since_days":30\}$/x;

route('GET /stats/usage', allow => 'GET, HEAD, OPTIONS');

run_tests();

__DATA__

=== TEST 1: of an account without executions
--- request
GET /stats/usage
--- response_body_like eval: $::none



=== TEST 2: days
--- rows
?days=1  200  "since_days":1[,}]
?days=7  200  "since_days":7[,}]
?days=365  200  "since_days":365[,}]
?days=366  200  "since_days":365[,}]
?days=0  200  "since_days":1[,}]
?days=-1  200  "since_days":1[,}]
?days=99999999999999999999999  200  "since_days":365[,}]
?days=-99999999999999999999999  200  "since_days":1[,}]
?days=007  200  "since_days":7[,}]
?days=%37  200  "since_days":7[,}]
?days=  200  "since_days":30[,}]
?  200  "since_days":30[,}]
?days=x  400 invalid_days  must be an integer
?days=1.5  400 invalid_days  must be an integer
?days=1e2  400 invalid_days  must be an integer
?days=0x10  400 invalid_days  must be an integer
?days=-  400 invalid_days  must be an integer
?days=--1  400 invalid_days  must be an integer
?days=1-  400 invalid_days  must be an integer
?days=%201  400 invalid_days  must be an integer
?days=1%00  400 invalid_days  must be an integer



=== TEST 3: what an account has left
--- rows
@limited GET /stats/usage?days=1  200  "balance":5,"plan":"free"
@broke GET /stats/usage?days=1  200  "balance":0,"plan":"paid"



=== TEST 4: what every route refuses
--- always: access methods no_body dialects
