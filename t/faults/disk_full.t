# PostgreSQL's volume is full for some seconds, at a random time under load:
# first its tables cannot grow, then its log of writes, for which it ends
# itself.  What cannot be written is answered 503 in time and never 201, and
# when there is room again all goes on by itself, or once PostgreSQL has been
# started.  Nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Namespace;
use Fliq::Outage;
use Fliq::Test;
use List::Util qw(max);

use constant MEGABYTE => "\0" x 1_048_576;

my $dir = Fliq::Namespace->enter(setup => sub ($dir) {
    return ("mkdir $dir/volume",
            "mount -t tmpfs -o size=512m,mode=755 none $dir/volume");
});

# A log that leaves room for the tables.
$ENV{FLIQ_PG_OPTS} .= ' -c max_wal_size=128MB';

sandbox(workers => 2, http_conf => Fliq::Faults::CONF,
        state => "$dir/volume/state");

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);
my @workers = sandbox->workers;


# Take all the room that there is, again as often as some comes free.
sub fill () {
    open my $file, '>>', "$dir/volume/full" or die "full: $!\n";

    for my $bytes (MEGABYTE, "\0" x 4096) {
        1 while syswrite $file, $bytes;
    }
}


sub make_room () {
    unlink "$dir/volume/full" or die "full: $!\n";
}


sub log_lines ($regex) {
    my $path = sandbox->{dir} . '/logs/postgres.log';
    return scalar grep { /$regex/ } split /\n/, Fliq::Sandbox::slurp($path);
}


# Keep it full for so long, and see that nginx is well.
sub stay_full ($name, $seconds, $while = sub { }) {
    my $end = time + $seconds;
    my ($asked, @bad) = (0);

    while (time < $end) {
        my $answer = api('GET', '/health');

        $asked++;
        push @bad, $answer->{status}
            if $answer->{status} != 200 || $answer->{seconds} > 1;
        fill();
        $while->();
        sleep 0.05;
    }

    is("@bad", '', "$name: $asked times /health");
}


sub full_tables ($name) {
    my $line = qr/ERROR:  could not extend file .* No space left on device/;
    my $before = log_lines($line);

    return $outage->fault($name, sub {
        my $cpu = Fliq::Outage::cpu(\@workers, sub {
            stay_full($name, 3 + rand 2);
        });

        make_room();
        my $back = time;
        my $failed = log_lines($line) - $before;

        ok($cpu < wide(25), sprintf '%s: a worker takes %.1f %% of a core',
           $name, $cpu);
        ok($failed > 5, "$name: $failed times no table could grow");
        return $back;
    });
}


# The log goes on in a new file again and again, until there is no room for
# one.
sub full_log ($name) {
    my ($server, $ready) = (sandbox->{postgres_pid},
                            Fliq::Outage::ready_at());
    my $line = qr/PANIC:  .* No space left on device/;
    my $before = log_lines($line);

    return $outage->fault($name, sub {
        ok(wait_until(sub {
            fill();
            next_log();
            return log_lines($line) > $before;
        }, 20), "$name: PostgreSQL gives up");

        stay_full($name, 2 + rand 2);
        make_room();
        my $room = time;

        # It tries once by itself, which may have been too early.
        my $gone = Fliq::Sandbox::await_end($server, 1);
        diag("$name: PostgreSQL ", $gone ? 'was started' : 'came back');

        sandbox->again if $gone;
        ok(wait_until(sub { Fliq::Outage::ready_at() > $ready }),
           "$name: PostgreSQL is back");

        # When it came back before there was room, nothing could be written.
        return max($room, Fliq::Outage::ready_at());
    });
}


sub next_log () {
    my ($host) = sandbox->{dsn} =~ /host=(\S+)/;

    system "psql -XqAt -d 'host=$host dbname=fliq user=postgres' \\
                 -c 'SELECT pg_switch_wal()' > $dir/psql 2>&1";
}


for my $round (1 .. Fliq::Faults::rounds()) {
    my @made;

    $faults->begin(14);
    $faults->after(1, 2);
    push @made, full_tables("$round: full tables");
    $faults->after(1, 2);
    push @made, full_log("$round: a full log");

    my $found = $faults->settle;
    $faults->is_clean($found, "$round: a full disk");

    for my $fault (@made) {
        my $statuses = $outage->is_answered($fault, 5);

        # later on tables may have room that vacuum has found in them
        ok(($statuses->{503} // 0) > 0, "$fault->{name}: there were 503s")
            if $round == 1 || $fault == $made[1];
        $outage->is_back($found, $fault);
    }

    # No session ended: what it had claimed remained its own.
    is(Fliq::Ledger::repeated($found, $made[0]{name}), 0,
       "$made[0]{name}: nothing is fired twice");
}

is_deeply([sort { $a <=> $b } sandbox->workers],
          [sort { $a <=> $b } @workers], 'the same workers');

finish(qr/No space left on device/);
