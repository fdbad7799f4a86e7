package Fliq::Target;

# A server for jobs to be fired at: a process of its own that records every
# request and behaves as the path says (see Fliq::Target::Server).
#
#   my $target = Fliq::Target->start;
#   create_job(url => $target->url('/slow/500'));
#   my ($request) = $target->wait_for(1);
#
# A request is {time, conn, method, path, version, headers, header, body,
# answered, status}: time is CLOCK_REALTIME when its head was complete, headers
# the list of [name, value] as they came, header a hash of them by lower-case
# name.  answered and status tell when it was given which answer (0: a reset),
# if it was given a whole one.

use v5.36;

use File::Temp;
use IO::Socket::INET;
use List::Util qw(max);
use POSIX qw(_exit);
use Socket qw(SOMAXCONN);
use Time::HiRes qw(sleep time);

use Fliq::Target::Server;


my @started;
my $owner = $$;


# start(refuse => 0|1): start a target on a free port of 127.0.0.1; one that
# resets each connection before it reads from it.
sub start ($class, %opt) {
    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', Listen => SOMAXCONN, Proto => 'tcp',
        Blocking => 0)
        or die "cannot listen: $!\n";

    my $file = File::Temp->new(TEMPLATE => 'fliq-target-XXXXXX',
                               TMPDIR => 1);
    pipe my $life_read, my $life_write or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        close $life_write;
        $_->_forget for @started;
        eval { Fliq::Target::Server->run($listen, $file, $life_read,
                                         $opt{refuse}); 1 }
            or warn "target: $@";
        _exit(1);
    }

    my $self = bless {
        pid => $pid, port => $listen->sockport, life => $life_write,
        file => $file, offset => 0, buffer => '', requests => [],
        closes => {}, last => {},
    }, $class;

    push @started, $self;
    return $self;
}


# url(path): the URL of a path; every target has its own port.
sub url ($self, $path = '/ok') {
    return "http://127.0.0.1:$self->{port}$path";
}


sub port ($self) { return $self->{port} }
sub pid ($self) { return $self->{pid} }


# requests(): all requests so far, in the order of their arrival.
sub requests ($self) {
    $self->_read;
    return @{ $self->{requests} };
}


# matching(regex): the requests whose path matches.
sub matching ($self, $regex) {
    return grep { $_->{path} =~ $regex } $self->requests;
}


# to(path): the requests to exactly this path.
sub to ($self, $path) {
    return grep { $_->{path} eq $path } $self->requests;
}


# by_path(): hash of path to the array of its requests.
sub by_path ($self) {
    my %by;

    push @{ $by{$_->{path}} }, $_ for $self->requests;
    return \%by;
}


# sent(request): the bytes that had been sent on its connection when that
# was closed; undef as long as it is open.
sub sent ($self, $request) {
    $self->_read;
    return ($self->{closes}{$request->{conn}} // [])->[0];
}


# closed(request): when its connection was closed; undef while it is open.
sub closed ($self, $request) {
    $self->_read;
    return ($self->{closes}{$request->{conn}} // [])->[1];
}


# wait_for(count, path, timeout): wait until that many requests, of one path
# or of all, have arrived; return them, or fewer when the time ran out.
sub wait_for ($self, $count, $path = undef, $timeout = 10) {
    my $end = time + $timeout;

    while (1) {
        my @found = defined $path ? $self->to($path) : $self->requests;

        return @found if @found >= $count || time >= $end;
        sleep 0.005;
    }
}


# stop(): end the process.
sub stop ($self) {
    my $pid = delete $self->{pid} or return;

    close $self->{life};
    kill KILL => $pid;
    waitpid $pid, 0;
}


sub _forget ($self) {
    close $self->{life};
}


# Take in what the server has written since the last time.
sub _read ($self) {
    open my $in, '<:raw', $self->{file}->filename or die "target: $!\n";
    seek $in, $self->{offset}, 0;

    while (my $n = read $in, my $bytes, 1 << 20) {
        $self->{offset} += $n;
        $self->{buffer} .= $bytes;
    }

    close $in;
    $self->_parse;
}


sub _parse ($self) {
    my $at = 0;
    my $buffer = \$self->{buffer};

    while (length($$buffer) - $at >= Fliq::Target::Server::RECORD) {
        my ($type, $usec, $conn, $head, $body)
            = unpack 'a1 x7 q> q> q> q>', substr $$buffer, $at,
                     Fliq::Target::Server::RECORD;

        if ($type eq 'C') {
            $self->{closes}{$conn} = [$head, $usec / 1e6];
            $at += Fliq::Target::Server::RECORD;
            next;
        }

        if ($type eq 'A') {
            @{ $self->{last}{$conn} }{qw(status answered)}
                = ($head, $usec / 1e6);
            $at += Fliq::Target::Server::RECORD;
            next;
        }

        my $size = Fliq::Target::Server::RECORD + $head + $body;
        last if length($$buffer) - $at < $size;

        my $text = substr $$buffer, $at + Fliq::Target::Server::RECORD,
                          $head;
        push @{ $self->{requests} }, $self->{last}{$conn} = {
            time => $usec / 1e6, usec => $usec, conn => $conn,
            _head($text), body => substr $$buffer, $at + $size - $body, $body
        };
        $at += $size;
    }

    substr $$buffer, 0, $at, '';
}


sub _head ($text) {
    my ($line, @lines) = split /\r\n/, $text;
    my ($method, $path, $version) = split / /, $line;
    my @headers = map { [split /:[ \t]*/, $_, 2] } @lines;
    my %header = map { (lc $_->[0], $_->[1]) } @headers;

    return (method => $method, path => $path, version => $version,
            headers => \@headers, header => \%header);
}


END {
    if ($$ == $owner) {
        local $?;
        $_->stop for @started;
    }
}


1;
