# /stats: sums over the last UTC days, today included, that agree with what
# was executed; no number is ever null.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2, http_conf => 'fliq_retry base=20ms jitter=0%;');

my $day = 86_400;


sub stats ($query = '', $headers = {}) {
    return api('GET', "/stats/jobs$query", undef, $headers);
}


sub usage ($query = '', $headers = {}) {
    return api('GET', "/stats/usage$query", undef, $headers);
}


sub date ($days_ago) {
    return substr stamp(time - $days_ago * $day), 0, 10;
}


# used(days ago, kind, executions, succeeded, ms, bucket => count, ...): as
# if the account had executed these.
sub used ($ago, $kind, $executions, $succeeded, $sum, %buckets) {
    state $shard = 100;
    my $account = "(SELECT id FROM fliq.accounts WHERE name = 'measured')";
    my $on = "(now() AT TIME ZONE 'UTC')::date - $ago";
    $shard++;

    sql("INSERT INTO fliq.usage_daily VALUES ($account, $on, '$kind', $shard,
         $executions, $succeeded, $executions - $succeeded, $sum)");
    sql('INSERT INTO fliq.usage_durations VALUES ' . join ', ', map {
        "($account, $on, '$kind', $shard, $_, $buckets{$_})"
    } keys %buckets) if %buckets;
}


# --- nothing yet

is_deeply(stats()->{json}, {
    total_executions => 0, succeeded => 0, failed => 0, success_rate => 0,
    avg_duration_ms => 0, p95_duration_ms => 0, since_days => 30,
}, 'no executions');
unlike(stats()->{content}, qr/null/, 'nor anything that is null');

my $usage = usage()->{json};
is(scalar @{ $usage->{buckets} }, 30, 'thirty days');
is_deeply([sort keys %$usage],
          [qw(balance buckets plan since_days total_buffer_executions
              total_job_executions)], 'what a usage has');
is_deeply($usage->{buckets}, [map { {
    date => date(29 - $_), job_executions => 0, buffer_executions => 0,
} } 0 .. 29], 'dense, the oldest first, today last');
is_deeply([@$usage{qw(balance plan)}], [9007199254740991, 'unlimited'],
          'an unlimited account');


# --- sums

my $account = sandbox->fliqctl('account', 'create', '--name', 'measured',
    '--plan', 'free', '--credits', 41_200, '--daily-limit', 1000);
my $headers = { Authorization => 'Bearer '
    . sandbox->fliqctl('token', 'create', '--account', $account->{id})
      ->{token} };

# 100 durations of 1 to 100 ms: each has a bucket of its own.

used(0, 'job', 60, 58, 60 * 61 / 2, map { $_ => 1 } 1 .. 60);
used(0, 'job', 40, 39, 5050 - 60 * 61 / 2, map { $_ => 1 } 61 .. 100);
used(1, 'job', 7, 0, 7);
used(29, 'job', 5, 5, 0);
used(30, 'job', 1000, 1000, 1_000_000);
used(0, 'buffer', 12, 12, 9999, 99 => 12);
used(364, 'buffer', 3, 3, 3);

is_deeply(stats('?days=1', $headers)->{json}, {
    total_executions => 100, succeeded => 97, failed => 3,
    success_rate => 0.97, avg_duration_ms => 50.5, p95_duration_ms => 95,
    since_days => 1,
}, 'of today');
is_deeply(stats('', $headers)->{json}, {
    total_executions => 112, succeeded => 102, failed => 10,
    success_rate => 102 / 112, avg_duration_ms => 5057 / 112,
    p95_duration_ms => 95, since_days => 30,
}, 'of thirty days, the last of them in, the one before out');
is(stats('?days=31', $headers)->{json}{total_executions}, 1112,
   'of thirty-one');

$usage = usage('', $headers)->{json};
is_deeply([@$usage{qw(total_job_executions total_buffer_executions balance
                      plan since_days)}],
          [112, 12, 41_200, 'free', 30], 'totals of the usage');
is_deeply([@{ $usage->{buckets} }[0, 1, 28, 29]], [
    { date => date(29), job_executions => 5, buffer_executions => 0 },
    { date => date(28), job_executions => 0, buffer_executions => 0 },
    { date => date(1), job_executions => 7, buffer_executions => 0 },
    { date => date(0), job_executions => 100, buffer_executions => 12 },
], 'its days');
is(usage('?days=365', $headers)->{json}{total_buffer_executions}, 15,
   'the first day of a year');

is_deeply(stats()->{json}{total_executions}, 0, 'another account has none');


# --- what is executed is counted when its outcome is there

my @jobs = ((map { create_job(url => '/ok') } 1 .. 7),
            (map { create_job(url => '/status/500', max_retries => 2) }
             1 .. 2));
wait_job($_) for @jobs;

my $stats = stats('?days=1')->{json};
is_deeply([@$stats{qw(total_executions succeeded failed success_rate)}],
          [13, 7, 6, 7 / 13], 'each attempt counts');

my ($n, $sum, @sorted) = split /\|/, sql("SELECT count(*), sum(duration_ms),
    string_agg(duration_ms::text, '|' ORDER BY duration_ms)
    FROM fliq.executions");
is($n, 13, 'as many as there are');
is($stats->{avg_duration_ms}, $sum / $n, 'the average is exact');
ok(abs($stats->{p95_duration_ms} - $sorted[12]) <= $sorted[12] / 100,
   'p95 is the thirteenth of them')
    || diag("$stats->{p95_duration_ms}, not $sorted[12]");
is(usage('?days=1')->{json}{buckets}[0]{job_executions}, 13,
   'usage says the same');


finish();
