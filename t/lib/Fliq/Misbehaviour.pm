package Fliq::Misbehaviour;

# All that a target does wrong, and what an attempt makes of it: the name, the
# URL or the path of the target, the status code that is recorded, what the
# error says (undef: a success), and whether the attempt lasts until its
# timeout.  No connection is left to others that is about to be closed.

use v5.36;

use Exporter qw(import);

use Fliq::Port qw(free_port);
use Fliq::Target;
use Fliq::Test ();

our @EXPORT = qw(misbehaviour raw);


# raw(bytes, end): the path of an answer of these bytes.
sub raw ($bytes, $end = undef) {
    my $path = $bytes =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;

    return "/raw/$path" . (defined $end ? "/$end" : '');
}


sub misbehaviour () {
    state $refuse = Fliq::Target->start(refuse => 1);
    my $port = Fliq::Test::target()->port;
    my $closed = free_port();
    my $ok = "HTTP/1.1 200 OK\r\nConnection: close\r\n";

    return (
        _silent($refuse, $port, $closed),
        ['endless headers', '/endless-headers', undef, 'too large'],
        ['endless interim answers', '/endless-interim', undef, 'too large'],
        ['a header line of 1 MB', '/long-header/1000000', undef, 'too large'],
        ['garbage', '/garbage', undef, 'not HTTP|malformed'],
        ['HTTP/0.9', raw("<html>hello</html>\n"), undef,
         'not HTTP|malformed'],
        ['half a status line', raw('HTTP/1.'), undef, '.'],
        ['no status', raw("HTTP/1.1 \r\n\r\n"), undef, 'not HTTP|malformed'],
        ['status 42', raw("HTTP/1.1 42 Low\r\n\r\n"), undef, '.'],
        ['status 999', raw("HTTP/1.1 999 High\r\nConnection: close\r\n"
         . "Content-Length: 0\r\n\r\n"), 999, '999'],
        ['status 1000', raw("HTTP/1.1 1000 Long\r\n\r\n"), undef, '.'],
        ['status -1', raw("HTTP/1.1 -1 Minus\r\n\r\n"), undef, '.'],
        ['HTTP/9.9', raw("HTTP/9.9 200 OK\r\n\r\n"), undef, '.'],
        ['two lengths', raw("${ok}Content-Length: 2\r\nContent-Length: 5"
         . "\r\n\r\nhello"), 200, undef],
        ['a length below zero', raw("${ok}Content-Length: -5\r\n\r\nhello"),
         undef, '.'],
        ['a length beyond all', raw($ok . 'Content-Length: ' . '9' x 30
         . "\r\n\r\nhello", 'stay'), 200, 'timed out', 'lasts'],
        ['NUL in a header', raw("${ok}X: a\0b\r\nContent-Length: 0\r\n\r\n"),
         undef, '.'],
        ['a header without a colon', raw("${ok}nothing\r\n"
         . "Content-Length: 0\r\n\r\n"), undef, 'malformed'],
        ['a body cut short', raw("${ok}Content-Length: 50\r\n\r\nhello"),
         200, 'cut short'],
        ['a chunk that is none', raw("${ok}Transfer-Encoding: chunked\r\n\r\n"
         . "zz\r\nhello"), 200, '.'],
        ['an encoding that nobody knows', raw("${ok}Transfer-Encoding: fliq"
         . "\r\n\r\nhello"), 200, 'malformed'],
        ['101', raw("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 'stay'),
         101, '101'],
        ['a big body', '/big/10000000', 200, undef],
        ['a body without end', '/endless-body', 200, undef],
        ['a bomb', '/gzip', 200, undef],
        ['a broken encoding', raw("${ok}Content-Encoding: gzip\r\n"
         . "Content-Length: 5\r\n\r\nhello"), 200, undef],
        ['interim answers', '/continue', 200, undef],
        ['no length', '/until-close', 200, undef],
        _redirects(),
    );
}


# Those that give no answer, or not all of one.
sub _silent ($refuse, $port, $closed) {
    my $ok = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2"
             . "\r\n\r\nok";

    return (
        ['refused', "http://127.0.0.1:$closed/", undef, 'refused'],
        ['a name that there is not', 'http://nothing.invalid/', undef,
         'resolve|timed out'],
        ['hanging', '/hang', undef, 'timed out', 'lasts'],
        ['a drip', '/drip', 200, 'timed out', 'lasts'],
        ['a slow drip', '/drip/900', 200, 'timed out', 'lasts'],
        ['slower than the timeout', '/slow/9000', undef, 'timed out',
         'lasts'],
        ['half a header', raw("HTTP/1.1 200 OK\r\nX: y", 'stay'), undef,
         'timed out', 'lasts'],
        ['a handshake that stalls', "https://127.0.0.1:$port/ok", undef,
         'timed out', 'lasts'],
        ['closed', '/close', undef, 'without an answer'],
        ['reset before the request', $refuse->url('/ok'), undef,
         'lost|could not connect'],
        ['reset instead of an answer', '/reset', undef, 'lost'],
        ['reset in the headers', raw("HTTP/1.1 200 OK\r\nX: y", 'reset'),
         undef, 'lost'],
        ['reset in the body', '/reset-after-headers', 200, 'lost'],
        ['reset after the answer', raw($ok, 'reset'), 200, undef],
    );
}


sub _redirects () {
    my $to = sub ($status, $url) {
        return "/redirect/$status/"
               . $url =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
    };
    my @rows = map {
        ["$_ to itself", $to->($_, '/ok/redirected'), $_, $_]
    } 300 .. 303, 305, 307, 308;

    return (
        @rows,
        ['302 to a file', $to->(302, 'file:///etc/passwd'), 302, 302],
        ['302 to metadata', $to->(302, 'http://169.254.169.254/'), 302, 302],
        ['302 to gopher', $to->(302, 'gopher://127.0.0.1/'), 302, 302],
        ['302 to nothing', $to->(302, ''), 302, 302],
        ['Refresh', raw("HTTP/1.1 200 OK\r\nConnection: close\r\n"
         . "Content-Length: 0\r\nRefresh: 0; url=/ok/redirected\r\n\r\n"),
         200, undef],
    );
}


1;
