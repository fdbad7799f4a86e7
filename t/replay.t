# POST /jobs/{id}/replay: a clone of a job that failed is answered as it was
# made, fires at once with clean attempts, and leaves the source as it is.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2, http_conf => 'fliq_retry base=50ms jitter=0%;');


sub replay ($job) {
    return api('POST', "/jobs/$job->{id}/replay");
}


# --- one that failed

my $source = wait_job(create_job(
    url => '/status/500/replayed', http_method => 'PUT', body => "b\x{e9}",
    headers => { 'X-A' => 'a' }, max_retries => 1, timeout_seconds => 7,
    backoff => 'linear', idempotency_key => 'key',
    webhook_url => target->url('/ok/hook'),
    webhook_headers => { 'X-H' => 'h' }));
is($source->{status}, 'failed', 'a job failed');

my $sent = time;
my $answer = replay($source);
my $clone = $answer->{json};

is_status($answer, 201, 'it is replayed');
isnt($clone->{id}, $source->{id}, 'as another job');
is_deeply($clone, {
    %$source, id => $clone->{id}, status => 'pending',
    replay_of => $source->{id}, idempotency_key => undef,
    scheduled_at => $clone->{created_at},
    next_attempt_at => $clone->{created_at},
    created_at => $clone->{created_at}, updated_at => $clone->{created_at},
    started_at => undef, completed_at => undef, attempts => 0,
    execution_count => 0, last_status_code => undef, last_error => undef,
}, 'with what was asked for, and nothing of what came of it');

my @requests = grep { ($_->{header}{'x-fliq-delivery-id'} // '')
                      eq $clone->{id} }
               target->wait_for(3, '/status/500/replayed');
ok(@requests && $requests[0]{time} - $sent < 0.5, 'it fires at once');
is($requests[0]{header}{'x-fliq-attempt'}, 1, 'as a first attempt');
is_deeply([@{ $requests[0] }{qw(method body)}, $requests[0]{header}{'x-a'}],
          ['PUT', "b\xc3\xa9", 'a'], 'the same request');

my $end = wait_job($clone);
is_deeply([@$end{qw(status execution_count)}], ['failed', 2],
          'with retries of its own');
is_deeply(get_job($source), $source, 'the source is as it was');
is_deeply([map { $_->{attempt_num} } executions($clone)], [1, 2],
          'attempts are counted from one');

is(replay($clone)->{json}{replay_of}, $clone->{id}, 'a clone is replayed');
is(replay($source)->{json}{replay_of}, $source->{id}, 'the source again');


# --- one that did not

is_error(replay(wait_job(create_job())), 409, 'job_not_failed', 'success');

my $far = create_job(scheduled_at => at(3600));
is_error(replay($far), 409, 'job_not_failed', 'one that waits');
api('DELETE', "/jobs/$far->{id}");
is_error(replay($far), 409, 'job_not_failed', 'one that was cancelled');

my $slow = create_job(url => '/slow/500');
target->wait_for(1, '/slow/500');
is_error(replay($slow), 409, 'job_not_failed', 'one that runs');


# --- many at once are many

my $before = sql('SELECT count(*) FROM fliq.jobs');
my @answers = load(clients => 8)->run(
    (request_bytes('POST', "/jobs/$source->{id}/replay")) x 50);
is(scalar(grep { $_->{status} == 201 } @answers), 50, 'fifty replays');
is(sql('SELECT count(*) FROM fliq.jobs') - $before, 50, 'are fifty jobs');
is(scalar(grep { $_->{body} =~ /"status":"pending"/ } @answers), 50,
   'each is pending when it is answered');

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}), 'all have ended');

finish();
