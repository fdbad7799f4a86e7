# For a minute jobs are created and fired while every second a worker is
# killed: every job that was answered 201 ends as success, each with one
# execution, and what was in flight is fired again within 2 seconds.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

my $minute = $ENV{FLIQ_TEST_SECONDS} // 60;

sandbox(workers => 3);
target();

my $made = 0;
my $load = load(clients => 8, keepalive => 0)->background(sub {
    sleep 0.003;
    return request_bytes('POST', '/jobs', {
        url => target->url('/slow/200/' . ++$made),
        scheduled_at => at(0.5 + rand 0.5) });
});

my $end = time + $minute;
my $kills = 0;

while (time < $end) {
    my @workers = sandbox->workers;

    if (@workers == 3) {
        kill KILL => $workers[rand @workers];
        $kills++;
    }

    wait_until(sub { time > $end }, 1);
}

my @answers = halt($load);
my @created = grep { $_->{status} == 201 } @answers;
diag(sprintf '%d kills, %d jobs, %d requests lost', $kills,
     scalar @created, @answers - @created);

ok($kills > $minute / 3, 'workers were killed');
ok(@created > 20 * $minute, 'jobs were created');

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 30), 'all have ended');

my %ids = map { ($_->{body} =~ /"id":"(job_\w+)"/ ? $1 : '' => 1) } @created;
my %fired = map { ($_->{header}{'x-fliq-delivery-id'} => 1) } target->requests;

is(scalar(grep { !$fired{$_} } keys %ids), 0, 'every job was fired');
is(sql("SELECT count(*) FROM fliq.jobs WHERE status <> 'success'"), 0,
   'every job is a success');
is(sql('SELECT count(*) - count(DISTINCT job_id) FROM fliq.executions'), 0,
   'none has two executions');
is(sql('SELECT count(*) FROM fliq.jobs'),
   sql('SELECT count(*) FROM fliq.executions'), 'none has no execution');
is(sql('SELECT sum(executions) FROM fliq.usage_daily'),
   sql('SELECT count(*) FROM fliq.executions'), 'each is counted once');

my $by_path = target->by_path;
my @gaps = map {
    my @r = @{ $by_path->{$_} };
    map { $r[$_]{time} - $r[$_ - 1]{time} } 1 .. $#r;
} keys %$by_path;
my ($longest) = sort { $b <=> $a } @gaps;

diag(scalar(@gaps) . ' were fired again');
ok(!@gaps || $longest < 2.5,
   sprintf 'the longest wait for that: %.2f s', $longest // 0);

finish(qr/\[alert\] .* worker process \d+ exited on signal 9/);
