# GET /jobs: pages of jobs, newest first, all or those in one state. (Walking
# over pages is jobs_paging.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our @jobs = map { job_id(body => "job $_") } 1 .. 25;
our $cursor = qr/"[A-Za-z0-9_~.-]+"/;

# How many jobs an answer has, the newest of them, and its cursor.
sub page {
    my ($count, $newest, $cursor) = @_;
    my $job = '\{"id":"job_[^{}]+\}';
    my $rest = $count - 1;

    return qr/^\{"jobs":\[\{"id":"$newest"[^{}]+\}(?:,$job){$rest}\]
               ,"next_cursor":$cursor\}$/sx;
}

our %of = map { ($_ => job_with($_)) } qw(success failed cancelled running);
our @filters = ((map { [$_ => $of{$_}] } sort keys %of),
                [completed => $of{success}]);

route('GET /jobs', allow => 'GET, HEAD, POST, OPTIONS');

run_tests();

__DATA__

=== TEST 1: twenty by default, the newest first
--- request
GET /jobs
--- response_body_like eval: ::page(20, 'job_\w+', $::cursor)



=== TEST 2: limits
--- request eval
["GET /jobs?limit=1&status=scheduled", "GET /jobs?limit=24&status=scheduled",
 "GET /jobs?limit=25&status=scheduled", "GET /jobs?limit=100&status=pending"]
--- error_code eval: [(200) x 4]
--- response_body_like eval
[::page(1, $::jobs[24], $::cursor), ::page(24, $::jobs[24], $::cursor),
 ::page(25, $::jobs[24], 'null'), ::page(25, $::jobs[24], 'null')]



=== TEST 3: every state is a filter
--- request eval: [map { "GET /jobs?status=$_->[0]" } @::filters]
--- error_code eval: [(200) x @::filters]
--- response_body_like eval: [map { ::page(1, $_->[1], 'null') } @::filters]



=== TEST 4: in the words of the library, too
--- rows
GET /sdk/jobs?status=completed  200  "status":"completed"
GET /sdk/jobs?status=pending  200  "status":"pending"
GET /sdk/jobs?status=scheduled  200  "status":"pending"
GET /sdk/jobs?status=failed  200  "status":"failed"



=== TEST 5: empty and unknown parameters, and encoded ones
--- rows
?limit=&cursor=&status=  200  "jobs":
?status=schedule%64  200  "status":"scheduled"
?colour=red&&=&x  200  "jobs":



=== TEST 6: states that there are not
--- rows
?status=x  400 invalid_status  scheduled, pending, running, success
?status=SUCCESS  400 invalid_status  scheduled
?status=scheduled,failed  400 invalid_status  scheduled
?status=scheduled%00  400 invalid_status  scheduled
?status=%20failed  400 invalid_status  scheduled
?status=failed'--  400 invalid_status  scheduled



=== TEST 7: a stranger has none
--- rows
@stranger GET /jobs  200  ^\{"jobs":\[\],"next_cursor":null\}$



=== TEST 8: what every route refuses, and every list
--- always: access methods page no_body dialects
