# DELETE /jobs/{id}: 204 while the job waits, 409 when it runs or has ended.
# (What it races with is t/jobs_cancel.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our %ids = (job => job_id(),
    map { ($_ => job_with($_)) } qw(success failed cancelled running));

route('DELETE /jobs/{job}', allow => 'GET, HEAD, DELETE, OPTIONS',
      ids => \%ids);

run_tests();

__DATA__

=== TEST 1: what every route refuses
--- always: access methods dialects



=== TEST 2: what cannot be cancelled any more
--- rows
DELETE /jobs/{running}  409 job_already_executed  still waits
DELETE /jobs/{success}  409 job_already_executed  still waits
DELETE /jobs/{failed}  409 job_already_executed  still waits
DELETE /jobs/{cancelled}  409 job_already_executed  still waits



=== TEST 3: one that waits, and no other's
--- always: ids
--- rows
GET /jobs/{job}  200  "status":"scheduled"
DELETE /jobs/{job}  204  ^$
GET /jobs/{job}  200  "status":"cancelled"
DELETE /jobs/{job}  409 job_already_executed  still waits
