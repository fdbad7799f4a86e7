# One of two nodes is killed as a whole, at a random time under load that both
# share, and never comes back: the other fires what it held within 2 seconds,
# and nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Test;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;


for my $round (1 .. Fliq::Faults::rounds()) {
    my $node = Fliq::Node->start(sandbox, workers => 2);

    $faults->share({}, { port => $node->{port} });
    $faults->begin(8);
    $faults->after(2, 4);

    my $fault = $faults->fault("$round: a node killed", sub { $node->crash },
                               $node->workers);

    my $found = $faults->settle;
    $faults->is_clean($found, "$round: a node");
    $faults->is_recovered($found, $fault);
}

finish();
