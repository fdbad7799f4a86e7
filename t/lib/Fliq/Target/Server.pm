package Fliq::Target::Server;

# The process behind Fliq::Target: one select() loop over all connections.
#
# The first part of a request's path says how it is answered:
#
#   /ok, /status/NNN           at once
#   /slow/MS                   200 after so many milliseconds
#   /mixed                     200 after 50 ms, of 100 requests 5 after 1 s;
#                              2 get 500, 1 gets RST
#   /flaky/N                   500 to the first N attempts of a delivery id
#   /retry-after/N[/STATUS]    STATUS (503) with Retry-After: N, then 200
#   /rate/N/MS                 200 after so many milliseconds, 429 at once to
#                              what is more than N in a second of a path
#   /redirect[/STATUS[/URL]]   302 to /ok/redirected; the URL in percents
#   /raw/BYTES[/reset|/stay]   these bytes, in percents, as the answer, then
#                              FIN, RST or nothing
#   /echo, /big/N, /binary     the request's body; N bytes; no UTF-8
#   /continue                  100, 103 and then 200
#   /until-close               a body that the end of the connection ends
#   /hang, /close, /reset      no answer: nothing, FIN, RST
#   /reset-after-headers       RST in the middle of a body
#   /garbage                   bytes that are no HTTP
#   /drip[/MS]                 one byte of a body each 100 ms, for ever
#   /gzip                      32 MiB of zeros, as 32 KiB of gzip
#   /long-header/N             a header line of N bytes
#   /endless-body, /endless-headers, /endless-interim
#
# What follows is free, so a job can have a path of its own: /ok/17.

use v5.36;

use Errno qw(EAGAIN EINTR);
use IO::Compress::Gzip qw(gzip);
use POSIX qw(_exit);
use Socket qw(IPPROTO_TCP SOL_SOCKET SO_LINGER TCP_NODELAY);
use Time::HiRes qw(clock_gettime CLOCK_REALTIME);

use constant RECORD => 40;

my %route = (
    'ok'                  => sub ($c, @) { reply($c, 200, 'ok') },
    'status'              => sub ($c, $n, @) { reply($c, $n, "status $n") },
    'slow'                => \&slow,
    'mixed'               => \&mixed,
    'flaky'               => \&flaky,
    'retry-after'         => \&retry_after,
    'rate'                => \&rate,
    'redirect'            => \&redirect,
    'raw'                 => \&raw,
    'echo'                => sub ($c, @) { reply($c, 200, $c->{body}) },
    'big'                 => \&big,
    'binary'              => \&binary,
    'continue'            => \&continue,
    'until-close'         => \&until_close,
    'hang'                => sub ($c, @) { },
    'close'               => sub ($c, @) { drop($c) },
    'reset'               => \&reset,
    'reset-after-headers' => \&reset_after_headers,
    'garbage'             => \&garbage,
    'drip'                => \&drip,
    'gzip'                => \&gzipped,
    'long-header'         => \&long_header,
    'endless-body'        => \&endless_body,
    'endless-headers'     => \&endless_headers,
    'endless-interim'     => \&endless_interim,
);

my ($listen, $record, $life, $refuse);
my (@conns, %attempts, %taken);
my @timers;                     # [time, handler], the latest first
my ($readers, $writers) = ('', '');
my $log = '';
my $next_conn = 1;


# run(listen, record, life, refuse): serve until life, the read end of a pipe,
# is closed at its other end.  With refuse, each connection is reset before
# anything is read.
sub run ($class, @args) {
    ($listen, $record, $life, $refuse) = @args;

    $SIG{PIPE} = 'IGNORE';
    $SIG{$_} = 'DEFAULT' for qw(INT TERM);

    vec($readers, fileno $listen, 1) = 1;
    vec($readers, fileno $life, 1) = 1;

    while (1) {
        my ($r, $w) = ($readers, $writers);

        my $n = select $r, $w, undef, timeout();
        die "select: $!\n" if $n < 0 && $! != EINTR;

        serve($r, $w) if $n > 0;
        expire();
        flush_log();
    }
}


sub serve ($r, $w) {
    _exit(0) if vec $r, fileno $life, 1;

    accept_all() if vec $r, fileno $listen, 1;
    vec($r, fileno $listen, 1) = 0;

    each_bit($w, sub ($fd) { write_some($conns[$fd]) if $conns[$fd] });
    each_bit($r, sub ($fd) { read_some($conns[$fd]) if $conns[$fd] });
}


# Call handler with the number of each bit that is set.
sub each_bit ($vector, $handler) {
    my $bits = unpack 'b*', $vector;
    my $at = -1;

    $handler->($at) while ($at = index $bits, '1', $at + 1) >= 0;
}


# --- connections


sub accept_all () {
    while (accept my $socket, $listen) {
        $socket->blocking(0);
        setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;

        my $fd = fileno $socket;
        $conns[$fd] = {
            socket => $socket, fd => $fd, id => $next_conn++, in => '',
            out => '', sent => 0,
        };
        vec($readers, $fd, 1) = 1;
        &reset($conns[$fd]) if $refuse;
    }
}


sub read_some ($c) {
    my $n = sysread $c->{socket}, $c->{in}, 65536, length $c->{in};

    if (!defined $n) {
        return if $! == EAGAIN || $! == EINTR;
        return drop($c);
    }

    return drop($c) if $n == 0;

    1 while !$c->{busy} && take_request($c);
}


sub write_some ($c) {
    my $n = syswrite $c->{socket}, $c->{out}, 65536;

    if (!defined $n) {
        return if $! == EAGAIN || $! == EINTR;
        return drop($c);
    }

    $c->{sent} += $n;
    substr $c->{out}, 0, $n, '';

    return if length $c->{out};
    return drop($c) if $c->{last};
    return $c->{more}->($c) if $c->{more};

    vec($writers, $c->{fd}, 1) = 0;
}


# Close a connection, and tell how much had been sent.
sub drop ($c) {
    my $fd = $c->{fd};

    return if !$conns[$fd] || $conns[$fd] != $c;

    vec($readers, $fd, 1) = 0;
    vec($writers, $fd, 1) = 0;
    undef $conns[$fd];
    close $c->{socket};

    $log .= pack 'a1 x7 q> q> q> q>', 'C', now(), $c->{id}, $c->{sent}, 0;
}


# --- requests


# Take one request, when it is whole, out of what was read.
sub take_request ($c) {
    my $end = index $c->{in}, "\r\n\r\n";
    return 0 if $end < 0;

    $c->{at} //= now();

    my $head = substr $c->{in}, 0, $end + 2;
    my $rest = substr $c->{in}, $end + 4;
    my ($body, $used) = body_of($head, $rest);

    if (!defined $used) {
        put($c, "HTTP/1.1 100 Continue\r\n\r\n")
            if $head =~ /^expect:/mi && !$c->{continued}++;
        return 0;
    }

    $c->{in} = substr $rest, $used;
    $c->{body} = $body;
    $c->{continued} = 0;

    $log .= pack('a1 x7 q> q> q> q>', 'R', delete $c->{at}, $c->{id},
                 length $head, length $body) . $head . $body;

    answer($c, $head);
    return length $c->{in} > 0;
}


# The request's body and how many bytes of rest it takes up, or nothing when
# it has not all come.
sub body_of ($head, $rest) {
    if ($head =~ /^transfer-encoding:[ \t]*chunked/mi) {
        my ($body, $at) = ('', 0);

        while ($rest =~ /\G([0-9a-f]+)[^\r\n]*\r\n/gci) {
            my $size = hex $1;
            $at = pos($rest) + $size + 2;

            return if length $rest < $at;
            return ($body, $at) if $size == 0;

            $body .= substr $rest, pos $rest, $size;
            pos($rest) = $at;
        }

        return;
    }

    my $size = $head =~ /^content-length:[ \t]*(\d+)/mi ? $1 : 0;

    return if length $rest < $size;
    return (substr($rest, 0, $size), $size);
}


sub answer ($c, $head) {
    my ($method, $path) = split / /, $head;
    my ($what, @args) = grep { length } split m{[/?]}, $path;

    $c->{head} = $method eq 'HEAD';
    $c->{delivery} = $head =~ /^x-fliq-delivery-id:[ \t]*(\S+)/mi ? $1 : '';
    $c->{busy} = 1;

    ($route{$what // ''} // sub { reply($c, 404, 'not here') })
        ->($c, @args);
}


# --- answers


# Record what the last request of a connection is answered; 0: a reset.
sub note_answer ($c, $status) {
    $log .= pack 'a1 x7 q> q> q> q>', 'A', now(), $c->{id}, $status, 0;
}


sub put ($c, $bytes) {
    $c->{out} .= $bytes;
    write_some($c);

    vec($writers, $c->{fd}, 1) = 1
        if $conns[$c->{fd}] && length $c->{out};
}


sub reply ($c, $status, $body, @headers) {
    my $head = "HTTP/1.1 $status Because\r\n";

    $head .= "$_\r\n" for @headers;
    $head .= 'Content-Length: ' . length($body) . "\r\n"
        if $status != 204 && $status != 304;

    $body = '' if $c->{head} || $status == 204 || $status == 304;

    $c->{busy} = 0;
    note_answer($c, $status);
    put($c, "$head\r\n$body");
}


sub slow ($c, $ms = 1000, @) {
    later($ms / 1000, sub { reply($c, 200, 'slow') if alive($c) });
}


sub mixed ($c, @) {
    my $draw = rand 100;

    later($draw < 5 ? 1 : 0.05, sub {
        return if !alive($c);
        return reply($c, 500, 'bad luck') if $draw > 98;
        return &reset($c) if $draw > 97;
        reply($c, 200, 'mixed');
    });
}


sub flaky ($c, $times = 1, @) {
    return reply($c, 500, 'not yet') if $attempts{$c->{delivery}}++ < $times;
    reply($c, 200, 'at last');
}


sub retry_after ($c, $value = 1, $status = 503, @) {
    return reply($c, 200, 'at last') if $attempts{$c->{delivery}}++;

    reply($c, $status, 'later', 'Retry-After: ' . unescape($value));
}


sub rate ($c, $most, $ms, @path) {
    my $taken = $taken{join '/', $most, $ms, @path} //= [];
    my $now = now();

    shift @$taken while @$taken && $taken->[0] <= $now - 1_000_000;
    return reply($c, 429, 'too many', 'Retry-After: 1') if @$taken >= $most;

    push @$taken, $now;
    slow($c, $ms);
}


sub unescape ($text) {
    return $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger;
}


sub redirect ($c, $status = 302, $to = '/ok/redirected', @) {
    reply($c, $status, '', 'Location: ' . unescape($to));
}


sub raw ($c, $bytes, $end = 'close', @) {
    $c->{last} = $end eq 'close';
    put($c, unescape($bytes));
    later(0.05, sub { &reset($c) if alive($c) }) if $end eq 'reset';
}


sub big ($c, $size = 200_000, @) {
    reply($c, 200, 'b' x $size);
}


sub binary ($c, @) {
    reply($c, 200, "caf\xc3\xa9 \xff\xfe\0 end");
}


sub continue ($c, @) {
    put($c, "HTTP/1.1 100 Continue\r\n\r\n"
            . "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    reply($c, 200, 'at last');
}


sub until_close ($c, @) {
    $c->{last} = 1;
    put($c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nno length");
}


sub reset ($c, @) {
    setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    note_answer($c, 0);
    drop($c);
}


sub reset_after_headers ($c, @) {
    put($c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun");
    later(0.05, sub { &reset($c) if alive($c) });
}


sub garbage ($c, @) {
    $c->{last} = 1;
    put($c, "\x16\x03\x01 this is no HTTP\r\n\r\n" x 5);
}


sub drip ($c, $ms = 100, @) {
    put($c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    drop_by_drop($c, $ms / 1000);
}


sub drop_by_drop ($c, $seconds) {
    later($seconds, sub {
        return if !alive($c);
        put($c, 'x');
        drop_by_drop($c, $seconds);
    });
}


sub gzipped ($c, @) {
    state $bomb = do { gzip(\("\0" x (32 << 20)), \my $out); $out };

    reply($c, 200, $bomb, 'Content-Encoding: gzip');
}


sub long_header ($c, $size, @) {
    reply($c, 200, 'ok', 'X-Long: ' . 'h' x $size);
}


sub endless_body ($c, @) {
    my $chunk = sprintf "%x\r\n%s\r\n", 16384, 'e' x 16384;

    $c->{more} = sub ($c) { $c->{out} = $chunk };
    put($c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n$chunk");
}


sub endless_headers ($c, @) {
    my $lines = join '', map { "X-Filler-$_: " . 'h' x 100 . "\r\n" } 1 .. 99;

    $c->{more} = sub ($c) { $c->{out} = $lines };
    put($c, "HTTP/1.1 200 OK\r\n$lines");
}


sub endless_interim ($c, @) {
    my $answers = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" x 99;

    $c->{more} = sub ($c) { $c->{out} = $answers };
    put($c, $answers);
}


# --- time


sub now () {
    return int(clock_gettime(CLOCK_REALTIME) * 1e6);
}


sub alive ($c) {
    return $conns[$c->{fd}] && $conns[$c->{fd}] == $c;
}


sub later ($seconds, $handler) {
    my $time = clock_gettime(CLOCK_REALTIME) + $seconds;
    my ($low, $high) = (0, scalar @timers);

    while ($low < $high) {
        my $middle = int(($low + $high) / 2);

        if ($timers[$middle][0] > $time) { $low = $middle + 1 }
        else                             { $high = $middle }
    }

    splice @timers, $low, 0, [$time, $handler];
}


sub timeout () {
    return undef if !@timers;

    my $left = $timers[-1][0] - clock_gettime(CLOCK_REALTIME);
    return $left > 0 ? $left : 0;
}


sub expire () {
    my $now = clock_gettime(CLOCK_REALTIME);

    while (@timers && $timers[-1][0] <= $now) {
        my $timer = pop @timers;
        $timer->[1]->();
    }
}


sub flush_log () {
    while (length $log) {
        my $n = syswrite $record, $log;
        die "cannot record: $!\n" if !defined $n;
        substr $log, 0, $n, '';
    }
}


1;
