# GET /schedules/{id}/jobs: the jobs that a schedule spawned, newest first.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

our $id = made('/schedules', \%least)->{id};
our $none = made('/schedules', \%least)->{id};

sandbox->sql("INSERT INTO fliq.jobs (account_id, id, url, method, lane,
                  scheduled_at, max_retries, timeout_seconds, status,
                  schedule_id)
              SELECT s.account_id, fliq.make_id(), s.url, s.method, s.lane,
                     now(), 0, 30, status::fliq.job_status, s.id
                FROM fliq.schedules s,
                     unnest(ARRAY['success', 'failed', 'cancelled']) status
               WHERE fliq.id_text('sched', s.id) = '$id'");

our $job = qr/\{"id":"job_[^{}]+"schedule_id":"$id"[^{}]+\}/;

sub jobs_of {
    my ($status) = @_;

    return qr/^\{"jobs":\[(?=[^\]]+"status":"$status")$job\]
               ,"next_cursor":null\}$/x;
}

route('GET /schedules/{sched}/jobs', allow => 'GET, HEAD, OPTIONS',
      ids => { sched => $id, none => $none });

run_tests();

__DATA__

=== TEST 1: its jobs
--- request eval: "GET /schedules/$::id/jobs"
--- response_body_like eval
qr/^\{"jobs":\[$::job,$::job,$::job\],"next_cursor":null\}$/



=== TEST 2: those in a state
--- request eval
[map { "GET /schedules/$::id/jobs?status=$_" }
 qw(success completed failed cancelled)]
--- error_code eval: [(200) x 4]
--- response_body_like eval
[map { ::jobs_of($_) } qw(success success failed cancelled)]



=== TEST 3: none
--- rows
GET /schedules/{none}/jobs  200  ^\{"jobs":\[\],"next_cursor":null\}$
GET /schedules/{sched}/jobs?status=running  200  ^\{"jobs":\[\],
GET /schedules/{sched}/jobs?status=x  400 invalid_status  scheduled
GET /schedules/{none}/jobs?status=x  400 invalid_status  scheduled



=== TEST 4: what every route refuses, and every list
--- always: access methods page no_body dialects
--- rows
@stranger GET /schedules/{sched}/jobs  404 not_found
GET /schedules/sched_00000000000000000000000000/jobs  404 not_found
GET /schedules/x/jobs  404 not_found
