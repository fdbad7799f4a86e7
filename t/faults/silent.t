# PostgreSQL falls silent under load, without a word, as behind a network that
# drops all packets: what asks for it is answered within the time that a query
# has, what does not at once, and all goes on when it speaks again.  Far away,
# 200 ms for each round trip, it is only slower.  Nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Outage;
use Fliq::Proxy;
use Fliq::Test;

my $seconds = Fliq::Faults::rounds() > 1 ? 20 : 7;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);


for my $round (1 .. Fliq::Faults::rounds()) {
    my @workers = sandbox->workers;

    $faults->begin($seconds + 6);
    $faults->after(1, 2);

    my $fault = $outage->fault("$round: silence", sub {
        my $server = sandbox->{postgres_pid};
        kill STOP => $server;
        my @backends = Fliq::Sandbox::children($server);
        kill STOP => @backends;

        my $cpu = Fliq::Outage::cpu(\@workers, sub {
            Fliq::Outage::health("$round: silence", $seconds);
        });

        kill CONT => $server, @backends;
        my $back = time;

        ok($cpu < wide(10), sprintf '%d: a worker takes %.1f %% of a core',
           $round, $cpu);

        return $back;
    });

    my $found = $faults->settle;
    $faults->is_clean($found, "$round: silence");
    $outage->is_answered($fault, 6);
    $outage->is_back($found, $fault, 5);
}


# --- far away

my $proxy = Fliq::Proxy->start(sandbox, delay => 0.1);
my $node = Fliq::Node->start(sandbox, workers => 2, dsn => $proxy->dsn);

$faults->share({ port => $node->{port} });
$faults->begin(5);
sandbox->stop_nginx;

my $found = $faults->settle;
$faults->is_clean($found, 'far away');

$node->stop;
$proxy->stop;
finish();
