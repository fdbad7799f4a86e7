# Nothing of an account can be seen or changed with another's token, by any
# route, id, cursor, idempotency key or name; and what is another's is
# answered exactly as what does not exist.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

# What the stranger sends to a route that wants a body.
my %body = (
    'POST /jobs' => { url => 'http://127.0.0.1:9/', scheduled_at => at(9999) },
    'POST /schedules' => { url => 'http://127.0.0.1:9/', cron => '@yearly' },
    'PATCH /schedules/{sched}' => { name => 'mine', status => 'paused' },
    'POST /buffers' => { url => 'http://127.0.0.1:9/', name => 'mine' },
    'POST /buffers/{buf}/items' => { body => 'mine' },
    'POST /alerts' => { type => 'slack', target => 'http://127.0.0.1:9/' },
    'PATCH /alerts/{alt}' => { enabled => JSON::PP::false, name => 'mine' },
    'POST /tokens' => { name => 'mine' },
);

my $marker = 'of-the-victim';

sandbox(workers => 1, http_conf => 'fliq_retry base=100ms max=1s;');

my @routes = do {
    my $table = Fliq::Sandbox::slurp(Fliq::Sandbox::repo()
        . '/src/api/ngx_http_fliq_route.c');
    map { /NGX_HTTP_(\w+), "(\S+)",\s+\w+, NGX_HTTP_FLIQ_BODY_(\w+)/
          ? { method => $1, pattern => $2, body => $3 } : () }
        $table =~ /\{ (NGX_HTTP_\w+, "\/\S+",\s+\w+, \w+),/g;
};
ok(@routes > 40, 'the table of routes is read');


# --- the victim

my $account = sandbox->fliqctl('account', 'create', '--name', $marker)->{id};
my $token = sandbox->fliqctl('token', 'create', '--account', $account);


sub victim ($method, $path, $body = undef) {
    my $answer = api($method, $path, $body,
                     { Authorization => "Bearer $token->{token}" });

    die "$method $path: $answer->{status} $answer->{content}\n"
        if $answer->{status} > 299;
    return $answer->{json};
}


# A job of the victim in each state, an item likewise, and one of the rest.
my %fields = (headers => { 'X-A' => $marker }, body => $marker,
              webhook_url => target->url("/ok/hook-$marker"));
my %id;

$id{alt} = [victim('POST', '/alerts', { type => 'webhook', name => $marker,
    target => target->url("/ok/alert-$marker") })->{id}];
$id{job} = [map {
    victim('POST', '/jobs', { %fields, url => target->url("/$_->[0]/$marker"),
        scheduled_at => at($_->[1]), idempotency_key => "$marker $_->[0]" }
    )->{id};
} ['ok', 0.5], ['status/500', 0.5], ['ok/far', 9999], ['ok/gone', 9999]];
victim('DELETE', "/jobs/$id{job}[3]");

$id{sched} = [victim('POST', '/schedules', { %fields, name => $marker,
    url => target->url("/ok/sched-$marker"), cron => '0 0 29 2 *' })->{id}];

my $buffer = victim('POST', '/buffers', { name => $marker, max_retries => 0,
    url => target->url("/flaky/1/$marker"), rate_limit => 1000 })->{id};
$id{buf} = [$buffer];
$id{item} = [map {
    victim('POST', "/buffers/$buffer/items",
           { body => $marker, idempotency_key => "$marker $_" })->{id};
} 1, 2];
ok(wait_until(sub {
    victim('GET', "/buffers/$buffer/stats")->{failed} == 2
}), 'its items have ended');
victim('POST', "/buffers/$buffer/pause");
push @{ $id{item} }, victim('POST', "/buffers/$buffer/items",
                            { body => $marker })->{id};
$id{tok} = [map { $_->{id} } @{ victim('GET', '/tokens') }];

my $secret = victim('GET', '/signing-secret')->{secret};
sandbox->fliqctl('credits', 'add', $account, '1000',
                 '--description', $marker);

ok(wait_until(sub {
    sql('SELECT count(*) FROM fliq.outbox') == 0
    && sql('SELECT count(*) FROM fliq.claims') == 0
    && sql("SELECT count(*) FROM fliq.jobs
             WHERE status IN ('success', 'failed')") == 2
}), 'its jobs have ended, and all is told');


# victims(): all rows of the victim, as text, of all tables that name an
# account.  When a token was used last is noted some time later.
sub victims () {
    my @tables = sql("SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'fliq' AND column_name = 'account_id'");
    my $of = "fliq.id_text('acct', account_id) = '$account'";
    my %rows;

    for my $table (@tables) {
        my $what = $table eq 'tokens'
            ? "to_jsonb(t) - 'last_used_at'" : 'to_jsonb(t)';
        $rows{$table} = [sql("SELECT $what FROM fliq.$table t
                               WHERE $of ORDER BY 1")];
    }

    $rows{accounts} = [sql("SELECT to_jsonb(t) FROM fliq.accounts t
                             WHERE fliq.id_text('acct', id) = '$account'")];
    return \%rows;
}

my $before = victims();

ok(scalar(@{ $before->{$_} // [] }) > 0, "the victim has $_")
    for qw(accounts tokens signing_secrets jobs due executions usage_daily
           schedules alert_channels credit_transactions buffers
           buffer_items buffer_heads buffer_tails);


# --- the stranger, who has one of each, too

my %own = (
    job => api('POST', '/jobs', $body{'POST /jobs'})->{json}{id},
    sched => api('POST', '/schedules', $body{'POST /schedules'})->{json}{id},
    buf => api('POST', '/buffers', $body{'POST /buffers'})->{json}{id},
    alt => api('POST', '/alerts', $body{'POST /alerts'})->{json}{id},
    tok => api('POST', '/tokens', $body{'POST /tokens'})->{json}{id},
);
$own{item} = api('POST', "/buffers/$own{buf}/items", {})->{json}{id};

my @seen;       # all that the stranger was told


# ask(route, path): the answer as text, but for its date.
sub ask ($route, $path) {
    my $name = "$route->{method} $route->{pattern}";

    die "$name: say in \%body what to send\n"
        if $route->{body} eq 'JSON' && !$body{$name};

    my $answer = api($route->{method}, $path, $body{$name},
                     { 'X-Request-ID' => 'same' });
    delete $answer->{headers}{date};
    push @seen, [$name, $answer->{content}];

    return join "\n", $answer->{status}, $answer->{content},
        map { "$_: $answer->{headers}{$_}" } sort keys %{ $answer->{headers} };
}


# An id of the kind that is nobody's.
sub absent ($id) {
    return $id =~ s/.{12}\z/0 x 12/er;
}


# choices(kinds): all ways to fill in these ids with at least one of the
# victim's: pairs of that path's ids, and the same with nobody's for these.
sub choices (@kinds) {
    my @ways = ([[], [], 0]);

    for my $kind (@kinds) {
        @ways = map {
            my ($theirs, $none, $n) = @$_;
            ([[@$theirs, $own{$kind}], [@$none, $own{$kind}], $n],
             map { [[@$theirs, $_], [@$none, absent($_)], $n + 1] }
                 @{ $id{$kind} });
        } @ways;
    }

    return grep { $_->[2] } @ways;
}


sub fill ($pattern, @ids) {
    return $pattern =~ s/\{\w+\}/shift @ids/ger;
}


my $asked = 0;

for my $route (@routes) {
    my @kinds = $route->{pattern} =~ /\{(\w+)\}/g;
    my ($same, $missing) = (0, 0);
    my @ways = choices(@kinds);

    for my $way (@ways) {
        my ($theirs, $none) = @$way;
        my $answer = ask($route, fill($route->{pattern}, @$theirs));

        $same += $answer eq ask($route, fill($route->{pattern}, @$none));
        $missing += $answer =~ /^404\n.*"not_found"/;
    }

    next if !@kinds;
    my $name = "$route->{method} $route->{pattern}";

    is("$same $missing", @ways . ' ' . @ways,
       "$name: not found, as if it did not exist");
    $asked += @ways;
}

ok($asked > 40, "$asked requests were about the victim's");


# --- routes without an id: they are all about the stranger

for my $route (grep { $_->{pattern} !~ /\{/ } @routes) {
    my $again = "$route->{pattern}?account_id=$account&user_id=$account";

    unlike(ask($route, $route->{pattern}), qr/^5/,
           "$route->{method} $route->{pattern}: is answered");
    ask($route, $again);
}

my %list = (jobs => '/jobs', schedules => '/schedules',
            buffers => '/buffers', channels => '/alerts',
            items => "/buffers/$buffer/items",
            transactions => '/billing/transactions');

my %filter = (
    jobs => [qw(scheduled success failed cancelled running pending)],
    items => [qw(pending running completed failed)],
);


# A cursor that the victim got, and ones made of its ids.
sub cursors ($list) {
    my $rows = victim('GET', "$list?limit=1");

    return grep { defined } $rows->{next_cursor},
        map { s/^[a-z]+/a/r } map { @$_ } values %id;
}


for my $name (sort keys %list) {
    my $own = $list{$name} =~ s/\Q$buffer/$own{buf}/r;
    my @queries = ('?limit=100', (map { "?limit=100&status=$_" }
                                      @{ $filter{$name} // [] }),
                   map { "?cursor=$_" } cursors($list{$name}));

    ask({ method => 'GET', pattern => $name, body => 'NONE' }, "$own$_")
        for @queries;
}

my @cursors = cursors('/jobs');
ask({ method => 'GET', pattern => 'jobs', body => 'NONE' },
    "/schedules/$own{sched}/jobs?cursor=$_") for @cursors;

is(api('GET', '/stats/jobs')->{json}{total_executions}, 0,
   "the victim's executions do not count");
is_deeply([grep { $_->{amount} == 1000 }
           @{ api('GET', '/billing/transactions')->{json}{transactions} }],
          [], "nor its grants");


# --- keys and names are each account's own

for my $key (map { "$marker $_" } 'ok', 'status/500', 'ok/far', 'ok/gone') {
    my $answer = api('POST', '/jobs', {
        %{ $body{'POST /jobs'} }, idempotency_key => $key });

    is_status($answer, 201, "a job with the victim's key");
    is($answer->{headers}{'idempotent-replayed'}, undef, 'is a new one');
    is((grep { $_ eq $answer->{json}{id} } @{ $id{job} }), 0, 'of its own');
}

my $item = api('POST', "/buffers/$own{buf}/items",
               { idempotency_key => "$marker 1" });
is_status($item, 201, "an item with the victim's key");
is($item->{headers}{'idempotent-replayed'}, undef, 'is a new one');

is_status(api('POST', $_->[0], { %{ $body{"POST $_->[0]"} },
                                 name => $marker, user_id => $account,
                                 account_id => $account }),
          201, "$_->[0]: the victim's name is free")
    for ['/schedules'], ['/buffers'], ['/alerts'], ['/tokens'];


# --- nothing was seen, nothing has changed

my $secrets = join '|', map { quotemeta }
    $marker, $secret, $account, $token->{token}, map { @$_ } values %id;

my @leaks = grep { $_->[1] =~ /$secrets/ } @seen;
is(join(', ', map { $_->[0] } @leaks), '', 'nothing was seen');
ok(@seen > 200, scalar(@seen) . ' answers were searched');

is_deeply(victims(), $before, 'nothing has changed');
is(victim('GET', '/signing-secret')->{secret}, $secret,
   'not the secret either');

finish();
