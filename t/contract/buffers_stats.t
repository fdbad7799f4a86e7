# GET /buffers/{id}/stats: how many items are in what state.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });
made("/buffers/$buffer->{id}/pause");
our $stats = has(pending => 2, running => 0, completed => 3, failed => 1,
                 total => 6, success_rate => 0.75);
our $none = has(success_rate => qr/0(?:\.0)?/,
    map { ($_ => 0) } qw(pending running completed failed total));
our $empty = made('/buffers', { name => 'e', url => 'http://127.0.0.1:9/' });

item_with($buffer, $_)
    for qw(pending pending completed completed completed failed);

route('GET /buffers/{buf}/stats', allow => 'GET, HEAD, OPTIONS',
      ids => { buf => $buffer->{id} });

run_tests();

__DATA__

=== TEST 1: of six items, and of none
--- request eval
["GET /buffers/$::buffer->{id}/stats", "GET /buffers/$::empty->{id}/stats"]
--- error_code eval: [200, 200]
--- response_body_like eval: [$::stats, $::none]



=== TEST 2: what every route refuses
--- always: access methods ids no_body dialects
