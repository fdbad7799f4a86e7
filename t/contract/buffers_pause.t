# POST /buffers/{id}/pause: 204, also when it is so already.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });

route('POST /buffers/{buf}/pause', allow => 'POST, OPTIONS',
      success => 204, ids => { buf => $buffer->{id} });

run_tests();

__DATA__

=== TEST 1: done, and done again
--- rows
POST /buffers/{buf}/resume  204  ^$
POST /buffers/{buf}/pause  204  ^$
GET /buffers/{buf}  200  "paused":true
POST /buffers/{buf}/pause  204  ^$
GET /buffers/{buf}  200  "paused":true



=== TEST 2: what every route refuses
--- always: access methods ids no_body dialects
