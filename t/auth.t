# Every route but /health wants a token that exists, that was not revoked and
# whose scope and account allow the request; nothing else lets anybody in.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

sub new_token {
    my ($account, @options) = @_;

    return sandbox->fliqctl('token', 'create', '--account', $account,
                            @options);
}

my $account = sandbox->{account};
my $other = sandbox->fliqctl('account', 'create', '--name', 'other')->{id};
my $suspended = sandbox->fliqctl('account', 'create', '--name', 'bad')->{id};

our $read = new_token($account, '--scope', 'read')->{token};
our $stranger = new_token($other)->{token};
our $locked_out = new_token($suspended)->{token};
our $revoked = new_token($account);

sandbox->fliqctl('token', 'revoke', $revoked->{id});
sandbox->sql("UPDATE fliq.accounts SET suspended_at = now()
               WHERE name = 'bad'");

our $job = job_id();
our $absent = $job =~ tr/0-9a-z/1-9a-z0/r;

my $good = token();
my $flipped = substr($good, 0, -1) . (substr($good, -1) eq 'x' ? 'y' : 'x');

# What is no authorization at all.
our @nobody = (
    'X-Nothing: x', 'Authorization:', 'Authorization: Bearer',
    'Authorization: Bearer ', "Authorization: $good",
    "Authorization: Basic $good", "Authorization: Bearer$good",
    "Authorization: Bearer $good x", "Authorization: Bearer \"$good\"",
    "Authorization: Bearer x$good", "Authorization: Bearer ${good}x",
    "Authorization: Bearer $flipped", 'Authorization: Bearer fliq_sk_',
    'Authorization: Bearer ' . uc $good,
    'Authorization: Bearer ' . 'x' x 4000,
    "Authorization: Bearer %00$good", "X-Api-Key: $good",
    "Cookie: token=$good", "Authorization: Bearer $revoked->{token}");

our $unauthorized = bad(401, 'unauthorized', ('GET /jobs') x @nobody);

our @routes = ('GET /jobs', 'POST /jobs', "GET /jobs/$job",
    "DELETE /jobs/$job", "GET /jobs/$job/executions", "GET /jobs/$absent");
our $closed = bad(401, 'unauthorized', @routes);

our $forbidden = bad(403, 'forbidden', post(), "DELETE /jobs/$job",
    "DELETE /jobs/$absent", 'POST /jobs');

our $suspended_all = bad(403, 'forbidden', 'GET /jobs', post(),
    "GET /jobs/$absent");

our $not_yours = bad(404, 'not_found', "GET /jobs/$job",
    "DELETE /jobs/$job", "GET /jobs/$job/executions");

no_long_string();
run_tests();

__DATA__

=== TEST 1: what is no token of ours
--- request eval: $::unauthorized->{request}
--- more_headers eval: \@::nobody
--- error_code eval: $::unauthorized->{status}
--- response_headers_like eval
[('WWW-Authenticate: Bearer.*') x @::nobody]
--- response_body_like eval: $::unauthorized->{body}



=== TEST 2: no route is open, and none tells what exists
--- request eval: $::closed->{request}
--- more_headers
X-Nothing: x
--- error_code eval: $::closed->{status}
--- response_body_like eval: $::closed->{body}



=== TEST 3: the scheme is case-insensitive, the token is not
--- request eval: [('GET /jobs') x 4]
--- more_headers eval
my $token = ::token();
["Authorization: bearer $token", "Authorization: BEARER $token",
 "authorization: Bearer $token", "Authorization: bEARER $token"]
--- error_code eval: [(200) x 4]
--- response_body_like eval: [('"jobs":') x 4]



=== TEST 4: a read token reads
--- request eval
["GET /jobs", "GET /jobs/$::job", "GET /jobs/$::job/executions"]
--- more_headers eval: ::bearer($::read)
--- error_code eval: [200, 200, 200]
--- response_body_like eval: ['"jobs":', $::job, '"executions":\s*\[\]']



=== TEST 5: a read token changes nothing
--- request eval: $::forbidden->{request}
--- more_headers eval: ::bearer($::read)
--- error_code eval: $::forbidden->{status}
--- response_body_like eval: $::forbidden->{body}



=== TEST 6: a suspended account
--- request eval: $::suspended_all->{request}
--- more_headers eval: ::bearer($::locked_out)
--- error_code eval: $::suspended_all->{status}
--- response_body_like eval: $::suspended_all->{body}



=== TEST 7: another account's job is not there
--- request eval: $::not_yours->{request}
--- more_headers eval: ::bearer($::stranger)
--- error_code eval: $::not_yours->{status}
--- response_body_like eval: $::not_yours->{body}



=== TEST 8: another account's list is empty, and it is still ours
--- request eval: ['GET /jobs', "GET /jobs/$::job"]
--- more_headers eval: [::bearer($::stranger), ::bearer()]
--- error_code eval: [200, 200]
--- response_body_like eval: ['"jobs":\s*\[\]', '"status":"scheduled"']
