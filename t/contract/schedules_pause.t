# POST /schedules/{id}/pause: 204, also when it is so already.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

our $id = made('/schedules', \%least)->{id};

route('POST /schedules/{sched}/pause', ids => { sched => $id },
      allow => 'POST, OPTIONS', success => 204);

run_tests();

__DATA__

=== TEST 1: done, and done again
--- rows
POST /schedules/{sched}/resume  204  ^$
POST /schedules/{sched}/pause  204  ^$
GET /schedules/{sched}  200  "status":"paused".*"next_run_at":null
POST /schedules/{sched}/pause  204  ^$
GET /schedules/{sched}  200  "status":"paused".*"next_run_at":null



=== TEST 2: what every route refuses
--- always: access methods ids no_body dialects
