# POST /schedules/{id}/resume: 204, also when it is so already.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

our $id = made('/schedules', \%least)->{id};

route('POST /schedules/{sched}/resume', ids => { sched => $id },
      allow => 'POST, OPTIONS', success => 204);

run_tests();

__DATA__

=== TEST 1: done, and done again
--- rows
POST /schedules/{sched}/pause  204  ^$
POST /schedules/{sched}/resume  204  ^$
GET /schedules/{sched}  200  "status":"active".*"next_run_at":"20
POST /schedules/{sched}/resume  204  ^$
GET /schedules/{sched}  200  "status":"active".*"next_run_at":"20



=== TEST 2: what every route refuses
--- always: access methods ids no_body dialects
