# Days that are over become running totals (usage_close), and /stats says the
# same before, meanwhile and after: what a sum kept here says, whoever closes
# days side by side, whatever is settled meanwhile or comes late.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use Fliq::Session;
use List::Util qw(max sum0);

sandbox(workers => 1);

# A database with the schema, where nobody else closes days.
sql('CREATE DATABASE quiet');
my $dsn = sandbox->{dsn} =~ s/dbname=\w+/dbname=quiet/r;
my $node = Fliq::Node->start(sandbox, workers => 1, dsn => $dsn);
ok(wait_until(sub {
    api('GET', '/health?deep=1', undef, {}, $node->{url})->{status} == 200
}), 'the schema is there');
$node->stop;

my ($one, $two, $look) = map {
    Fliq::Session->new($dsn, 'usage_close', 'stats_*')
} 1 .. 3;

my $seed = $ENV{FLIQ_FAULT_SEED} // int rand 1e6;
diag("FLIQ_FAULT_SEED=$seed");
srand $seed;

my @windows = (1, 2, 3, 7, 30, 364, 365);
my %counted;    # account, kind, days ago, bucket: how often
my @accounts = map { uuid(0xa0 + $_) } 1 .. 5;
my $lonely = pop @accounts;     # has nothing until late

my $today = $look->run("SELECT (now() AT TIME ZONE 'UTC')::date");


sub uuid ($number) {
    return sprintf '00000000-0000-0000-0000-%012x', $number;
}


# outcomes(rows of account, kind, days ago, shard, bucket, count): the
# statement that counts them as a settlement does.
sub outcomes (@rows) {
    my (%daily, %durations);

    for (@rows) {
        my ($account, $kind, $ago, $shard, $bucket, $count) = @$_;
        my $key = "'$account', date '$today' - $ago, '$kind', $shard";

        $counted{$account}{$kind}{$ago}{$bucket} += $count;
        $daily{$key} += $count;
        $durations{"$key, $bucket"} += $count;
    }

    my $daily = join ', ', map { "($_, $daily{$_}, 0, $daily{$_}, 0)" }
                           sort keys %daily;
    my $durations = join ', ', map { "($_, $durations{$_})" }
                               sort keys %durations;

    return "WITH daily AS (
        INSERT INTO fliq.usage_daily AS u VALUES $daily
            ON CONFLICT (account_id, day, kind, shard) DO UPDATE
           SET executions = u.executions + excluded.executions,
               failed = u.failed + excluded.failed)
        INSERT INTO fliq.usage_durations AS u VALUES $durations
            ON CONFLICT (account_id, day, kind, shard, bucket) DO UPDATE
           SET count = u.count + excluded.count";
}


sub add (@rows) {
    $look->run(outcomes(@rows));
}


# random(account, days ago): some of one day.
sub random ($account, $ago) {
    return map {
        [$account, rand() < 0.6 ? 'job' : 'buffer', $ago, int rand 4,
         int(rand() ** 2 * 300), 1 + int rand 1000]
    } 1 .. 1 + int rand 12;
}


# expected(account, kind, days): the histogram by the sum that is kept here.
sub expected ($account, $kind, $days) {
    my %sum;

    for my $ago (grep { $_ < $days } keys %{ $counted{$account}{$kind} }) {
        my $buckets = $counted{$account}{$kind}{$ago};
        $sum{$_} += $buckets->{$_} for keys %$buckets;
    }

    return \%sum;
}


# Items of buffers have no histogram in the API: one for the test.
my $durations = Fliq::Sandbox::slurp(
    Fliq::Sandbox::repo() . '/src/store/sql/stats_durations.sql');
$look->run('PREPARE stats_buffer AS ' . $durations =~ s/'job'/'buffer'/gr);


# wrong(accounts): where an answer differs from the sum.
sub wrong (@of) {
    my @wrong;

    for my $days (@windows) {
        for my $account (@of) {
            my $sum = expected($account, 'job', $days);
            my $of = "('$account', $days)";
            my $told = join ' ', $look->run("EXECUTE stats_durations $of");
            push @wrong, "durations $of" if $told ne histogram($sum);

            ($told) = split /\|/, $look->run("EXECUTE stats_jobs $of");
            push @wrong, "executions $of" if $told != sum0(values %$sum);

            $sum = expected($account, 'buffer', $days);
            $told = join ' ', $look->run("EXECUTE stats_buffer $of");
            push @wrong, "durations of buffers $of"
                if $told ne histogram($sum);
        }
    }

    return @wrong;
}


sub histogram ($sum) {
    return join ' ', map { "$_|$sum->{$_}" } sort { $a <=> $b } keys %$sum;
}


sub agrees ($what) {
    my @wrong = wrong(@accounts, $lonely);
    is("@wrong", '', $what);
}


# left(): rows that can be moved.
sub left () {
    return scalar $look->run("SELECT count(*) FROM fliq.usage_durations
                               WHERE day < date '$today' - 1");
}


# close_all(session): until nothing is left.
sub close_all ($session = $one) {
    my $runs = 0;

    while (left()) {
        $session->run('EXECUTE usage_close');
        return 0 if ++$runs > 1000;
    }

    return 1;
}


# --- nothing yet

is($one->run('EXECUTE usage_close'), 0, 'nothing is moved when there is none');
agrees('no executions');


# --- some 400 days with gaps, one account has long been idle

for my $account (@accounts) {
    for my $ago (0 .. 400) {
        next if rand() < 0.4;
        next if $account eq $accounts[1] && $ago < 200;
        next if $account eq $accounts[2] && $ago > 20 && $ago < 380;
        add(random($account, $ago));
    }
}

add([$accounts[0], 'job', $_, 1, 5, 3], [$accounts[3], 'job', $_, 1, 5, 3])
    for 0, 1, 2, 363 .. 366;
agrees('before');

my $left = left();
my $open = $look->run('SELECT count(*) FROM fliq.usage_durations') - $left;

my @moved;

for my $run (1 .. 4) {
    push @moved, $one->run('EXECUTE usage_close');
    agrees("after run $run");
}

is(max(@moved), 1000, 'a run moves up to 1,000 rows');
is(left(), $left - sum0(@moved), 'these and no more');
ok(close_all(), 'all is moved');
agrees('after all');
is($look->run('SELECT count(*) FROM fliq.usage_durations'), $open,
   'today and yesterday stay');
is($one->run('EXECUTE usage_close'), 0, 'nothing more is moved');
is($look->run("SELECT count(*) FROM fliq.usage_daily
                WHERE day < date '$today' - 1 AND shard >= 0"), 0,
   'of the counts of a day, too, there is one row');
is($look->run("SELECT count(*) FROM fliq.usage_history
                WHERE day >= date '$today' - 1"), 0, 'of no open day');
is($look->run("SELECT count(*) FROM fliq.usage_history
                WHERE account_id = '$accounts[2]'
                  AND day BETWEEN date '$today' - 379 AND date '$today' - 21"),
   0, 'a gap has no rows');


# --- late outcomes: of a closed day, of a gap, older and newer than all

sub late () {
    add(map { random($_, 2 + int rand 410) } (@accounts) x 5);
    add([$accounts[2], 'job', 100, 2, 299, 11],
        [$accounts[1], 'job', 450, 0, 1, 13],
        [$accounts[1], 'buffer', 2, 0, 1, 17],
        [$lonely, 'job', 300, 0, 250, 19]);
}

for my $round (1 .. 2) {
    late();
    agrees("late, round $round");
    $one->run('EXECUTE usage_close');
    agrees("late, round $round, some are moved");
    ok(close_all(), "late, round $round, all are");
    agrees("late, round $round, after it");
}


# --- what meets an outcome that is being counted

my @row = ($accounts[0], 'job', 9, 1, 77);
my ($only, $then, $last) = (5, 1, 2);

add([@row, $only]);
$two->run('BEGIN');
my $outcome = outcomes([@row, $then]);
$counted{$accounts[0]}{job}{9}{77} -= $then;
$two->run($outcome);
is($one->run('EXECUTE usage_close'), 0, 'nobody waits for a row in use');
agrees('while an outcome is being counted');

$two->run('COMMIT');
$counted{$accounts[0]}{job}{9}{77} += $then;
agrees('when it is');

$one->run('BEGIN');
is($one->run('EXECUTE usage_close'), 1, 'a run that is not committed yet');
agrees('of which nothing is seen');
$outcome = outcomes([@row, $last]);
$counted{$accounts[0]}{job}{9}{77} -= $last;
$two->send($outcome);
ok(wait_until(sub { $two->waits }), 'an outcome for what it moves waits');
is($look->run('EXECUTE usage_close'), 0, 'another run does nothing');
agrees('still the same');

$one->run('COMMIT');
$two->rows;
$counted{$accounts[0]}{job}{9}{77} += $last;
agrees('the outcome counts when the run has ended');
ok(close_all(), 'and is moved');
agrees('and counts');


# --- two at a time, while outcomes come

my @busy = map { uuid(0xb0 + $_) } 1 .. 3;
my @children;

sub beside ($code) {
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        my $mine = Fliq::Session->new($dsn, 'usage_close');
        eval { $code->($mine); 1 } or print STDERR "# $@";
        POSIX::_exit($@ ? 1 : 0);
    }

    push @children, $pid;
}


my $until = 'SELECT EXISTS (SELECT FROM fliq.owners)';

$look->run("INSERT INTO fliq.owners (id, lock_key, node, pid)
            VALUES ('" . uuid(0xf1) . "', 1, 'n', 1)");
beside(sub ($mine) {
    while ($mine->run($until) eq 't') {
        $mine->run('EXECUTE usage_close') for 1 .. 20;
    }
}) for 1, 2;

for my $shard (8, 9) {
    my @outcomes = map {
        outcomes([$busy[$_ % 2], 'job', 2 + $_ % 7, $shard, 3, 1],
                 [$busy[$_ % 2], 'job', 2 + $_ % 7, $shard, $_ % 50, 2])
    } 1 .. 300;
    beside(sub ($mine) { $mine->run($_) for @outcomes });
}

my @wrong;

for my $round (1 .. 8) {
    add(map { random($accounts[3], $_) } map { 2 + int rand 400 } 1 .. 200);
    push @wrong, wrong($accounts[3], $accounts[0]);
    late() if $round == 4;
}

is("@wrong", '', 'others work on it: the same at any time');
is(join(' ', map { waitpid($_, 0); $? } splice @children, 2), '0 0',
   'all outcomes were taken');
$look->run('DELETE FROM fliq.owners');
is(join(' ', map { waitpid($_, 0); $? } @children), '0 0', 'nobody failed');
ok(close_all(), 'what they left is moved');
agrees('all of it counts');
@wrong = wrong(@busy);
is("@wrong", '', 'and so does what came meanwhile');


# --- dispatchers do it

my $account = sql('SELECT id FROM fliq.accounts');
sql("INSERT INTO fliq.usage_daily
     SELECT '$account', date '$today' - d, 'job', shard, 100, 90, 10, 5050
       FROM generate_series(1, 370) AS d, generate_series(0, 1) AS shard");
sql("INSERT INTO fliq.usage_durations
     SELECT '$account', date '$today' - d, 'job', shard, bucket, 10
       FROM generate_series(1, 370) AS d, generate_series(0, 1) AS shard,
            generate_series(d % 60 + 1, d % 60 + 10) AS bucket");

sub told () {
    return join "\n", map {
        my $path = $_;
        map { api('GET', "$path?days=$_")->{content} } @windows;
    } '/stats/jobs', '/stats/usage';
}

my $told = told();
$node = Fliq::Node->start(sandbox, workers => 1);
ok(wait_until(sub {
    sql("SELECT count(*) FROM fliq.usage_durations
          WHERE day < date '$today' - 1") == 0
}, 60), 'a dispatcher moves them, some at a time');
is(sql('SELECT count(*) FROM fliq.usage_history'), 369, 'a row for each day');
is(told(), $told, 'the API says what it said before');
$node->stop;

finish();
