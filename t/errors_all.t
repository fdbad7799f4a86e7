# Each row of docs/errors.md comes about: a request that is answered with
# this code and this status, for every row and no other; and each status that
# the public reference names is among them.

use v5.36;

use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Fliq::Test;

# The errors that nginx makes, where the API is: some by a return, for what
# would bring them about is over before a location is found.
my $by_return = join '', map { <<"END" } 411, 414, 501, 502, 504;
        location /made/$_ { fliq_api; return $_; }
END

my $port = Fliq::Port::free_port();

sandbox(workers => 1, http_conf => <<"END");
limit_req_zone \$server_port zone=all:1m rate=1r/m;
server {
    listen 127.0.0.1:$port;
    $by_return
    location /made/408 { fliq_api; return 408 late; }
    location /made/429 {
        fliq_api;
        limit_req zone=all;
        limit_req_status 429;
    }
}
END

my $nothing = '0' x 26;
my $url = target->url('/ok');
my $later = '2099-01-01T00:00:00Z';
my @post = ('POST', '/jobs');


# account(options): headers with the token of a new account.
sub account (@options) {
    my $account = sandbox->fliqctl(qw(account create --name x), @options);
    my $token = sandbox->fliqctl('token', 'create', '--account',
                                 $account->{id});

    return { Authorization => "Bearer $token->{token}" };
}


sub job (%fields) {
    return (@post, { url => $url, scheduled_at => $later, %fields });
}


sub schedule (%fields) {
    return ('POST', '/schedules', { url => $url, cron => '@daily', %fields });
}


sub buffer (%fields) {
    return ('POST', '/buffers', { url => $url, name => 'x', %fields });
}


sub alert (%fields) {
    return ('POST', '/alerts', { type => 'slack', target => $url, %fields });
}


sub made (@create) {
    my $answer = api(@create);
    die "@create[0, 1]: $answer->{content}\n" if $answer->{status} != 201;
    return $answer->{json};
}


# of_nginx(status): a request to where nginx makes this error.
sub of_nginx ($status) {
    return ('GET', "/made/$status", undef, {}, "http://127.0.0.1:$port");
}


# A schedule that seems to have had a later run than any that is computed.
sub contested () {
    my $schedule = made(schedule(name => 'contested'));

    sql("UPDATE fliq.schedules SET last_run_at = '2100-01-01'
          WHERE name = 'contested'");
    return ('PATCH', "/schedules/$schedule->{id}", { max_retries => 2 });
}


# What the answer is to a body that is announced in chunks and has none.
sub without_a_chunk () {
    my ($answer) = load(clients => 1)->run(
        "POST /jobs HTTP/1.1\r\nHost: localhost\r\n"
        . 'Authorization: Bearer ' . sandbox->{token}
        . "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnone\r\n");

    return { status => $answer->{status}, content => $answer->{body},
             json => eval { decode_json($answer->{body}) } };
}


sub with_all_tokens () {
    my $headers = account(qw(--plan paid));

    sql("INSERT INTO fliq.tokens (id, account_id, prefix, hash)
         SELECT fliq.make_id(), a.id, '', sha256((a.id::text || n)::bytea)
           FROM fliq.accounts a, generate_series(1, 1000) AS n
          WHERE a.plan = 'paid'");
    return ('POST', '/tokens', {}, $headers);
}


sub without_a_table () {
    sql('ALTER TABLE fliq.alert_channels RENAME TO away');
    return ('GET', '/alerts');
}


sub without_a_database () {
    kill INT => sandbox->{postgres_pid};
    Fliq::Sandbox::await_end(sandbox->{postgres_pid});
    wait_until(sub { api('GET', '/health?deep=1')->{status} != 200 });
    return ('GET', '/jobs');
}


# The request of each row, or what makes it, or its answer.
my %request = (
    invalid_backoff => [job(backoff => 'none')],
    invalid_body => [job(body => {})],
    invalid_count => ['GET', '/schedules/preview?cron=@daily&count=51'],
    invalid_cron => [schedule(cron => '0 0 30 2 *')],
    invalid_cron_expr => [schedule(cron_expr => 5)],
    invalid_cursor => ['GET', '/jobs?cursor=x'],
    invalid_days => ['GET', '/stats/usage?days=1.5'],
    invalid_deep => ['GET', '/health?deep=2'],
    invalid_enabled => ['PATCH', "/alerts/alt_$nothing", {}],
    invalid_from => ['GET', '/schedules/preview?cron=@daily&from=now'],
    invalid_headers => [job(headers => { Host => 'x' })],
    invalid_http_method => [job(http_method => 'TRACE')],
    invalid_idempotency_key => [job(idempotency_key => '')],
    invalid_limit => ['GET', '/jobs?limit=101'],
    invalid_max_retries => [job(max_retries => 21)],
    invalid_method => [job(method => 'BREW')],
    invalid_name => [alert(name => 'x' x 257)],
    invalid_paused => [schedule(paused => 'no')],
    invalid_rate_limit => [buffer(rate_limit => 0)],
    invalid_scheduled_at => [job(scheduled_at => '2001-01-01T00:00:00Z')],
    invalid_scope => ['POST', '/tokens', { scope => 'admin' }],
    invalid_status => ['GET', '/jobs?status=done'],
    invalid_target => [alert(target => 'mailto:ops@example.com')],
    invalid_timeout_seconds => [job(timeout_seconds => 0)],
    invalid_type => [alert(type => 'email')],
    invalid_url => [job(url => 'http://10.0.0.1/')],
    invalid_webhook_headers => [job(webhook_headers => [])],
    invalid_webhook_url => [job(webhook_url => '/hook')],

    bad_request => \&without_a_chunk,
    invalid_json => [@post, '{"url":1,"url":1}'],
    unauthorized => ['GET', '/jobs', undef, { Authorization => undef }],
    insufficient_credits => sub { (job(), account(qw(--plan paid))) },
    forbidden => sub {
        my $token = sandbox->fliqctl(qw(token create --scope read --account),
                                     sandbox->{account});
        return (job(), { Authorization => "Bearer $token->{token}" });
    },
    billing_disabled => ['POST', '/billing/checkout', { credits => 1 }],
    unknown_route => ['GET', '/job'],
    not_found => ['GET', "/jobs/job_$nothing"],
    method_not_allowed => ['PUT', '/jobs', {}],
    request_timeout => [of_nginx(408)],
    conflict => \&contested,
    idempotency_conflict => sub {
        made(job(idempotency_key => 'once'));
        return job(idempotency_key => 'once', body => 'else');
    },
    item_not_failed => sub {
        my $buffer = made(buffer(name => 'items'));
        api('POST', "/buffers/$buffer->{id}/pause");
        my $items = "/buffers/$buffer->{id}/items";
        my $item = made('POST', $items, {});
        return ('POST', "$items/$item->{id}/replay");
    },
    job_already_executed => sub {
        return ('DELETE', '/jobs/' . wait_job(create_job())->{id});
    },
    job_not_failed => sub { ('POST', '/jobs/' . made(job())->{id}
                             . '/replay') },
    name_taken => sub {
        made(schedule(name => 'taken'));
        return schedule(name => 'taken');
    },
    too_many_tokens => \&with_all_tokens,
    length_required => [of_nginx(411)],
    body_too_large => [job(body => 'x' x (1024 * 1024 + 1))],
    uri_too_long => [of_nginx(414)],
    rate_limited => sub { api(of_nginx(429)); return of_nginx(429) },
    daily_limit_reached => sub {
        return (job(), account(qw(--plan free --credits 9 --daily-limit 0)));
    },

    internal_error => \&without_a_table,
    not_implemented => [of_nginx(501)],
    bad_gateway => [of_nginx(502)],
    gateway_timeout => [of_nginx(504)],
    unavailable => \&without_a_database,
);

my $page = Fliq::Sandbox::slurp(Fliq::Sandbox::repo() . '/docs/errors.md');
my @rows = map { [/^\| `(\w+)` \| (\d+) \|/] } grep { /^\| `/ }
           split /\n/, $page;

is_deeply([sort keys %request], [sort map { $_->[0] } @rows],
          'there is a request for each row');

# The last one stops the database.
for (sort { ($a->[0] eq 'unavailable') <=> ($b->[0] eq 'unavailable') } @rows)
{
    my ($code, $status) = @$_;
    my $request = $request{$code} // next;

    my @request = ref $request eq 'CODE' ? $request->() : @$request;
    my $answer = ref $request[0] ? $request[0] : api(@request);

    is_error($answer, $status, $code, 'provoked');
}

my %statuses = map { ($_->[1] => 1) } @rows;
is(join(' ', grep { !$statuses{$_} } 400, 401, 403, 404, 409, 429, 500), '',
   'so is each status of the public reference');

finish(qr/relation "fliq\.alert_channels" does not exist/,
       qr/prepared statement "alert_list" does not exist/);
