# GET /buffers: pages of buffers, newest first.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our @ids = reverse map {
    made('/buffers', { name => "b$_", url => 'http://127.0.0.1:9/' })->{id}
} 1 .. 3;
our $all = join ',', map { qr/\{"id":"$_"[^{}]+\}/ } @ids;

route('GET /buffers', allow => 'GET, HEAD, POST, OPTIONS');

run_tests();

__DATA__

=== TEST 1: the buffers
--- request
GET /buffers
--- response_body_like eval
qr/^\{"buffers":\[$::all\],"next_cursor":null\}$/



=== TEST 2: a page
--- request
GET /buffers?limit=1
--- response_body_like eval
qr/^\{"buffers":\[\{"id":"$::ids[0]"[^{}]+\}\],"next_cursor":"[^"]+"\}$/



=== TEST 3: a stranger has none
--- rows
@stranger GET /buffers  200  ^\{"buffers":\[\],"next_cursor":null\}$



=== TEST 4: what every route refuses, and every list
--- always: access methods page no_body dialects
