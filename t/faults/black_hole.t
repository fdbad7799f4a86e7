# The network between nginx and PostgreSQL drops all packets, at a random time
# under load, and tells nobody: what asks for the database is answered within
# the time that a query has, what does not at once, and workers cost next to
# nothing.  When packets pass again all goes on by itself, though the server has
# not noticed and still holds the sessions of before.  Nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Outage;
use Fliq::Test;
use Fliq::Wire;

Fliq::Wire->enter;

my $seconds = Fliq::Faults::rounds() > 1 ? 20 : 7;

sandbox(workers => 1, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);
my $wire = Fliq::Wire->lay(sandbox);
my $node = Fliq::Node->start(sandbox, workers => 2, dsn => $wire->dsn);
my @workers;

wait_until(sub { (@workers = $node->workers) == 2 });
sandbox->stop_nginx;
$faults->share({ port => $node->{port} });


sub create () {
    return api('POST', '/jobs', { url => target->url('/ok'),
                                  scheduled_at => at(1) }, {}, $node->{url});
}


for my $round (1 .. Fliq::Faults::rounds()) {
    my $name = "$round: a black hole";
    my $held;

    $faults->begin($seconds + 4);
    $faults->after(1, 2);

    my $fault = $outage->fault($name, sub {
        $wire->cut;
        $held = Fliq::Faults::held(@workers);

        my $cpu = Fliq::Outage::cpu(\@workers, sub {
            Fliq::Outage::health($name, $seconds, $node->{url});
        });
        ok($cpu < wide(10), sprintf '%s: a worker takes %.1f %% of a core',
           $name, $cpu);

        $wire->mend;
        my $back = time;

        ok(wait_until(sub { create()->{status} == 201 }, 30),
           "$name: it takes jobs again");
        my $took = time - $back;
        ok($took < 5, sprintf '%s: %.2f s later', $name, $took);
        return $back;
    });

    my $found = $faults->settle(60);
    my $again = Fliq::Ledger::repeated($found, $name);

    $faults->is_clean($found, $name);
    my $statuses = $outage->is_answered($fault, 5);
    ok($statuses->{503}, "$name: some with 503");
    $outage->is_back($found, $fault, 5);
    ok($again <= $held, "$name: $again calls again of $held in flight");
}

is_deeply([sort { $a <=> $b } $node->workers],
          [sort { $a <=> $b } @workers], 'the same workers');

finish();
