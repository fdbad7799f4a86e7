# GET /schedules: pages of schedules, newest first.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

our @ids = reverse map { made('/schedules', \%least)->{id} } 1 .. 3;
our $all = join ',', map { qr/\{"id":"$_"[^{}]+\}/ } @ids;

route('GET /schedules', allow => 'GET, HEAD, POST, OPTIONS');

run_tests();

__DATA__

=== TEST 1: the schedules
--- request
GET /schedules
--- response_body_like eval
qr/^\{"schedules":\[$::all\],"next_cursor":null\}$/



=== TEST 2: a page
--- request
GET /schedules?limit=1
--- response_body_like eval
qr/^\{"schedules":\[\{"id":"$::ids[0]"[^{}]+\}\],"next_cursor":"[^"]+"\}$/



=== TEST 3: a stranger has none of them
--- rows
@stranger GET /schedules?limit=1  200  ^\{"schedules":\[



=== TEST 4: what every route refuses, and every list
--- always: access methods page no_body dialects
