# Clients that leave before their answer: what they have asked for is done or
# not, but never half, nothing is leaked, and others are served as before.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use Socket qw(SOL_SOCKET SO_LINGER);

sandbox(workers => 1);

my ($worker) = sandbox->workers;
my %far = (url => 'http://127.0.0.1:9/',
           scheduled_at => '2099-01-01T00:00:00Z');


sub connected () {
    return IO::Socket::INET->new('127.0.0.1:' . sandbox->{port})
           // die "connect: $!\n";
}


# leave(socket, how): FIN or RST.
sub leave ($socket, $how) {
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if $how eq 'RST';
    close $socket;
}


sub descriptors () {
    return scalar(() = glob "/proc/$worker/fd/*");
}


is(api('POST', '/jobs', \%far)->{status}, 201, 'a job');
my $files = descriptors();


for my $how (qw(FIN RST)) {

    # In the middle of a body.
    my $bytes = request_bytes('POST', '/jobs', { %far, body => 'half' });
    my @half = map { my $s = connected(); syswrite $s, substr $bytes, 0, -5;
                     $s } 1 .. 50;
    leave($_, $how) for @half;
    @half = ();

    # While the database writes.
    my $lock = sandbox->hold(
        'LOCK TABLE fliq.jobs IN SHARE ROW EXCLUSIVE MODE');
    my @sent = map {
        my $s = connected();
        syswrite $s, request_bytes('POST', '/jobs',
                                   { %far, body => "$how $_" });
        $s;
    } 1 .. 50;
    my @reads = map {
        my $s = connected();
        syswrite $s, request_bytes('GET', '/jobs');
        $s;
    } 1 .. 50;

    ok(wait_until(sub {
        sql("SELECT count(*) FROM pg_stat_activity
              WHERE wait_event_type = 'Lock'") > 0
    }), "$how: the database is waited for");

    leave($_, $how) for @sent, @reads;
    @sent = @reads = ();
    is(api('GET', '/health')->{status}, 200, "$how: others are served");

    Fliq::Sandbox::release($lock);
    is(api('POST', '/jobs', \%far)->{status}, 201, "$how: and create");
    is(sql("SELECT count(*) FROM fliq.jobs WHERE body = 'half'"), 0,
       "$how: half a request creates nothing");

    my $written = sql("SELECT count(*) FROM fliq.jobs
                        WHERE convert_from(body, 'UTF8') LIKE '$how %'");
    ok($written <= 50, "$how: whole ones may have: $written");
    ok(wait_until(sub { descriptors() <= $files + 1 }),
       "$how: no descriptor is left");
}

is((sandbox->workers)[0], $worker, 'the worker is the same');
is(sql('SELECT count(*) - count(DISTINCT id) FROM fliq.jobs'), 0,
   'no job is there twice');

finish();
