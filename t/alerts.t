# Alert channels: each enabled one gets one POST when a job has failed for
# good, a webhook channel with the documented members, a slack channel with
# a text; none on a success, a retry that follows, or a cancel.

use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use JSON::PP qw(decode_json);

sandbox(workers => 2, http_conf => 'fliq_retry base=100ms jitter=0%;');

my $account = sql('SELECT id FROM fliq.accounts');
my $secret = sql('SELECT secret FROM fliq.signing_secrets');


sub channel ($type, $path, $enabled = 'true') {
    my $url = target->url($path);

    return sql("INSERT INTO fliq.alert_channels
                       (account_id, id, type, target, lane, enabled)
                VALUES ('$account', fliq.make_id(), '$type', '$url', 7,
                        $enabled)
             RETURNING id");
}


# told(job, path): what a channel was told of it.
sub told ($job, $path) {
    return map { decode_json($_->{body}) }
           grep { $_->{header}{'x-fliq-delivery-id'} eq $job->{id} }
           target->to($path);
}


channel('webhook', '/ok/alert');
channel('slack', '/ok/slack');
channel('webhook', '/ok/off', 'false');
channel('webhook', '/status/500/alert');


# --- not these

my @quiet = (
    create_job(url => '/ok/fine'),
    create_job(url => '/flaky/1/x', max_retries => 3),
    create_job(url => '/ok/later', scheduled_at => at(3600)),
);

wait_job($_) for @quiet[0, 1];
is_status(api('DELETE', "/jobs/$quiet[2]{id}"), 204, 'one is cancelled');


# --- a job that fails

my $job = create_job(url => '/status/500/y?a=b', max_retries => 1,
                     method => 'PUT');
my $ended = wait_job($job);
my ($request) = target->wait_for(1, '/ok/alert');

is_deeply(decode_json($request->{body}), {
    event => 'failure', resource_type => 'job', resource_id => $job->{id},
    url => $job->{url}, method => 'PUT', status_code => 500,
    last_error => $ended->{last_error}, attempts => 2,
    failed_at => $ended->{completed_at},
}, 'what a webhook channel is told');

my $time = $request->{header}{'x-fliq-timestamp'};
is($request->{method}, 'POST', 'by POST');
is($request->{header}{'content-type'}, 'application/json', 'Content-Type');
is($request->{header}{'x-fliq-signature'}, 'v1=' . hmac_sha256_hex(
    "$time.POST." . target->url('/ok/alert') . ".$request->{body}", $secret),
   'signed');

my $after = $request->{time} - (target->to('/status/500/y?a=b'))[1]{time};
ok($after < 0.5, sprintf 'at once: %.4f s', $after);

target->wait_for(1, '/ok/slack');
my ($slack) = told($job, '/ok/slack');
is(join(' ', keys %$slack), 'text', 'a slack channel is told a text');
like($slack->{text}, qr/\Q$_\E/, "with $_")
    for $job->{id}, $job->{url}, $ended->{last_error}, 'Attempts: 2';


# --- without an answer, and spawned by a schedule

my $port = Fliq::Port::free_port();
sql("INSERT INTO fliq.schedules
            (account_id, id, cron, url, method, max_retries, timeout_seconds,
             lane, next_run_at)
     VALUES ('$account', fliq.make_id(), '0 0 1 1 *',
             'http://127.0.0.1:$port/', 'POST', 0, 30, 1,
             now() + interval '300 ms')");

is(scalar(target->wait_for(2, '/ok/alert')), 2, 'a schedule fails');
my $alert = decode_json((target->to('/ok/alert'))[1]{body});
my $schedule = sql("SELECT fliq.id_text('sched', id) FROM fliq.schedules");

is($alert->{schedule_id}, $schedule, 'schedule_id');
ok(exists $alert->{status_code} && !defined $alert->{status_code},
   'status_code is null');
is($alert->{last_error}, 'connection refused', 'last_error');


# --- nothing else

ok(wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') }),
   'the outbox is empty');
is(scalar(target->to('/ok/alert')), 2, 'one alert for each');
is(scalar(target->to('/ok/slack')), 2, 'on each channel');
is(scalar(target->to('/status/500/alert')), 2, 'one try for each');
is(scalar(target->to('/ok/off')), 0, 'none on the one that is off');
is(scalar(map { told($_, '/ok/alert') } @quiet), 0,
   'none of success, retry and cancel');

finish();
