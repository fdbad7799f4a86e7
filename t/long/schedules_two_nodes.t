# Two nodes run 200 schedules for three minutes: of each schedule, each run
# that its expression names is spawned once and fired once, none is missed,
# none is early, and scheduled_at is the run to the second.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

my $minutes = 3;
my %steps = ('* * * * *' => 1, '*/2 * * * *' => 2, '1-59/2 * * * *' => 2,
             '*/3 * * * *' => 3);
my %count = ('* * * * *' => 110, '*/2 * * * *' => 30,
             '1-59/2 * * * *' => 30, '*/3 * * * *' => 30);

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 2);


# minutes_of(cron, first): which of the minutes from first on it names.
sub minutes_of ($cron, $first) {
    my $start = $cron =~ /^1-/ ? 1 : 0;

    return grep {
        ($_ / 60 % 60 - $start) % $steps{$cron} == 0
    } map { $first + 60 * $_ } 0 .. $minutes - 1;
}


# --- made within the minute before the first one

sleep 60.1 - time % 60 if time % 60 > 40;
my $first = 60 * (1 + int(time / 60));
my (%cron, %id);

for my $cron (sort keys %count) {
    my @paths = map { '/ok/' . join '-', $cron =~ s{[ /*]+}{_}gr, $_ }
                1 .. $count{$cron};
    my @answers = load(clients => 8)->run(map {
        request_bytes('POST', '/schedules', {
            url => target->url($_), cron => $cron })
    } @paths);

    is(scalar(grep { $_->{status} == 201 } @answers), $count{$cron},
       "$count{$cron} of $cron");
    @cron{@paths} = ($cron) x @paths;
}

is(scalar(keys %cron), 200, '200 schedules');
ok(time < $first, sprintf 'ready %.1f s before the minute', $first - time);


# --- three minutes later

my $end = $first + 60 * $minutes;
my %expected = map {
    my $path = $_;
    map { ("$path $_" => 1) } minutes_of($cron{$path}, $first)
} keys %cron;

wait_until(sub { time >= $end - 55 }, $end - time);
ok(wait_until(sub {
    target->requests >= keys %expected
        && !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 50), 'all have ended before the minute after');

my $base = target->url('');
my (%due, %spawned, %fired);

for (sql("SELECT fliq.id_text('job', id), substr(url, length('$base') + 1),
                 extract(epoch FROM scheduled_at)::numeric
            FROM fliq.jobs WHERE scheduled_at < to_timestamp($end)")) {
    my ($job, $path, $at) = split /\|/;

    $due{$job} = $at + 0;
    $spawned{"$path $due{$job}"}++;
}

my @requests = grep { exists $due{$_->{header}{'x-fliq-delivery-id'}} }
               target->requests;
my @late = sort { $a <=> $b } map {
    my $at = $due{$_->{header}{'x-fliq-delivery-id'}};

    $fired{"$_->{path} $at"}++;
    $_->{time} - $at;
} @requests;

for (['spawned', \%spawned], ['fired', \%fired]) {
    my ($what, $runs) = @$_;

    is(join(', ', grep { !$runs->{$_} } sort keys %expected), '',
       "no run is missed: each is $what");
    is(join(', ', grep { $runs->{$_} > 1 } sort keys %$runs), '',
       "no run is $what twice");
    is(join(', ', grep { !$expected{$_} } sort keys %$runs), '',
       "nothing is $what that no expression names");
}

ok($late[0] >= -1e-4, sprintf 'none is early: %.4f s', $late[0]);
diag(sprintf '%d runs of 200 schedules: half within %.3f s, 99 %% %.3f, '
             . 'all %.3f', scalar(@late), @late[@late / 2, @late * 0.99, -1]);

is(sql("SELECT count(*) FROM fliq.executions e JOIN fliq.jobs j
            ON j.id = e.job_id
         WHERE j.scheduled_at < to_timestamp($end)"), scalar(keys %expected),
   'each has one execution');

my @shares = sql('SELECT count(*) FROM fliq.executions
                   GROUP BY owner_id ORDER BY 1');
diag("executions of each worker: @shares");

finish();
