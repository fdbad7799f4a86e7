# GET /jobs/{id}: the whole job, whatever has become of it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my $headers = { a => 'b' };
our %fields = (body => 'x', headers => $headers, max_retries => 2,
    idempotency_key => 'k', webhook_url => 'https://example.com/hook',
    webhook_headers => $headers, http_method => 'PUT', backoff => 'linear',
    timeout_seconds => 7);
our $id = job_id(%fields);
our $whole = has(
    %fields, id => $id, method => 'PUT', url => 'http://127.0.0.1:9/',
    status => 'scheduled', scheduled_at => '2099-01-01T00:00:00Z',
    next_attempt_at => '2099-01-01T00:00:00Z', execution_count => 0,
    attempts => 0, created_at => qr/"20[^"]+Z"/, updated_at => qr/"20[^"]+Z"/,
    user_id => sandbox->{account}, map { ($_ => undef) } qw(replay_of
    schedule_id started_at completed_at last_status_code last_error));

our %ids = map { ($_ => job_with($_)) } qw(success failed cancelled running);

route('GET /jobs/{job}', allow => 'GET, HEAD, DELETE, OPTIONS',
      ids => { %ids, job => $id });

run_tests();

__DATA__

=== TEST 1: the job
--- request eval: "GET /jobs/$::id"
--- response_headers
Content-Type: application/json
--- response_body_like eval: $::whole



=== TEST 2: its state, in the words of either dialect
--- rows
GET /jobs/{running}  200  "status":"running"
GET /jobs/{success}  200  "status":"success"
GET /jobs/{failed}  200  "status":"failed"
GET /jobs/{cancelled}  200  "status":"cancelled"
GET /sdk/jobs/{job}  200  "status":"pending"
GET /sdk/jobs/{running}  200  "status":"running"
GET /sdk/jobs/{success}  200  "status":"completed"
GET /sdk/jobs/{failed}  200  "status":"failed"
GET /sdk/jobs/{cancelled}  200  "status":"cancelled"



=== TEST 3: what every route refuses
--- always: access methods ids no_body dialects
