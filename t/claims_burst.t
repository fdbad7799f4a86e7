# 10,000 jobs created by 64 concurrent clients of two workers and due within
# the next 10 seconds: every one fires exactly once, none before its time,
# every execution is recorded, and the log is clean.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use List::Util qw(min);

my $count = 10_000;

sandbox(workers => 2);


# --- create

my (@due, @paths);
my $begun = time;
my $end = $begun + 10;
my @answers = load(clients => 64)->each(sub {
    return undef if @due == $count;

    # A machine that takes longer has some due behind the end.
    my $from = time + 1;
    push @due, $from + rand($from < $end ? $end - $from : 1);
    push @paths, '/ok/' . @due;

    return request_bytes('POST', '/jobs', {
        url => target->url($paths[-1]), scheduled_at => stamp($due[-1]),
        body => "job $#due" });
});
my $took = time - $begun;

my %status;
$status{$_->{status}}++ for @answers;
is_deeply(\%status, { 201 => $count }, 'each was created');
diag(sprintf 'created in %.2f s: %.0f a second', $took, $count / $took);

my %ids = map { ($_->{body} =~ /"id":"(job_\w+)"/ ? $1 : '' => 1) } @answers;
is(scalar(keys %ids), $count, 'each has an id of its own');


# --- wait until all have ended

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 30), 'all have ended');

diag(sprintf 'all had ended %.2f s after the last was due', time - $end);


# --- at the target

my $by_path = target->by_path;
my (@wrong, @early, @late);

for my $i (0 .. $count - 1) {
    my @requests = @{ $by_path->{$paths[$i]} // [] };

    push @wrong, "$paths[$i]: " . @requests . ' requests' if @requests != 1;
    next if !@requests;

    # stamp() cuts to the microsecond.
    my $late = $requests[0]{time} - int($due[$i] * 1e6) / 1e6;
    push @early, "$paths[$i]: $late" if $late < 0;
    push @late, 1000 * $late;

    push @wrong, "$paths[$i]: $requests[0]{body}"
        if $requests[0]{body} ne "job $i";
}

is("@wrong[0 .. min($#wrong, 9)]", '', 'each fired exactly once');
is("@early[0 .. min($#early, 9)]", '', 'none before its time');
is(scalar(target->requests), $count, 'and nothing else');

@late = sort { $a <=> $b } @late;
diag(sprintf 'lateness in ms: p50 %.1f, p95 %.1f, p99 %.1f, max %.1f',
     map { $late[$_ * $#late] } 0.5, 0.95, 0.99, 1);


# --- in the database

is(sql("SELECT count(*) FROM fliq.jobs WHERE status = 'success'
           AND attempts = 1 AND last_status_code = 200
           AND due_at IS NULL AND completed_at >= scheduled_at"), $count,
   'each is recorded as success');
is(sql('SELECT count(*), count(DISTINCT job_id), min(attempt_num),
               max(attempt_num), bool_and(success)
          FROM fliq.executions'), "$count|$count|1|1|t",
   'each execution is recorded, once');
is(sql('SELECT count(*) FROM fliq.executions e
          JOIN fliq.jobs j ON j.id = e.job_id
         WHERE e.executed_at < j.scheduled_at'), 0,
   'none was executed before its time');
is(sql('SELECT sum(executions), sum(succeeded), sum(failed)
          FROM fliq.usage_daily'), "$count|$count|0", 'each is counted');
is(sql('SELECT sum(count) FROM fliq.usage_durations'), $count,
   'and its duration');
is(sql('SELECT (SELECT count(*) FROM fliq.due)
             + (SELECT count(*) FROM fliq.claims)'), 0, 'nothing is left');
is(sql('SELECT count(DISTINCT owner_id) FROM fliq.executions'), 2,
   'both workers took part');

finish();
