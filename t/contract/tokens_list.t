# GET /tokens: a bare array of what the account has, newest first, the tokens
# themselves not.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $made = made('/tokens', { name => 'a', scope => 'read' });
our $hidden = qr/^(?!.*\Q$made->{token}\E)(?!.*"token":)/s;
our $first = qr/^\[\{"id":"$made->{id}","name":"a","prefix":"fliq_sk_\w{4}",
    "scope":"read","last_used_at":null,"created_at":"20[^"]+Z"\},\{.*\}\]$/x;

route('GET /tokens', allow => 'GET, HEAD, POST, OPTIONS');

run_tests();

__DATA__

=== TEST 1: the tokens
--- request eval: ['GET /tokens', 'GET /tokens']
--- error_code eval: [200, 200]
--- response_body_like eval: [$::first, $::hidden]



=== TEST 2: a stranger's are others
--- rows
@stranger GET /tokens  200  ^(?!.*"name":"a")\[\{"id":"tok_



=== TEST 3: what every route refuses
--- always: access methods no_body dialects
