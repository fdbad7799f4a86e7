# DELETE /jobs/{id}: 204 while the job waits, for its first attempt or for a
# retry, and then it never fires; 409 when it runs or has ended; and when a
# cancel races with the firing, exactly one of the two wins.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use List::Util qw(min);

sandbox(workers => 2, http_conf => 'fliq_retry base=500ms jitter=0%;');


sub cancel ($job) {
    return api('DELETE', "/jobs/$job->{id}");
}


# --- one that waits

my $job = create_job(url => '/ok/waits', scheduled_at => at(0.7));
my $answer = cancel($job);

is_status($answer, 204, 'one that waits');
is($answer->{content}, '', 'no body');

my $now = get_job($job);
is($now->{status}, 'cancelled', 'it is cancelled');
ok($now->{completed_at}, 'it has an end');
is($now->{next_attempt_at}, undef, 'it has no next attempt');
is($now->{execution_count}, 0, 'it has no executions');

is_error(cancel($job), 409, 'job_already_executed', 'cancelled again');


# --- one that there is not

is_error(cancel({ id => 'job_' . '0' x 26 }), 404, 'not_found', 'unknown');


# --- one that runs, and one that has ended

my $slow = create_job(url => '/slow/700');
target->wait_for(1, '/slow/700');
is(get_job($slow)->{status}, 'running', 'a job runs');
is_error(cancel($slow), 409, 'job_already_executed', 'one that runs');

is(wait_job($slow)->{status}, 'success', 'it went on');
is_error(cancel($slow), 409, 'job_already_executed', 'one with success');

my $failed = wait_job(create_job(url => '/status/500'));
is($failed->{status}, 'failed', 'a job failed');
is_error(cancel($failed), 409, 'job_already_executed', 'one that failed');


# --- one that waits for a retry

my $again = create_job(url => '/status/500/again', max_retries => 5);
wait_until(sub { executions($again) == 1 });

is(get_job($again)->{status}, 'scheduled', 'a job waits for a retry');
is_status(cancel($again), 204, 'one that waits for a retry');
is(get_job($again)->{status}, 'cancelled', 'it is cancelled');
is(scalar(executions($again)), 1, 'it keeps its execution');


# --- two at once: one of them does it

my @far = map { create_job(url => '/ok/far', scheduled_at => at(3600)) }
          1 .. 50;
my @pairs = load(clients => 2)->run(
    map { (request_bytes('DELETE', "/jobs/$_->{id}")) x 2 } @far);

is(scalar(grep { $_->{status} == 204 } @pairs), 50, '204 once for each');
is(scalar(grep { $_->{status} == 409 } @pairs), 50, '409 once for each');


# --- against the clock: jobs that are cancelled about when they fall due, a
#     few milliseconds earlier or later, or ten times as many

my $count = 600;
my ($n, @ids, @races, @cancels) = (0);

load(clients => 8)->each(sub {
    my $now = time;

    if (@cancels && $cancels[0][0] <= $now) {
        my $i = (shift @cancels)->[1];
        return { bytes => request_bytes('DELETE', "/jobs/$ids[$i]"),
                 note => { cancelled => $i } };
    }

    my $wait = @cancels ? min($cancels[0][0] - $now, 0.05) : 0.01;
    return @cancels || @ids < $n ? \$wait : undef if $n == $count;
    return \$wait if @cancels > 100;

    my $due = $now + 0.3;
    return { bytes => request_bytes('POST', '/jobs', {
                 scheduled_at => stamp($due),
                 url => target->url("/ok/race/$n") }),
             note => { created => $n++, due => $due } };
}, sub ($answer) {
    my ($note, $status) = @$answer{qw(note status)};

    return $races[$note->{cancelled}] = $status if defined $note->{cancelled};

    my $i = $note->{created};
    my $jitter = (rand(0.010) - 0.008) * ($i % 2 ? 1 : 10);
    $ids[$i] = $answer->{body} =~ /"id":"(job_\w+)"/ ? $1
                                                      : die $answer->{body};
    @cancels = sort { $a->[0] <=> $b->[0] } @cancels,
                    [$note->{due} + $jitter, $i];
});

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}), 'all have ended');

my $fired = target->by_path;
my ($won, $lost, @wrong) = (0, 0);

for my $i (0 .. $count - 1) {
    my $requests = @{ $fired->{"/ok/race/$i"} // [] };
    my $status = $races[$i] // 'not asked';

    if    ($status == 204 && $requests == 0) { $won++ }
    elsif ($status == 409 && $requests == 1) { $lost++ }
    else { push @wrong, "$ids[$i]: $status, $requests requests" }
}

is(join("\n", @wrong), '', 'either cancelled or fired, never both');
ok($won > 0 && $lost > 0, "the race was one: $won cancelled, $lost fired");
is(scalar(target->to('/ok/waits')), 0, 'the first was never fired');
is(scalar(target->to('/status/500/again')), 1, 'nor was the retry');

finish();
