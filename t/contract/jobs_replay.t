# POST /jobs/{id}/replay: a failed job is cloned; no other is. (What the clone
# does is t/replay.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our %ids = (job => job_with('failed', body => 'x', idempotency_key => 'k'),
    map { ($_ => job_with($_)) } qw(scheduled success cancelled running));

our $clone = has(
    id => qr/"job_[0-9a-z]{26}"/, status => 'pending', body => 'x',
    replay_of => $ids{job}, scheduled_at => qr/"20[^"]+Z"/,
    created_at => qr/"20[^"]+Z"/, idempotency_key => undef);

route('POST /jobs/{job}/replay', allow => 'POST, OPTIONS', success => 201,
      ids => \%ids);

run_tests();

__DATA__

=== TEST 1: a clone
--- request eval: "POST /jobs/$::ids{job}/replay"
--- error_code: 201
--- response_body_like eval: $::clone



=== TEST 2: what has not failed
--- rows
POST /jobs/{scheduled}/replay  409 job_not_failed  has failed
POST /jobs/{running}/replay  409 job_not_failed  has failed
POST /jobs/{success}/replay  409 job_not_failed  has failed
POST /jobs/{cancelled}/replay  409 job_not_failed  has failed



=== TEST 3: in the words of the library
--- rows
POST /sdk/jobs/{job}/replay  201  "status":"pending"



=== TEST 4: what every route refuses, and what executes
--- always: access methods ids no_body credit dialects
