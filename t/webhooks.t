# When a job ends its webhook is told, once, with exactly six members: after
# success, permanent failure and cancel, not after an attempt that is made
# again.  It is signed, carries its headers, and whatever it answers changes
# nothing.

use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use JSON::PP qw(decode_json);

my $conf = 'fliq_retry base=100ms jitter=0%; fliq_webhook_timeout 700ms;';

sandbox(workers => 2, http_conf => $conf);

my $secret = sql('SELECT secret FROM fliq.signing_secrets');


# hooked(path, hook, fields): a job with a webhook.
sub hooked ($path, $hook, %fields) {
    return create_job(url => $path, webhook_url => target->url($hook),
                      %fields);
}


# is_told(job, hook, expected): what the webhook is told of a job that has
# ended; its request.
sub is_told ($job, $hook, %expected) {
    my ($request) = target->wait_for(1, $hook);
    my $now = get_job($job);

    is_deeply(decode_json($request->{body} // '{}'), {
        job_id => $job->{id}, completed_at => $now->{completed_at},
        %expected,
    }, "$hook: what it is told");

    return $request;
}


sub outbox_empty () {
    return wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') });
}


# --- success

my $job = hooked('/ok/a', '/ok/hook/a',
    webhook_headers => { 'X-Mine' => 'yes', 'X-Other' => 'a b' });
wait_job($job);
my $request = is_told($job, '/ok/hook/a', status => 'completed',
    status_code => 200, last_error => undef, attempt_num => 1);
my $header = $request->{header};

is($request->{method}, 'POST', 'POST');
is($header->{'content-type'}, 'application/json', 'Content-Type');
is($header->{'x-mine'}, 'yes', 'webhook_headers');
is($header->{'x-other'}, 'a b', 'another');
like($header->{'user-agent'}, qr{^fliq-nginx/}, 'User-Agent');
is($header->{'x-fliq-delivery-id'}, $job->{id}, 'X-Fliq-Delivery-Id');
is($header->{'x-fliq-attempt'}, 1, 'X-Fliq-Attempt');
like($header->{'x-request-id'}, qr/^req_[0-7][0-9a-z]{25}\z/, 'X-Request-ID');

my $time = $header->{'x-fliq-timestamp'};
ok(abs($time - $request->{time}) < 2, 'X-Fliq-Timestamp');
is($header->{'x-fliq-signature'}, 'v1=' . hmac_sha256_hex(
    "$time.POST." . target->url('/ok/hook/a') . ".$request->{body}", $secret),
   'X-Fliq-Signature');

my $after = $request->{time} - (target->to('/ok/a'))[0]{time};
ok($after > 0 && $after < 0.5, sprintf 'at once: %.4f s', $after);


# --- failure, after a retry of which nothing is told

$job = hooked('/status/503/b', '/ok/hook/b', max_retries => 1);
wait_job($job);
is_told($job, '/ok/hook/b', status => 'failed', status_code => 503,
        last_error => 'the target answered 503', attempt_num => 2);

$job = hooked('http://127.0.0.1:' . Fliq::Port::free_port() . '/',
              '/ok/hook/c');
wait_job($job);
is_told($job, '/ok/hook/c', status => 'failed', status_code => undef,
        last_error => 'connection refused', attempt_num => 1);


# --- cancel, before the first attempt and between two

$job = hooked('/ok/d', '/ok/hook/d', scheduled_at => at(3600));
my $cancelled = time;
is_status(api('DELETE', "/jobs/$job->{id}"), 204, 'cancelled');
$request = is_told($job, '/ok/hook/d', status => 'cancelled',
    status_code => undef, last_error => undef, attempt_num => 0);
ok($request->{time} - $cancelled < 0.5,
   sprintf 'at once: %.4f s', $request->{time} - $cancelled);

$job = hooked('/retry-after/60/503/e', '/ok/hook/e', max_retries => 1);
wait_until(sub { get_job($job)->{attempts} == 1 });
is_status(api('DELETE', "/jobs/$job->{id}"), 204, 'cancelled');
is_told($job, '/ok/hook/e', status => 'cancelled', status_code => 503,
        last_error => 'the target answered 503', attempt_num => 1);


# --- the webhook's own trouble is not the job's

my %trouble = (
    '/status/500/hook' => 'it refuses',
    '/slow/1500/hook' => 'it is too slow',
    '/close/hook' => 'it hangs up',
    '/redirect' => 'it is elsewhere',
);

for my $hook (sort keys %trouble) {
    my $job = hooked('/ok/f', $hook);
    my $ended = wait_job($job);

    is(scalar(target->wait_for(1, $hook)), 1, "$trouble{$hook}: it is told");
    ok(outbox_empty(), "$trouble{$hook}: it is forgotten");
    is_deeply(get_job($job), $ended, "$trouble{$hook}: the job is the same");
}

for my $hook (sort keys %trouble) {
    is(scalar(target->to($hook)), 1, "$trouble{$hook}: one try");
}

is(scalar(target->to('/ok/redirected')), 0, 'no redirect is followed');


# --- many, half of them for a host that does not answer

my $dead = Fliq::Target->start;
my $due = time + 6;
my @answers = load(clients => 16)->run(map {
    my $hook = $_ % 2 ? target->url("/ok/many/$_") : $dead->url("/hang/$_");

    request_bytes('POST', '/jobs', { url => target->url("/ok/g/$_"),
        scheduled_at => stamp($due), webhook_url => $hook })
} 1 .. 1000);
is(scalar(grep { $_->{status} == 201 } @answers), 1000, '1000 jobs');

ok(wait_until(sub { target->matching(qr{^/ok/many/}) >= 500 }),
   'all of the living host are told');

my ($last) = sort { $b <=> $a } map { $_->{time} }
             target->matching(qr{^/ok/many/});
my ($fired) = sort { $b <=> $a } map { $_->{time} }
              target->matching(qr{^/ok/g/});
ok($last - $fired < 1, sprintf 'the last %.3f s after the last job',
   $last - $fired);


# --- a reload loses none

$due = time + 4;
@answers = load(clients => 16)->run(map {
    request_bytes('POST', '/jobs', { url => target->url("/slow/300/h/$_"),
        scheduled_at => stamp($due),
        webhook_url => target->url("/slow/200/h$_") })
} 1 .. 300);
is(scalar(grep { $_->{status} == 201 } @answers), 300, '300 jobs');

wait_until(sub { target->matching(qr{^/slow/200/h\d}) >= 50 });
sandbox->set_http_conf("$conf # once more\n");

ok(wait_until(sub { target->matching(qr{^/slow/200/h\d}) >= 300 }),
   'all are told over a reload');
ok(outbox_empty(), 'the outbox is empty');

my %times;
$times{$_->{path}}++ for target->matching(qr{^/slow/200/h\d|^/ok/many/});
is(scalar(keys %times), 800, 'each of them');
is(scalar(grep { $_ > 1 } values %times), 0, 'and none twice');
is(sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'"), 0,
   'all jobs have ended');


# --- a worker that dies

my $slow = hooked('/ok/i', '/slow/3000/i');
target->wait_for(1, '/slow/3000/i');
my ($victim) = sql('SELECT o.pid FROM fliq.outbox b
                      JOIN fliq.owners o ON o.id = b.owner_id');
ok($victim, 'a worker is sending');
kill KILL => $victim if $victim;

is(scalar(target->wait_for(2, '/slow/3000/i')), 2, 'another sends it again');
ok(outbox_empty(), 'and forgets it');

finish(qr/worker process \d+ exited on signal 9/);
