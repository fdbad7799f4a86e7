# A token that is revoked, and an account that is suspended, stop working
# within a second in every worker, also where they were in use all the time.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 1);


sub new_token () {
    my $account = sandbox->fliqctl('account', 'create', '--name', 'x')->{id};
    my $token = sandbox->fliqctl('token', 'create', '--account', $account);

    return ($account, $token);
}


# use_all(token): the statuses that new connections to all workers get.
sub use_all ($token) {
    my $request = Fliq::Load::request('GET', '/jobs?limit=1',
        { Authorization => "Bearer $token->{token}" });
    my %seen;

    for my $port (sandbox->{port}, $node->{port}) {
        $seen{$_->{status}}++
            for load(port => $port, clients => 8, keepalive => 0)
                ->run(($request) x 32);
    }

    return join ' ', sort keys %seen;
}


# In use until what changes it takes effect; the seconds that took.
sub seconds_until ($status, $token, $change) {
    is(use_all($token), 200, 'it is in use');

    $change->();
    my $begun = time;
    wait_until(sub { use_all($token) eq $status }, 5);

    return time - $begun;
}


my ($account, $token) = new_token();
my $took = seconds_until(401, $token, sub {
    sandbox->fliqctl('token', 'revoke', $token->{id});
});
ok($took < 1.2, sprintf 'revoked: 401 everywhere, %.2f s later', $took);

($account, $token) = new_token();
$took = seconds_until(403, $token, sub {
    sql("UPDATE fliq.accounts SET suspended_at = now()
          WHERE id = (SELECT account_id FROM fliq.tokens
                       ORDER BY created_at DESC LIMIT 1)");
});
ok($took < 1.2, sprintf 'suspended: 403 everywhere, %.2f s later', $took);


# A new one works at once, although its hash may have been unknown before.

my $fresh = sandbox->fliqctl('token', 'create', '--account',
                             sandbox->{account});
is(use_all($fresh), 200, 'a new token works at once');

finish();
