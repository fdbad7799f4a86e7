# What comes from the network harms nobody but who sends it: framing that two
# servers could read in two ways, clients that are slow, leave, hold or flood,
# and requests that are too large.  After each the same worker serves others,
# with as many descriptors as before.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Port qw(free_port);
use Fliq::Test;
use IO::Handle;
use IO::Select;
use POSIX qw(_exit);
use Socket qw(SOL_SOCKET SO_LINGER);

my $h2_port = free_port();
my %far = (url => 'http://127.0.0.1:9/',
           scheduled_at => '2099-01-01T00:00:00Z');

sandbox(workers => 1, http_conf => <<"END");
client_header_timeout 2s;
client_body_timeout 2s;
server {
    listen 127.0.0.1:$h2_port http2;
    location / { fliq_api; }
}
END

my ($worker) = sandbox->workers;
my $auth = 'Authorization: Bearer ' . sandbox->{token};
my $post = request_bytes('POST', '/jobs', { %far, body => 'whole' });
my $inner = request_bytes('POST', '/jobs', { %far, body => 'smuggled' });


sub connected ($port = sandbox->{port}) {
    return IO::Socket::INET->new("127.0.0.1:$port") // die "connect: $!\n";
}


sub descriptors () {
    return scalar(() = glob "/proc/$worker/fd/*");
}


sub resident () {
    my ($pages) = Fliq::Sandbox::slurp("/proc/$worker/statm") =~ /^\d+ (\d+)/;
    return $pages * 4096;
}


# statuses(socket, count, timeout): of the answers until there are so many,
# or nothing more comes.
sub statuses ($socket, $count = 99, $timeout = 10) {
    my $bytes = slurp($socket, $timeout, sub ($text) {
        return (() = $text =~ m{HTTP/1\.1 [2-5]}g) >= $count;
    });

    return join ' ', $bytes =~ m{HTTP/1\.1 ([2-5]\d\d)}g;
}


# slurp(socket, timeout, enough): what comes until it is, or the end.
sub slurp ($socket, $timeout, $enough) {
    my $select = IO::Select->new($socket);
    my $text = '';

    while ($select->can_read($timeout)) {
        sysread $socket, $text, 65536, length $text or last;
        last if $enough->($text);
    }

    return $text;
}


api('GET', '/jobs') for 1 .. 3;
my $files = descriptors();
my $memory = resident();


# healthy(after): the same worker serves others, and keeps nothing.
sub healthy ($after) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is(api('POST', '/jobs', \%far)->{status}, 201, "$after: others create");
    is(api('GET', '/jobs')->{status}, 200, "$after: others read");
    ok(wait_until(sub { descriptors() <= $files + 2 }),
       "$after: no descriptor is left") || diag(descriptors() . " $files");
    is((sandbox->workers)[0], $worker, "$after: the worker is the same");
}


# --- framing: each is answered once, with this, and then hung up on

sub framed ($headers, $body, $line = 'POST /jobs HTTP/1.1') {
    return join "\r\n", $line, 'Host: localhost', $auth, @$headers, '', $body;
}

my $chunk = sprintf "%x\r\n%s\r\n0\r\n\r\n", length $inner, $inner;
my $size = 'Content-Length: ' . length $inner;
my $chunked = 'Transfer-Encoding: chunked';

my @framing = (
    [400, 'both kinds', [$size, $chunked], "0\r\n\r\n$inner"],
    [400, 'both kinds', [$chunked, $size], "0\r\n\r\n$inner"],
    [400, 'both kinds', ['Content-Length: 4', $chunked], $chunk],
    [400, 'two sizes', ['Content-Length: 0', $size], $inner],
    [400, 'two sizes', [$size, 'Content-Length: 0'], $inner],
    [400, 'one size twice', [$size, $size], $inner],
    (map { [400, "a size of \"$_\"", ["Content-Length: $_"], $inner] }
        '-1', '+5', '0x5', '5 5', '5,5', '5;', '1e1', '٣', '',
        '18446744073709551621', '9' x 40),
    [400, 'two encodings', [$chunked, $chunked], $chunk],
    (map { [501, "an encoding \"$_\"", ["Transfer-Encoding: $_"], $chunk] }
        'identity', 'xchunked', 'chunked, identity', 'gzip, chunked',
        'chunked, chunked', 'chunked;q=1', '"chunked"', 'cow'),
    [400, 'chunks in 1.0', [$chunked], $chunk, 'POST /jobs HTTP/1.0'],
    (map { [400, 'a chunk that is none', [$chunked], "$_\r\n$inner"] }
        'zz', '-1', '0x10', ' ', '', 'g', 'fffffffffffffffff', ';',
        '1ffffffffffffffff'),
    [400, 'a chunk longer than it says', [$chunked], "1\r\n{}\r\n0\r\n\r\n"],
    (map { [400, 'a header', [$_], $inner] }
        "X-A: a\r\n $size", "X-A: a\r\n\t$size", ' X-A: a', "\tX-A: a",
        "Content-Length : 5", "X-A\0: a", "X-A: a\0b", "Content-Length\t: 5",
        'Host: other', "X-A\x7f: a"),
    (map { [400, "a request line \"$_\"", [], '', $_] }
        'POST', '', 'POST  /jobs HTTP/1.1 x', 'POST /jobs HTTP/1.x',
        'post /jobs HTTP/1.1',
        'P(ST /jobs HTTP/1.1', 'GET /jobs/%zz HTTP/1.1',
        'GET /jobs%00 HTTP/1.1', 'GET /../jobs HTTP/1.1', "GET /\0 HTTP/1.1",
        'GET jobs HTTP/1.1', 'GET http:// HTTP/1.1'),
    ['', 'HTTP/0.9', [], '', 'POST /jobs'],
    (map { [505, 'another version', [], '', "GET /jobs HTTP/$_"] }
        '2.0', '9'),
    [405, 'TRACE', [], '', 'TRACE / HTTP/1.1'],
);

for (@framing) {
    my ($status, $name, @request) = @$_;
    my $socket = connected();

    print {$socket} framed(@request);
    shutdown $socket, 1;
    is(statuses($socket), $status, "$name: " . ($status || 'nothing'));
}

my $socket = connected();
print {$socket} framed([$chunked], '5;x="y"' . "\r\n{\"a\":\r\n3\r\n1}\n"
                                   . "\r\n0\r\nX-A: b\r\n\r\n"), $post;
is(statuses($socket, 2), '400 201', 'chunks, a trailer, and the next request');

is(sql("SELECT count(*) FROM fliq.jobs WHERE body = 'smuggled'"), 0,
   'no request was found inside another');
healthy('framing');


# --- too large

my %large = (
    'a long path' => ['GET /jobs/' . 'x' x 7900 . ' HTTP/1.1', 404],
    'a long query' => ['GET /jobs?limit=1&x=' . 'x' x 7900 . ' HTTP/1.1', 200],
    'a longer path' => ['GET /jobs/' . 'x' x 8200 . ' HTTP/1.1', 414],
    'a path without end' => ['GET /' . 'x' x 100_000, 414],
    'many parameters' => ['GET /jobs?' . 'limit=1&' x 900 . ' HTTP/1.1', 200],
    'deep' => ['GET ' . '/a' x 3900 . ' HTTP/1.1', 404],
    'a long header' => ['GET /jobs HTTP/1.1', 200, 'X-A: ' . 'x' x 8000],
    'a longer header' => ['GET /jobs HTTP/1.1', 400, 'X-A: ' . 'x' x 8300],
    'a long name' => ['GET /jobs HTTP/1.1', 400, 'X' x 9000 . ': a'],
    'a long token' => ['GET /jobs HTTP/1.1', 400,
                       'Authorization: Bearer ' . 'x' x 9000],
    'many headers' => ['GET /jobs HTTP/1.1', 400,
                       map { "X-$_: " . 'y' x 90 } 1 .. 400],
    'a body that is announced' => ['POST /jobs HTTP/1.1', 413,
                                   'Content-Length: 99999999999'],
    'a body in one chunk' => ['POST /jobs HTTP/1.1', 413, $chunked, '',
                              'fffffffff'],
);

for my $name (sort keys %large) {
    my ($line, $status, @headers) = @{ $large{$name} };
    my $socket = connected();

    local $SIG{PIPE} = 'IGNORE';
    print {$socket} join "\r\n", $line, 'Host: localhost', $auth,
                                 'Connection: close', @headers, '', '';
    is(statuses($socket, 1), $status, "$name: $status");
}

healthy('too large');


# --- many on one connection, answered in their order

for (1 .. 5) {
    my $socket = connected();
    my @path = map { ['GET', '/jobs?limit=1'], ['GET', '/jobs/job_x'],
                     ['GET', '/health'], ['POST', '/jobs', \%far],
                     ['GET', '/billing/balance'] } 1 .. 10;
    my @id = map { "id-$_" } 1 .. @path;

    print {$socket} map {
        request_bytes($path[$_][0], $path[$_][1], $path[$_][2] // '',
                      { 'X-Request-ID' => $id[$_] })
    } 0 .. $#path;

    my $text = slurp($socket, 20, sub ($text) {
        return (() = $text =~ /^x-request-id:/mgi) >= @path;
    });
    is(join(' ', $text =~ /^x-request-id: (\S+)/mgi), join(' ', @id),
       'fifty at once: answered in order');
    is(join(' ', $text =~ m{HTTP/1.1 (\d+)}g),
       join(' ', (qw(200 404 200 201 200)) x 10), 'each as it should be');
}

healthy('pipelining');


# --- clients that leave, at each millisecond

sub leave ($socket, $how) {
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if $how eq 'RST';
    close $socket;
}

my $stream = api('POST', '/buffers', { name => 'b', url => $far{url} });
my @asked = (
    $post, request_bytes('GET', '/jobs'), request_bytes('GET', '/stats/jobs'),
    request_bytes('POST', "/buffers/$stream->{json}{id}/items",
                  { body => 'x' }),
    request_bytes('POST', '/jobs', { %far, idempotency_key => 'gone' }),
    request_bytes('GET', '/health?deep=1'),
    request_bytes('DELETE', '/jobs/job_00000000000000000000000000'),
    substr($post, 0, -9), $post x 3,
);

for my $round ('free', 'locked') {
    my $lock = $round eq 'locked'
        ? sandbox->hold('LOCK TABLE fliq.jobs IN SHARE ROW EXCLUSIVE MODE')
        : undef;
    my $begun = time;
    my @open;

    for my $ms (0 .. 50) {
        push @open, map {
            my $socket = connected();
            syswrite $socket, $_;
            [$socket, time + $ms / 1000, $ms % 2 ? 'RST' : 'FIN'];
        } @asked;
        @open = grep {
            my $due = $_->[1] <= time;
            leave(@$_[0, 2]) if $due;
            !$due;
        } @open;
    }

    for (sort { $a->[1] <=> $b->[1] } @open) {
        my $left = $_->[1] - time;
        sleep $left if $left > 0;
        leave(@$_[0, 2]);
    }

    Fliq::Sandbox::release($lock) if $lock;
    @open = ();
    healthy("$round: clients that leave");
}

is(sql("SELECT count(*) FROM fliq.jobs WHERE idempotency_key = 'gone'"), 1,
   'of those with one key one was created');


# --- clients that are slow

my @slow = map {
    my $socket = connected();
    syswrite $socket, $_ % 2 ? substr($post, 0, -$_) : "GET /jobs HT";
    $socket;
} 1 .. 400;

for (1 .. 20) {
    syswrite $_, 'X' for @slow[grep { $_ % 2 == 0 } 0 .. $#slow];
    is(api('POST', '/jobs', \%far)->{status}, 201, 'beside the slow')
        if $_ % 5 == 0;
}

my $late = () = grep { statuses($_, 1, 20) =~ /^(?:400|408)?\z/ } @slow;
is($late, 400, 'they are hung up on');
@slow = ();
healthy('slow');


# --- clients that hold connections

# hold_idle(count, port): a process that does; its number and what it says.
sub hold_idle ($count, $port) {
    my $pid = open(my $told, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        system 'prlimit', '--pid', $$, '--nofile=' . ($count + 100);
        my @idle = map { eval { connected($port) } // () } 1 .. $count;
        syswrite $_, request_bytes('GET', '/health') for @idle[0 .. 499];
        syswrite STDOUT, scalar(@idle) . "\n";
        sleep 600;
        _exit(0);
    }

    return ($pid, $told);
}


# 10,000, or as many as there may be descriptors.
my $most = (`sh -c 'ulimit -Hn'` =~ /(\d+)/)[0] // 20_000;
my $count = $most < 10_500 ? $most - 500 : 10_000;
my $node = Fliq::Node->start(sandbox, edit => sub {
    $_[0] =~ s/(worker_connections) \d+/$1 12000/;
    $_[0] =~ s/^ *include .*http\.conf;\n//m;
});
my ($holder) = $node->workers;
my $few = () = glob "/proc/$holder/fd/*";
my ($pid, $told) = hold_idle($count, $node->{port});
END { kill KILL => $pid if $pid }

is(scalar readline $told, "$count\n", "$count idle connections");
is(api('POST', '/jobs', \%far, {}, $node->{url})->{status}, 201,
   'others are served beside');
is(wait_job(create_job())->{status}, 'success', 'and jobs are fired');

kill KILL => $pid;
close $told;
undef $pid;
ok(wait_until(sub { (() = glob "/proc/$holder/fd/*") <= $few + 5 }, 30),
   'when they have gone nothing is left of them');
is(($node->workers)[0], $holder, 'and the worker is the same');
$node->stop;
healthy('idle');


# --- HTTP/2: streams that are reset as soon as they are opened

sub frame ($type, $flags, $stream, $payload = '') {
    return pack('C n C C N', length($payload) >> 16,
                length($payload) & 0xffff, $type, $flags, $stream) . $payload;
}


sub literal (@pairs) {
    my $text = '';

    while (my ($name, $value) = splice @pairs, 0, 2) {
        die "too long\n" if length $value > 126;
        $text .= pack 'C C/a C/a', 0, $name, $value;
    }

    return $text;
}

my @common = (':scheme', 'http', ':authority', 'localhost',
              'authorization', 'Bearer ' . sandbox->{token});
my $get = literal(':method', 'GET', ':path', '/jobs', @common);
my $create = literal(':method', 'POST', ':path', '/jobs', @common);
my $hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0);
my $cancel = pack 'N', 8;
my $body = JSON::PP->new->encode(\%far);

my %flood = (
    'reads' => sub ($id) { frame(1, 5, $id, $get) },
    'writes' => sub ($id) {
        frame(1, 4, $id, $create) . frame(0, 1, $id, $body)
    },
    'half a body' => sub ($id) {
        frame(1, 4, $id, $create) . frame(0, 0, $id, substr $body, 0, 20)
    },
    'no body' => sub ($id) { frame(1, 4, $id, $create) },
);

for my $name (sort keys %flood) {
    for (1 .. 5) {
        my $socket = connected($h2_port);

        local $SIG{PIPE} = 'IGNORE';
        syswrite $socket, $hello;
        syswrite $socket, join '', map {
            $flood{$name}->(2 * $_ + 1) . frame(3, 0, 2 * $_ + 1, $cancel)
        } $_ * 100 .. $_ * 100 + 99 for 0 .. 9;
        leave($socket, $_ % 2 ? 'RST' : 'FIN');
    }

    healthy("HTTP/2, $name that are reset");
}

# The last of them finds the worker as it was.
my $sanitized = Fliq::Sandbox::preload(sandbox->{nginx_conf})
                || sandbox->{nginx} =~ /sanitize/;
my $grown = (resident() - $memory) >> 20;
ok($grown < ($sanitized ? 1024 : 96), "it has grown by $grown MiB");

finish();
