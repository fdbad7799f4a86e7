package Fliq::Load;

# Many HTTP clients at once, in one process and one select() loop.
#
#   my $load = Fliq::Load->new(port => 8080, clients => 64);
#   my @answers = $load->run(@requests);          # in the requests' order
#
# A request is its bytes, or {bytes, note}; an answer is {status, head, body,
# begun, seconds}, or {status => 0, error, sent} when the server did not
# answer: sent tells whether it can have seen any of it.  The answer has the
# request's note.  On a connection that was kept alive the server may have
# hung up before it saw the request: then, as any client would, the request is
# sent once more on a new one, and its answer has resent.

use v5.36;

use Errno qw(EAGAIN ECONNREFUSED EINPROGRESS EINTR);
use File::Temp;
use List::Util qw(min);
use POSIX qw(_exit);
use Socket qw(IPPROTO_TCP TCP_NODELAY inet_aton pack_sockaddr_in
              AF_INET SOCK_STREAM);
use Storable qw(nstore retrieve);
use Time::HiRes qw(time);

use constant PATIENCE => 30;


# new(port => N, clients => N, keepalive => 0|1)
sub new ($class, %opt) {
    return bless {
        clients => 64, keepalive => 1, readers => '', writers => '',
        address => pack_sockaddr_in($opt{port}, inet_aton('127.0.0.1')),
        %opt,
    }, $class;
}


# request(method, path, headers, body): the bytes of a request.
sub request ($method, $path, $headers, $body = '') {
    my $head = "$method $path HTTP/1.1\r\nHost: localhost\r\n";

    $head .= "$_: $headers->{$_}\r\n" for sort keys %$headers;
    $head .= 'Content-Length: ' . length($body) . "\r\n"
        if length $body || $method ne 'GET';

    return "$head\r\n$body";
}


# run(requests): send them all, as fast as the clients can.
sub run ($self, @requests) {
    my $next = 0;

    return $self->each(sub {
        return $next < @requests ? $requests[$next++] : undef;
    });
}


# each(source, told): send what source->() returns until it returns undef;
# return the answers in the order of the requests.  A source that has nothing
# now returns a reference to the seconds after which it wants to be asked
# again.  told, if given, is called with each answer when it comes.  The
# connections stay open for the next call.
sub each ($self, $source, $told = undef) {
    local $SIG{PIPE} = 'IGNORE';

    @$self{qw(source told answers waiting open)} = ($source, $told, [], [], 0);

    $self->{all} //= [map { {} } 1 .. $self->{clients}];
    $self->_next($_) for @{ $self->{all} };
    $self->_turn while $self->{open} > 0 || @{ $self->{waiting} };

    return @{ $self->{answers} };
}


# background(source, told): the same in a process of its own, until source
# ends or halt() is called.  Returns a handle for that.
sub background ($self, $source, $told = undef) {
    my $file = File::Temp->new(TEMPLATE => 'fliq-load-XXXXXX', TMPDIR => 1);
    my $parent = $$;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        my $stop = 0;
        local $SIG{USR1} = sub { $stop = 1 };

        # Nobody asks for more when the test has died.
        my $more = sub {
            return $stop || getppid != $parent ? undef : $source->();
        };

        eval {
            nstore([$self->each($more, $told)], $file->filename);
            _exit(0);
        };
        warn "load: $@";
        _exit(1);
    }

    return { pid => $pid, file => $file };
}


# halt(handle): no more requests; return the answers to those that were sent.
sub halt ($handle) {
    kill USR1 => $handle->{pid};
    return finish($handle);
}


# finish(handle): wait until the source has ended; return the answers.
sub finish ($handle) {
    waitpid $handle->{pid}, 0;
    die "the load's process failed\n" if $? != 0;

    return @{ retrieve $handle->{file}->filename };
}


# --- one client: {socket, fd, out, in, index, bytes, note, sent,
# resent, used}


# Begin the client's next request.
sub _next ($self, $client) {
    my $request = $self->{source}->();

    return $self->_wait($client, $$request) if ref $request eq 'SCALAR';
    return $self->_rest($client) if !defined $request;

    $self->{open}++;
    @$client{qw(bytes note)} = ref $request ? @$request{qw(bytes note)}
                                            : ($request);
    @$client{qw(sent resent)} = (0, 0);
    $client->{index} = @{ $self->{answers} };
    $client->{begun} = time;
    push @{ $self->{answers} }, undef;

    $self->_connect($client) if !$client->{socket};
    $self->_send($client);
}


# Nothing to do for so many seconds.
sub _wait ($self, $client, $seconds) {
    $self->_rest($client);
    push @{ $self->{waiting} }, $client;
    $self->{wake} = time + $seconds;
}


# Ask the source again, until it has nothing more for now.
sub _wake ($self) {
    return if time < $self->{wake};

    my $wake = $self->{wake};

    while ($self->{wake} == $wake) {
        my $client = shift @{ $self->{waiting} } // return;
        $self->_next($client);
    }
}


# Nothing to do: what comes now on the connection is its end.
sub _rest ($self, $client) {
    return if !$client->{socket};

    vec($self->{readers}, $client->{fd}, 1) = 0;
    vec($self->{writers}, $client->{fd}, 1) = 0;
}


sub _send ($self, $client) {
    $client->{out} = $client->{bytes};
    $client->{in} = '';
    vec($self->{writers}, $client->{fd}, 1) = 1;
    vec($self->{readers}, $client->{fd}, 1) = 1;
}


sub _connect ($self, $client) {
    socket my $socket, AF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
    $socket->blocking(0);
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;

    connect $socket, $self->{address} or $! == EINPROGRESS
        or $! == ECONNREFUSED or die "connect: $!\n";

    $client->{socket} = $socket;
    $client->{fd} = fileno $socket;
    $client->{used} = 0;
    $self->{by_fd}[$client->{fd}] = $client;
}


sub _close ($self, $client) {
    my $socket = delete $client->{socket} or return;

    vec($self->{readers}, $client->{fd}, 1) = 0;
    vec($self->{writers}, $client->{fd}, 1) = 0;
    undef $self->{by_fd}[$client->{fd}];
    close $socket;
}


sub _turn ($self) {
    my ($r, $w) = @$self{qw(readers writers)};

    my $n = select $r, $w, undef, $self->_patience;
    return if $n < 0 && $! == EINTR;

    $self->_give_up if time - $self->{looked} > 1;
    $self->_wake if @{ $self->{waiting} };
    return if $n == 0;

    for ([$w, \&_write], [$r, \&_read]) {
        my ($bits, $handler) = (unpack('b*', $_->[0]), $_->[1]);
        my $at = -1;

        while (($at = index $bits, '1', $at + 1) >= 0) {
            my $client = $self->{by_fd}[$at];
            $handler->($self, $client) if $client;
        }
    }
}


# How long to wait for an event.
sub _patience ($self) {
    $self->{looked} //= time;

    return 1 if !@{ $self->{waiting} };

    my $left = $self->{wake} - time;
    return $left < 0 ? 0 : min($left, 1);
}


sub _write ($self, $client) {
    my $n = syswrite $client->{socket}, $client->{out};

    return $self->_lost($client, "write: $!") if !defined $n && $! != EAGAIN;

    $client->{sent} = 1 if $n;
    substr $client->{out}, 0, $n // 0, '';
    vec($self->{writers}, $client->{fd}, 1) = 0 if !length $client->{out};
}


sub _read ($self, $client) {
    my $n = sysread $client->{socket}, $client->{in}, 65536,
                    length $client->{in};

    return if !defined $n && $! == EAGAIN;
    return $self->_lost($client, $n // 1 ? "read: $!" : 'closed') if !$n;

    my ($head, $body, $keep) = answer($client->{in}) or return;

    $self->_done($client, {
        status => substr($head, 9, 3), head => $head, body => $body,
    });

    $client->{used}++;
    $self->_close($client) if !$keep || !$self->{keepalive};
    $self->_next($client);
}


# answer(bytes): head, body and whether the connection stays open, of an
# answer that is whole; nothing when it is not yet.
sub answer ($bytes) {
    my $end = index $bytes, "\r\n\r\n";
    return if $end < 0;

    my $head = substr $bytes, 0, $end + 2;
    my $keep = $head !~ /^connection:[ \t]*close/mi;

    return ($head, '', $keep) if $head =~ /^\S+ (?:204|304)/;

    if ($head =~ /^content-length:[ \t]*(\d+)/mi) {
        return if length($bytes) - $end - 4 < $1;
        return ($head, substr($bytes, $end + 4, $1), $keep);
    }

    return if $bytes !~ /\r\n0\r\n\r\n\z/;
    return ($head, dechunk(substr $bytes, $end + 4), $keep);
}


sub dechunk ($text) {
    my $body = '';

    while ($text =~ s/^([0-9a-f]+)\r\n//i) {
        $body .= substr $text, 0, hex $1, '';
        $text =~ s/^\r\n//;
    }

    return $body;
}


sub _done ($self, $client, $answer) {
    $answer->{seconds} = time - $client->{begun};
    $answer->{begun} = $client->{begun};
    $answer->{note} = $client->{note} if $client->{note};
    $answer->{resent} = 1 if $client->{resent};
    $self->{answers}[$client->{index}] = $answer;
    $self->{open}--;
    $client->{bytes} = undef;

    $self->{told}->($answer) if $self->{told};
}


# The connection is gone.
sub _lost ($self, $client, $why) {
    my $again = $client->{used} > 0 && $client->{in} eq '';

    $self->_close($client);

    if ($again) {
        $client->{resent} = 1;
        $self->_connect($client);
        $self->_send($client);
        return;
    }

    $self->_done($client, { status => 0, error => $why,
                            sent => $client->{sent} });
    $self->_next($client);
}


sub _give_up ($self) {
    $self->{looked} = time;

    for my $client (grep { defined $_->{bytes} } @{ $self->{all} }) {
        $self->_lost($client, 'no answer')
            if time - $client->{begun} > PATIENCE;
    }
}


1;
