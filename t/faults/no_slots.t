# A worker has used up its connections, and its descriptors, under load:
# clients that find no place are turned away or wait, calls go out as places
# come free, and nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Test;
use IO::Socket::INET;

my %limits = (
    connections => sub { $_[0] =~ s/(worker_connections) \d+;/$1 96;/ },
    descriptors => sub { $_[0] =~ s/(worker_rlimit_nofile) \d+;/$1 96;/ },
);

sandbox(workers => 1, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;


# Connections that ask for nothing.
sub crowd ($port, $count) {
    return map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port) // () } 1 .. $count;
}


for my $what (sort keys %limits) {
    my $node = Fliq::Node->start(sandbox, workers => 1,
                                 edit => $limits{$what});

    $faults->share({ port => $node->{port} });
    $faults->begin(5);
    sandbox->stop_nginx;
    $faults->after(1, 2);

    my $fault = $faults->fault($what, sub {
        my @crowd = crowd($node->{port}, 120);
        $faults->after(1, 2);
    });

    my $found = $faults->settle;
    $faults->is_clean($found, $what);
    like($node->log, qr/worker_connections are not enough|Too many open/,
         "$what: they were used up");
    $node->stop;
    sandbox->again;
}

finish(qr/worker_connections are not enough|Too many open files/);
