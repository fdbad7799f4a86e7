# A worker is stopped, at a random time under load, for longer than it takes
# the other one to bury it, and goes on: what it held was fired again, what it
# brings is too late and changes nothing, and nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Test;

my $seconds = Fliq::Faults::rounds() > 1 ? 20 : 10;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;


sub owner_of ($pid) {
    return sql("SELECT id FROM fliq.owners WHERE pid = $pid");
}


for my $round (1 .. Fliq::Faults::rounds()) {
    $faults->begin($seconds + 4);
    $faults->after(1, 2);

    my @workers = sandbox->workers;
    my $victim = $workers[rand @workers];
    my $owner = owner_of($victim);
    my $stopped = time;

    my $fault = $faults->fault("$round: a worker stopped", sub {
        ok(wait_until(sub { !owner_of($victim) }, $seconds),
           sprintf '%d: it is buried, %.1f s later', $round, time - $stopped);
        wait_until(sub { time >= $stopped + $seconds }, $seconds);
        kill CONT => $victim;
    }, $victim);

    ok(wait_until(sub { (owner_of($victim) // $owner) ne $owner }),
       "$round: it goes on as another owner");

    my $found = $faults->settle;
    $faults->is_clean($found, "$round: a stop");
    $faults->is_recovered($found, $fault);
    ok(Fliq::Ledger::latest($found) < 11, "$round: no job waits for longer");
    is_deeply([sort { $a <=> $b } sandbox->workers],
              [sort { $a <=> $b } @workers], "$round: the same workers");
}

finish();
