# GET /buffers/{id}/items/{item}: one item of a buffer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });
made("/buffers/$buffer->{id}/pause");
our $item = made("/buffers/$buffer->{id}/items", { body => 'x' });
our $whole = has(%$item);
our $other = made('/buffers', { name => 'o', url => 'http://127.0.0.1:9/' });

route('GET /buffers/{buf}/items/{item}', allow => 'GET, HEAD, OPTIONS',
      ids => { buf => $buffer->{id}, item => $item->{id},
               other => $other->{id},
               failed => item_with($buffer, 'failed') });

run_tests();

__DATA__

=== TEST 1: the item
--- request eval: "GET /buffers/$::buffer->{id}/items/$::item->{id}"
--- response_body_like eval: $::whole



=== TEST 2: in another state, and in another buffer
--- rows
GET /buffers/{buf}/items/{failed}  200  "status":"failed"
GET /buffers/{other}/items/{item}  404 not_found



=== TEST 3: what every route refuses
--- always: access methods ids no_body dialects
