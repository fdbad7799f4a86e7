# GET /jobs/{id}/attempts: the client library's list of the attempts of a job,
# the latest first.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our %ids = (job => job_with('running'), other => job_id(),
            tried => job_tried());

our $attempt = has(
    id => qr/"exec_[0-9a-z]{26}"/, job_id => $ids{tried}, attempt_num => 1,
    worker_id => qr/"[^"]+"/, started_at => qr/"20[^"]+Z"/,
    completed_at => qr/"20[^"]+Z"/, status_code => undef,
    error => qr/"[^"]+"/, duration_ms => qr/\d+/);

route('GET /jobs/{job}/attempts', allow => 'GET, HEAD, OPTIONS',
      ids => \%ids);

run_tests();

__DATA__

=== TEST 1: a bare array of one that could not connect
--- request eval: ["GET /jobs/$::ids{tried}/attempts"]
--- response_body_like eval: ["^\\[\\{[^{}]+\\}\\]\$"]



=== TEST 2: what an attempt has
--- request eval: "GET /jobs/$::ids{tried}/attempts"
--- response_body_filters eval: sub { $_[0] =~ s/^\[(.*)\]$/$1/sr }
--- response_body_like eval: $::attempt



=== TEST 3: none yet: one that waits, and one whose first is under way
--- rows
GET /jobs/{other}/attempts  200  ^\[\]$
GET /jobs/{job}/attempts  200  ^\[\]$



=== TEST 4: what every route refuses
--- always: access methods ids no_body dialects
