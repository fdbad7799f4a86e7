# PostgreSQL is restarted, dies and recovers, loses a backend and ends sessions
# all the time, at random times under load.  Meanwhile the API answers 503 at
# once, and workers cost next to nothing; afterwards all goes on by itself, and
# nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Outage;
use Fliq::Test;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);
my @workers = sandbox->workers;


# Stop the server, let some time go by, start it.
sub restart ($name, $signal) {
    return $outage->fault($name, sub {
        kill $signal => sandbox->{postgres_pid};
        ok(Fliq::Sandbox::await_end(sandbox->{postgres_pid}),
           "$name: PostgreSQL is gone");

        my $cpu = Fliq::Outage::cpu(\@workers, sub { $faults->after(2, 3) });
        ok($cpu < wide(5), sprintf '%s: a worker takes %.1f %% of a core',
           $name, $cpu);

        sandbox->again;
        return Fliq::Outage::ready_at();
    });
}


# A backend dies, and the server restarts all of them.
sub lose_backend ($name) {
    my @backends = sql("SELECT pid FROM pg_stat_activity
                         WHERE datname = 'fliq' AND pid <> pg_backend_pid()");

    return $outage->fault($name, sub {
        my $before = Fliq::Outage::ready_at();

        kill KILL => $backends[rand @backends];
        ok(wait_until(sub { Fliq::Outage::ready_at() > $before }),
           "$name: PostgreSQL has recovered");
        return Fliq::Outage::ready_at();
    });
}


sub end_sessions ($name, $seconds) {
    my $ended = 0;

    my $fault = $outage->fault($name, sub {
        my $end = time + $seconds;

        while (time < $end
               || $ended <= 10 * $seconds && time < $end + 30)
        {
            $ended += sql("SELECT count(pg_terminate_backend(pid))
                             FROM pg_stat_activity
                            WHERE datname = 'fliq'
                              AND pid <> pg_backend_pid()");
            sleep 0.1;
        }
    });

    ok($ended > 10 * $seconds, "$name: $ended of them");
    return $fault;
}


for my $round (1 .. Fliq::Faults::rounds()) {
    my @made;

    $faults->begin(15);
    $faults->after(1, 2);
    push @made, restart("$round: a fast restart", 'INT');
    $faults->after(2, 3);
    push @made, restart("$round: an immediate stop", 'QUIT');
    $faults->after(2, 3);
    push @made, lose_backend("$round: a dead backend");
    $faults->after(2, 3);
    push @made, end_sessions("$round: ended sessions", 3);

    my $found = $faults->settle;
    $faults->is_clean($found, "$round: an unsteady database");

    for my $fault (@made) {
        $outage->is_answered($fault, 2);
        $outage->is_back($found, $fault);
    }
}

is_deeply([sort { $a <=> $b } sandbox->workers],
          [sort { $a <=> $b } @workers], 'the same workers');

finish();
