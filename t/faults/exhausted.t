# Under load the database takes no more connections, and rows that everything
# wants stay locked: what cannot be done is refused in time, and all goes on by
# itself once there is room, or the lock is gone.  Nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Outage;
use Fliq::Test;

my $seconds = 5;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);
my ($host) = sandbox->{dsn} =~ /host=(\S+)/;
my @workers = sandbox->workers;


sub admin ($sql) {
    return sandbox->sql($sql, "host=$host dbname=fliq user=postgres");
}


# A role that has reached its limit is told what a full server tells.
sub no_connections ($name) {
    return $outage->fault($name, sub {
        admin('ALTER ROLE fliq CONNECTION LIMIT 0');
        admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE usename = 'fliq'");

        ok(wait_until(sub { api('GET', '/jobs')->{status} == 503 }),
           "$name: 503");
        my $cpu = Fliq::Outage::cpu(\@workers, sub { $faults->after(2, 3) });
        ok($cpu < 10, sprintf '%s: a worker takes %.1f %% of a core', $name,
                              $cpu);

        admin('ALTER ROLE fliq CONNECTION LIMIT -1');
        return time;
    });
}


sub lock_rows ($name, $statement) {
    return $outage->fault($name, sub {
        my $held = sandbox->hold($statement);

        $faults->after($seconds, $seconds + 1);
        is_status(api('GET', '/health'), 200, "$name: /health");
        Fliq::Sandbox::release($held);
        return time;
    });
}


for my $round (1 .. Fliq::Faults::rounds()) {
    my @made;

    $faults->begin(3 * $seconds + 6);
    $faults->after(1, 2);
    push @made, no_connections("$round: no connection");
    $faults->after(1, 2);
    push @made, lock_rows("$round: locked accounts",
                          'SELECT id FROM fliq.accounts FOR UPDATE');
    $faults->after(1, 2);
    push @made, lock_rows("$round: locked owners",
                          'SELECT id FROM fliq.owners FOR UPDATE');
    $faults->after(1, 2);
    push @made, lock_rows("$round: locked jobs",
        "SELECT id FROM fliq.jobs WHERE status = 'waiting' FOR UPDATE");

    my $found = $faults->settle(60);
    $faults->is_clean($found, "$round: want");

    for my $fault (@made) {
        $outage->is_answered($fault, 6);
        $outage->is_back($found, $fault, 5);
    }
}

is_deeply([sort { $a <=> $b } sandbox->workers],
          [sort { $a <=> $b } @workers], 'the same workers');

finish();
