# While the database is slow to tell whose a token is, requests wait for one
# lookup together; those that come late to it wait for another, those whose
# client leaves are forgotten, and every other one is answered.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);


# start(token): a request under way.
sub start ($token) {
    my ($port) = sandbox->{url} =~ /:(\d+)\z/;
    my $socket = IO::Socket::INET->new("127.0.0.1:$port") or die $!;

    print $socket request_bytes('GET', '/jobs?limit=1', '',
        { Authorization => "Bearer $token", Connection => 'close' });

    return $socket;
}


# status(socket): that of the answer, or nothing within five seconds.
sub status ($socket) {
    my $line = eval {
        local $SIG{ALRM} = sub { die };
        alarm 5;
        <$socket>;
    };
    alarm 0;

    return ($line // '') =~ m{^HTTP/1.1 (\d+)} ? $1 : 'nothing';
}


my $token = sandbox->fliqctl('token', 'create', '--account',
                             sandbox->{account})->{token};

my $lock = fork // die "fork: $!";
if (!$lock) {
    sql("BEGIN; LOCK TABLE fliq.tokens IN ACCESS EXCLUSIVE MODE;
         SELECT pg_sleep(2.5); COMMIT");
    POSIX::_exit(0);
}

wait_until(sub {
    sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'
          AND relation = 'fliq.tokens'::regclass AND granted") > 0
});

my @early = map { start($token) } 1 .. 10;
sleep 1.5;
my @late = map { start($token) } 1 .. 10;
my @unknown = start($token =~ s/.\z/!/r);

close $_ for splice(@early, 0, 5), splice(@late, 0, 5);

is(join(' ', map { status($_) } @unknown), 401, 'garbage waits for nothing');
is(join(' ', map { status($_) } @early), '200 ' x 4 . 200, 'those that wait');
is(join(' ', map { status($_) } @late), '200 ' x 4 . 200, 'and late ones');

waitpid $lock, 0;
is(status(start($token)), 200, 'and those that come after it');

finish();
