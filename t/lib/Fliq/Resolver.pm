package Fliq::Resolver;

# A name server that says what a test wants, in a machine of its own (see
# Fliq::Namespace), where any address can be ours, a public one, too.
#
#   Fliq::Resolver->enter(addresses => ['93.184.216.34/32']);  # at first
#   my $dns = Fliq::Resolver->start(sub ($name, $type, $n) {
#       return $type eq 'A' ? [$n ? '127.0.0.1' : '93.184.216.34'] : [];
#   });
#
# What the function returns for the n-th question (from 0) of a name and type
# ("A", "AAAA" or a number) is the answer: an array of addresses and of names,
# which are aliases; undef for none, "NXDOMAIN" or "SERVFAIL", or a reference
# to the bytes to send, in which "ID" at the start is the question's.

use v5.36;

use Errno qw(EINTR);
use File::Temp;
use IO::Socket::IP;
use POSIX qw(_exit);
use Socket qw(AF_INET AF_INET6 inet_pton);

use Fliq::Namespace;

use constant ADDRESS => '127.0.0.53';

my $owner = $$;
my @started;


# enter(addresses => [TEXT...], files => CODE): as that of Fliq::Namespace, but
# names are asked of us alone.
sub enter ($class, %opt) {
    return Fliq::Namespace->enter(%opt, files => sub ($dir) {
        Fliq::Namespace::write_file("$dir/resolv.conf",
            'nameserver ' . ADDRESS . "\noptions timeout:1 attempts:2\n");
        Fliq::Namespace::write_file("$dir/nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: dns\n");

        return ('/etc/resolv.conf' => "$dir/resolv.conf",
                '/etc/nsswitch.conf' => "$dir/nsswitch.conf",
                $opt{files} ? $opt{files}->($dir) : ());
    });
}


# start(answer): serve.
sub start ($class, $answer) {
    my $socket = IO::Socket::IP->new(
        LocalHost => ADDRESS, LocalPort => 53, Proto => 'udp')
        // die "cannot be a name server: $@\n";
    my $file = File::Temp->new(TEMPLATE => 'fliq-dns-XXXXXX', TMPDIR => 1);
    pipe my $life_read, my $life_write or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        close $life_write;
        eval { _serve($life_read, $socket, $file, $answer) };
        warn "resolver: $@" if $@;
        _exit(0);
    }

    my $self = bless { pid => $pid, life => $life_write, file => $file },
                     $class;
    push @started, $self;
    return $self;
}


# asked(name, type): how often it was.
sub asked ($self, $name, $type) {
    open my $in, '<', $self->{file}->filename or die "resolver: $!\n";
    return scalar grep { $_ eq "$name $type\n" } <$in>;
}


sub stop ($self) {
    my $pid = delete $self->{pid} or return;

    kill KILL => $pid;
    waitpid $pid, 0;
}


# --- the process


sub _serve ($life, $socket, $file, $answer) {
    my %count;

    while (1) {
        my $bits = '';
        vec($bits, fileno $_, 1) = 1 for $life, $socket;

        select($bits, undef, undef, undef) > 0 or next;
        return if vec $bits, fileno $life, 1;

        defined $socket->recv(my $query, 4096) or next;
        my ($name, $type, $question) = _question($query) or next;

        syswrite $file, "$name $type\n";
        my $reply = _reply($query, $question,
            $answer->($name, $type, $count{$name}{$type}++ // 0));
        $socket->send($reply) if defined $reply;
    }
}


# The lower-case name, the type and the bytes of a query's question.
sub _question ($query) {
    my ($at, @labels) = (12);

    while (my $len = unpack 'C', substr $query, $at, 1) {
        push @labels, lc substr $query, $at + 1, $len;
        $at += 1 + $len;
    }

    my $type = unpack 'n', substr $query, $at + 1, 2;

    return (join('.', @labels), { 1 => 'A', 28 => 'AAAA' }->{$type} // $type,
            substr $query, 12, $at + 5 - 12);
}


sub _reply ($query, $question, $what) {
    return undef if !defined $what;
    return $$what =~ s/^ID/substr $query, 0, 2/er if ref $what eq 'SCALAR';

    my %code = (SERVFAIL => 2, NXDOMAIN => 3);
    my @records = ref $what ? _records(@$what) : ();

    return substr($query, 0, 2)
        . pack('n5', 0x8180 | (ref $what ? 0 : $code{$what}), 1,
               scalar @records, 0, 0)
        . join '', $question, @records;
}


# Each record is of the question's name, or of the alias before it.
sub _records (@what) {
    my $of = pack 'n', 0xc00c;
    my @records;

    for my $text (@what) {
        my $data = inet_pton(AF_INET, $text) // inet_pton(AF_INET6, $text);
        my $type = !defined $data ? 5 : length $data == 4 ? 1 : 28;
        $data //= join '', map { pack 'C/a', $_ } split(/\./, $text), '';

        push @records, $of . pack 'n n N n/a', $type, 1, 0, $data;
        $of = $data if $type == 5;
    }

    return @records;
}


END {
    if ($$ == $owner) {
        local $?;
        $_->stop for @started;
    }
}


1;
