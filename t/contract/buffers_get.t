# GET /buffers/{id}: one buffer of the account.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });
our $whole = has(%$buffer);

route('GET /buffers/{buf}', allow => 'GET, HEAD, DELETE, OPTIONS',
      ids => { buf => $buffer->{id} });

run_tests();

__DATA__

=== TEST 1: the buffer
--- request eval: "GET /buffers/$::buffer->{id}"
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses
--- always: access methods ids no_body dialects
