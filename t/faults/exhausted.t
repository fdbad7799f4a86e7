# Under load the database takes no more connections, and rows that everything
# wants stay locked: what cannot be done is refused in time, and all goes on by
# itself once there is room, or the lock is gone.  Nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Outage;
use Fliq::Test;
use IO::Socket::UNIX;

my $seconds = Fliq::Faults::rounds() > 1 ? 30 : 5;

# Few enough to take them all.
$ENV{FLIQ_PG_OPTS} .= ' -c max_connections=40';

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);
my ($host) = sandbox->{dsn} =~ /host=(\S+)/;
my @workers = sandbox->workers;


sub admin ($sql) {
    return sandbox->sql($sql, "host=$host dbname=fliq user=postgres");
}


# A session that does nothing, or undef if the server has no room for one.
sub session () {
    my $socket = IO::Socket::UNIX->new(Peer => "$host/.s.PGSQL.5432")
        // die "PostgreSQL is not there: $!\n";
    my $start = pack('N', 3 << 16) . "user\0fliq\0database\0fliq\0\0";

    $socket->syswrite(pack('N', 4 + length $start) . $start);

    # It is ready, or tells of an error.
    while (read $socket, my $head, 5) {
        my ($type, $length) = unpack 'a N', $head;

        return $type eq 'Z' ? $socket : undef if $type =~ /[EZ]/;
        read $socket, my $body, $length - 4;
    }

    return undef;
}


# Take every place that is free, and each that a worker loses.
sub take_all ($held) {
    while (my $session = session()) {
        push @$held, $session;
    }

    return !admin("SELECT count(pg_terminate_backend(pid))
                     FROM pg_stat_activity
                    WHERE usename = 'fliq' AND application_name <> ''");
}


sub no_connections ($name) {
    return $outage->fault($name, sub {
        my @held;

        ok(wait_until(sub { take_all(\@held) }, 40),
           "$name: " . @held . ' sessions are all');
        ok(wait_until(sub { api('GET', '/jobs')->{status} == 503 }),
           "$name: 503");
        my $cpu = Fliq::Outage::cpu(\@workers, sub { $faults->after(2, 3) });
        ok($cpu < wide(10), sprintf '%s: a worker takes %.1f %% of a core',
           $name, $cpu);

        $_->close for @held;
        return time;
    });
}


# What was due under one lock must not wait for the next one.
sub lock_rows ($name, $statement) {
    ok(wait_until(sub {
        !sql("SELECT count(*) FROM fliq.due
               WHERE due_at < now() - interval '1 s'")
    }, 30), "$name: nothing is overdue before");

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
        "SELECT id FROM fliq.jobs WHERE status = 'waiting'
            FOR UPDATE SKIP LOCKED");

    my $found = $faults->settle(60);
    $faults->is_clean($found, "$round: want");

    for my $fault (@made) {
        $outage->is_answered($fault, 6);
        # what waited for half a minute takes a moment to be sent
        $outage->is_back($found, $fault, $seconds > 10 ? 10 : 5);
    }
}

is_deeply([sort { $a <=> $b } sandbox->workers],
          [sort { $a <=> $b } @workers], 'the same workers');

finish();
