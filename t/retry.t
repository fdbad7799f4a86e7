# A failed attempt is made again: after the delays of its backoff, as often
# as max_retries says, no sooner than Retry-After asks, and never after a
# success.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use POSIX qw(strftime);

sandbox(workers => 2, http_conf => 'fliq_retry base=100ms max=1s jitter=25%;');

my $slack = 0.15;       # a worker's and this machine's


sub started ($path, %fields) {
    return create_job(url => $path, %fields);
}


# gaps(path): the seconds between the requests to it.
sub gaps ($path) {
    my @times = map { $_->{time} } target->to($path);

    return map { $times[$_] - $times[$_ - 1] } 1 .. $#times;
}


sub between ($value, $low, $high, $name) {
    ok($value >= $low && $value <= $high,
       sprintf '%s: %.3f s, from %.3f to %.3f', $name, $value, $low, $high);
}


# All at once: they do not disturb each other.
my %job = (
    exponential => started('/status/500/e', max_retries => 5),
    linear => started('/status/500/l', max_retries => 4,
                      backoff => 'linear'),
    flaky => started('/flaky/2', max_retries => 5),
    never => started('/status/500/n'),
    moved => started('/redirect', max_retries => 1),
    refused => started('http://127.0.0.1:' . Fliq::Port::free_port() . '/',
                       max_retries => 2),
    after_503 => started('/retry-after/1/503', max_retries => 1),
    after_429 => started('/retry-after/1/429', max_retries => 1),
    after_500 => started('/retry-after/1/500', max_retries => 1),
    after_text => started('/retry-after/soon/503', max_retries => 1),
    after_none => started('/retry-after/0/503', max_retries => 1),
    after_date => started('/retry-after/' . (strftime(
        '%a, %d %b %Y %H:%M:%S GMT', gmtime(time + 2)) =~ s/ /%20/gr)
        . '/503', max_retries => 1),
    after_long => started('/retry-after/99999/503', max_retries => 1),
    after_last => started('/retry-after/1/503/last'),
);


# --- both kinds of backoff

my $end = wait_job($job{exponential});
my @gaps = gaps('/status/500/e');

is($end->{status}, 'failed', 'exponential: failed in the end');
is($end->{execution_count}, 6, 'exponential: six executions');
is(scalar(@gaps), 5, 'exponential: six requests');
between($gaps[0], 0.075, 0.125 + $slack, 'exponential, first delay');
between($gaps[1], 0.150, 0.250 + $slack, 'exponential, second delay');
between($gaps[2], 0.300, 0.500 + $slack, 'exponential, third delay');
between($gaps[3], 0.600, 1.000 + $slack, 'exponential, fourth delay');
between($gaps[4], 1.000, 1.000 + $slack, 'exponential, at its most');

$end = wait_job($job{linear});
@gaps = gaps('/status/500/l');

is($end->{status}, 'failed', 'linear: failed in the end');
is(scalar(@gaps), 4, 'linear: five requests');
between($gaps[$_ - 1], $_ / 10, $_ / 10 + $slack, "linear, delay $_")
    for 1 .. 4;


# --- how it ends

is($end->{last_status_code}, 500, 'last_status_code');
like($end->{last_error}, qr/500/, 'last_error names the status');
ok($end->{completed_at}, 'completed_at');
is($end->{next_attempt_at}, undef, 'next_attempt_at');
is($end->{attempts}, 5, 'attempts');

my @executions = executions($end);
is_deeply([map { $_->{attempt_num} } @executions], [1 .. 5],
          'the executions in their order');
is_deeply([map { $_->{status} } @executions], [('failed') x 5], 'all failed');
is_deeply([map { $_->{status_code} } @executions], [(500) x 5],
          'with their status');
is_deeply([map { $_->{response_excerpt} } @executions],
          [('status 500') x 5], 'with their excerpt');
is(scalar(grep { length $_->{error} } @executions), 5, 'with an error');
is_deeply([map { $_->{attempt_num} }
           @{ api('GET', "/jobs/$end->{id}/attempts")->{json} }],
          [reverse 1 .. 5], 'the attempts, most recent first');


# --- success ends it

$end = wait_job($job{flaky});
my @requests = target->to('/flaky/2');

is($end->{status}, 'success', 'flaky: success in the end');
is($end->{last_error}, undef, 'flaky: no last error');
is($end->{last_status_code}, 200, 'flaky: the last status');
is($end->{execution_count}, 3, 'flaky: three executions');
is_deeply([map { $_->{status} } executions($end)],
          [qw(failed failed success)], 'flaky: their status');
is_deeply([map { $_->{header}{'x-fliq-attempt'} } @requests], [1, 2, 3],
          'flaky: X-Fliq-Attempt');
is_deeply([map { $_->{header}{'x-fliq-delivery-id'} } @requests],
          [($end->{id}) x 3], 'flaky: one delivery id');
is_deeply([map { $_->{header}{'x-request-id'} } @requests],
          [map { $_->{id} } executions($end)], 'flaky: three request ids');


# --- none to make

$end = wait_job($job{never});
is($end->{status}, 'failed', 'no retries: failed');
is(scalar(target->to('/status/500/n')), 1, 'no retries: one request');

$end = wait_job($job{after_last});
is($end->{status}, 'failed', 'Retry-After does not add one');
is(scalar(target->to('/retry-after/1/503/last')), 1, 'one request');


# --- other failures

$end = wait_job($job{moved});
is($end->{status}, 'failed', 'a redirect is a failure');
is($end->{last_status_code}, 302, 'with its status');
is($end->{execution_count}, 2, 'that is tried again');
is(scalar(target->to('/ok/redirected')), 0, 'it is not followed');

$end = wait_job($job{refused});
is($end->{status}, 'failed', 'a refused connection is a failure');
is($end->{last_status_code}, undef, 'without a status');
like($end->{last_error}, qr/connect|refused/i, 'that says why');
is($end->{execution_count}, 3, 'and is tried again');


# --- Retry-After

for my $case ([after_503 => '/retry-after/1/503', 1.0],
              [after_429 => '/retry-after/1/429', 1.0],
              [after_500 => '/retry-after/1/500', 0.075],
              [after_text => '/retry-after/soon/503', 0.075],
              [after_none => '/retry-after/0/503', 0.075]) {
    my ($name, $path, $least) = @$case;
    my $end = wait_job($job{$name});
    my ($gap) = gaps($path);

    is($end->{status}, 'success', "$name: success in the end");
    between($gap, $least, ($least < 1 ? 0.125 : $least) + $slack, $name);
}

$end = wait_job($job{after_date});
my ($first, $second) = target->to($end->{url} =~ s{^http://[^/]+}{}r);
is($end->{status}, 'success', 'a date: success in the end');
between($second->{time} - $first->{time}, 0.9, 2.0 + $slack, 'a date');

my $waits = get_job($job{after_long});
is($waits->{status}, 'scheduled', 'it waits for its next attempt');
is($waits->{attempts}, 1, 'of which it has made one');
is($waits->{last_status_code}, 503, 'that failed');
($first) = target->to('/retry-after/99999/503');
between(seconds($waits->{next_attempt_at}) - $first->{time}, 3600,
        3600 + $slack, 'at most an hour');

finish();
