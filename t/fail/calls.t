# Whichever call of the module fails, of those that allocate and those of the
# libraries: no worker dies, what was answered 201 is done, at worst a request
# gets 503 or 500 in the shape of every error, and the next one is answered.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Preload;
use Fliq::Test;

# How many calls of each kind of work are made to fail.
my $most = $ENV{FLIQ_TEST_LONG} ? 1e9 : 15;

my $control = File::Temp->new(TEMPLATE => 'fliq-fail-XXXXXX', TMPDIR => 1);
print {$control} "\0" x 140;
$control->flush;

preload('fail/fail.c', FLIQ_FAIL => $control->filename);
sandbox(workers => 1, http_conf => 'fliq_webhook_timeout 1s;
        fliq_retry base=50ms max=200ms jitter=0%;');

my ($worker) = sandbox->workers;
my $target = target;
my (@promised, @items);


# The pid whose calls count, those of one function or all, and the one that
# fails.
sub arm ($pid, $nth, $only = '') {
    seek $control, 0, 0;
    print {$control} pack 'l3 a64 a64', $pid, $nth, 0, '', $only;
    $control->flush;
}


# How many calls there were, and which one failed.
sub disarm () {
    open my $in, '<:raw', $control->filename or die "control: $!\n";
    read $in, my $bytes, 76;
    arm(0, 0);

    my (undef, undef, $count, $name) = unpack 'l3 Z64', $bytes;
    return ($count, $name);
}


sub rss () {
    return (Fliq::Sandbox::slurp("/proc/$worker/status")
            =~ /^VmRSS:\s+(\d+)/m)[0] / 1024;
}


# What may be said of a request: what is right, or an error of the server.
sub is_fair ($answer, $status) {
    return 1 if $answer->{status} == $status;
    return 1 if $answer->{status} =~ /^50[03]\z/
                && ref $answer->{json} eq 'HASH'
                && ref $answer->{json}{error} eq 'HASH';
    diag("$answer->{status} " . ($answer->{content} // ''));
    return 0;
}


# --- what is done

my $buffer = make_buffer(url => '/ok/item', rate_limit => 1000);

sub post_job (%fields) {
    my $answer = api('POST', '/jobs', {
        url => target->url('/ok/job'), scheduled_at => at(0.5),
        headers => { 'X-A' => 'b' }, body => '{"a": 1}', max_retries => 5,
        backoff => 'linear', %fields });

    push @promised, $answer->{json} if $answer->{status} == 201;
    return $answer;
}


sub post_hook () {
    state $n = 0;
    return post_job(scheduled_at => at(0.15),
        webhook_url => target->url('/ok/webhook/' . ++$n))->{json};
}


sub is_fired ($job) {
    return wait_until(sub {
        sql("SELECT status FROM fliq.jobs
              WHERE fliq.id_text('job', id) = '$job->{id}'") eq 'success'
    }, 8);
}


sub is_outbox_empty () {
    return wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') }, 8);
}


sub is_told ($job) {
    my ($path) = $job->{webhook_url} =~ m{^http://[^/]+(/.*)};
    return $target->wait_for(1, $path) == 1 && is_outbox_empty();
}


# name, what is done before, what is done with the failing call; it returns
# whether that was fair.  The function, if its calls alone are made to fail.
my @work = (
    ['create', sub { }, sub (@) { is_fair(post_job(), 201) }],
    ['create with a key', sub { }, sub (@) {
        is_fair(post_job(idempotency_key => 'k' . rand), 201)
    }],
    ['get', sub { post_job()->{json} }, sub ($job) {
        is_fair(api('GET', "/jobs/$job->{id}"), 200)
    }],
    ['list', sub { }, sub (@) { is_fair(api('GET', '/jobs?limit=3'), 200) }],
    ['cancel', sub { create_job(scheduled_at => at(600)) }, sub ($job) {
        my $answer = api('DELETE', "/jobs/$job->{id}");

        # HTTP::Tiny asks again when there was no memory for an answer.
        $answer->{status} == 409 && get_job($job)->{status} eq 'cancelled'
            || is_fair($answer, 204);
    }],
    ['push', sub { }, sub (@) {
        my $answer = api('POST', "/buffers/$buffer->{id}/items",
                         { body => 'x' });
        push @items, $answer->{json} if $answer->{status} == 201;
        drained(2);
        return is_fair($answer, 201);
    }],
    ['fire', \&post_hook, \&is_fired],
    ['fire and tell', \&post_hook, sub ($job) {
        is_fired($job) && is_told($job)
    }, 'ngx_create_pool'],
);


# --- each call of it fails in turn

# A job is taken, and fired.
sub works_again () {
    state $n = 0;
    my $path = '/ok/again/' . ++$n;

    return wait_until(sub { api('GET', '/health?deep=1')->{status} == 200 })
           && eval { create_job(url => $path) }
           && $target->wait_for(1, $path) == 1;
}


for my $work (@work) {
    my ($name, $before, $do, $only) = @$work;
    my $n = 0;
    my %failed;

    $do->($before->());             # nothing is warm at first
    my @made = $before->();
    arm($worker, 0, $only // '');
    $do->(@made);
    my ($calls) = disarm();
    my $step = $calls > $most ? $calls / $most : 1;
    my $rss = rss();

    ok($calls >= ($only ? 2 : 10), "$name: $calls calls");

    for (my $at = 1; $at <= $calls; $at += $step) {
        my @made = $before->();

        arm($worker, int $at, $only // '');
        my $fair = $do->(@made);
        my (undef, $what) = disarm();

        $what ||= 'none';
        $failed{$what}++;
        ok($fair, "$name: call " . int($at) . ", $what: a fair answer")
            if !$fair;
        ok(works_again(), "$name: call " . int($at) . ", $what: goes on")
            or last;
        last if !is((sandbox->workers)[0], $worker,
                    "$name: $what: the worker lives");
    }

    diag("$name: $calls calls; failed: "
         . join ', ', map { "$_ $failed{$_}" } sort keys %failed);
    ok(rss() < $rss + wide(20), sprintf '%s: %.1f MiB, after %.1f', $name,
       rss(), $rss);
}


# --- no promise is broken

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status NOT IN
          ('success', 'failed', 'cancelled') AND due_at < now()
          + interval '1 minute'")
}, 30), 'nothing waits for ever');

my %status = map { split /\|/ } sql(
    "SELECT fliq.id_text('job', id), status FROM fliq.jobs");
my @broken = map { "$_->{id}: " . ($status{$_->{id}} // 'missing') }
             grep { ($status{$_->{id}} // '') ne 'success' } @promised;

is("@broken", '', scalar(@promised) . ' jobs that were answered 201 fired');
ok(drained(20), 'no item waits');
is(scalar(grep {
    api('GET', "/buffers/$buffer->{id}/items/$_->{id}")->{json}{status}
        ne 'completed'
} @items), 0, scalar(@items) . ' items that were answered 201 were sent');
ok(is_outbox_empty(), 'no webhook waits');

# A batch whose connection was given up may come to its insert after the rows
# were made by the second try.
finish(qr/curl_multi_socket_action\(\) failed/, qr/no memory to /,
       qr/duplicate key value violates unique constraint "jobs_pkey"/);
