# A worker that has no descriptor left for a call makes it when there is one:
# that costs the job no attempt, and nothing but its timeout ends the waiting.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Buffers;
use Fliq::Namespace;
use Fliq::Sink;
use Fliq::Test;

my $six = -e '/proc/net/if_inet6' ? '2606:2800:220:1::1' : undef;

# Names that only this file knows.
Fliq::Namespace->enter(addresses => [map { "$_/128" } $six // ()],
                       files => sub ($dir) {
    Fliq::Namespace::write_file("$dir/hosts", "127.0.0.1 four.test\n"
                                . ($six ? "$six six.test\n" : ''));
    Fliq::Namespace::write_file("$dir/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n");

    return ('/etc/hosts' => "$dir/hosts",
            '/etc/nsswitch.conf' => "$dir/nsswitch.conf");
});

sandbox(workers => 1);

# The connection to ask by has to be there before.
is_status(api('GET', '/health'), 200, 'a worker answers');

my ($worker) = sandbox->workers;
my $short = qr/socket\(\) for an outbound call failed/;


# limit(soft): how many descriptors the worker may have; what it counted on
# when it started stays.  Only a process of its own user may say so.
sub limit ($soft) {
    my ($user, $group) = (stat "/proc/$worker")[4, 5];
    my @as = $user == $> ? () : ('setpriv', "--reuid=$user",
                                 "--regid=$group", '--clear-groups');

    system(@as, 'prlimit', "--pid=$worker", "--nofile=$soft:") == 0
        or die "prlimit: $?\n";
}


# starved(code): what is logged while the worker gets no descriptor.
sub starved ($code) {
    my ($soft) = Fliq::Sandbox::slurp("/proc/$worker/limits")
                 =~ /^Max open files +(\d+)/m;
    my $before = length sandbox->log;

    limit(3);
    my $fine = eval { $code->(); 1 };
    my $why = $@;
    limit($soft);
    die $why if !$fine;

    return substr sandbox->log, $before;
}


# --- it waits

# Each to a target of its own, so that there is no connection to use again.
# That of IPv6 comes first: libcurl looks once whether there is such a thing.
my @kinds = ('a name', 'a name that there is not', 'an address');
my %url = (
    'a name of IPv6 alone' => sub ($target) { $target->url('/ok', 'six.test') },
    'a name' => sub ($target) { $target->url =~ s/127\.0\.0\.1/four.test/r },
    'a name that there is not' => sub ($target) { 'http://nothing.test/' },
    'an address' => sub ($target) { $target->url },
);

unshift @kinds, 'a name of IPv6 alone' if $six;

my %job;


sub make_job ($kind, $target) {
    $job{$kind} = create_job(url => $url{$kind}->($target), max_retries => 0,
                             timeout_seconds => 5);
}


sub make_item ($target) {
    my $buffer = make_buffer(url => $target->url);

    is_status(api('POST', "/buffers/$buffer->{id}/items", { body => 'item' }),
              201, 'an item is pushed');
}


sub attempts () {
    return sql('SELECT (SELECT count(*) FROM fliq.executions)
                     + (SELECT coalesce(sum(attempts), 0)
                          FROM fliq.buffer_items)');
}


# waits(kind, code): what code has made of this target does.  Returns the
# target, and a second in which there was no descriptor yet.
sub waits ($kind, $code) {
    my $target = $kind =~ /IPv6/ ? Fliq::Sink->start(addresses => [$six])
                                 : Fliq::Target->start;
    my $before = attempts();
    my $second;

    my $log = starved(sub {
        $code->($target);
        ok(wait_until(sub { sandbox->log =~ $short }),
           "$kind: there is no descriptor");

        # Well past the time at which it is tried again, in another second.
        sleep 1.1;
        $second = int time;

        is(attempts(), $before, "$kind: no attempt is recorded");
        is(scalar $target->requests, 0, "$kind: it was not called");
    });

    my @told = $log =~ /$short/g;

    is(@told, 1, "$kind: it is logged once");
    return $target, $second;
}


# The time of a signature.
sub stamp_of ($request) {
    return $request->{header}{'x-fliq-timestamp'}
           // ($request->{raw} =~ /^X-Fliq-Timestamp: (\d+)/m)[0];
}


for my $kind (@kinds) {
    my $known = $kind ne 'a name that there is not';
    my ($target, $second) = waits($kind,
                               sub ($target) { make_job($kind, $target) });
    my $job = wait_job($job{$kind});

    is($job->{status}, $known ? 'success' : 'failed', "$kind: then it is")
        || diag($job->{last_error});
    is($job->{attempts}, 1, "$kind: in its first attempt");
    is(scalar $target->requests, $known ? 1 : 0, "$kind: once");
    next if !$known;

    ok((executions($job))[0]{duration_ms} < 1000 * wide(0.3),
       "$kind: an attempt takes as long as its call, without the waiting");
    ok(stamp_of(($target->requests)[0]) >= $second,
       "$kind: and is signed as of its time");
}

my ($target) = waits('an item', \&make_item);

ok(drained(), 'an item: then it is called');
is(scalar $target->requests, 1, 'an item: once');
is(sql("SELECT status || ' ' || attempts FROM fliq.buffer_items"),
   'completed 1', 'an item: in its first attempt');


# --- but no longer than its timeout

# One that no connection is kept to.
my $fresh = Fliq::Target->start;
my $late;

starved(sub {
    $late = create_job(url => $fresh->url('/ok/late'), timeout_seconds => 1,
                       max_retries => 0);
    ok(wait_until(sub {
        sql("SELECT status = 'failed' FROM fliq.jobs
              WHERE fliq.id_text('job', id) = '$late->{id}'") eq 't'
    }), 'the timeout ends the waiting');
});

is((executions($late))[0]{error}, 'the worker has no connection left',
   'and the execution tells why');
is(scalar $fresh->requests, 0, 'it was not called');


# --- a worker that quits meanwhile

my $last;

starved(sub {
    $last = create_job(url => $fresh->url('/ok/last'), max_retries => 0);
    ok(wait_until(sub { sql('SELECT count(*) FROM fliq.claims') }),
       'a job is claimed');
    kill QUIT => $worker;
    ok(wait_until(sub { sandbox->log =~ /gracefully shutting down/ }),
       'its worker is told to quit');
});

ok(Fliq::Sandbox::await_end($worker), 'it does');
is(wait_job($last)->{attempts}, 1, 'once it has made the call');
is(scalar $fresh->requests, 1, 'that it had');

finish($short, qr/Too many open files/);
