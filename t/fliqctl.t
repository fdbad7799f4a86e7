# bin/fliqctl: every command prints one JSON value and does what it says;
# every mistake is one line on stderr, exit status 1 or 2, and changes
# nothing.

use v5.36;

use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);

my $dsn = sandbox->{dsn};
my $id = qr/[0-7][0-9a-hjkmnp-tv-z]{25}/;


# ctl(arguments): its exit status, stdout and stderr.
sub ctl (@arguments) {
    state $files = File::Temp->newdir;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', "$files/out";
        open STDERR, '>', "$files/err";
        exec Fliq::Sandbox::repo() . '/bin/fliqctl', @arguments
            or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    return ($? >> 8, map { Fliq::Sandbox::slurp("$files/$_") } qw(out err));
}


# good(arguments): the value that it prints.
sub good (@arguments) {
    my ($status, $out, $err) = ctl('--dsn', $dsn, @arguments);
    my $value = eval { decode_json($out) };

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($status == 0 && defined $value && $err eq '' && $out =~ /^.*\n\z/,
       "fliqctl @arguments") || diag("$status\n$out$err");

    return $value;
}


# bad(status, like, arguments)
sub bad ($status, $like, @arguments) {
    my ($got, $out, $err) = ctl(@arguments);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($got == $status && $out eq '' && $err =~ /^fliqctl: .*$like.*\n\z/,
       "fails: fliqctl @arguments" =~ s/\n/\\n/gr) || diag("$got\n$out$err");
}


sub works ($token) {
    return api('GET', '/jobs', undef,
               { Authorization => "Bearer $token" })->{status};
}


# --- accounts

my $account = good(qw(account create --name), 'Dr. No\'s "b\\c"');
like($account->{id}, qr/^acct_$id\z/, 'an id');
is($account->{name}, 'Dr. No\'s "b\\c"', 'the name, as it was');
is($account->{plan}, 'unlimited', 'the plan by default');

my $free = good(qw(account create --name free --plan free --credits 100
                   --daily-limit=50));
is_deeply([@$free{qw(plan balance daily_limit)}], ['free', 100, 50],
          'plan, credits and limit');
like(good(qw(account create --name paid --plan paid))->{id}, qr/^acct_/,
     'a paid one');

my %listed = map { ($_->{id} => $_) } @{ good(qw(account list)) };
is_deeply($listed{$free->{id}}{name}, 'free', 'it is in the list');
ok($listed{sandbox->{account}}, 'and the first one');


# --- tokens

my $token = good('token', 'create', '--account', $account->{id});
like($token->{id}, qr/^tok_$id\z/, 'an id');
like($token->{token}, qr/^fliq_sk_[0-9A-Za-z]{40}\z/, 'a token');
is($token->{scope}, 'write', 'write by default');
is(works($token->{token}), 200, 'it works');

my $read = good('token', 'create', '--account', $account->{id},
                qw(--scope read --name), "caf\xc3\xa9");
is($read->{scope}, 'read', 'read');

my $tokens = good('token', 'list', '--account', $account->{id});
is_deeply([map { $_->{id} } @$tokens], [$token->{id}, $read->{id}],
          'both are in the list');
ok(!grep({ exists $_->{token} || exists $_->{hash} } @$tokens),
   'which tells no secret');
is(scalar(grep { $_->{name} eq "caf\x{e9}" } @$tokens), 1, 'a name in UTF-8');
is(sql("SELECT count(*) FROM fliq.tokens
         WHERE tokens::text LIKE '%$token->{token}%'"), 0,
   'the database has none');

my $revoked = good('token', 'revoke', $token->{id});
ok($revoked->{revoked_at}, 'revoked');
is(good('token', 'revoke', $token->{id})->{revoked_at},
   $revoked->{revoked_at}, 'once is enough');
ok(wait_until(sub { works($token->{token}) == 401 }, 2), 'it works no more');
is(works($read->{token}), 200, 'the other one does');


# --- the schema

my $status = good('status');
is($status->{version}, $status->{latest}, 'the schema is up to date');
is_deeply(good('migrate')->{applied}, [], 'nothing to migrate');

my $waits = create_job(url => '/ok', scheduled_at => at(3600));
wait_job(create_job(url => '/ok'));
wait_job(create_job(url => '/status/500'));

$status = good('status');
is_deeply($status->{jobs}, { waiting => 1, running => 0 }, 'what waits');
is_deeply($status->{executions}, { total => 2, success => 1, failed => 1 },
          'what was executed');
is($status->{dispatchers}, 1, 'by whom');

sql('CREATE DATABASE empty');
my $empty = $dsn =~ s/dbname=\w+/dbname=empty/r;

bad(1, 'migrate', '--dsn', $empty, 'account', 'list');
{
    local $ENV{FLIQ_DSN} = $empty;
    my ($got, $out) = ctl('migrate');
    my $migrated = decode_json($out);

    is_deeply($migrated->{applied}, [1 .. $migrated->{version}],
              'an empty database is migrated; FLIQ_DSN names it');
    is_deeply(decode_json((ctl('account', 'list'))[1]), [],
              'it has no accounts');
}

sandbox->sql("INSERT INTO fliq.schema_migrations (version, name)
              VALUES (999, 'later')", $empty);
bad(1, 'newer', '--dsn', $empty, 'migrate');


# --- mistakes

my $count = sql('SELECT (SELECT count(*) FROM fliq.accounts),
                        (SELECT count(*) FROM fliq.tokens)');
my @on = ('--dsn', $dsn);
my $nobody = 'acct_' . '0' x 26;

bad(2, '', @on);
bad(2, 'frob', @on, 'frob');
bad(2, 'account frob', @on, qw(account frob));
bad(2, 'account', @on, 'account');
bad(2, '--name', @on, qw(account create));
bad(2, '--name', @on, qw(account create --name));
bad(2, '--name', @on, qw(account create --name=));
bad(2, 'control', @on, qw(account create --name), "a\nb");
bad(2, 'long', @on, qw(account create --name), 'x' x 257);
bad(2, 'gold', @on, qw(account create --name x --plan gold));
bad(2, '--plan', @on, qw(account create --name x --plan), 'free paid');
bad(2, '-1', @on, qw(account create --name x --credits -1));
bad(2, '1e9', @on, qw(account create --name x --credits 1e9));
bad(2, '9007199254740992', @on,
    qw(account create --name x --credits 9007199254740992));
bad(2, '1.5', @on, qw(account create --name x --daily-limit 1.5));
bad(2, '--colour', @on, qw(account create --name x --colour red));
bad(2, 'surplus', @on, qw(account create --name x surplus));
bad(2, 'surplus', @on, qw(account list surplus));
bad(2, '--account', @on, qw(token create));
bad(2, 'x', @on, qw(token create --account x));
bad(2, 'tok_', @on, qw(token create --account), 'tok_' . '0' x 26);
bad(1, $nobody, @on, qw(token create --account), $nobody);
bad(1, $nobody, @on, qw(token list --account), $nobody);
bad(2, 'admin', @on, qw(token create --scope admin --account),
    $account->{id});
bad(2, '', @on, qw(token revoke));
bad(2, 'x', @on, qw(token revoke x));
bad(1, 'tok_', @on, qw(token revoke), 'tok_' . '0' x 26);
bad(1, '.', '--dsn', 'host=/nonexistent dbname=fliq user=fliq', 'status');
bad(1, '.', '--dsn', 'nonsense=1', 'status');
bad(2, '--dsn', 'status', '--dsn');

{
    delete local $ENV{FLIQ_DSN};
    bad(2, 'FLIQ_DSN', 'status');
}

is(sql('SELECT (SELECT count(*) FROM fliq.accounts),
               (SELECT count(*) FROM fliq.tokens)'), $count,
   'nothing was created by mistake');

my ($got, $help) = ctl('--help');
is($got, 0, 'help is no mistake');
like($help, qr/token create/, 'and names the commands');


# --- names are data

my $evil = "'; DROP TABLE fliq.tokens; --\\\\ :name \$1 %s";
is(good(qw(account create --name), $evil)->{name}, $evil, 'quoting');
is(works($read->{token}), 200, 'the tokens are there');

# PostgreSQL's log holds what was asked of a database without a schema.
finish(qr/relation "fliq\.\w+" does not exist/,
       qr/schema "fliq" does not exist/);
