# The clock of the machine that nginx runs on is set an hour ahead and back,
# and an hour behind and back, at random times under load; PostgreSQL's and the
# target's go on as before.  The database's is the one that counts: all that
# was asked for is taken or refused by it, fired at its time by it, once, and
# nobody is told of another time.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp;
use Fliq::Faults;
use Fliq::Preload;
use Fliq::Test;
use List::Util qw(max);

use constant HOUR => 3600;

my $clock = File::Temp->new(TEMPLATE => 'fliq-clock-XXXXXX', TMPDIR => 1);

# Before the first one looks.
print {$clock} pack 'q<', 0;
$clock->flush;

preload('faults/clock.c', FLIQ_CLOCK => $clock->filename);
sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my @workers = sandbox->workers;


sub off () {
    return seconds(api('GET', '/health')->{json}{time}) - time;
}


# Set the clock so far from the right one, and see that nginx has it.
sub set ($off) {
    seek $clock, 0, 0;
    print {$clock} pack 'q<', $off * 1e6;
    $clock->flush;

    ok(wait_until(sub { abs(off() - $off) < 5 }),
       sprintf 'nginx has a clock that is %+d s off', $off);
}


# What is to be taken, what refused, and what is told of the time.
sub is_right ($name) {
    my $answer = api('POST', '/jobs', { url => target->url('/ok'),
                                        scheduled_at => at(1) });
    is_status($answer, 201, "$name: what comes is taken") or return;

    is_error(api('POST', '/jobs', { url => target->url('/ok'),
                                    scheduled_at => at(-1) }),
             400, 'invalid_scheduled_at', "$name: what is past is refused");

    my $schedule = api('POST', '/schedules', {
        url => target->url('/ok/made'), cron => '* * * * *' })->{json};
    my $preview = api('GET', '/schedules/preview?cron=@hourly&count=1')
                      ->{json};
    api('DELETE', "/schedules/$schedule->{id}");

    is_near(seconds($schedule->{next_run_at}), time + 30, 40,
            "$name: a schedule's next run");
    is_near(seconds($preview->{next}[0]), time + HOUR / 2, HOUR / 2 + 10,
            "$name: that of a preview");

    my $job = wait_job($answer->{json});
    my ($execution) = executions($job);
    my $due = seconds($job->{scheduled_at});

    is($job->{status}, 'success', "$name: what comes is fired");
    is_near(seconds($job->{created_at}), $due, 5, "$name: and was made");
    is_near(seconds($execution->{executed_at}) // 0, $due, 5,
            "$name: and ended");
}


sub is_near ($time, $right, $seconds, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $apart = abs($time - $right);

    ok($apart < $seconds, sprintf '%s: %.2f s off', $name, $apart);
}


# Creates that were refused though their time had not come.
sub refused ($orders) {
    return grep { $_->{error} eq 'invalid_scheduled_at'
                  && $_->{ended} < $_->{scheduled_at} } values %$orders;
}


# How far apart the target's clock and what calls say of the time are.
sub apart () {
    return max map { abs($_->{time} - $_->{header}{'x-fliq-timestamp'}) }
               target->matching(qr{^/mixed/});
}


for my $round (1 .. Fliq::Faults::rounds()) {
    # of several rounds the first has a minute of the schedules in it
    my $seconds = Fliq::Faults::rounds() > 1 && $round == 1 ? 75 : 13;

    $faults->begin($seconds);

    for my $off (HOUR, -HOUR()) {
        my $name = "$round: " . ($off > 0 ? 'ahead' : 'behind');

        $faults->after($seconds / 8, $seconds / 6);
        set($off);
        is_right($name);
        $faults->after($seconds / 8, $seconds / 6);
        set(0);
        is_right("$name no more");
    }

    my $found = $faults->settle;

    $faults->is_clean($found, "$round: a clock that is set");
    is(join(' ', $faults->failed), '', "$round: nothing is left unanswered");
    is(scalar refused($faults->{orders}), 0,
       "$round: no create is refused before its time");
    ok(Fliq::Ledger::latest($found) < 2, "$round: none is late");

    my $apart = apart();
    ok($apart < 3, sprintf '%d: calls tell the time, %.2f s off at most',
                           $round, $apart);
}

is_deeply([sort { $a <=> $b } sandbox->workers],
          [sort { $a <=> $b } @workers], 'the same workers');

finish();
