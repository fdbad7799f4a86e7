# 50,000 executions of all kinds, of two accounts, on two nodes with two
# workers each: /stats says exactly what a count over fliq.executions says, at
# any moment, and p95_duration_ms is within 1 % of the exact value.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;
use List::Util qw(shuffle sum);

sandbox(workers => 2, http_conf => 'fliq_retry base=50ms jitter=25%;');
my $node = Fliq::Node->start(sandbox, workers => 2);
my @targets = (target, Fliq::Target->start, Fliq::Target->start);
my $closed = 'http://127.0.0.1:' . Fliq::Port::free_port();


# account(name): a new one with a token.
sub account ($name) {
    my $id = sandbox->fliqctl('account', 'create', '--name', $name)->{id};
    my $token = sandbox->fliqctl('token', 'create', '--account', $id);

    return { id => $id, headers => {
        Authorization => "Bearer $token->{token}" } };
}


my @accounts = map { account($_) } qw(first second);


# jobs(count, fields): so many, each with what fields(number) returns.
sub jobs ($count, $fields) {
    return map { $fields->($_) } 1 .. $count;
}


sub at_target ($i, $path, %fields) {
    return { url => $targets[$i % @targets]->url("$path/$i"), %fields };
}


# What they come to, with their retries: 50,000 executions.
my %succeed = (ok => 30_000, slow => 8000, flaky => 1500);
my @jobs = shuffle(
    jobs(30_000, sub ($i) { at_target($i, '/ok') }),
    jobs(8000, sub ($i) { at_target($i, '/slow/' . int($i ** 2 / 8e4)) }),
    jobs(1500, sub ($i) { at_target($i, '/flaky/2', max_retries => 3) }),
    jobs(2000, sub ($i) { at_target($i, '/status/500', max_retries => 2) }),
    jobs(400, sub ($i) { at_target($i, '/status/404') }),
    jobs(100, sub ($i) { at_target($i, '/hang', timeout_seconds => 1) }),
    jobs(500, sub ($i) { { url => "$closed/$i", max_retries => 1 } }),
);


# --- create them, on either node

my $begun = time;
my @port = (sandbox->{port}, $node->{port});
my @load = map {
    my $i = $_;
    my @mine = grep { $_ % 2 == $i } 0 .. $#jobs;

    load(port => $port[$i], clients => 32)->background(sub {
        my $n = shift @mine // return undef;

        return request_bytes('POST', '/jobs',
            { %{ $jobs[$n] }, scheduled_at => at(2) },
            $accounts[$n % 5 < 3 ? 0 : 1]{headers});
    })
} 0, 1;

my @answers = map { Fliq::Load::finish($_) } @load;
is(scalar(grep { $_->{status} == 201 } @answers), scalar(@jobs),
   scalar(@jobs) . ' jobs');
diag(sprintf 'created in %.1f s', time - $begun);


# --- until all have ended: the counts agree at any moment

my ($moments, @differ) = (0);

ok(wait_until(sub {
    my ($left, $counted, $executions) = split /\|/, sql(
        "SELECT (SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'),
                (SELECT coalesce(sum(executions), 0) FROM fliq.usage_daily),
                (SELECT count(*) FROM fliq.executions)");

    $moments++;
    push @differ, "$counted not $executions" if $counted != $executions;
    return !$left;
}, 300), 'all have ended');
my $took = time - $begun;
is("@differ", '', "at $moments moments the counts agree");


# --- and /stats is the count

sub get ($account, $path) {
    return api('GET', $path, undef, $account->{headers},
               $node->{url})->{json};
}


my @rows = map { [get($_, '/stats/jobs'), get($_, '/stats/usage')] }
           @accounts;
my $total = 0;

for my $i (0, 1) {
    my ($stats, $usage) = @{ $rows[$i] };
    my $where = "WHERE fliq.id_text('acct', account_id)
                       = '$accounts[$i]{id}'";
    my ($n, $succeeded, $ms) = split /\|/, sql(
        "SELECT count(*), count(*) FILTER (WHERE success), sum(duration_ms)
           FROM fliq.executions $where");
    my ($exact) = sql("SELECT percentile_disc(0.95) WITHIN GROUP
                              (ORDER BY duration_ms)
                         FROM fliq.executions $where");
    my %days = map { split /\|/ } sql(
        "SELECT (executed_at AT TIME ZONE 'UTC')::date, count(*)
           FROM fliq.executions $where GROUP BY 1");

    is_deeply([@$stats{qw(total_executions succeeded failed)}],
              [$n, $succeeded, $n - $succeeded], "account $i: counts");
    cmp_ok($stats->{success_rate}, '==', $succeeded / $n, 'success_rate');
    cmp_ok($stats->{avg_duration_ms}, '==', $ms / $n, 'avg_duration_ms');
    ok(abs($stats->{p95_duration_ms} - $exact) <= $exact / 100,
       'p95_duration_ms');

    is($usage->{total_job_executions}, $n, 'usage');
    is_deeply({ map { $_->{job_executions}
                      ? ($_->{date}, $_->{job_executions}) : () }
                @{ $usage->{buckets} } }, \%days, 'of each day');

    diag(sprintf 'account %d: %d executions, %d succeeded, average %.3f ms, '
                 . 'p95 %.3f ms for %d (%+.2f %%)', $i, $n, $succeeded,
         $stats->{avg_duration_ms}, $stats->{p95_duration_ms}, $exact,
         100 * ($stats->{p95_duration_ms} / $exact - 1));
    $total += $n;
}

is($total, 50_000, '50,000 executions');
is($rows[0][0]{succeeded} + $rows[1][0]{succeeded}, sum(values %succeed),
   'as many of them succeeded as must');
diag(sprintf '%d executions within %.1f s of the first create', $total,
     $took);

my @shares = sql('SELECT count(*) FROM fliq.executions
                   GROUP BY owner_id ORDER BY 1');
is(scalar(@shares), 4, "of four workers: @shares");

finish();
