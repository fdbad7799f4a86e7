# POST /signing-secret/rotate: another secret takes the place. (What is signed
# with it is t/signing_secret.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $whole = has(secret => qr/"whsec_[0-9A-Za-z]{40}"/,
                 created_at => qr/"20[^"]+Z"/);
our ($old) = sandbox->sql("SELECT secret FROM fliq.signing_secrets
    WHERE fliq.id_text('acct', account_id) = '" . sandbox->{account} . "'");

route('POST /signing-secret/rotate', allow => 'POST, OPTIONS');

run_tests();

__DATA__

=== TEST 1: another secret
--- request eval
['GET /signing-secret', 'POST /signing-secret/rotate', 'GET /signing-secret']
--- error_code eval: [200, 200, 200]
--- response_headers eval: [('Cache-Control: no-store') x 3]
--- response_body_like eval
[$::old, qr/(?!.*$::old)$::whole/, qr/^(?!.*$::old)/]



=== TEST 2: what every route refuses
--- always: access methods no_body dialects
