package Fliq::Port;

# Ports of 127.0.0.1 that no two tests share, however many run side by side.
#
# They lie below the range that the kernel takes client ports from, so that
# no outgoing connection sits on one while its server restarts; and a lock is
# held on each for as long as this process lives.

use v5.36;

use Exporter qw(import);
use Fcntl qw(:flock O_CREAT O_RDWR);
use IO::Socket::INET;

our @EXPORT_OK = qw(free_port);

my $first = 10_000;
my $count = 22_000;

my @held;


# free_port(): a port to listen on.
sub free_port () {
    my $dir = "/tmp/fliq-ports-$<";
    mkdir $dir, 0700;

    for (1 .. 1000) {
        my $port = $first + int rand $count;

        sysopen my $lock, "$dir/$port", O_CREAT | O_RDWR, 0600
            or die "cannot lock a port in $dir: $!\n";

        next if !flock $lock, LOCK_EX | LOCK_NB;
        next if !_unused($port);

        push @held, $lock;
        return $port;
    }

    die "no free port\n";
}


sub _unused ($port) {
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1,
        ReuseAddr => 1);

    return defined $socket;
}


1;
