# Of what users give a request to be made of, every byte arrives where it
# belongs, and none elsewhere: no header adds a line, sets the framing or is
# lost without a word; methods, paths, queries and bodies are as they were
# given.  Judged by the raw bytes at the target, and with HTTP/2 by what
# nghttpd reads.

use v5.36;
use utf8;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Encode qw(encode_utf8);
use Fliq::Port qw(free_port);
use Fliq::Resolver;
use Fliq::Sink;
use Fliq::Test;

# Where our own certificate authority is the only one.
my $dir = Fliq::Resolver->enter(files => sub ($dir) {
    system "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x \\
                -addext subjectAltName=IP:127.0.0.1 \\
                -keyout $dir/key -out $dir/cert 2> $dir/openssl" and die;
    chmod 0644, "$dir/cert";
    return ('/etc/ssl/certs/ca-certificates.crt' => "$dir/cert");
});

my $sink = Fliq::Sink->start(answer => sub ($request) {
    my $status = $request =~ m{^\S+ /hook} ? '200 OK' : '204 No Content';
    return "HTTP/1.1 $status\r\n"
           . ($status =~ /204/ ? '' : "Content-Length: 0\r\n") . "\r\n";
});

sandbox(workers => 1, http_conf => 'fliq_user_agent us;');


# --- headers that may be set

# Each set is sent as it stands, in its order; JSON here is text.
my %set = (
    blank => [['X-Empty', ''], ['X-Space', ' '], ['X-Tab', "\t \t"],
              ['Accept', ''], ['User-Agent', ''], ['Content-Type', '']],
    edges => [['X-Lead', '  a'], ['X-Trail', "a \t "], ['X-Both', "\ta b\t"],
              ['X-Colon', ': b'], ['X-Semicolon', ';'], ['X-Ends', 'a;'],
              ['X-Comma', ',,'], ['X-At', '@file'], ['X-Hash', '# x'],
              ['X-Name', 'Host: evil'], ['X-Quote', '"\\"']],
    cases => [['X-Case', 'one'], ['x-case', 'two'], ['X-CASE', 'three'],
              ['accept', 'a/b'], ['ACCEPT', 'c/d'], ['user-agent', 'me'],
              ['content-type', 'x/y'], ['Content-TYPE', 'x/z']],
    names => [["!#\$%&'*+-.^_`|~09aZ", 'all'], ['a', 'short'],
              ['x' x 500, 'long'], ['Content-Length-', 'near'],
              ['Hosts', 'near'], ['X-Content-Length', 'near'],
              ['Transfer-Encodin', 'near'], ['Te-', 'near'],
              ['Proxy', 'near'], ['X-Fliq', 'near'], ['Xfliq-', 'near']],
    known => [['Authorization', 'Basic eDp5'], ['Cookie', 'a=b; c=d'],
              ['Range', 'bytes=0-1'], ['Referer', 'http://x/'],
              ['Accept-Encoding', 'gzip, br'], ['Date', 'never'],
              ['If-None-Match', '*'], ['Content-Encoding', 'none'],
              ['Content-Disposition', 'form-data'], ['Via', '1.1 x'],
              ['Forwarded', 'for=::1'], ['X-Forwarded-For', '127.0.0.1'],
              ['Cache-Control', 'no-cache'], ['Upgrade-Insecure-Requests',
              '1'], ['Alt-Used', 'x'], ['X-HTTP-Method-Override', 'PUT']],
    bytes => [['X-Utf8', "\x{e9}\x{20ac}\x{1f600}"], ['X-High', "\x{80}"],
              ['X-C1', "\x{85}x\x{9b}"], ['X-Line', "a\x{2028}b\x{2029}"],
              ['X-Wide', "\x{560a}\x{560d}Host: evil"],
              ['X-Percent', '%0d%0aHost: evil'],
              ['X-Escape', '\\r\\nHost: evil'], ['X-Bom', "\x{feff}"]],
    large => [['X-Large', 'v' x 16_300]],
    many => [map { ["X-$_", "v$_"] } 1 .. 64],
);

my $json = JSON::PP->new->utf8(0)->allow_nonref;


# object(pairs): JSON text with these members in their order.
sub object (@pairs) {
    return '{' . join(',', map {
        $json->encode($_->[0]) . ':' . $json->encode($_->[1])
    } @pairs) . '}';
}


# body(fields): JSON text; what is a reference to text is JSON already.
sub body (%fields) {
    return encode_utf8('{' . join(',', map {
        "\"$_\":" . (ref $fields{$_} eq 'SCALAR' ? ${ $fields{$_} }
                                                 : $json->encode($fields{$_}))
    } sort keys %fields) . '}');
}


sub job (%fields) {
    return api('POST', '/jobs', body(scheduled_at => at(0.3), %fields));
}


# The lines that there must be for these pairs.  White space at the ends is
# no part of a value.
sub lines (@pairs) {
    return map {
        my $value = $_->[1] =~ s/^[ \t]+|[ \t]+\z//gr;
        encode_utf8($value eq '' ? "$_->[0]:" : "$_->[0]: $value");
    } @pairs;
}


# rest(request, lines): take these lines, in their order, out of what
# a request has, and everything that is ours; what is left, or is missing.
sub rest ($request, @lines) {
    my @have = @{ $request->{headers} };
    my (@missing, @theirs);
    my $at = 0;

    for my $line (@lines) {
        $at++ while $at < @have && $have[$at] ne $line;
        push @missing, "no $line" if $at == @have;
        splice @have, $at, 1 if $at < @have;
    }

    my $port = $sink->port;
    my $named = sub ($name) { grep { /^\Q$name\E:/i } @lines };
    my @ours = (qr/^Host: 127\.0\.0\.1:$port\z/i,
        qr/^Content-Length: \d+\z/i, qr/^X-Fliq-Delivery-Id: \w+\z/i,
        qr/^X-Fliq-Timestamp: \d+\z/i, qr/^X-Request-ID: \w+\z/i,
        qr/^X-Fliq-Signature: v1=[0-9a-f]{64}\z/i,
        qr/^X-Fliq-Attempt: 1\z/i,
        $named->('user-agent') ? () : qr/^User-Agent: us\z/i,
        $named->('accept') ? () : qr{^Accept: \*/\*\z}i,
        $named->('content-type') ? ()
            : qr{^Content-Type: \w+/\w+(?:; charset=utf-8)?\z}i);

    for my $like (@ours) {
        my ($found) = grep { $have[$_] =~ $like } 0 .. $#have;

        push @missing, "no $like" if !defined $found;
        splice @have, $found, 1 if defined $found;
    }

    return join ' | ', @missing, @have;
}


# The same for a request with HTTP/2; it has no Host, and names in lower case.
sub rest_h2 ($received, @lines) {
    my $host = '127.0.0.1:' . $sink->port;

    return rest({ headers => ["host: $host", map { s/^([^:]+): \z/$1:/r }
                              grep { !/^:/ } @$received] }, @lines);
}


my %item_at;

for my $name (sort keys %set) {
    my $headers = \object(@{ $set{$name} });
    my $answer = job(url => $sink->url("/job/$name"), headers => $headers,
        body => 'x', webhook_url => $sink->url("/hook/$name"),
        webhook_headers => $headers);
    is_status($answer, 201, "$name: a job");

    # Of an item, half comes from the buffer and one is overridden by it.
    my @pairs = @{ $set{$name} };
    my @half = splice @pairs, 0, @pairs / 2;
    my $buffer = api('POST', '/buffers', body(name => $name,
        url => $sink->url("/item/$name"), headers => \object(
            ['X-Over', 'the buffer'], @half)))->{json};

    is_status(api('POST', "/buffers/$buffer->{id}/items", body(body => 'x',
        headers => \object(@pairs < 60 ? ['x-OVER', ''] : (), @pairs))), 201,
        "$name: an item") if $name ne 'many';
    is_status(api('POST', "/buffers/$buffer->{id}/items", body(body => 'x',
        headers => \object(@pairs))), 201, 'many items') if $name eq 'many';

    # Names that differ in case only: the item's win over the buffer's.
    my %own = map { (lc $_->[0] => 1) } @pairs;
    $item_at{$name} = [
        (map { [$_->[0], $_->[1]] } grep { !$own{lc $_->[0]} }
            ($name eq 'many' ? ['X-Over', 'the buffer'] : ()), @half),
        ($name eq 'many' ? () : ['x-OVER', '']), @pairs];
}

for my $name (sort keys %set) {
    for my $kind (qw(job hook item)) {
        my ($request) = $sink->wait_for(1, "/$kind/$name");
        my @pairs = $kind eq 'item' ? @{ $item_at{$name} }
                                    : @{ $set{$name} };

        is($request ? rest($request, lines(@pairs)) : 'none', '',
           "$name: nothing is missing, lost or added in a $kind");
    }
}


# --- the same with HTTP/2, whose headers have lower-case names

my $h2_port = free_port();
my $nghttpd = open(my $h2, '-|') // die "fork: $!\n";

if ($nghttpd == 0) {
    open STDERR, '>&', \*STDOUT;
    exec 'stdbuf', '-oL', 'nghttpd', '-v', '-a', '127.0.0.1', $h2_port,
         "$dir/key", "$dir/cert" or die "nghttpd: $!\n";
}

END { kill KILL => $nghttpd if $nghttpd }

ok(wait_until(sub { IO::Socket::INET->new("127.0.0.1:$h2_port") }),
   'nghttpd listens');


# received(path): the headers of the request for it, as they were received.
my %received;

sub received ($path) {
    my (%of, %path_of);

    local $SIG{ALRM} = sub { die "no request for $path\n" };
    alarm 20;

    while (!$received{$path}) {
        my $line = readline $h2 // die "nghttpd has ended\n";

        if (my ($id, $stream, $name, $value) = $line =~
            /^\[id=(\d+)\].* recv \(stream_id=(\d+).*?\) (:?[^:]+): (.*)\n/)
        {
            push @{ $of{"$id $stream"} }, "$name: $value";
            $path_of{"$id $stream"} = $value if $name eq ':path';
        }
        elsif (($id, $stream) = $line =~
               /^\[id=(\d+)\].* recv DATA frame .*stream_id=(\d+)/)
        {
            $received{$path_of{"$id $stream"}} = $of{"$id $stream"};
        }
    }

    alarm 0;
    return $received{$path};
}


for my $name (sort keys %set) {
    job(url => "https://127.0.0.1:$h2_port/$name", body => 'x',
        headers => \object(@{ $set{$name} }));

    my @theirs = grep { /^:/ } @{ received("/$name") };
    is(join(' ', sort @theirs), ":authority: 127.0.0.1:$h2_port "
       . ":method: POST :path: /$name :scheme: https", "$name: HTTP/2");

    my @want = map { s/^([^:]+):/\L$1:/r } lines(@{ $set{$name} });
    is(rest_h2(received("/$name"), @want), '',
       "$name: nothing is missing, lost or added");
}

kill KILL => $nghttpd;
close $h2;
undef $nghttpd;


# --- headers that may not

my @bad = (
    ['', 'x'], ['a b', 'x'], ['a:', 'x'], [':a', 'x'], ['a;', 'x'],
    [' a', 'x'], ['a ', 'x'], ["a\t", 'x'],
    ["a\r\nb", 'x'], ["a\n", 'x'], ["a\0b", 'x'],
    ["\x{e9}", 'x'], ['a/b', 'x'], ['(a)', 'x'], ['"a"', 'x'], ['a,b', 'x'],
    ['a@b', 'x'], ['{a}', 'x'], ['a=b', 'x'], [':method', 'x'], ["a\x7f", 'x'],
    (map { ['X-A', $_] } "\r\nHost: evil", "a\r\n", "\n", "\r", "a\nb",
        "a\r b", "a\0b", "\0", "\x7f", "\x0b", "\x0c", "\x1b", "\x01", "\b",
        "a\r\n\r\nGET / HTTP/1.1"),
    (map { ([$_, 'x'], [lc, ''], [uc, 'x']) } 'Connection', 'Keep-Alive',
        'Proxy-Connection', 'Proxy-Authorization', 'Proxy-X', 'Proxy-', 'TE',
        'Trailer', 'Transfer-Encoding', 'Upgrade', 'HTTP2-Settings',
        'Content-Length', 'Host', 'Expect', 'X-Fliq-', 'X-Fliq-Attempt',
        'X-Fliq-Delivery-Id', 'X-Fliq-Signature', 'X-Fliq-Timestamp'),
);
my @bad_objects = (
    (map { object($_) } @bad), object(map { ["X-$_", ''] } 1 .. 65),
    object(['X-A', 'v' x 16_384]), object(['X' x 8_192, 'v' x 8_193]),
    '{"X-A":1}', '{"X-A":null}', '{"X-A":["a"]}', '{"X-A":{"b":"c"}}', '[]',
    '"X-A: b"', '[["X-A","b"]]', '{"X-A":"b","X-A":"c"}', '{"X-A":true}',
    '{"X-A":"\\ud800"}',
);

my $far = $sink->url('/never');
my $buffer = api('POST', '/buffers', { name => 'n', url => $far })->{json};

for (
    ['/jobs', 'headers', scheduled_at => at(0.3), url => $far],
    ['/jobs', 'webhook_headers', scheduled_at => at(0.3), url => $far],
    ['/schedules', 'headers', cron => '@yearly', url => $far],
    ['/buffers', 'headers', name => 'm', url => $far],
    ["/buffers/$buffer->{id}/items", 'headers'],
) {
    my ($path, $name, %fields) = @$_;
    my @taken = grep {
        api('POST', $path, body(%fields, $name => \$_))->{status} != 400
    } @bad_objects;

    is(join(' ', @taken), '', ($path =~ s/buf_\w+/{id}/r)
       . ": $name of " . @bad_objects . ' bad sorts are refused');
}


# --- methods, paths and queries, byte for byte

my %path = map { ($_ => $_) } (
    '/%0d%0aHost:%20evil', '/%0D%0A%0D%0AGET%20/%20HTTP/1.1', '/a?b=%0d%0a',
    '/?', '/a?', '/a??b', '/a?b?c&d;e=f', '/a;b=c', '/;', '/..', '/../..',
    '/a/../b', '/a/./b', '/./', '/a/..;/b', '//', '//evil.example/x', '///',
    '/a//b', '/%2e%2e/%2E', '/%2f', '/%', '/%zz', '/%00', '/a%20b', '/a+b',
    '/@evil', '/a:b@c', '/http://evil/', '/\\', '/\\evil', '/a\\..\\b',
    '/|', '/^`', '/{}', '/[a]', '/"', "/'", '/<>', '/*', '/a=b&c', '/~',
    "/caf\x{e9}", "/a?\x{20ac}", '/a?http://x/?y', '/!$&()*,', '/?a[]=1',
    '/' . 'p' x 1900,
);
$path{'?a=b'} = '/?a=b';
$path{'/a#b'} = '/a';
$path{'/#'} = '/';
$path{'#x?y'} = '/';
$path{''} = '/';
$path{'/a?b#c?d'} = '/a?b';

my @refused = grep { job(url => $sink->url('') . $_)->{status} != 201 }
              sort keys %path;
is(join(' ', @refused), '', 'all paths are taken');

my @lines;
wait_until(sub {
    @lines = grep { !m{ /(?:job|hook|item)/} }
             map { $_->{line} } $sink->requests;
    return @lines >= keys %path;
});
is(join("\n", sort @lines),
   join("\n", sort map { encode_utf8("POST $_ HTTP/1.1") } values %path),
   'and go out byte for byte');

my %method = map { (lc, uc) } qw(GET POST PUT PATCH DELETE HEAD OPTIONS);

for my $method (sort keys %method) {
    job(url => $sink->url("/method/$method"), http_method => $method,
        body => "GET /inner HTTP/1.1\r\nHost: evil\r\n\r\n");
}

for my $method (sort keys %method) {
    my ($request) = $sink->wait_for(1, "/method/$method");
    is($request->{line}, "\U$method\E /method/$method HTTP/1.1",
       "$method with a request as its body");
    is($request->{body}, "GET /inner HTTP/1.1\r\nHost: evil\r\n\r\n",
       'which is one');
}

is(job(url => $far, http_method => $_)->{status}, 400, 'no method')
    for 'CONNECT', 'TRACE', "GET\r\nHost: evil", 'GET /x', '', "POST\t",
        'PRI', "GE\x{2c9}";

is(scalar($sink->to('/inner')), 0, 'no request was found in another');
is(scalar($sink->to('/never')), 0, 'what was refused did not go out');

finish();
