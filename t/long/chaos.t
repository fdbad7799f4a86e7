# Two nodes of two workers share the load for a minute, while every second or
# two something is done to one of them: a worker is killed, or stopped for up
# to ten seconds, a node is reloaded, or killed and started again.  Nothing is
# lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Test;

my $minute = $ENV{FLIQ_TEST_SECONDS} // 60;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $node = Fliq::Node->start(sandbox, workers => 2);
my @nodes = (sandbox, $node);
my %stopped;                # pid => [when it is to go on, its fault]
my %count;

$faults->share({}, { port => $node->{port} });


# Those whose time has come go on.
sub go_on ($now) {
    for my $pid (grep { $stopped{$_}[0] <= $now } keys %stopped) {
        kill CONT => $pid;
        (delete $stopped{$pid})->[1]{ended} = time;
    }
}


sub some_worker () {
    my @running = grep { !$stopped{$_} } map { $_->workers } @nodes;
    return @running > 1 ? $running[rand @running] : undef;
}


# Numbered, since faults have different names.
sub fault ($name, $code) {
    return $faults->fault("$name " . ++$count{$name}, $code);
}


my @actions = (
    sub {
        my $pid = some_worker() or return;
        fault('kill', sub { kill KILL => $pid });
    },
    sub {
        my $pid = some_worker() or return;
        my $fault = fault('stop', sub { kill STOP => $pid });
        $stopped{$pid} = [time + rand 10, $fault];
        $fault->{ended} = 9e9;
    },
    sub {
        kill HUP => $nodes[rand @nodes]{nginx_pid};
        $count{reload}++;
    },
    sub {
        my @gone = delete @stopped{ $node->all_workers };
        fault('crash', sub { $node->crash });
        $_->[1]{ended} = time for grep { defined } @gone;
        $node->again;
    },
);

$faults->begin($minute);

my $end = time + $minute;

while (time < $end) {
    $faults->after(0.5, 1.5);
    go_on(time);
    $actions[rand @actions]->();
}

go_on(9e9);

diag(join ', ', map { "$_ $count{$_} times" } sort keys %count);
my $found = $faults->settle(60);
$faults->is_clean($found, 'chaos');
is(keys %count, 4, 'of each kind');

finish(qr/\[alert\] .* worker process \d+ exited on signal 9/);
