# DELETE /schedules/{id}: a schedule is gone, once; its jobs stay.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

our $id = made('/schedules', \%least)->{id};

route('DELETE /schedules/{sched}', ids => { sched => $id },
      allow => 'GET, HEAD, PATCH, DELETE, OPTIONS');

run_tests();

__DATA__

=== TEST 1: what every route refuses
--- always: access methods ids dialects



=== TEST 2: gone
--- rows
GET /schedules/{sched}  200  "status":"active"
DELETE /schedules/{sched}  204  ^$
GET /schedules/{sched}  404 not_found
DELETE /schedules/{sched}  404 not_found
POST /schedules/{sched}/pause  404 not_found
