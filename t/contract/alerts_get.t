# GET /alerts/{id}: one channel of the account.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our %body = (type => 'webhook', target => 'http://127.0.0.1:9/', name => 'a');
our $channel = made('/alerts', \%body);
our $whole = has(%$channel);

route('GET /alerts/{alt}', allow => 'GET, HEAD, PATCH, DELETE, OPTIONS',
      ids => { alt => $channel->{id} });

run_tests();

__DATA__

=== TEST 1: the channel
--- request eval: "GET /alerts/$::channel->{id}"
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses
--- always: access methods ids no_body dialects
