# GET /schedules/{id}: one schedule of the account.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

our $schedule = made('/schedules', { %least, name => 'n', body => 'b' });
our $whole = has(%$schedule);

route('GET /schedules/{sched}', ids => { sched => $schedule->{id} },
      allow => 'GET, HEAD, PATCH, DELETE, OPTIONS');

run_tests();

__DATA__

=== TEST 1: the schedule
--- request eval: "GET /schedules/$::schedule->{id}"
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses
--- always: access methods ids no_body dialects
