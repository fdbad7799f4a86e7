# kill -9, at random times under load, of one worker, of all workers, and of
# the master, whose workers go on without it until a supervisor ends them and
# starts nginx again.  Nothing is lost; what was in flight, and nothing else,
# is fired again, within 2 seconds.  QUIT repeats nothing at all.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Test;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;


sub two_workers () {
    wait_until(sub { sandbox->workers == 2 }) or die "no two workers\n";
    return sandbox->workers;
}


sub calls () {
    return scalar target->requests;
}


for my $round (1 .. Fliq::Faults::rounds()) {
    my @made;

    $faults->begin(16);

    $faults->after(1, 2.5);
    my @workers = two_workers();
    my $victim = $workers[rand @workers];
    push @made, $faults->fault("$round: one worker killed", sub {
        kill KILL => $victim;
    }, $victim);

    $faults->after(2.5, 3.5);
    @workers = two_workers();
    push @made, $faults->fault("$round: all workers killed", sub {
        kill KILL => @workers;
    }, @workers);

    $faults->after(2.5, 3.5);
    @workers = two_workers();
    kill KILL => sandbox->{nginx_pid};

    my ($fired, $job) = (calls(), create_job(url => '/ok'));
    is(wait_job($job)->{status}, 'success',
       "$round: workers without a master take jobs");
    ok(wait_until(sub { calls() > $fired + 100 }), "$round: and fire them");

    push @made, $faults->fault("$round: nginx started again", sub {
        sandbox->again;
    });

    # By then all of that has been fired again.
    $faults->after(3.5, 4);
    sandbox->stop_nginx;
    sandbox->again;

    my $found = $faults->settle;
    $faults->is_clean($found, "$round: kills");
    $faults->is_recovered($found, $_) for @made;
}

finish(qr/\[alert\] .* worker process \d+ exited on signal 9/);
