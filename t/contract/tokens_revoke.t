# DELETE /tokens/{id}: a token is of no use from then on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $made = made('/tokens', { name => 'a' });

route('DELETE /tokens/{tok}', allow => 'DELETE, OPTIONS',
      ids => { tok => $made->{id} });

run_tests();

__DATA__

=== TEST 1: what every route refuses
--- always: access methods ids dialects



=== TEST 2: revoked, once
--- request eval
['GET /jobs', "DELETE /tokens/$::made->{id}", 'GET /jobs',
 "DELETE /tokens/$::made->{id}"]
--- more_headers eval
[::bearer($::made->{token}), ::bearer(), ::bearer($::made->{token}),
 ::bearer()]
--- error_code eval: [200, 204, 401, 404]
--- response_body_like eval
['"jobs":', '^$', '"code":"unauthorized"', '"code":"not_found"']
