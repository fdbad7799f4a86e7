# POST /buffers/{id}/items/{item}/replay: a failed item is cloned at the tail;
# no other is.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });
made("/buffers/$buffer->{id}/pause");
our %ids = (buf => $buffer->{id},
    item => item_with($buffer, 'failed', body => 'x', idempotency_key => 'k'),
    map { ($_ => item_with($buffer, $_)) } qw(pending completed));
our $clone = has(
    id => qr/"item_[0-9a-z]{26}"/, buffer_id => $ids{buf}, body => 'x',
    status => 'pending', replay_of => $ids{item}, retry_count => 0,
    idempotency_key => undef, created_at => qr/"20[^"]+Z"/);

route('POST /buffers/{buf}/items/{item}/replay', allow => 'POST, OPTIONS',
      success => 201, ids => \%ids);

run_tests();

__DATA__

=== TEST 1: a clone
--- request eval: "POST /buffers/$::ids{buf}/items/$::ids{item}/replay"
--- error_code: 201
--- response_body_like eval: $::clone



=== TEST 2: what has not failed
--- rows
POST /buffers/{buf}/items/{pending}/replay  409 item_not_failed  has failed
POST /buffers/{buf}/items/{completed}/replay  409 item_not_failed  has failed



=== TEST 3: what every route refuses, and what executes
--- always: access methods ids no_body credit dialects
