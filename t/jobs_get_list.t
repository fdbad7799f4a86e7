# GET /jobs/{id} and GET /jobs: the object, the envelope, limits, filters, and
# what is refused.  (Walking over pages is jobs_paging.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

our @jobs = map { job_id(body => "job $_") } 1 .. 25;

our $one = has(id => $jobs[0], body => 'job 1', status => 'scheduled',
    url => 'http://127.0.0.1:9/', execution_count => 0, attempts => 0,
    next_attempt_at => '2099-01-01T00:00:00Z',
    user_id => sandbox->{account});

our $bad_limit = bad(400, 'invalid_limit', map { "GET /jobs?limit=$_" }
    0, 101, -1, '1.5', 'x', '1x', '%201', '1%20', '0x10', '1e1', '99999999999',
    '18446744073709551617');

our $bad_cursor = bad(400, 'invalid_cursor', map { "GET /jobs?cursor=$_" }
    'x', '0', '-1', 'null', $jobs[0], 'AAAA', '%00', '%C3%A9', 'x' x 2000,
    'A' x 22, '!' x 22, "'%20OR%20''='");

our $bad_status = bad(400, 'invalid_status', map { "GET /jobs?status=$_" }
    'x', 'SUCCESS', 'waiting', 'scheduled,failed', 'scheduled%00', '%20failed',
    "failed'--");

our @statuses = qw(scheduled pending success completed failed cancelled
                   running);
our %found = map { ($_ => 1) } qw(scheduled pending);

# How many jobs an answer has, the newest of them, and its cursor.
sub page {
    my ($count, $newest, $cursor) = @_;
    my $job = '\{"id":"job_[^{}]+\}';
    my $rest = $count - 1;

    return qr/^\{"jobs":\[\{"id":"$newest"[^{}]+\}(?:,$job){$rest}\]
               ,"next_cursor":$cursor\}$/sx;
}

our $cursor = qr/"[A-Za-z0-9_~.-]+"/;

no_long_string();
run_tests();

__DATA__

=== TEST 1: one job
--- request eval: "GET /jobs/$::jobs[0]"
--- response_headers
Content-Type: application/json
--- response_body_like eval: $::one



=== TEST 2: its executions, of which there are none
--- request eval: "GET /jobs/$::jobs[0]/executions"
--- response_body_like: ^\{"executions":\[\]\}$



=== TEST 3: twenty by default, the newest first
--- request
GET /jobs
--- response_body_like eval: ::page(20, $::jobs[24], $::cursor)



=== TEST 4: limits
--- request eval
["GET /jobs?limit=1", "GET /jobs?limit=24", "GET /jobs?limit=25",
 "GET /jobs?limit=100"]
--- error_code eval: [(200) x 4]
--- response_body_like eval
[::page(1, $::jobs[24], $::cursor), ::page(24, $::jobs[24], $::cursor),
 ::page(25, $::jobs[24], 'null'), ::page(25, $::jobs[24], 'null')]



=== TEST 5: empty parameters are as good as none, unknown ones are ignored
--- request eval
["GET /jobs?limit=&cursor=&status=", "GET /jobs?",
 "GET /jobs?colour=red&&=&x"]
--- error_code eval: [(200) x 3]
--- response_body_like eval: [(::page(20, $::jobs[24], $::cursor)) x 3]



=== TEST 6: parameters are decoded
--- request eval: ["GET /jobs?limit=%31", "GET /jobs?status=schedule%64"]
--- error_code eval: [200, 200]
--- response_body_like eval
[::page(1, $::jobs[24], $::cursor), ::page(20, $::jobs[24], $::cursor)]



=== TEST 7: every status is a filter
--- request eval: [map { "GET /jobs?status=$_" } @::statuses]
--- error_code eval: [(200) x @::statuses]
--- response_body_like eval
[map { $::found{$_} ? ::page(20, $::jobs[24], $::cursor)
                    : '^\{"jobs":\[\],"next_cursor":null\}$' } @::statuses]



=== TEST 8: bad limits
--- request eval: $::bad_limit->{request}
--- error_code eval: $::bad_limit->{status}
--- response_body_like eval: $::bad_limit->{body}



=== TEST 9: bad cursors
--- request eval: $::bad_cursor->{request}
--- error_code eval: $::bad_cursor->{status}
--- response_body_like eval: $::bad_cursor->{body}



=== TEST 10: bad statuses
--- request eval: $::bad_status->{request}
--- error_code eval: $::bad_status->{status}
--- response_body_like eval: $::bad_status->{body}



=== TEST 11: a body with a GET is no matter
--- request eval: "GET /jobs/$::jobs[0]\n{nonsense"
--- response_body_like eval: $::one
