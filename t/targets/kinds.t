# A target that misbehaves as a webhook, as an alert channel and as what a
# buffer sends to: each is given up in time and recorded as what it was, and
# jobs for other targets do not wait for it.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Healthy;
use Fliq::Misbehaviour;
use Fliq::Test;

sandbox(workers => 2, http_conf => 'fliq_webhook_timeout 500ms;
        fliq_dispatcher on concurrency=64 per_host=32;');

my @cases = misbehaviour();
my @urls = map { $_->[1] =~ m{^/} ? target->url($_->[1]) : $_->[1] } @cases;

my $healthy = Fliq::Healthy->new;
my @before = $healthy->lateness($healthy->plan(50, 1, 1));


# beside(name, made): that, and healthy jobs meanwhile, which are on time.
sub beside ($name, $made) {
    my %due = $healthy->plan(100, 1, 2);

    $made->();

    my @late = $healthy->lateness(%due);
    diag("$name: " . milliseconds(@late));
    ok(rank(0.5, @late) < 0.1 + 3 * rank(0.5, @before),
       "$name: half of the healthy ones are punctual");
    ok($late[-1] < wide(1) + 3 * $before[-1], "$name: none waits for them");
}


sub outbox_empty () {
    return wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') }, 30);
}


# --- buffers

my (@buffers, @items);

beside('buffers', sub {
    for my $i (0 .. $#cases) {
        push @buffers, make_buffer(
            url => $urls[$i], timeout_seconds => $cases[$i][4] ? wide(2) : 10,
            rate_limit => 100, max_retries => 0);
        push @items, map {
            api('POST', "/buffers/$buffers[-1]{id}/items", { body => "$_" })
                ->{json}
        } 1 .. 2;
    }
});
ok(drained(30), 'all buffers are tried');

for my $i (0 .. $#cases) {
    my ($name, undef, $code, $error) = $cases[$i]->@*;
    my @got = map {
        api('GET', "/buffers/$buffers[$i]{id}/items/$items[$_]{id}")->{json}
    } 2 * $i, 2 * $i + 1;
    my $status = defined $error ? 'failed' : 'completed';

    is_deeply([map { @$_{qw(status status_code)} } @got],
              [($status, $code) x 2], "$name: both items: $status");
    $error //= '^none$';
    like($_->{last_error} // 'none', qr/$error/, "$name: the error")
        for @got;
}


# --- webhooks

my @jobs;

beside('webhooks', sub {
    @jobs = map { create_job(url => '/ok/hooked', webhook_url => $_) }
            @urls, @urls;
});
ok(outbox_empty(), 'all webhooks are tried');
is(scalar(grep { wait_job($_)->{status} ne 'success' } @jobs), 0,
   'whatever a webhook does, its job has succeeded');


# --- alerts: each channel of each job that fails

is_status(api('POST', '/alerts', { type => 'webhook', target => $_ }), 201,
          'a channel') for @urls, $healthy->target->url('/ok/alert');

beside('alerts', sub {
    @jobs = map { create_job(url => '/status/500/alert') } 1 .. 3;
});
ok(outbox_empty(), 'all alerts are tried');
is(scalar($healthy->target->wait_for(3, '/ok/alert')), 3,
   'a channel that is well is told of all');
is(scalar(target->to('/ok/redirected')), 0, 'no redirect was followed');


# --- the workers are as they were

is(scalar(sandbox->workers), 2, 'two workers');
unlike(sandbox->log, qr/exited on signal/, 'none has died');

finish();
