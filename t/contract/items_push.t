# POST /buffers/{id}/items: an item joins the tail of a buffer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $buffer = made('/buffers', { name => 'b', url => 'http://127.0.0.1:9/' });
made("/buffers/$buffer->{id}/pause");
our $path = "/buffers/$buffer->{id}/items";
our %all = (body => 'x', headers => { a => 'b' }, idempotency_key => 'k');
our $whole = has(
    %all, id => qr/"item_[0-7][0-9a-hjkmnp-tv-z]{25}"/,
    buffer_id => $buffer->{id}, status => 'pending', status_code => undef,
    retry_count => 0, max_retries => 3, last_error => undef,
    replay_of => undef, created_at => qr/"20[^"]+Z"/, completed_at => undef);

route('POST /buffers/{buf}/items', allow => 'GET, HEAD, POST, OPTIONS',
      ids => { buf => $buffer->{id} }, body => { body => 'x' },
      optional_body => 1);

run_tests();

__DATA__

=== TEST 1: an item with everything
--- request eval: "POST $::path\n" . ::json(\%::all)
--- error_code: 201
--- response_headers_like
Content-Type: application/json
Location: /buffers/buf_[0-9a-z]{26}/items/item_[0-9a-z]{26}
--- response_body_like eval: $::whole



=== TEST 2: its key again, whatever else is sent: the first item
--- request eval
["POST $::path\n" . ::json(\%::all),
 "POST $::path\n" . ::json({ %::all, body => 'y' })]
--- error_code eval: [201, 201]
--- response_headers eval: [('Idempotent-Replayed: true') x 2]
--- response_body_like eval: [$::whole, $::whole]



=== TEST 3: what every route refuses
--- always: access methods ids body dialects



=== TEST 4: what executes: credit is judged before the buffer is looked for
--- always: credit



=== TEST 5: what is taken
--- accepts
body  "x" x 1048576
body  ""
body  null
body  absent  null
headers  {"a":"b"}
headers  null
idempotency_key  "k" x 256
idempotency_key  null
colour  "red"  -
--- rows
POST /buffers/{buf}/items  201  "body":null



=== TEST 6: what is not
--- known: body headers
--- fields
idempotency_key  ""  1 to 256 bytes
idempotency_key  "k" x 257  1 to 256 bytes
idempotency_key  5  must be a string
idempotency_key  {}  must be a string
idempotency_key  "a\u0000"  u0000
