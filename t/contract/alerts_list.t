# GET /alerts: all channels of the account, newest first, in an envelope.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $all = join ',', reverse map {
    my $target = "http://127.0.0.1/$_";
    my $id = made('/alerts', { type => 'slack', target => $target })->{id};

    qr/\{"id":"$id"[^{}]+"target":"$target"[^{}]+\}/;
} 1 .. 3;

route('GET /alerts', allow => 'GET, HEAD, POST, OPTIONS');

run_tests();

__DATA__

=== TEST 1: the channels
--- request
GET /alerts
--- response_body_like eval: qr/^\{"channels":\[$::all\]\}$/



=== TEST 2: a stranger has none of them
--- rows
@stranger GET /alerts  200  ^\{"channels":\[\]\}$



=== TEST 3: what every route refuses
--- always: access methods no_body dialects
