# POST /billing/checkout: credits cannot be bought here, whatever is sent.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

route('POST /billing/checkout', allow => 'POST, OPTIONS', success => 403);

run_tests();

__DATA__

=== TEST 1: refused
--- rows
{"credits":100}  403 billing_disabled  operator
{}  403 billing_disabled  operator



=== TEST 2: what every route refuses
--- always: access methods no_body dialects
