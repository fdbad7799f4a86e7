# The network between one of two nodes and PostgreSQL drops all packets, at a
# random time under load that both share: within 10 seconds the other node
# fires what the lost one held, though the server has its sessions still, and
# does all that falls due.  When packets pass again, what the lost one brings
# is too late and changes nothing, and it goes on by itself.  Nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Outage;
use Fliq::Test;
use Fliq::Wire;

Fliq::Wire->enter;

my $seconds = Fliq::Faults::rounds() > 1 ? 20 : 12;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);
my $wire = Fliq::Wire->lay(sandbox);
my $node = Fliq::Node->start(sandbox, workers => 2, dsn => $wire->dsn);
my @victims;

ok(wait_until(sub { (@victims = $node->workers) == 2 && owners() == 2 }),
   'two nodes');
$faults->share({}, { port => $node->{port} });


# The identities of the lost node's workers.
sub owners () {
    my @ids = sql('SELECT id FROM fliq.owners
                    WHERE pid IN (' . join(', ', @victims) . ')');
    return @ids;
}


# How much has been recorded under these.
sub recorded (@owners) {
    my $owners = join ', ', map { "'$_'" } @owners;
    return sql("SELECT count(*) FROM fliq.executions
                 WHERE owner_id IN ($owners)");
}


# What the other node's clients asked meanwhile and were refused.
sub refused ($fault) {
    return grep { $_->{begun} >= $fault->{begun}
                  && $_->{begun} < $fault->{ended}
                  && ($_->{status} == 0 || $_->{status} >= 500) }
           map { $faults->{orders}{$_} }
           grep { /^\d+-0-/ } keys %{ $faults->{orders} };
}


for my $round (1 .. Fliq::Faults::rounds()) {
    my $name = "$round: a node cut off";
    my @before = owners();
    my ($held, $told);

    $faults->begin($seconds + 4);
    $faults->after(1, 2);

    my $fault = $outage->fault($name, sub {
        my $begun = time;

        $wire->cut;
        $held = Fliq::Faults::held(@victims);
        $told = recorded(@before);

        ok(wait_until(sub { !owners() }, $seconds - 1), "$name: it is buried");
        my $took = time - $begun;
        ok($took < 10, sprintf '%s: %.2f s later', $name, $took);

        wait_until(sub { time >= $begun + $seconds }, $seconds);
        $wire->mend;
        return time;
    });

    ok(wait_until(sub { owners() == 2 }), "$name: it is back");
    my $back = time - $fault->{ended};
    ok($back < 5, sprintf '%s: %.2f s later', $name, $back);

    my @after = owners();
    ok(wait_until(sub { recorded(@after) > 0 }), "$name: and fires jobs");

    my $found = $faults->settle(60);
    my $again = Fliq::Ledger::repeated($found, $name);
    my ($job, $item) = map { Fliq::Ledger::slowest($found, $_, $name) }
                           qw(job item);
    my $due = Fliq::Ledger::awaited($found, $fault);

    diag(sprintf '%s: %d again of %d, jobs %.2f s after the cut, items %.2f s;'
                 . ' what fell due %.2f s after it, the latest by %.2f s',
         $name, $again, $held, $job, $item, $due,
         Fliq::Ledger::latest($found));

    $faults->is_clean($found, $name);
    $outage->is_answered($fault, 5);
    is(scalar refused($fault), 0, "$name: the other one refuses nothing");
    ok($again > 0 || $held < 5, "$name: the other one fires what it held");
    ok($again <= $held, "$name: and no more");
    ok($job < 10, "$name: jobs within 10 s");
    ok($item < 11, "$name: and items");
    ok(Fliq::Ledger::latest($found) < 10, "$name: no job waits for longer");
    is(recorded(@before), $told, "$name: what it brings changes nothing");
}

is_deeply([sort { $a <=> $b } $node->workers],
          [sort { $a <=> $b } @victims], 'the same workers');

finish();
