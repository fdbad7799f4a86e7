# POST /jobs: every field that is wrong in type, range or content is refused
# with 400 and a code that names it, and nothing is created; every valid form
# is taken and comes back as it was meant.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my $missing = \undef;

# Requests with one bad value each.
sub values_of {
    my ($field, @values) = @_;

    return bad(400, "invalid_$field", map { post($field => $_) } @values);
}

my @not_text = (5, 1.5, JSON::PP::true, [], {}, ['x']);
my @not_a_number = ('3', '', 1.5, JSON::PP::true, [], {});
my @hop_by_hop = (
    'Connection', 'keep-alive', 'Proxy-Authorization', 'Proxy-Anything',
    'TE', 'Trailer', 'transfer-encoding', 'Upgrade', 'HTTP2-Settings',
    'Content-Length', 'HOST', 'Expect', 'X-Fliq-Signature', 'x-fliq-new');

my @bad_headers = (
    'text', 5, JSON::PP::true, ['a'], { a => 1 }, { a => undef },
    { a => {} }, { '' => 'x' }, { 'a b' => 'x' }, { 'a:' => 'x' },
    { "\x{e9}" => 'x' }, { "a\n" => 'x' },
    { a => "x\ny" }, { a => "x\ry" }, { a => "x\0y" }, { a => "\x01" },
    { a => "\x7f" },
    { map { ("h$_" => 'x') } 1 .. 65 },
    { a => 'x' x 16_384 },
    map({ { $_ => 'x' } } @hop_by_hop));

my @bad_urls = (
    @not_text, '', 'x', 'example.com', '//example.com/', '/path',
    'ftp://example.com/', 'file:///etc/passwd', 'javascript:alert(1)',
    'http:example.com', 'http:/example.com/', 'http://', 'http:///path',
    'http://?q', 'http://:80/', 'http://user@example.com/',
    'http://user:pass@example.com/', 'http://example.com:0/',
    'http://example.com:65536/', 'http://example.com:99999999999/',
    'http://example.com:x/', 'http://example.com:-1/',
    'http://exa mple.com/', "http://example.com/a b",
    "http://example.com/a\tb", "http://example.com/a\nb",
    "http://example.com/a\0b", "http://example.com/\x7f",
    ' http://example.com/', 'http://example.com/ ',
    'http://example.com\\@127.0.0.1/', 'http://[::1/', 'http://[]/',
    'http://[fe80::1%25eth0]/', 'http://1.2.3.4.5/', 'http://256.1.1.1/',
    'http://10.0.0.1/', 'http://192.168.0.1:8080/x', 'http://0.0.0.0/',
    'http://169.254.169.254/latest/meta-data/', 'http://[::1]/',
    'http://[::ffff:10.0.0.1]/', 'http://[fd00::1]/', 'http://0xa000001/',
    'http://012.0.0.1/', 'http://10.1/',
    'http://example.com/' . 'x' x 2030);

my @bad_times = (
    @not_text, '', 'now', 'tomorrow', '2099-01-01', '2099-01-01T00:00Z',
    '2020-01-01T00:00:00Z', '0001-01-01T00:00:00Z',
    '2099-01-01T00:00:00', '2099-01-01 00:00:00',
    '2099-1-1T00:00:00Z', '2099-02-29T00:00:00Z', '2099-04-31T00:00:00Z',
    '2099-00-01T00:00:00Z', '2099-13-01T00:00:00Z', '2099-01-00T00:00:00Z',
    '2099-01-01T24:00:00Z', '2099-01-01T00:60:00Z', '2099-01-01T00:00:61Z',
    '2099-01-01T00:00:00.Z', '2099-01-01T00:00:00,5Z',
    '2099-01-01T00:00:00.1234567890Z', '2099-01-01T00:00:00+2:00',
    '2099-01-01T00:00:00+0200', '2099-01-01T00:00:00+24:00',
    '2099-01-01T00:00:00+00:60', '2099-01-01  00:00:00Z',
    ' 2099-01-01T00:00:00Z', '2099-01-01T00:00:00Z ',
    '2099-01-01T00:00:00ZZ', '10000-01-01T00:00:00Z',
    '-2099-01-01T00:00:00Z', '4070908800');

our %bad = (
    url => values_of('url', @bad_urls, undef, $missing),
    http_method => values_of('http_method', @not_text, '', 'TRACE', 'CONNECT',
        'FETCH', 'GET ', "GET\0", 'POST,GET', 'G' x 100),
    method => values_of('method', @not_text, '', 'TRACE'),
    scheduled_at => values_of('scheduled_at', @bad_times, undef, $missing),
    headers => values_of('headers', @bad_headers),
    webhook_headers => values_of('webhook_headers', @bad_headers),
    body => values_of('body', @not_text),
    max_retries => values_of('max_retries', @not_a_number, -1, 21,
        2147483648, 9223372036854775807),
    timeout_seconds => values_of('timeout_seconds', @not_a_number, 0, -1,
        3601, 2147483648),
    backoff => values_of('backoff', @not_text, '', 'fast', 'Exponential',
        'linear '),
    idempotency_key => values_of('idempotency_key', @not_text, '',
        'k' x 257),
    webhook_url => values_of('webhook_url', @bad_urls),
    differ => bad(400, 'invalid_(?:http_)?method',
        post(method => 'GET', http_method => 'POST'),
        post(method => 'PUT', http_method => 'GET')),
);

our $job = qr/"job_[0-7][0-9a-hjkmnp-tv-z]{25}"/;
our $whole = has(
    id => $job, url => 'http://127.0.0.1:9/', http_method => 'POST',
    method => 'POST', scheduled_at => '2099-01-01T00:00:00Z',
    max_retries => 0, status => 'scheduled', created_at => qr/"20[^"]+Z"/,
    headers => undef, body => undef, timeout_seconds => 30,
    backoff => 'exponential', idempotency_key => undef,
    webhook_url => undef, webhook_headers => undef, replay_of => undef,
    schedule_id => undef, execution_count => 0, attempts => 0,
    started_at => undef, completed_at => undef,
    next_attempt_at => '2099-01-01T00:00:00Z', last_status_code => undef,
    last_error => undef, updated_at => qr/"20[^"]+Z"/,
    user_id => qr/"acct_[0-7][0-9a-z]{25}"/);

sub times_of {
    return map { (post(scheduled_at => $_->[0]),
                  has(scheduled_at => $_->[1])) } @_;
}

our %good = (
    methods => good(201, map {
        (post(http_method => $_), has(http_method => uc, method => uc),
         post(method => lc), has(http_method => uc, method => uc))
    } qw(GET POST PUT PATCH DELETE HEAD OPTIONS)),

    both => good(201,
        post(method => 'get', http_method => 'GET'), has(method => 'GET')),

    times => good(201, times_of(
        ['2099-01-01T00:00:00z', '2099-01-01T00:00:00Z'],
        ['2099-01-01t00:00:00Z', '2099-01-01T00:00:00Z'],
        ['2099-01-01 00:00:00Z', '2099-01-01T00:00:00Z'],
        ['2099-01-01T02:00:00+02:00', '2099-01-01T00:00:00Z'],
        ['2098-12-31T18:30:00-05:30', '2099-01-01T00:00:00Z'],
        ['2099-01-01T00:00:00-00:00', '2099-01-01T00:00:00Z'],
        ['2099-01-01T00:00:00.500Z', '2099-01-01T00:00:00.5Z'],
        ['2099-01-01T00:00:00.000000Z', '2099-01-01T00:00:00Z'],
        ['2099-01-01T00:00:00.123456789Z', '2099-01-01T00:00:00.123456Z'],
        ['2096-02-29T23:59:59Z', '2096-02-29T23:59:59Z'],
        ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'])),

    limits => good(201,
        post(max_retries => 20), has(max_retries => 20),
        post(max_retries => 0), has(max_retries => 0),
        post(timeout_seconds => 1), has(timeout_seconds => 1),
        post(timeout_seconds => 3600), has(timeout_seconds => 3600),
        post(backoff => 'linear'), has(backoff => 'linear'),
        post(idempotency_key => 'k' x 256),
            has(idempotency_key => 'k' x 256),
        post(url => 'http://example.com/' . 'x' x 2029),
            has(url => 'http://example.com/' . 'x' x 2029)),

    texts => good(201,
        post(body => ''), has(body => ''),
        post(body => "a\"b\\c\n\t\0\x{e9}\x{1f600}"), has(body =>
            qr/"a\\"b\\\\c\\n\\t\\u0000(?:\xc3\xa9|\\u00e9)
               (?:\xf0\x9f\x98\x80|\\ud83d\\ude00)"/xi),
        post(headers => { 'X-A' => "caf\x{e9}", b => '', c => "x\ty" }),
            has(headers => qr/\{"X-A":"[^"]+","b":"","c":"x\\ty"\}/),
        post(headers => {}), has(headers => qr/(?:\{\}|null)/),
        post(webhook_url => 'https://example.com/hook',
             webhook_headers => { a => 'b' }),
            has(webhook_url => 'https://example.com/hook',
                webhook_headers => { a => 'b' }),
        post(url => 'https://example.com/a%20b?c=d&e=%00#frag'),
            has(url => 'https://example.com/a%20b?c=d&e=%00#frag'),
        post(url => 'http://xn--bcher-kva.example:8080'),
            has(url => 'http://xn--bcher-kva.example:8080')),

    ignored => good(201,
        post(colour => 'red', status => 'success', id => 'job_x'), $whole,
        post(map { ($_ => undef) } qw(http_method method headers body
            max_retries idempotency_key webhook_url webhook_headers
            timeout_seconds backoff)), $whole),
);

route('POST /jobs', allow => 'GET, HEAD, POST, OPTIONS',
      body => { url => 'http://127.0.0.1:9/',
                scheduled_at => '2099-01-01T00:00:00Z' });

run_tests();

__DATA__

=== TEST 1: a job with nothing but the required fields
--- request eval: ::post()
--- error_code: 201
--- response_headers_like
Content-Type: application/json
Location: /jobs/job_[0-9a-z]{26}
--- response_body_like eval: $::whole



=== TEST 2: all methods, in upper and lower case, under both names
--- request eval: $::good{methods}{request}
--- error_code eval: $::good{methods}{status}
--- response_body_like eval: $::good{methods}{body}



=== TEST 3: both names of a field, with the same value
--- request eval: $::good{both}{request}
--- error_code eval: $::good{both}{status}
--- response_body_like eval: $::good{both}{body}



=== TEST 4: both names of a field, with different values
--- request eval: $::bad{differ}{request}
--- error_code eval: $::bad{differ}{status}
--- response_body_like eval: $::bad{differ}{body}



=== TEST 5: timestamps, and how they come out
--- request eval: $::good{times}{request}
--- error_code eval: $::good{times}{status}
--- response_body_like eval: $::good{times}{body}



=== TEST 6: values at their limits
--- request eval: $::good{limits}{request}
--- error_code eval: $::good{limits}{status}
--- response_body_like eval: $::good{limits}{body}



=== TEST 7: texts come back as they were
--- request eval: $::good{texts}{request}
--- error_code eval: $::good{texts}{status}
--- response_body_like eval: $::good{texts}{body}



=== TEST 8: unknown fields, and null for optional ones, are ignored
--- request eval: $::good{ignored}{request}
--- error_code eval: $::good{ignored}{status}
--- response_body_like eval: $::good{ignored}{body}



=== TEST 9: a body is JSON whatever its Content-Type says
--- request eval: [::post(), ::post()]
--- more_headers eval
[::bearer() . "\nContent-Type: application/x-www-form-urlencoded",
 ::bearer() . "\nContent-Type: text/plain; charset=utf-16"]
--- error_code eval: [201, 201]
--- response_body_like eval: [$::whole, $::whole]



=== TEST 10: a chunked body
--- raw_request eval
my ($line, $body) = split /\n/, ::post(), 2;
"$line HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. ::bearer() . "\r\nTransfer-Encoding: chunked\r\n\r\n"
. CORE::join('', map { sprintf "%x\r\n%s\r\n", length, $_ } split //, $body)
. "0\r\n\r\n"
--- error_code: 201
--- response_body_like eval: $::whole



=== TEST 11: bad url
--- request eval: $::bad{url}{request}
--- error_code eval: $::bad{url}{status}
--- response_body_like eval: $::bad{url}{body}



=== TEST 12: bad http_method
--- request eval: $::bad{http_method}{request}
--- error_code eval: $::bad{http_method}{status}
--- response_body_like eval: $::bad{http_method}{body}



=== TEST 13: bad method
--- request eval: $::bad{method}{request}
--- error_code eval: $::bad{method}{status}
--- response_body_like eval: $::bad{method}{body}



=== TEST 14: bad scheduled_at
--- request eval: $::bad{scheduled_at}{request}
--- error_code eval: $::bad{scheduled_at}{status}
--- response_body_like eval: $::bad{scheduled_at}{body}



=== TEST 15: a time without an offset: the message says what is missing
--- request eval: ::post(scheduled_at => '2099-01-01T00:00:00')
--- error_code: 400
--- response_body_like: time zone



=== TEST 16: a cron expression: the message points to /schedules
--- request eval: ::post(scheduled_at => \undef, cron => '* * * * *')
--- error_code: 400
--- response_body_like: "invalid_scheduled_at","message":".*/schedules



=== TEST 17: bad headers
--- request eval: $::bad{headers}{request}
--- error_code eval: $::bad{headers}{status}
--- response_body_like eval: $::bad{headers}{body}



=== TEST 18: bad body
--- request eval: $::bad{body}{request}
--- error_code eval: $::bad{body}{status}
--- response_body_like eval: $::bad{body}{body}



=== TEST 19: bad max_retries
--- request eval: $::bad{max_retries}{request}
--- error_code eval: $::bad{max_retries}{status}
--- response_body_like eval: $::bad{max_retries}{body}



=== TEST 20: bad timeout_seconds
--- request eval: $::bad{timeout_seconds}{request}
--- error_code eval: $::bad{timeout_seconds}{status}
--- response_body_like eval: $::bad{timeout_seconds}{body}



=== TEST 21: bad backoff
--- request eval: $::bad{backoff}{request}
--- error_code eval: $::bad{backoff}{status}
--- response_body_like eval: $::bad{backoff}{body}



=== TEST 22: bad idempotency_key
--- request eval: $::bad{idempotency_key}{request}
--- error_code eval: $::bad{idempotency_key}{status}
--- response_body_like eval: $::bad{idempotency_key}{body}



=== TEST 23: bad webhook_url
--- request eval: $::bad{webhook_url}{request}
--- error_code eval: $::bad{webhook_url}{status}
--- response_body_like eval: $::bad{webhook_url}{body}



=== TEST 24: bad webhook_headers
--- request eval: $::bad{webhook_headers}{request}
--- error_code eval: $::bad{webhook_headers}{status}
--- response_body_like eval: $::bad{webhook_headers}{body}



=== TEST 25: what every route refuses, and what executes
--- always: access methods body credit dialects



=== TEST 26: a body over fliq_max_body, and one just at it
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher off;
    fliq_target_allow 127.0.0.0/8;
    fliq_max_body 1k;
--- request eval
[::post(body => 'x' x 1025), ::post(body => "\x{e9}" x 513),
 ::post(body => 'x' x 1024), ::post(body => "\x{e9}" x 512)]
--- error_code eval: [413, 413, 201, 201]
--- response_body_like eval
["body_too_large", "body_too_large", $::job, $::job]
