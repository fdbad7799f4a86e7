# /tokens: an account's tokens are made, listed and revoked over the API; what
# a token is, is told once and kept nowhere; when one was used last is noted
# within the minute; one that is revoked is of no use from then on, at once in
# the worker that revoked it, within a second on every other node.

use v5.36;

use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

# All that the database is told is in its log then, parameters too.
$ENV{FLIQ_PG_OPTS} = '-c log_statement=all';

sandbox(workers => 1);

my $node = Fliq::Node->start(sandbox, workers => 2, edit => sub {
    $_[0] =~ s/^(error_log \S+) notice;/$1 debug;/m;
});


sub bearer ($token) {
    return { Authorization => "Bearer $token->{token}" };
}


# create(fields): the answer to POST /tokens.
sub create (%fields) {
    return api('POST', '/tokens', \%fields);
}


sub list ($headers = {}, $url = undef) {
    return api('GET', '/tokens', undef, $headers, $url);
}


# listed(token): it in the list, or undef.
sub listed ($token) {
    return (grep { $_->{id} eq $token->{id} } @{ list()->{json} })[0];
}


sub revoke ($token, $headers = {}) {
    return api('DELETE', "/tokens/$token->{id}", undef, $headers);
}


# --- create

my $first = list()->{json};

is(ref $first, 'ARRAY', 'a bare array');
is(scalar @$first, 1, 'with the token that asks');
is($first->[0]{prefix}, substr(sandbox->{token}, 0, 12), 'and no other');

my $answer = create(name => 'deploy');
my $token = $answer->{json};

is_status($answer, 201, 'a token');
like($token->{token}, qr/^fliq_sk_[0-9A-Za-z]{40}\z/, 'its form');
like($token->{id}, qr/^tok_[0-9a-z]{26}\z/, 'its id');
is($answer->{headers}{'cache-control'}, 'no-store', 'nobody may keep it');
is_deeply($token, {
    id => $token->{id}, name => 'deploy', scope => 'write',
    token => $token->{token}, prefix => substr($token->{token}, 0, 12),
    last_used_at => undef, created_at => $token->{created_at},
}, 'all that is told');
ok(abs(seconds($token->{created_at}) - time) < 60, 'created now');

my @listed = @{ list()->{json} };
delete $_->{last_used_at} for @listed, @$first;
is_deeply(\@listed, [{ map { ($_ => $token->{$_}) }
                       qw(id name prefix scope created_at) }, @$first],
          'listed, newest first, without the token itself');
is(sql("SELECT encode(hash, 'hex') FROM fliq.tokens WHERE name = 'deploy'"),
   sha256_hex($token->{token}), 'its hash is kept');

my $reader = create(name => undef, scope => 'read')->{json};
is_deeply([@$reader{qw(name scope)}], ['', 'read'], 'one that reads');
is_deeply([@{ create(scope => undef)->{json} }{qw(name scope)}],
          ['', 'write'], 'one with nothing said');
is_status(create(name => "\x{e9}" x 128), 201, 'a long name');
is(create(name => 'new', unknown => 1)->{json}{name}, 'new',
   'unknown members do not matter');

my %seen;
$seen{ create()->{json}{token} }++ for 1 .. 20;
is(scalar keys %seen, 20, 'no two are alike');

is_status(list(bearer($token), $_), 200, "it works at once at $_")
    for sandbox->{url}, $node->{url};


# --- scopes, tenants

is_status(list(bearer($reader)), 200, 'a read token lists');
is_error(api('POST', '/tokens', {}, bearer($reader)), 403, 'forbidden',
         'but makes none');
is_error(revoke($_, bearer($reader)), 403, 'forbidden', 'and revokes none')
    for $token, $reader;

my $other = sandbox->fliqctl('account', 'create', '--name', 'other');
my $stranger = sandbox->fliqctl('token', 'create', '--account', $other->{id});

is_deeply([map { $_->{id} } @{ list(bearer($stranger))->{json} }],
          [$stranger->{id}], 'a stranger sees its own');
is_error(revoke($token, bearer($stranger)), 404, 'not_found',
         'a stranger revokes none');
is_error(revoke($stranger), 404, 'not_found', 'nor do we');
is_status(list(bearer($token)), 200, 'it still works');



# --- revoke

is_status(list(bearer($token)), 200, 'in use');
$answer = revoke($token);
is_status($answer, 204, 'revoked');
is($answer->{content}, '', 'without a body');
is_error(list(bearer($token)), 401, 'unauthorized',
         'refused at once by the worker that revoked it');
is_error(revoke($token), 404, 'not_found', 'revoked again');
is(listed($token), undef, 'it is listed no more');
is(sql("SELECT count(*) FROM fliq.tokens
         WHERE name = 'deploy' AND revoked_at IS NOT NULL"), 1,
   'but not forgotten');

my $own = create(name => 'own')->{json};
is_status(revoke($own, bearer($own)), 204, 'one revokes itself');
is_error(list(bearer($own)), 401, 'unauthorized', 'and is refused');


# --- in use all the time, on both nodes

# use_all(token): the statuses that new connections to all workers get.
sub use_all ($token) {
    my $request = Fliq::Load::request('GET', '/tokens', bearer($token));
    my %seen;

    for my $port (sandbox->{port}, $node->{port}) {
        $seen{$_->{status}}++
            for load(port => $port, clients => 4, keepalive => 0)
                ->run(($request) x 8);
    }

    return join ' ', sort keys %seen;
}


for my $url (sandbox->{url}, $node->{url}) {
    my $busy = create()->{json};

    is(use_all($busy), 200, 'in use everywhere');
    is_status(api('DELETE', "/tokens/$busy->{id}", undef, {}, $url), 204,
              "revoked at $url");
    my $revoked = time;
    ok(wait_until(sub { use_all($busy) eq '401' }, 5), 'it is refused');
    my $took = time - $revoked;
    ok($took < 1.2, sprintf 'everywhere, %.2f s later', $took);
}


# --- revoked while it is looked up

# A lookup that has seen the token, and takes a second to say so.
sql('CREATE FUNCTION fliq.slowly() RETURNS boolean LANGUAGE plpgsql VOLATILE
     AS $$ BEGIN PERFORM pg_sleep(1); RETURN true; END $$;
     CREATE POLICY slow ON fliq.accounts USING (fliq.slowly());
     ALTER TABLE fliq.accounts ENABLE ROW LEVEL SECURITY');

my $victim = create()->{json};
my $bytes = request_bytes('GET', '/tokens', '',
                          { %{ bearer($victim) }, Connection => 'close' });
list();
sql('ALTER TABLE fliq.accounts FORCE ROW LEVEL SECURITY');

my @sockets = map {
    my $socket = IO::Socket::INET->new("127.0.0.1:" . sandbox->{port})
        or die "connect: $!";
    revoke($victim) if $_ == 2;
    print $socket $bytes;
    $socket;
} 1, 2;

my @lines = map { scalar readline($_) } @sockets;
like($lines[1], qr/ 401 /, 'a lookup from before is not believed');

sql('ALTER TABLE fliq.accounts NO FORCE ROW LEVEL SECURITY;
     ALTER TABLE fliq.accounts DISABLE ROW LEVEL SECURITY;
     DROP POLICY slow ON fliq.accounts; DROP FUNCTION fliq.slowly()');


# --- last_used_at

# used(token): when, as the list says, having used it once more.
sub used ($token) {
    list(bearer($token));
    return listed($token)->{last_used_at};
}


# ago(token, seconds): move the stored value.
sub ago ($token, $seconds) {
    sql("UPDATE fliq.tokens
            SET last_used_at = now() - interval '$seconds seconds'
          WHERE hash = sha256('$token->{token}')");
    return listed($token)->{last_used_at};
}


my $fresh = create()->{json};
my $calm = create()->{json};

is(listed($fresh)->{last_used_at}, undef, 'never used');
list(bearer($fresh));
my $at = wait_until(sub { listed($fresh)->{last_used_at} });
ok(abs(seconds($at) - time) < 10, 'used now');

wait_until(sub { used($calm) });
my $before = ago($calm, 50);

for my $round (1, 2) {
    my $old = ago($fresh, 61);
    my $now;

    ok(wait_until(sub { used($calm); $now = used($fresh);
                        $now ne $old }), "round $round: after a minute");
    ok(seconds($now) > seconds($old) + 60, 'it is now again');
    is(used($calm), $before, 'not within a minute');
}

my $row = "WHERE hash = sha256('$fresh->{token}')";
my $held = sandbox->hold("UPDATE fliq.tokens
       SET last_used_at = now() - interval '61 seconds' $row;
    COMMIT; BEGIN; SELECT FROM fliq.tokens $row FOR UPDATE");
$before = listed($fresh)->{last_used_at};
my @answers = load()->run((request_bytes('GET', '/tokens', '',
                                         bearer($fresh))) x 1000);
is(scalar(grep { $_->{status} == 200 } @answers), 1000,
   'nobody waits for whoever holds the row');
is(listed($fresh)->{last_used_at}, $before, 'and it stays');
Fliq::Sandbox::release($held);
ok(wait_until(sub { used($fresh) ne $before }), 'until that one is done');


# --- at most so many

my ($account) = sql("SELECT account_id FROM fliq.tokens
                      WHERE name = 'sandbox'");
my $live = "FROM fliq.tokens
             WHERE account_id = '$account' AND revoked_at IS NULL";

sql("INSERT INTO fliq.tokens (id, account_id, prefix, hash)
     SELECT fliq.make_id(), '$account', 'fliq_sk_', sha256(n::text::bytea)
       FROM generate_series(1, 999 - (SELECT count(*) $live)) AS n");
my $last = create()->{json};
is_error(create(), 409, 'too_many_tokens', 'one too many');
is_status(api('POST', '/tokens', {}, bearer($stranger)), 201,
          'an account of its own');

$answer = list();
is(scalar @{ $answer->{json} }, 1000, 'all are listed');
is($answer->{json}[0]{id}, $last->{id}, 'newest first');
is_status(revoke($last), 204, 'one less');
is_status(create(), 201, 'and one more');


# --- what is written where

my $quiet = api('POST', '/tokens', { name => 'quiet' }, bearer($stranger),
                $node->{url})->{json};
my $secret = api('POST', '/signing-secret/rotate', undef, bearer($stranger),
                 $node->{url})->{json}{secret};
create_job(url => '/ok/signed');
target->wait_for(1, '/ok/signed');

my $postgres = Fliq::Sandbox::slurp(sandbox->{dir} . '/logs/postgres.log');
like($postgres, qr/\bINSERT INTO fliq\.tokens\b/, 'the database tells all');

my $log = $node->log;
like($log, qr{http request line: "POST /signing-secret/rotate}, 'so does nginx');
is(index($log, $quiet->{token}), -1, 'but no new token');
is(index($log, $secret), -1, 'and no secret');

for my $known (sandbox, $stranger, $token, $quiet) {
    is(index($postgres, $known->{token}), -1, 'the database sees no token');
    is(index(sandbox->log, $known->{token}), -1, 'nor does the error log');
}

finish();
