# GET /billing/balance: what an account has left; always numbers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my $most = 9007199254740991;

sub account {
    my ($balance, $plan, $daily_limit) = @_;

    return has(balance => $balance, plan => $plan,
               daily_limit => $daily_limit,
               credits_per_dollar => qr/[1-9]\d*/);
}

our @accounts = (account($most, 'unlimited', $most), account(5, 'free', 0),
                 account(0, 'paid', $most));

route('GET /billing/balance', allow => 'GET, HEAD, OPTIONS');

run_tests();

__DATA__

=== TEST 1: of each plan
--- request eval: [('GET /billing/balance') x 3]
--- more_headers eval
[::bearer(), ::bearer(::tenant('limited')), ::bearer(::tenant('broke'))]
--- error_code eval: [(200) x 3]
--- response_body_like eval: \@::accounts



=== TEST 2: what every route refuses
--- always: access methods no_body dialects
