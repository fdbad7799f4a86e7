# However a target misbehaves, the attempt is recorded as what it was, in
# time, and the jobs of other targets do not wait for it.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Healthy;
use Fliq::Misbehaviour;
use Fliq::Test;

my $timeout = wide(2);

sandbox(workers => 2);


# rss(): the memory of the workers, in MiB, as they have most of it.
sub rss () {
    my ($most) = sort { $b <=> $a } map {
        Fliq::Sandbox::slurp("/proc/$_/status") =~ /^VmRSS:\s+(\d+)/m;
    } sandbox->workers;

    return $most / 1024;
}


# --- the healthy ones, before and while all that is done

my @statuses = map {
    ["status $_", "/status/$_", $_, /^2/ ? undef : "answered $_"]
} 200, 201, 204, 206, 299, 304, 400, 401, 404, 408, 410, 418, 429, 500, 502,
  503, 599;
my @cases = (misbehaviour(), @statuses);

my $healthy = Fliq::Healthy->new;
my @before = $healthy->lateness($healthy->plan(100, 1, 2));
my $rss = rss();

# Each twice: more than one at a time of every kind.  What ends before its
# timeout has time to, on a busy machine; and what does not comes first, so
# that the target answers it before it is busy with what has no end.
my $due = time + wide(4);
my @todo = map { my $case = $_; map { [$case, $_] } 1, 2 } @cases;
my %jobs;
@jobs{map { "$_->[0][0] $_->[1]" } @todo} = $healthy->post(map {
    my (undef, $url, undef, undef, $lasts) = $_->[0]->@*;

    $url = target->url($url) if $url =~ m{^/};
    { url => $url, scheduled_at => stamp($due + ($lasts ? 0 : 0.5)),
      timeout_seconds => $lasts ? $timeout : 10 }
} @todo);

my @during = $healthy->lateness(
    $healthy->plan(200, $due - time, $timeout));

diag('healthy ones before: ' . milliseconds(@before));
diag('healthy ones during: ' . milliseconds(@during));

ok($during[0] >= 0, 'no healthy one is early');
ok(rank(0.5, @during) < 0.1 + 3 * rank(0.5, @before),
   'half of them are as punctual as before');
ok($during[-1] < wide(1) + 3 * $before[-1], 'none waits until the others end');


# --- what is recorded

for my $case (@cases) {
    my ($name, undef, $code, $error, $lasts) = @$case;
    my $status = defined $error ? 'failed' : 'success';

    for my $n (1, 2) {
        my $job = wait_job($jobs{"$name $n"});
        my @executions = executions($job);
        my $execution = $executions[0] // {};
        my @got = @$execution{qw(status status_code error)};

        is_deeply([$job->{status}, scalar(@executions), @got[0, 1]],
                  [$status, 1, $status, $code],
                  "$name: one execution, $status");
        is_deeply([@$job{qw(last_status_code last_error)}], [@got[1, 2]],
                  "$name: the job says the same");
        $error //= '^none$';
        like($got[2] // 'none', qr/$error/, "$name: its error");

        next if !$lasts;

        my $took = ($execution->{duration_ms} // 1e9) / 1000;
        ok($took >= $timeout && $took < $timeout + 1,
           "$name: it took $took s");
    }
}

is(scalar(target->to('/ok/redirected')), 0, 'no redirect was followed');
is(scalar(grep { $_->{header}{'accept-encoding'} } target->requests), 0,
   'no encoding was asked for');


# --- a body without end is read to 64 KiB, not more

my ($execution) = executions($jobs{'a body without end 1'});
my ($request) = target->to('/endless-body');

is($execution->{response_excerpt}, 'e' x 1024, 'an endless body: excerpt');

my $sent = wait_until(sub { target->sent($request) });
ok(defined $sent && $sent < 16 << 20,
   "the connection was closed after $sent bytes");

# What the big one sent is in the sockets' buffers, not in the worker.
my ($big) = target->to('/big/10000000');
ok(defined wait_until(sub { target->sent($big) }),
   'the connection of a big body is closed');


# --- what is packed stays so

($execution) = executions($jobs{'a bomb 1'});
like($execution->{response_excerpt}, qr/^\x1f\x{fffd}\x08/,
     'a bomb: the excerpt is what came');
ok(rss() < $rss + wide(20),
   sprintf 'the workers have %.1f MiB after %.1f', rss(), $rss);


# --- the workers are as they were

is(scalar(sandbox->workers), 2, 'two workers');
is(api('GET', '/health?deep=1')->{status}, 200, 'they answer');
unlike(sandbox->log, qr/exited on signal/, 'none has died');

finish();
