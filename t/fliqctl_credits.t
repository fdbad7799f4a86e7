# fliqctl's account set and credits: every change of a balance is a grant of
# the difference, none is lost beside the executions that are charged, and
# a plan, a limit or a suspension is in effect on every node within 1 s.

use v5.36;

use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 1);

my $most = '9007199254740991';


sub ctl (@arguments) {
    return sandbox->fliqctl(@arguments);
}


# bad(like, arguments): refused in one line, with status 1 or 2.
sub bad ($like, @arguments) {
    my @command = (Fliq::Sandbox::repo() . '/bin/fliqctl',
                   '--dsn', sandbox->{dsn}, @arguments);
    my $files = File::Temp->newdir;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', "$files/out";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    my $said = Fliq::Sandbox::slurp("$files/out");

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(($? == 1 << 8 || $? == 2 << 8)
       && $said =~ /^fliqctl: [^\n]*$like[^\n]*\n\z/,
       "refused: @arguments" =~ s/\n/\\n/gr) || diag("$?\n$said");
}


# account(options): a new one with a token.
sub account (@options) {
    my $account = ctl(qw(account create --name shop), @options);
    my $token = ctl('token', 'create', '--account', $account->{id});

    return { %$account, token => $token->{token} };
}


sub as ($account, $method, $path, $body = undef, $url = undef) {
    return api($method, $path, $body,
               { Authorization => "Bearer $account->{token}" }, $url);
}


# grants(account): what the API says of its transactions, oldest first.
sub grants ($account) {
    my $answer = as($account, 'GET', '/billing/transactions?limit=100');

    return map { [$_->{amount}, $_->{description}] }
           reverse grep { $_->{type} eq 'grant' }
           @{ $answer->{json}{transactions} };
}


sub balance ($account) {
    return as($account, 'GET', '/billing/balance')->{json}{balance};
}


# everywhere(account): what all nodes answer to creates, each number once.
# The tokens are in the caches of their workers by then.
sub everywhere ($account) {
    my %job = (url => target->url('/ok'), scheduled_at => at(3600));
    my %seen = map { (as($account, 'POST', '/jobs', \%job, $_)->{status}, 1) }
               map { ($_) x 8 } sandbox->{url}, $node->{url};

    return join ' ', sort keys %seen;
}


# in_effect(account, status, name, arguments): what `account set` changed
# holds for each request that begins more than a second afterwards.
sub in_effect ($account, $status, $name, @arguments) {
    my $changed = ctl('account', 'set', $account->{id}, @arguments);
    my $end = time + 1;

    everywhere($account) while time < $end;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(everywhere($account), $status, "$name: $status on every node");

    return $changed;
}


# --- credits

my $shop = account(qw(--plan paid));
my $id = $shop->{id};

is(ctl('credits', 'add', $id, 100)->{balance}, 100, 'added');
is(ctl('credits', 'add', $id, 5, '--description', 'sorry, "Bob"\\')->{balance},
   105, 'added more');
is(ctl('credits', 'set', $id, 40)->{balance}, 40, 'set to less');
is(ctl('credits', 'set', $id, 40, '--description=x')->{balance}, 40,
   'set to the same');
is(ctl('credits', 'set', $id, 0)->{balance}, 0, 'set to none');
is(ctl('credits', 'set', $id, $most)->{balance}, $most, 'set to the most');
is(balance($shop), $most, 'the API says so');

bad($most, 'credits', 'add', $id, 1);
is(balance($shop), $most, 'nothing beyond that');

is_deeply([grants($shop)],
          [[100, undef], [5, 'sorry, "Bob"\\'], [-65, undef], [-40, undef],
           [$most, undef]],
          'each change is a grant of the difference, no change is none');

bad('0', 'credits', 'set', $id, '-1');
bad('1 to', 'credits', 'add', $id, '0');
bad('1 to', 'credits', 'add', $id, '-5');
bad('0 to', 'credits', 'set', $id, '1e3');
bad('0 to', 'credits', 'set', $id, '');
bad('0 to', 'credits', 'set', $id, '1; DROP TABLE fliq.jobs');
bad($most, 'credits', 'set', $id, '9007199254740992');
bad($most, 'credits', 'set', $id, '99999999999999999999');
bad('acct_', 'credits', 'set', 'x', '1');
bad('no account', 'credits', 'add', 'acct_' . '0' x 26, '1');
bad('missing', 'credits', 'add', $id);
bad('surplus', 'credits', 'add', $id, 1, 'surplus');
bad('control', 'credits', 'add', $id, 1, '--description', "a\nb");
bad('256', 'credits', 'add', $id, 1, '--description', 'x' x 257);
bad('--plan', 'credits', 'add', $id, 1, '--plan', 'free');
bad('unknown command', 'credits', 'take', $id, 1);
is(scalar(grants($shop)), 5, 'what is refused changes nothing');


# --- credits beside executions

ctl('credits', 'set', $id, 1000);
my @jobs = grep { $_->{status} == 201 }
    map { as($shop, 'POST', '/jobs', { url => target->url("/ok/$_"),
                                       scheduled_at => at(1) }) } 1 .. 100;
is(scalar(@jobs), 100, 'jobs');

my $added = 0;
my $left = "SELECT count(*) FROM fliq.jobs j
              JOIN fliq.accounts a ON a.id = j.account_id
             WHERE j.status = 'waiting' AND a.name = 'shop'";

while ($added < 10 || sql($left)) {
    ctl('credits', 'add', $id, 7);
    last if ++$added > 500;
}

is(balance($shop), 1000 + 7 * $added - @jobs,
   'no change is lost beside executions');
is(sql("SELECT sum(t.amount) - a.balance
          FROM fliq.credit_transactions t
          JOIN fliq.accounts a ON a.id = t.account_id
         GROUP BY a.id, a.balance"), 0, 'the transactions add up to it');


# --- accounts

is(everywhere($shop), '201', 'an account may');

my $changed = in_effect($shop, 403, 'suspended', '--suspended', 'yes');
ok($changed->{suspended_at}, 'it shows when');
is(ctl('account', 'set', $id, '--suspended=yes')->{suspended_at},
   $changed->{suspended_at}, 'once is enough');
is_error(as($shop, 'GET', '/jobs'), 403, 'forbidden', 'it may not even read');
is(in_effect($shop, 201, 'no longer', '--suspended', 'no')->{suspended_at},
   undef, 'it shows none');

in_effect($shop, 429, 'free with a limit of 0', qw(--plan free
          --daily-limit 0));
is(as($shop, 'GET', '/billing/balance')->{json}{daily_limit}, 0, 'shown');
in_effect($shop, 201, 'without a limit', qw(--daily-limit none));
ctl('credits', 'set', $id, 0);
in_effect($shop, 402, 'without credits', qw(--name broke));
$changed = in_effect($shop, 201, 'on unlimited', qw(--plan unlimited));
is_deeply([@$changed{qw(name plan balance daily_limit)}],
          ['broke', 'unlimited', 0, undef], 'what was not named stayed');

my $evil = q('; DROP TABLE fliq.tokens; --\\\\ :name $1 %s);
is(ctl('account', 'set', $id, '--name', $evil)->{name}, $evil, 'quoting');

my $was = sql('SELECT * FROM fliq.accounts ORDER BY id');
bad('nothing to set', 'account', 'set', $id);
bad('missing', 'account', 'set');
bad('acct_', 'account', 'set', 'tok_' . '0' x 26, '--plan', 'free');
bad('no account', 'account', 'set', 'acct_' . '0' x 26, '--plan', 'free');
bad('empty', 'account', 'set', $id, '--name=');
bad('256', 'account', 'set', $id, '--name', 'x' x 257);
bad('unlimited free paid', 'account', 'set', $id, '--plan', 'gold');
bad('unlimited free paid', 'account', 'set', $id, '--plan=');
bad('2147483647', 'account', 'set', $id, '--daily-limit', '2147483648');
bad('0 to', 'account', 'set', $id, '--daily-limit=');
bad('0 to', 'account', 'set', $id, '--daily-limit', '-1');
bad('yes no', 'account', 'set', $id, '--suspended', 'maybe');
bad('yes no', 'account', 'set', $id, '--suspended=');
bad('--credits', 'account', 'set', $id, '--credits', '5');
is(sql('SELECT * FROM fliq.accounts ORDER BY id'), $was,
   'what is refused changes nothing');

finish();
