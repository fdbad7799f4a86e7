package Fliq::Wire;

# PostgreSQL on another machine: it runs in a network namespace beside the
# test's own, and wires lead there, each of which can be cut.
#
#   Fliq::Wire->enter;                      # at first
#   sandbox(...);                           # its PostgreSQL is over there
#   my $wire = Fliq::Wire->lay(sandbox);
#   my $node = Fliq::Node->start(sandbox, dsn => $wire->dsn);
#   $wire->cut;
#   $wire->mend;
#
# On a wire that is cut all is sent and nothing arrives, either way, and nobody
# is told.  Both ends send to a hardware address that is nobody's, so that each
# drops the other's frames where it would drop a stranger's: what sends sees
# success, there is no ICMP and no RST, and TCP, on connections old and new, is
# left to its timers.  (A link that is down, or an ARP that is not answered,
# ends a connect() with EHOSTUNREACH; netem and nftables are modules that a
# kernel need not have.)
#
# A wire is a pair of veth.  Files are shared: {dsn} of the sandbox, its Unix
# socket, is there while all wires are cut.

use v5.36;

use Fliq::Namespace;

use constant NOBODY => '02:00:00:00:ff:ff';

my ($dir, $count);


# enter(): run the test from its start in namespaces of its own.
sub enter ($class) {
    $dir = Fliq::Namespace->enter;

    _run("touch $dir/far && unshare --net=$dir/far ip link set lo up");
    $ENV{FLIQ_PG_UNDER} = "nsenter --net=$dir/far";
    $ENV{FLIQ_PG_OPTS} = join ' ', grep { defined } $ENV{FLIQ_PG_OPTS},
                                   '-c listen_addresses=*';
}


# lay(sandbox): another wire to its PostgreSQL.
sub lay ($class, $sandbox) {
    my $n = ++$count;
    my $self = bless { ends => [map { {
        device => "$_->[0]$n", address => "10.77.$n.$_->[1]",
        mac => sprintf('02:00:00:00:%02x:%02x', $n, $_->[1]),
        run => $_->[2],
    } } ['near', 1, ''], ['far', 2, "nsenter --net=$dir/far "]] }, $class;
    my ($near, $far) = @{ $self->{ends} };

    _run("ip link add $near->{device} address $near->{mac} type veth"
         . " peer name $far->{device} address $far->{mac} netns $dir/far");

    for my $end ($near, $far) {
        _run("$end->{run}ip addr add $end->{address}/30 dev $end->{device}",
             "$end->{run}ip link set $end->{device} up");
    }

    $self->mend;
    _admit($sandbox);

    return $self;
}


# Over a wire anybody may come, as over the sandbox's socket.
sub _admit ($sandbox) {
    my ($host) = $sandbox->{dsn} =~ /host=(\S+)/;
    my $hba = "$host/data/pg_hba.conf";

    open my $file, '>>', $hba or die "$hba: $!\n";
    print {$file} "host fliq fliq 10.77.0.0/16 trust\n";
    close $file;
    $sandbox->sql('SELECT pg_reload_conf()',
                  "host=$host dbname=postgres user=postgres");
}


sub dsn ($self) {
    return "host=$self->{ends}[1]{address} port=5432 dbname=fliq user=fliq";
}


sub cut ($self) {
    $self->_point(NOBODY, NOBODY);
}


sub mend ($self) {
    $self->_point(map { $_->{mac} } @{ $self->{ends} });
}


# Which hardware address either end's frames go to the near and the far one by.
sub _point ($self, $near_mac, $far_mac) {
    my ($near, $far) = @{ $self->{ends} };

    _run("$near->{run}ip neigh replace $far->{address} lladdr $far_mac"
         . " dev $near->{device} nud permanent",
         "$far->{run}ip neigh replace $near->{address} lladdr $near_mac"
         . " dev $far->{device} nud permanent");
}


sub _run (@commands) {
    for my $command (@commands) {
        system($command) == 0 or die "$command failed\n";
    }
}


1;
