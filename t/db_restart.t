# PostgreSQL stops and comes back: meanwhile 503 with Retry-After, at once,
# and /health still says ok; afterwards all goes on without a restart.  What
# was in flight is recorded, what fell due meanwhile is fired, each once.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2);

my %far = (url => 'http://127.0.0.1:9/',
           scheduled_at => '2099-01-01T00:00:00Z');


# A bad answer must come at once, and tell when to come again.
sub unavailable ($method, $path, $body = undef) {
    my $answer = api($method, $path, $body);

    is_error($answer, 503, 'unavailable', "$method $path");
    like($answer->{headers}{'retry-after'}, qr/^[1-9]\d*\z/,
         "$method $path: Retry-After");
    ok($answer->{seconds} < 1,
       sprintf '%s %s: after %.3f s', $method, $path, $answer->{seconds});
}


sub outage ($name, $signal, $seconds) {
    my $job = create_job(%far);
    my $slow = create_job(url => "/slow/1500/$name");
    my $due = create_job(url => "/ok/$name", scheduled_at => at(1));
    my @workers = sandbox->workers;

    is(scalar(target->wait_for(1, "/slow/1500/$name")), 1,
       "$name: a job is in flight");

    kill $signal => sandbox->{postgres_pid};
    ok(Fliq::Sandbox::await_end(sandbox->{postgres_pid}),
       "$name: PostgreSQL is gone");
    my $gone = time;

    # The first may still wait for what the lost connection does not answer.
    wait_until(sub { api('GET', '/jobs')->{status} == 503 });

    unavailable('GET', '/jobs');
    unavailable('POST', '/jobs', \%far);
    unavailable('GET', "/jobs/$job->{id}");
    unavailable('DELETE', "/jobs/$job->{id}");
    unavailable('GET', '/health?deep=1');
    is_status(api('GET', '/health'), 200, "$name: /health");

    my @many = load(clients => 64)->run(
        (request_bytes('POST', '/jobs', \%far)) x 2000);
    is(scalar(grep { $_->{status} == 503 } @many), 2000,
       "$name: 2000 at once are refused");

    # Until the slow one has been answered.
    wait_until(sub { time > $gone + $seconds });

    sandbox->again;
    my $back = time;

    ok(wait_until(sub {
        api('GET', '/health?deep=1')->{status} == 200
    }), "$name: it is back");
    ok(wait_until(sub { api('POST', '/jobs', \%far)->{status} == 201 }),
       sprintf '%s: it takes jobs, %.2f s later', $name, time - $back);

    is(wait_job($due)->{status}, 'success', "$name: what fell due is fired");
    is(wait_job($slow)->{status}, 'success',
       "$name: what was in flight is recorded");
    is(scalar(executions($slow)), 1, "$name: as one execution");
    is(scalar(target->to("/slow/1500/$name")), 1, "$name: fired once");
    is(scalar(target->to("/ok/$name")), 1, "$name: and the other");
    is(get_job($job)->{status}, 'scheduled', "$name: the cancel had failed");
    is_deeply([sort { $a <=> $b } sandbox()->workers],
              [sort { $a <=> $b } @workers],
              "$name: the same workers");
}


outage('fast', 'INT', 2);
outage('immediate', 'QUIT', 2);


# --- one backend alone is killed: nobody need notice

for my $round (1 .. 5) {
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = 'fliq' AND pid <> pg_backend_pid()");

    ok(wait_until(sub { api('POST', '/jobs', \%far)->{status} == 201 }, 3),
       "round $round: it takes jobs");
}

is(wait_job(create_job(url => '/ok/after'))->{status}, 'success',
   'a job afterwards');
is(scalar(target->to('/ok/after')), 1, 'it was fired once');

finish();
