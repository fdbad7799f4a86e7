# DELETE /buffers/{id}: a buffer is gone, once, and its items go, too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });
made("/buffers/$buffer->{id}/pause");
our $item = made("/buffers/$buffer->{id}/items", { body => 'x' });

route('DELETE /buffers/{buf}', allow => 'GET, HEAD, DELETE, OPTIONS',
      ids => { buf => $buffer->{id}, item => $item->{id} });

run_tests();

__DATA__

=== TEST 1: what every route refuses
--- always: access methods dialects



=== TEST 2: no other's, and gone
--- rows
@stranger DELETE /buffers/{buf}  404 not_found
GET /buffers/{buf}/items/{item}  200  "status":"pending"
DELETE /buffers/{buf}  204  ^$
DELETE /buffers/{buf}  404 not_found
GET /buffers/{buf}  404 not_found
GET /buffers/{buf}/items  404 not_found
GET /buffers/{buf}/items/{item}  404 not_found
GET /buffers/{buf}/stats  404 not_found
POST /buffers/{buf}/items  404 not_found
POST /buffers/{buf}/pause  404 not_found



=== TEST 3: ids that there are not
--- always: ids
