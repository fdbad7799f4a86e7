package Fliq::Sink;

# A target that keeps every byte it is sent, and at which of its addresses.
#
#   my $sink = Fliq::Sink->start(addresses => ['127.0.0.1', '::1']);
#   create_job(url => $sink->url('/x'));
#   my ($request) = $sink->wait_for(1);
#
# A request is {conn, local, raw, line, headers, body}: raw is all of it,
# line its first line, headers the lines after that as they came, without
# their CR LF.

use v5.36;

use Errno qw(EAGAIN EINTR);
use File::Temp;
use IO::Socket::IP;
use POSIX qw(_exit);
use Socket qw(SOMAXCONN);
use Time::HiRes qw(sleep time);

use Fliq::Port qw(free_port);

use constant OK => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

my $owner = $$;
my @started;


# start(addresses => [TEXT...], port => N, answer => CODE): answer is called,
# in the sink's process, with the bytes of a request, and returns those of
# its answer.
sub start ($class, %opt) {
    my $port = $opt{port} // free_port();
    my @listen = map {
        IO::Socket::IP->new(
            LocalHost => $_, LocalPort => $port, Listen => SOMAXCONN,
            ReuseAddr => 1, V6Only => 1, Blocking => 0)
            // die "cannot listen at $_: $@\n";
    } @{ $opt{addresses} // ['127.0.0.1'] };

    my $file = File::Temp->new(TEMPLATE => 'fliq-sink-XXXXXX', TMPDIR => 1);
    pipe my $life_read, my $life_write or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        close $life_write;
        close $_->{life} for @started;
        eval {
            _serve($life_read, $file, $opt{answer} // sub { OK }, @listen);
        };
        warn "sink: $@" if $@;
        _exit(0);
    }

    my $self = bless {
        pid => $pid, port => $port, life => $life_write, file => $file,
    }, $class;

    push @started, $self;
    return $self;
}


sub port ($self) { return $self->{port} }


sub url ($self, $path = '/', $host = '127.0.0.1') {
    return "http://$host:$self->{port}$path";
}


# connections(): {id, local, bytes} of all so far, used or not.
sub connections ($self) {
    my $text = do {
        open my $in, '<:raw', $self->{file}->filename or die "sink: $!\n";
        local $/;
        <$in> // '';
    };
    my (%conn, $at);

    for ($at = 0; length($text) - $at >= 12; ) {
        my ($id, $n, $len) = unpack 'NNN', substr $text, $at, 12;
        last if length($text) - $at - 12 < $n + $len;

        my ($local, $bytes) = unpack "a$n a$len", substr $text, $at + 12;
        $conn{$id} //= { id => $id, local => $local, bytes => '' };
        $conn{$id}{bytes} .= $bytes;
        $at += 12 + $n + $len;
    }

    return map { $conn{$_} } sort { $a <=> $b } keys %conn;
}


# requests(): all that are whole.
sub requests ($self) {
    my @requests;

    for my $conn ($self->connections) {
        my $bytes = $conn->{bytes};

        while (my $size = _whole($bytes)) {
            my $raw = substr $bytes, 0, $size, '';
            my ($head, $body) = split /\r\n\r\n/, $raw, 2;
            my ($line, @headers) = split /\r\n/, $head;

            push @requests, { conn => $conn->{id}, local => $conn->{local},
                raw => $raw, line => $line, headers => \@headers,
                body => $body };
        }
    }

    return @requests;
}


# to(path): the requests for exactly this path.
sub to ($self, $path) {
    return grep { $_->{line} =~ /^\S+ \Q$path\E HTTP/ } $self->requests;
}


# wait_for(count, path, timeout): until so many have come, of one path or of
# all; they, or fewer when the time ran out.
sub wait_for ($self, $count, $path = undef, $timeout = 10) {
    my $end = time + $timeout;

    while (1) {
        my @found = defined $path ? $self->to($path) : $self->requests;

        return @found if @found >= $count || time >= $end;
        sleep 0.01;
    }
}


# The size of the request that the bytes begin with, 0 when it is not whole.
sub _whole ($bytes) {
    my $end = index $bytes, "\r\n\r\n";
    return 0 if $end < 0;

    my $head = substr $bytes, 0, $end + 2;
    my $size = $head =~ /^content-length:[ \t]*(\d+)/mi ? $1 : 0;

    return length $bytes < $end + 4 + $size ? 0 : $end + 4 + $size;
}


# --- the process


sub _serve ($life, $file, $answer, @listen) {
    my ($next, %conn) = (1);

    local $SIG{PIPE} = 'IGNORE';

    while (1) {
        my $bits = '';
        vec($bits, fileno $_, 1) = 1
            for $life, @listen, map { $_->{socket} } values %conn;

        select($bits, undef, undef, undef) > 0 or next;
        return if vec $bits, fileno $life, 1;

        for my $listen (grep { vec $bits, fileno $_, 1 } @listen) {
            my $socket = $listen->accept or next;
            my $local = $listen->sockhost;

            $conn{fileno $socket} = { id => $next, socket => $socket,
                                      local => $local, in => '' };
            _record($file, $next++, $local, '');
        }

        for my $fd (keys %conn) {
            next if !vec $bits, $fd, 1;
            delete $conn{$fd} if !_read($conn{$fd}, $file, $answer);
        }
    }
}


# Take what has come, and answer what is whole; false at the end.
sub _read ($conn, $file, $answer) {
    my $n = sysread $conn->{socket}, my $bytes, 65536;

    return !defined $n && ($! == EAGAIN || $! == EINTR) if !$n;

    _record($file, $conn->{id}, $conn->{local}, $bytes);
    $conn->{in} .= $bytes;
    $conn->{socket}->blocking(1);

    while (my $size = _whole($conn->{in})) {
        my $raw = substr $conn->{in}, 0, $size, '';
        syswrite $conn->{socket}, $answer->($raw);
    }

    return 1;
}


sub _record ($file, $id, $local, $bytes) {
    syswrite $file, pack('NNN', $id, length $local, length $bytes)
                    . $local . $bytes;
}


# stop(): end the process.
sub stop ($self) {
    my $pid = delete $self->{pid} or return;

    kill KILL => $pid;
    waitpid $pid, 0;
}


END {
    if ($$ == $owner) {
        local $?;
        $_->stop for @started;
    }
}


1;
