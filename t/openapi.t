# docs/openapi.yaml is the API: it is valid, it has the routes of the route
# table and the codes of docs/errors.md and no others, it is served, and
# answers of every kind that it describes are, for every route and in both
# dialects, what it says.

use v5.36;

use FindBin;
use HTTP::Tiny;
use JSON::PP;
use lib "$FindBin::Bin/lib";
use Fliq::Port qw(free_port);
use Fliq::Test;

my $repo = Fliq::Sandbox::repo();
my $sdk_port = free_port();

sandbox(workers => 2, http_conf => <<"END");
fliq_max_body 1k;
fliq_retry base=10m jitter=0%;
server {
    listen 127.0.0.1:$sdk_port;
    location /sdk/ {
        fliq_api dialect=sdk;
    }
}
END

my %place = (
    reference => ['', sandbox->{url}],
    sdk => ['/sdk', "http://127.0.0.1:$sdk_port"],
);

my @exchanges;
my ($dialect, $token) = ('reference', sandbox->{token});
my $nobody = '0' x 26;
my $description = decode_json(api('GET', '/openapi.json', undef,
                                  { Authorization => undef })->{content});


# call(method, route, options): a request, whose answer will be checked.
# Options: ids for the names in route (by default of nothing that exists),
# query, body, headers, token.
sub call ($method, $route, %opt) {
    my ($prefix, $url) = @{ $place{$dialect} };
    my %headers = ('X-Request-ID' => 'r-' . @exchanges,
                   %{ $opt{headers} // {} });
    my $path = $route =~ s/\{(\w+)\}/$opt{ids}{$1} \/\/ "$1_$nobody"/ger;

    $path .= "?$opt{query}" if defined $opt{query};
    $headers{Authorization} = exists $opt{token} ? $opt{token}
                                                 : "Bearer $token";
    my $answer = $method eq 'HEAD' ? head("$url$prefix$path", %headers)
        : api($method, "$prefix$path", $opt{body}, \%headers, $url);

    push @exchanges, {
        method => $method, route => $route, dialect => $dialect,
        sent => ref $opt{body} ? $opt{body} : undef,
        name => "$dialect $method $path",
        status => 0 + $answer->{status},
        headers => $answer->{headers}, content => $answer->{content},
    };

    return $answer;
}


sub head ($url, %headers) {
    delete $headers{Authorization} if !defined $headers{Authorization};

    my $answer = HTTP::Tiny->new->head($url, { headers => \%headers });
    return { %$answer{qw(status headers)}, content => '' };
}


# made(route, body, ids): the object that a create makes.
sub made ($route, $body, %ids) {
    my $answer = call('POST', $route, body => $body, ids => \%ids);

    is($answer->{status}, 201, "$dialect POST $route")
        || diag($answer->{content});
    return $answer->{json};
}


sub ended ($route, %ids) {
    my $path = $route =~ s/\{(\w+)\}/$ids{$1}/gr;

    return wait_until(sub {
        (api('GET', $path)->{json}{status} // '')
            =~ /^(?:success|completed|failed)\z/
    });
}


# account(options): the token of a new account.
sub account (@options) {
    my $account = sandbox->fliqctl(qw(account create --name x), @options);
    my $token = sandbox->fliqctl('token', 'create', '--account',
                                 $account->{id});

    return { %$account, token => "Bearer $token->{token}" };
}


# operations(): what is described, as [method, route, operation].
sub operations () {
    my $paths = $description->{paths};

    return map {
        my $route = $_;
        map { [uc, $route, $paths->{$route}{$_}] }
            grep { /^(?:get|post|put|patch|delete)\z/ }
            sort keys %{ $paths->{$route} };
    } sort keys %$paths;
}


sub slurp ($path) {
    return Fliq::Sandbox::slurp("$repo/$path");
}


# --- the document is served, to everyone, and can be asked for again

my $served = call('GET', '/openapi.json', token => undef);
is($served->{headers}{'content-type'}, 'application/json', 'served');
is_deeply($served->{json}, $description, 'the same each time');

my $again = call('GET', '/openapi.json', token => undef,
                 headers => { 'If-None-Match' => $served->{headers}{etag} });
is($again->{status}, 304, 'and not sent twice');

is(api('GET', '/sdk//openapi.json', undef, {}, $place{sdk}[1])->{content},
   $served->{content}, 'the same under a prefix, behind two slashes');
is($description->{info}{version}, api('GET', '/health')->{json}{version},
   'it has the version of the server');


# --- it has the routes of the route table, and the codes of the page

my $table = slurp('src/api/ngx_http_fliq_route.c');
my (%routes, %described);

while ($table =~ /\{ \s NGX_HTTP_(\w+),\s "(\/\S*)",
                  \s+ NGX_HTTP_FLIQ_SCOPE_(\w+),
                  \s  NGX_HTTP_FLIQ_BODY_(\w+),/gx)
{
    $routes{"$1 $2"} = [$3 ne 'NONE', lc $4];
}

for (operations()) {
    my ($method, $route, $operation) = @$_;
    my $body = $operation->{requestBody};

    $described{"$method $route"} = [
        !@{ $operation->{security} // [1] } ? '' : 1,
        !$body ? 'none' : $body->{required} ? 'json' : 'optional',
    ];
}

cmp_ok(scalar keys %routes, '>', 20, 'the route table was read');
is_deeply(\%described, \%routes, 'it has the routes that there are');

my @codes = slurp('docs/errors.md') =~ /^\| `(\w+)`/mg;
is_deeply([sort @{ $description->{components}{schemas}{ErrorCode}{enum} }],
          [sort @codes], 'it has the codes that there are');


# --- what any route may say

my $read = sandbox->fliqctl('token', 'create', '--account',
                            sandbox->{account}, qw(--scope read))->{token};
my $suspended = account();
my $broke = account(qw(--plan paid));
my $limited = account(qw(--plan free --daily-limit 0 --credits 9));

sandbox->fliqctl('account', 'set', $suspended->{id}, qw(--suspended yes));

my %url = (url => target->url('/ok'));
my %later = (%url, scheduled_at => '2099-01-01T00:00:00Z');
my %body = (
    '/jobs' => \%later, '/schedules' => { %url, cron => '@yearly' },
    '/buffers/{buf}/items' => {},
    '/alerts/{alt}' => { name => 'x' },
);

# What of a query is wrong, by the names of parameters.
my %bad = (Limit => 'limit=0', Cursor => 'cursor=x', Days => 'days=x',
           JobFilter => 'status=x', ItemFilter => 'status=x',
           cron => 'cron=x', deep => 'deep=x');


sub refusals ($method, $route, $operation) {
    my $responses = $operation->{responses};
    my %sent = map { (body => $_) } grep { defined } $body{$route};

    call($method, $route, token => undef) if $responses->{401};
    call($method, $route, token => "Bearer $read") if $method ne 'GET';
    call($method, $route, token => $suspended->{token}) if $responses->{403};
    call($method, $route, %sent, token => $broke->{token})
        if $responses->{402};
    call($method, $route, %sent, token => $limited->{token})
        if $responses->{429};

    if ($operation->{requestBody}) {
        call($method, $route, body => $_) for '{', '[]', '{"url":1}';
        call($method, $route, body => 'x' x 300_000);
    }

    for my $parameter (@{ $operation->{parameters} // [] }) {
        my ($name) = ($parameter->{'$ref'} // $parameter->{name})
            =~ /(\w+)\z/;
        call($method, $route, query => $bad{$name}) if $bad{$name};
    }

    call('HEAD', $route) if $method eq 'GET';
    call($method, $route, %sent) if $responses->{404};
}


for my $each (sort keys %place) {
    $dialect = $each;
    refusals(@$_) for operations();

    for my $route (sort keys %{ $description->{paths} }) {
        call('OPTIONS', $route);
        call('BREW', $route);
    }
    call('GET', '/nothing');
}


# --- what it answers when all is well

sub jobs () {
    my %full = (
        http_method => 'put', headers => { 'X-Order' => '7' },
        body => "\0\x7f",
        max_retries => 3, timeout_seconds => 5, backoff => 'linear',
        webhook_url => target->url('/ok/hook'),
        webhook_headers => { 'X-Hook' => '1' },
    );

    my $waits = made('/jobs', \%later);
    my %keyed = (%later, %full, idempotency_key => "key-$dialect",
                 webhook_url => undef);
    made('/jobs', \%keyed) for 1 .. 2;
    call('POST', '/jobs', body => { %keyed, body => 'else' });

    my ($done, $failed, $retried, $running) = map {
        made('/jobs', { %full, url => target->url($_->[0]),
                        scheduled_at => at(2), max_retries => $_->[1] })
    } ['/ok', 0], ['/status/500', 0], ['/close', 1], ['/slow/4000', 0];

    ok(ended('/jobs/{job}', job => $_->{id}), 'a job ends') for $done, $failed;
    wait_until(sub { api('GET', "/jobs/$retried->{id}")->{json}{attempts} });
    target->wait_for(1, '/slow/4000');

    for my $job ($waits, $done, $failed, $retried, $running) {
        call('GET', "/jobs/{job}$_", ids => { job => $job->{id} })
            for '', '/executions', '/attempts';
    }

    call('POST', '/jobs/{job}/replay', ids => { job => $_->{id} })
        for $failed, $done;
    call('DELETE', '/jobs/{job}', ids => { job => $waits->{id} }) for 1 .. 2;

    call('GET', '/jobs', query => $_) for 'limit=2', map { "status=$_" }
        qw(scheduled pending running success completed failed cancelled);
}


sub schedules () {
    my $schedule = made('/schedules', { %url, cron => '@hourly',
                                        name => "name-$dialect" });
    my $bare = made('/schedules', { %url, cron_expr => '* * * * *',
        webhook_url => target->url('/ok/hook'), headers => { A => 'b' },
        paused => JSON::PP::true });
    my %ids = (sched => $schedule->{id});

    call('POST', '/schedules', body => { %url, cron => '@daily',
                                         name => "name-$dialect" });
    call('GET', '/schedules', query => 'limit=1');
    call('GET', '/schedules/preview', query => 'cron=@weekly&count=2');
    call('GET', '/schedules/{sched}', ids => \%ids);
    call('GET', '/schedules/{sched}', ids => { sched => $bare->{id} });
    call('PATCH', '/schedules/{sched}', ids => \%ids, body => $_)
        for { status => 'paused' }, { cron => '@daily', body => undef },
            { status => 'x' }, '{';
    call('PATCH', '/schedules/{sched}', ids => { sched => $bare->{id} },
         body => { name => "name-$dialect" });
    call('POST', "/schedules/{sched}/$_", ids => \%ids)
        for qw(resume pause);
    spawned(%ids);

    contested(sub {
        call('POST', '/schedules/{sched}/resume', ids => \%ids);
        call('PATCH', '/schedules/{sched}', ids => \%ids, body => {});
    });
    call('DELETE', '/schedules/{sched}', ids => \%ids);
}


# contested(calls): others seem to change each schedule at the same time.
sub contested ($calls) {
    sql("CREATE FUNCTION fliq.lost() RETURNS trigger LANGUAGE plpgsql
             AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER lost BEFORE UPDATE ON fliq.schedules
             FOR EACH ROW EXECUTE FUNCTION fliq.lost()");
    $calls->();
    sql('DROP TRIGGER lost ON fliq.schedules; DROP FUNCTION fliq.lost');
}


# A job of a schedule, without a wait for the next minute.
sub spawned (%ids) {
    my $job = made('/jobs', \%later);

    sql("UPDATE fliq.jobs SET schedule_id = s.id FROM fliq.schedules s
          WHERE s.name = 'name-$dialect'
            AND fliq.id_text('job', jobs.id) = '$job->{id}'");
    my $jobs = call('GET', '/schedules/{sched}/jobs', ids => \%ids);
    is(scalar @{ $jobs->{json}{jobs} }, 1, 'a job of a schedule');
}


sub buffers () {
    my $buffer = made('/buffers', { %url, name => "name-$dialect" });
    my $fails = made('/buffers', {
        url => target->url('/status/500'), name => "fails-$dialect",
        rate_limit => 1000, max_retries => 0, headers => { A => 'b' },
        webhook_url => target->url('/ok/hook'), backoff => 'linear',
        timeout_seconds => 5, method => 'put' });
    my %ids = (buf => $buffer->{id});
    my $items = '/buffers/{buf}/items';

    call('POST', '/buffers', body => { %url, name => "name-$dialect" });
    call('GET', '/buffers', query => 'limit=1');
    call('GET', '/buffers/{buf}', ids => \%ids);

    my $bare = made($items, undef, %ids);
    made($items, { idempotency_key => 'k', body => 'x',
                   headers => { B => 'c' } }, %ids) for 1 .. 2;
    my $failed = made($items, { body => 'y' }, buf => $fails->{id});

    ok(ended("$items/{item}", buf => $_->{buffer_id}, item => $_->{id}),
       'an item ends') for $bare, $failed;

    for my $item ($bare, $failed) {
        my %ids = (buf => $item->{buffer_id}, item => $item->{id});

        call('GET', "$items/{item}", ids => \%ids);
        call('POST', "$items/{item}/replay", ids => \%ids);
        call('GET', $items, ids => \%ids, query => $_)
            for 'limit=1', map { "status=$_" }
            qw(pending running completed failed);
        call('GET', '/buffers/{buf}/stats', ids => \%ids);
    }

    call('POST', "/buffers/{buf}/$_", ids => \%ids) for qw(pause resume);
    call('DELETE', '/buffers/{buf}', ids => \%ids);
}


sub alerts () {
    my $channel = made('/alerts', { type => 'webhook',
                                    target => target->url('/ok/alert') });
    my $named = made('/alerts', { type => 'slack', name => 'ops',
                                  target => target->url('/ok/slack') });

    call('GET', '/alerts');
    call('GET', '/alerts/{alt}', ids => { alt => $channel->{id} });
    call('PATCH', '/alerts/{alt}', ids => { alt => $named->{id} },
         body => { enabled => JSON::PP::false });
    call('DELETE', '/alerts/{alt}', ids => { alt => $named->{id} });
}


sub rest () {
    call('GET', '/stats/jobs', query => 'days=3');
    call('GET', '/stats/usage', query => 'days=3');
    call('POST', '/billing/checkout');
    call('GET', '/openapi.json', token => undef);
    call('GET', '/openapi.json', token => undef,
         headers => { 'If-None-Match' => '*' });
    call('GET', '/health', query => $_, token => undef) for 'deep=0', 'deep=1';

    sandbox->fliqctl('credits', 'add', $limited->{id}, 9);

    for my $who (sandbox->{account}, $limited) {
        my %as = ref $who ? (token => $who->{token}) : ();

        call('GET', '/billing/balance', %as);
        call('GET', '/billing/transactions', %as, query => 'limit=1');
    }
}


sub tokens () {
    my $other = account();

    made('/tokens', { name => 'ci', scope => 'read' });
    my $token = made('/tokens', {});

    call('GET', '/tokens');
    call('DELETE', '/tokens/{tok}', ids => { tok => $token->{id} });
    call('GET', '/signing-secret');
    call('POST', '/signing-secret/rotate');

    sql("DELETE FROM fliq.signing_secrets s USING fliq.accounts a
          WHERE a.id = s.account_id
            AND fliq.id_text('acct', a.id) = '$other->{id}'");
    sql("INSERT INTO fliq.tokens (id, account_id, prefix, hash)
         SELECT fliq.make_id(), a.id, 'fliq_sk_0000',
                sha256((a.id::text || n)::bytea)
           FROM fliq.accounts a, generate_series(1, 1000) AS n
          WHERE fliq.id_text('acct', a.id) = '$other->{id}'");

    call('GET', '/signing-secret', token => $other->{token});
    call('POST', '/tokens', body => {}, token => $other->{token});
}


for my $each (sort keys %place) {
    $dialect = $each;
    alerts();
    jobs();
    schedules();
    buffers();
    rest();
    tokens();
}


# --- what is sent to webhooks and alert channels

for ([jobEnded => '/ok/hook', qr/"job_id" *: *"job_/, 4],
     [itemEnded => '/ok/hook', qr/"item_id"/, 2],
     [failure => '/ok/alert', qr/"resource_type" *: *"job"/, 2],
     [failure => '/ok/alert', qr/"resource_type" *: *"buffer_item"/, 2])
{
    my ($name, $path, $member, $count) = @$_;
    my @sent;

    wait_until(sub {
        @sent = grep { $_->{body} =~ /$member/ } target->to($path);
        return @sent >= $count;
    });
    cmp_ok(scalar @sent, '>=', $count, "sent: $name");

    push @exchanges, map {
        { webhook => $name, dialect => 'reference', name => "sent: $name",
          headers => $_->{header}, content => $_->{body} }
    } @sent;
}


# --- what it says when the database is away

kill INT => sandbox->{postgres_pid};
ok(Fliq::Sandbox::await_end(sandbox->{postgres_pid}), 'PostgreSQL is gone');
for my $each (sort keys %place) {
    $dialect = $each;

    # Until the caches know no token any more.
    my ($prefix, $url) = @{ $place{$dialect} };
    ok(wait_until(sub {
        api('POST', "$prefix/billing/checkout", undef, {}, $url)->{status}
            == 503
    }), 'nothing is known');

    for (grep { $_->[2]{responses}{503} } operations()) {
        my ($method, $route) = @$_;
        call($method, $route, query => 'deep=1');
    }
}


# What is in flight has an end to wait for.
sandbox->again;


# --- all of that is what the document says

sub check () {
    my $json = JSON::PP->new->utf8->canonical;
    my $files = File::Temp->newdir;

    open my $document, '>', "$files/openapi.json" or die "$files: $!\n";
    print $document $served->{content};
    open my $lines, '>', "$files/exchanges" or die "$files: $!\n";
    print $lines map { $json->encode($_) . "\n" } @exchanges;
    close $_ for $document, $lines;

    system("$repo/tools/fetch-npm", 't/openapi') == 0
        or die "fetch-npm failed\n";
    return decode_json(scalar qx{node '$repo/t/openapi/check.mjs' \\
        '$files/openapi.json' < '$files/exchanges'});
}


my $found = check();

is(join("\n", @{ $found->{lint} }), '', 'the document is valid');
is(scalar @{ $found->{wrong} }, scalar @exchanges, 'all was checked');

for my $i (0 .. $#exchanges) {
    my ($exchange, $wrong) = ($exchanges[$i], $found->{wrong}[$i]);

    is(join("\n", @$wrong), '',
       "$exchange->{name} " . ($exchange->{status} // ''))
        || diag($exchange->{content});
}

is(join("\n", @{ $found->{unseen} }), '', 'all that is described was seen');

finish();
