# PATCH /alerts/{id}: a channel is switched on and off, or renamed, and nothing
# else of it changes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

our $channel = made('/alerts', { type => 'slack', name => 'on-call',
                                 target => 'http://127.0.0.1:9/' });
our $path = "/alerts/$channel->{id}";

sub state_of {
    my ($name, $enabled) = @_;

    return has(type => 'slack', target => 'http://127.0.0.1:9/',
               name => $name, enabled => $enabled,
               created_at => qr/"([^"]+)","updated_at":"(?!\1")[^"]+"/);
}

our ($true, $false) = (JSON::PP::true, JSON::PP::false);

route('PATCH /alerts/{alt}', allow => 'GET, HEAD, PATCH, DELETE, OPTIONS',
      ids => { alt => $channel->{id} }, body => { enabled => $true },
      success => 204);

run_tests();

__DATA__

=== TEST 1: off, off again, on, renamed, both
--- request eval
["PATCH $::path\n{\"enabled\":false}", "GET $::path",
 "PATCH $::path\n{\"enabled\":false}", "GET $::path",
 "PATCH $::path\n{\"enabled\":true}", "GET $::path",
 "PATCH $::path\n{\"name\":\"b\"}", "GET $::path",
 "PATCH $::path\n{\"name\":\"\",\"enabled\":false}", "GET $::path"]
--- error_code eval: [(204, 200) x 5]
--- response_body_like eval
['^$', ::state_of('on-call', $::false), '^$', ::state_of('on-call', $::false),
 '^$', ::state_of('on-call', $::true), '^$', ::state_of('b', $::true),
 '^$', ::state_of('', $::false)]



=== TEST 2: what every route refuses
--- always: access methods ids body dialects



=== TEST 3: what is taken
--- accepts
name  "x" x 256
colour  "red"



=== TEST 4: what is not
--- known: name
--- fields
enabled  "true"  true or false
enabled  1  true or false
enabled  0  true or false
enabled  ""  true or false
enabled  {}  true or false
enabled  null  enabled or name must be sent
enabled  absent  enabled or name must be sent



=== TEST 5: nor a change of nothing that there is
--- rows
{}  400 invalid_enabled  enabled or name must be sent
{"enable":true}  400 invalid_enabled  enabled or name must be sent
{"enabled":null,"name":null}  400 invalid_enabled  enabled or name
