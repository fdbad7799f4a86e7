# GET /billing/transactions: what came and went of the credits, newest first.
# (How they add up is t/billing.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $grant = has(id => qr/"txn_[0-9a-z]{26}"/, amount => 5, type => 'grant',
    job_id => undef, stripe_payment_intent_id => undef,
    created_at => qr/"20[^"]+Z"/);

route('GET /billing/transactions', allow => 'GET, HEAD, OPTIONS');

run_tests();

__DATA__

=== TEST 1: the grant of an account
--- request
GET /billing/transactions
--- more_headers eval: ::bearer(::tenant('limited'))
--- response_body_like eval: $::grant



=== TEST 2: none of an account that pays for nothing
--- rows
GET /billing/transactions  200  ^\{"transactions":\[\],"next_cursor":null\}$



=== TEST 3: what every route refuses, and every list
--- always: access methods page no_body dialects
