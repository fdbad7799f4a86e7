# GET /buffers/{id}/items: pages of items, newest first, all or those in one
# state.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });
made("/buffers/$buffer->{id}/pause");
our %of = map { ($_ => item_with($buffer, $_)) } qw(completed failed pending);
our @states = sort keys %of;
our $path = "/buffers/$buffer->{id}/items";
our $item = qr/\{"id":"item_[^{}]+\}/;

route('GET /buffers/{buf}/items', allow => 'GET, HEAD, POST, OPTIONS',
      ids => { buf => $buffer->{id} });

run_tests();

__DATA__

=== TEST 1: the items
--- request eval: "GET $::path"
--- response_body_like eval
qr/^\{"items":\[\{"id":"$::of{pending}"[^{}]+\},$::item,$::item\],
   "next_cursor":null\}$/x



=== TEST 2: those in a state
--- request eval: [map { "GET $::path?status=$_" } @::states]
--- error_code eval: [(200) x @::states]
--- response_body_like eval
[map { qr/^\{"items":\[\{"id":"$::of{$_}"[^{}]+"status":"$_"[^{}]+\}\]/ }
 @::states]



=== TEST 3: none, and states that there are not
--- rows
?status=running  200  ^\{"items":\[\],"next_cursor":null\}$
?status=success  400 invalid_status  pending, running, completed
?status=Pending  400 invalid_status  pending, running, completed
?status=scheduled  400 invalid_status  pending, running, completed
?status=failed%00  400 invalid_status  pending, running, completed



=== TEST 4: what every route refuses, and every list
--- always: access methods ids page no_body dialects
