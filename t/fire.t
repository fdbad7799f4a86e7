# What a target gets: the job's method, URL, headers and body as they are,
# our own headers, a signature that verifies; never before its time.  And
# what is kept of the answer.

use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use Encode qw(decode encode);
use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);

my $secret = sql('SELECT secret FROM fliq.signing_secrets');
like($secret, qr/^whsec_[0-9A-Za-z]{40}\z/, 'a signing secret');


# fire(path, fields): the job when it has ended, and its request.
sub fire ($path, %fields) {
    my $job = create_job(url => $path, %fields);
    my ($request) = target->wait_for(1, $path =~ s/#.*//r);

    return (wait_job($job), $request);
}


sub signed ($job, $request, $name) {
    my $time = $request->{header}{'x-fliq-timestamp'} // '';
    my $text = "$time.$job->{method}.$job->{url}.$request->{body}";

    is($request->{header}{'x-fliq-signature'},
       'v1=' . hmac_sha256_hex($text, $secret), "$name: signature");
    ok(abs($time - $request->{time}) < 2, "$name: timestamp");
}


# --- every method, with a body

for my $method (qw(GET POST PUT PATCH DELETE HEAD OPTIONS)) {
    my ($job, $request) = fire("/ok/method/$method", method => $method,
        body => '{"a":1}', headers => { 'X-Mine' => 'yes' });

    is($job->{status}, 'success', "$method: success");
    is($request->{method}, $method, "$method: method");
    is($request->{body}, '{"a":1}', "$method: body");
    is($request->{header}{'x-mine'}, 'yes', "$method: header");
    signed($job, $request, $method);
}

for my $method (qw(GET POST PUT PATCH DELETE HEAD OPTIONS)) {
    my ($job, $request) = fire("/ok/bare/$method", method => $method);

    is($job->{status}, 'success', "$method without a body: success");
    is($request->{body}, '', "$method without a body: none");
    is($request->{header}{'content-length'} // 0, 0,
       "$method without a body: no length");
    is($request->{header}{'content-type'}, undef,
       "$method without a body: no content type");
    signed($job, $request, "$method without a body");
}


# --- our own headers

my ($job, $request) = fire('/ok/own', soon => 0.4);
my ($execution, @more) = executions($job);

is(scalar(@more), 0, 'one execution');
is($request->{version}, 'HTTP/1.1', 'HTTP/1.1');
is($request->{header}{host}, '127.0.0.1:' . target->port, 'Host');
like($request->{header}{'user-agent'}, qr{^fliq-nginx/\d+\.\d+\.\d+\z},
     'User-Agent');
is($request->{header}{'x-fliq-delivery-id'}, $job->{id}, 'delivery id');
is($request->{header}{'x-fliq-attempt'}, 1, 'attempt');
is($request->{header}{'x-request-id'}, $execution->{id},
   'X-Request-ID is the execution');
is(scalar(grep { lc $_->[0] eq 'x-fliq-signature' }
          @{ $request->{headers} }), 1, 'one signature');
ok(!exists $request->{header}{expect}, 'no Expect');

for my $name (qw(cookie authorization referer proxy-authorization)) {
    ok(!exists $request->{header}{$name}, "no $name");
}


# --- what is kept

is($job->{execution_count}, 1, 'execution_count');
is($job->{attempts}, 1, 'attempts');
is($job->{last_status_code}, 200, 'last_status_code');
is($job->{last_error}, undef, 'last_error');
is($job->{next_attempt_at}, undef, 'next_attempt_at');
ok(seconds($job->{completed_at}) >= seconds($job->{started_at}),
   'it ended after it began');
ok(seconds($job->{started_at}) >= seconds($job->{scheduled_at}),
   'it began after its time');

is($execution->{attempt_num}, 1, 'attempt_num');
is($execution->{status}, 'success', 'status');
is($execution->{status_code}, 200, 'status_code');
is($execution->{error}, undef, 'no error');
is($execution->{response_excerpt}, 'ok', 'response_excerpt');
like($execution->{id}, qr/^exec_[0-7][0-9a-z]{25}\z/, 'id');
ok(abs(seconds($execution->{executed_at}) - $request->{time}) < 0.1,
   'executed_at');
ok($execution->{duration_ms} =~ /^\d+\z/ && $execution->{duration_ms} < 100,
   "duration_ms: $execution->{duration_ms}");

my ($attempt, @none) =
    @{ api('GET', "/jobs/$job->{id}/attempts")->{json} };
is(scalar(@none), 0, 'one attempt');
is($attempt->{id}, $execution->{id}, 'attempts: the same id');
is($attempt->{job_id}, $job->{id}, 'attempts: job_id');
is($attempt->{status_code}, 200, 'attempts: status_code');
ok(length $attempt->{worker_id}, 'attempts: worker_id');
ok(seconds($attempt->{completed_at}) >= seconds($attempt->{started_at}),
   'attempts: it ended after it began');


# --- while it runs

my $slow = create_job(url => '/slow/500/run');
target->wait_for(1, '/slow/500/run');
my $now = get_job($slow);

is($now->{status}, 'running', 'running');
ok($now->{started_at}, 'started_at');
is($now->{completed_at}, undef, 'no completed_at');
is($now->{next_attempt_at}, undef, 'no next_attempt_at');
($execution) = do { wait_job($slow); executions($slow) };
ok($execution->{duration_ms} >= 500 && $execution->{duration_ms} < 700,
   "it took its time: $execution->{duration_ms} ms");


# --- the URL, byte for byte

for my $path ('/ok/a%2Fb%20c/?x=%20&y=;z&&=/?', '/ok/../ok/./dots//',
              '/ok/{curly}[square]|"<>^`', '/ok?q#fragment?x', '/ok?#') {
    my ($job, $request) = fire($path);

    is($request->{path}, $path =~ s/#.*//r, "path $path");
    is($job->{status}, 'success', "path $path: success");
    signed($job, $request, "path $path");
}


# --- headers, as they are

my %headers = ('X-Case-KEPT' => 'MiXed', 'x-empty' => '',
    'x-utf8' => "caf\x{e9}", 'x-tab' => "a\tb", 'x-quotes' => '"a\\b\'',
    'x-semicolon;' => undef, 'Accept' => 'text/x-mine',
    'x-colon' => 'a: b', 'Cookie' => 'a=b; c=d',
    'Authorization' => 'Bearer target-token', 'x-at' => '@file',
    'x-many' => 'x' x 4000);
delete $headers{'x-semicolon;'};

(undef, $request) = fire('/ok/headers', headers => \%headers);

for my $name (sort keys %headers) {
    my @sent = grep { lc $_->[0] eq lc $name } @{ $request->{headers} };

    is_deeply(\@sent, [[$name, encode('UTF-8', $headers{$name})]],
              "header $name");
}

(undef, $request) = fire('/ok/agent', body => 'text',
    headers => { 'user-AGENT' => 'mine/1', 'Content-type' => 'text/x-own',
                 'X-Request-ID' => 'theirs' });
is($request->{header}{'user-agent'}, 'mine/1', 'User-Agent is overridden');
is($request->{header}{'content-type'}, 'text/x-own', 'so is Content-Type');
is(scalar(grep { lc $_->[0] eq 'content-type' } @{ $request->{headers} }), 1,
   'there is one Content-Type');


# --- bodies and their types

for my $case (
    ['{"a": [1, 2]}', 'application/json'],
    ['[]', 'application/json'],
    ['{"a": 1', 'text/plain; charset=utf-8'],
    ['a=b&c=d', 'text/plain; charset=utf-8'],
    ["caf\x{e9} \x{1f600} \0 \r\n", 'text/plain; charset=utf-8'],
    ['x' x 1_048_576, 'text/plain; charset=utf-8'],
) {
    my ($body, $type) = @$case;
    my $name = 'body of ' . length $body;
    state $n = 0;

    # The big one takes a while to be written.
    my ($job, $request) = fire('/ok/body/' . ++$n, body => $body,
        soon => length $body > 1000 ? 2 : 0.05);

    is($job->{status}, 'success', "$name: success");
    ok($request->{body} eq encode('UTF-8', $body), "$name: as it was");
    is($request->{header}{'content-type'}, $type, "$name: type");
    is($request->{header}{'content-length'},
       length encode('UTF-8', $body), "$name: length");
    signed($job, $request, $name);
}


# --- the excerpt

sub excerpt ($path, %fields) {
    my ($job) = fire($path, %fields);
    my ($execution) = executions($job);

    is($job->{status}, 'success', "$path: success");
    return $execution->{response_excerpt};
}

is(excerpt('/echo/short', body => 'short'), 'short', 'a short excerpt');
is(excerpt('/echo/long', body => 'l' x 5000), 'l' x 1024, 'at most 1 KiB');
is(excerpt('/echo/utf8', body => "x" . "\x{e9}" x 1000),
   'x' . "\x{e9}" x 511, 'no character is cut in two');
is(excerpt('/binary'), "caf\x{e9} \x{fffd}\x{fffd}\x{fffd} end",
   'invalid bytes are replaced');
is(excerpt('/big/300000'), 'b' x 1024, 'of a big body');
ok(!length(excerpt('/status/204') // ''), 'of no body');


# --- never early, and on a connection that is kept

my $before = () = target->requests;
my @jobs = map {
    create_job(url => "/ok/early/$_", scheduled_at => at(0.3 + $_ / 100))
} 1 .. 30;

wait_job($_) for @jobs;

for my $job (@jobs) {
    my $path = $job->{url} =~ s{^http://[^/]+}{}r;
    my ($request, @twice) = target->to($path);

    ok(!@twice && $request->{time} >= seconds($job->{scheduled_at}),
       sprintf '%s: once, %.1f ms after its time', $path,
       1000 * ($request->{time} - seconds($job->{scheduled_at})));
}

my %conns = map { ($_->{conn} => 1) } target->matching(qr{^/ok/early/});
ok(keys %conns <= 3, keys(%conns) . ' connections for 30 jobs in a row');

finish();
