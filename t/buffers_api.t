# The API of buffers and their items, with the dispatcher off: what a create
# and a push take and refuse, the objects, pause, lists, statistics, replays,
# keys, tenants and credit.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Port qw(free_port);
use Fliq::Test;

my $sdk = 'http://127.0.0.1:' . free_port();

sandbox(workers => 2, http_conf => <<"END_CONF");
    fliq_dispatcher off;

    server {
        listen @{[ $sdk =~ s{^http://}{}r ]};

        location / {
            fliq_api dialect=sdk;
        }
    }
END_CONF

my $url = 'http://127.0.0.1:9/';
my $stamp = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\z/;
my $names = 0;


sub create (%fields) {
    return api('POST', '/buffers',
               { url => $url, name => 'b' . ++$names, %fields });
}


sub get ($path) {
    return api('GET', "/buffers/$path")->{json};
}


sub push_item ($buffer, $body = undef, $headers = {}) {
    return api('POST', "/buffers/$buffer->{id}/items", $body, $headers);
}


# An id as the database has it.
sub uuid ($id) {
    my %bits;
    @bits{split //, '0123456789abcdefghjkmnpqrstvwxyz'} =
        map { sprintf '%05b', $_ } 0 .. 31;
    my $bits = join '', map { $bits{$_} } split //, $id =~ s/^.*_//r;

    return unpack 'H*', pack 'B*', substr $bits, 2;
}


# What the dispatcher would write when an item has ended.
sub end_item ($item, $status) {
    sql("WITH gone AS (
             UPDATE fliq.buffer_items
                SET status = '$status', completed_at = now(), attempts = 2,
                    retry_count = 1, status_code = 500,
                    last_error = 'HTTP status 500'
              WHERE id = '@{[ uuid($item->{id}) ]}' RETURNING buffer_id)
         UPDATE fliq.buffer_heads
            SET $status = $status + 1
          WHERE buffer_id = (SELECT buffer_id FROM gone)");
}


# --- create: the least

my $answer = create(name => 'least');
my $least = $answer->{json};

is_status($answer, 201, 'the least');
like($least->{id}, qr/^buf_[0-9a-z]{26}\z/, 'an id');
is($answer->{headers}{location}, "/buffers/$least->{id}", 'its Location');
like($least->{created_at}, $stamp, 'when it was made');

is_deeply($least, {
    id => $least->{id}, user_id => sandbox->{account}, name => 'least',
    url => $url, http_method => 'POST', method => 'POST', headers => undef,
    rate_limit => 10, max_retries => 3, timeout_seconds => 30,
    backoff => 'exponential', webhook_url => undef,
    webhook_headers => undef, paused => JSON::PP::false,
    created_at => $least->{created_at}, updated_at => $least->{created_at},
}, 'all that it has');

is_deeply(get($least->{id}), $least, 'and has when it is read');


# --- create: everything

my %all = (
    http_method => 'PUT', headers => { 'X-A' => 'b' }, rate_limit => 1000,
    max_retries => 20, timeout_seconds => 3600, backoff => 'linear',
    webhook_url => 'http://127.0.0.1:9/hook',
    webhook_headers => { 'X-C' => 'd' },
);
my $all = create(%all, name => "\x{e9}")->{json};

is_deeply({ map { $_ => $all->{$_} } keys %all, 'name' },
          { %all, name => "\x{e9}" }, 'everything');
is_deeply(get($all->{id}), $all, 'and so it is read');
is(create(method => 'delete')->{json}{http_method}, 'DELETE',
   'the other name of the method');

my $null = create(map { $_ => undef } keys %all)->{json};
is_deeply({ %$null, map { $_ => 0 } qw(id name created_at updated_at) },
          { %$least, map { $_ => 0 } qw(id name created_at updated_at) },
          'null is as good as nothing');

is_status(create(max_retries => 0, rate_limit => 1, timeout_seconds => 1),
          201, 'the smallest numbers');
is_status(create(body => 5, paused => 'x', cron => 1), 201,
          'what it does not know is ignored');


# --- names

is_status(create(name => 'x' x 256), 201, 'a long name');
is_error(create(name => 'least'), 409, 'name_taken', 'a name again');
is(scalar(grep { $_->{status} == 201 } load(clients => 8)->run(
    map { request_bytes('POST', '/buffers',
          { url => $url, name => 'once' }) } 1 .. 16)),
   1, 'of many at once, one gets the name');


# --- pause and resume

for (1, 2) {
    $answer = api('POST', "/buffers/$all->{id}/pause");
    is_status($answer, 204, "paused $_");
    is($answer->{content}, '', 'without a body');
    is(get($all->{id})->{paused}, JSON::PP::true, 'so it is');
}

is_status(push_item($all), 201, 'it takes an item meanwhile');

for (1, 2) {
    is_status(api('POST', "/buffers/$all->{id}/resume"), 204, "resumed $_");
    is(get($all->{id})->{paused}, JSON::PP::false, 'so it is');
}


# --- push

$answer = push_item($least);
my $item = $answer->{json};

is_status($answer, 201, 'a push without a body');
like($item->{id}, qr/^item_[0-9a-z]{26}\z/, 'an id');
is($answer->{headers}{location}, "/buffers/$least->{id}/items/$item->{id}",
   'its Location');
like($item->{created_at}, $stamp, 'when it was made');
ok(!exists $answer->{headers}{'idempotent-replayed'}, 'it is none replayed');

is_deeply($item, {
    id => $item->{id}, user_id => sandbox->{account},
    buffer_id => $least->{id}, status => 'pending', status_code => undef,
    attempts => 0, retry_count => 0, max_retries => 3, last_error => undef,
    replay_of => undef, headers => undef, body => undef,
    idempotency_key => undef, created_at => $item->{created_at},
    completed_at => undef,
}, 'all that it has');

is_deeply(get("$least->{id}/items/$item->{id}"), $item,
          'and has when it is read');

my %full = (body => "\x{e9}\0x", headers => { 'X-A' => 'b', a => "\x{e9}" },
            idempotency_key => 'full');
my $full = push_item($all, { %full, url => 1, anything => [] })->{json};
is_deeply({ map { $_ => $full->{$_} } keys %full, 'max_retries' },
          { %full, max_retries => 20 }, 'everything');
is_deeply(get("$all->{id}/items/$full->{id}"), $full, 'and so it is read');

is_deeply([@{ push_item($least, '{}')->{json} }{qw(body headers)}],
          [undef, undef], 'an empty object');
is_deeply([@{ push_item($least, { map { $_ => undef } keys %full })->{json} }
           {sort keys %full}], [undef, undef, undef],
          'null is as good as nothing');
is(push_item($least, '{"body":"x"}', { 'Content-Type' => 'text/plain' })
   ->{json}{body}, 'x', 'any Content-Type');
is(push_item($least, { body => '' })->{json}{body}, '', 'an empty text');

is_error(push_item($least, $_->[1]), 400, $_->[0], "push of $_->[0]")
    for [invalid_headers => { headers => { map { ("a$_" => '') } 1 .. 65 } }],
        [invalid_headers => { headers => { a => 'x' x 16_384 } }],
        [invalid_json => ' '];
is_error(push_item($least, {}, { 'Idempotency-Key' => "\xff" }), 400,
         'invalid_idempotency_key', 'a key in a header that is no text');
is_error(push_item($least, { idempotency_key => 'a' },
                   { 'Idempotency-Key' => 'b' }),
         400, 'invalid_idempotency_key', 'two keys');


# --- keys

sub is_repeat ($answer, $first, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_status($answer, 201, "$name: 201");
    is($answer->{headers}{'idempotent-replayed'}, 'true', "$name: says so");
    is($answer->{headers}{location},
       "/buffers/$first->{buffer_id}/items/$first->{id}", "$name: its place");
    is_deeply($answer->{json}, $first, "$name: the first item");
}

is_repeat(push_item($all, { %full }), $full, 'the same');
is_repeat(push_item($all, { body => 'other', idempotency_key => 'full' }),
          $full, 'another body');
is_repeat(push_item($all, undef, { 'Idempotency-Key' => 'full' }), $full,
          'the key in a header, and no body');
is_repeat(push_item($all, { %full }, { 'Idempotency-Key' => 'full' }), $full,
          'the key in both');
is(get("$all->{id}/stats")->{total}, 2, 'none was added');

my $elsewhere = push_item($least, { %full })->{json};
isnt($elsewhere->{id}, $full->{id}, 'the same key in another buffer');

for my $round (1 .. 5) {
    my $buffer = create()->{json};
    my @answers = load(clients => 50)->run(map {
        request_bytes('POST', "/buffers/$buffer->{id}/items",
                      { idempotency_key => 'same', body => "$_" })
    } 1 .. 50);
    my %ids = map { ($_->{body} =~ /"id":"(item_\w+)"/ ? $1 : '-' => 1) }
              @answers;

    is(scalar(grep { $_->{status} == 201 } @answers), 50,
       "round $round: 50 answers of 201");
    is(scalar(keys %ids), 1, "round $round: one item in all of them");
    is(scalar(grep { $_->{head} =~ /^Idempotent-Replayed: true/mi }
              @answers), 49, "round $round: 49 say that they are repeats");
    is(get("$buffer->{id}/stats")->{total}, 1, "round $round: one item");
}


# --- states, lists, statistics

my $many = create()->{json};

is_deeply(get("$many->{id}/stats"),
          { pending => 0, running => 0, completed => 0, failed => 0,
            total => 0, success_rate => 0 }, 'nothing yet');
is_deeply(get("$many->{id}/items"), { items => [], next_cursor => undef },
          'an empty list');

my @items = map { push_item($many, { body => "$_" })->{json} } 1 .. 8;
end_item($items[$_], 'completed') for 0 .. 2;
end_item($items[3], 'failed');

my $owner = sql('SELECT fliq.make_id()');
sql("UPDATE fliq.buffer_heads
        SET owner_id = '$owner', attempt = 1,
            item_id = '@{[ uuid($items[4]{id}) ]}'
      WHERE buffer_id = '@{[ uuid($many->{id}) ]}'");

is_deeply(get("$many->{id}/stats"),
          { pending => 3, running => 1, completed => 3, failed => 1,
            total => 8, success_rate => 0.75 }, 'eight items');

my $failed = get("$many->{id}/items/$items[3]{id}");
like($failed->{completed_at}, $stamp, 'when it ended');
is_deeply($failed, { %{ $items[3] }, status => 'failed', attempts => 2,
                     retry_count => 1, status_code => 500,
                     last_error => 'HTTP status 500',
                     completed_at => $failed->{completed_at} },
          'what came of an item');
is(get("$many->{id}/items/$items[4]{id}")->{status}, 'running', 'one runs');

sub list ($query = '') {
    return [map { $_->{body} } @{ get("$many->{id}/items$query")->{items} }];
}

is_deeply(list(), [reverse 1 .. 8], 'newest first');
is_deeply(list("?status=$_->[0]"), $_->[1], "those that are $_->[0]")
    for ['pending', [8, 7, 6]], ['running', [5]], ['failed', [4]],
        ['completed', [3, 2, 1]], ['', [reverse 1 .. 8]];

my $page = get("$many->{id}/items?status=completed&limit=2");
is_deeply([map { $_->{body} } @{ $page->{items} }], [3, 2], 'a page');
is_deeply(get("$many->{id}/items?status=completed&cursor="
              . $page->{next_cursor}),
          { items => [get("$many->{id}/items/$items[0]{id}")],
            next_cursor => undef }, 'and the last one');
is_deeply(get("$least->{id}/items?status=failed"),
          { items => [], next_cursor => undef }, 'none of a state');

# Those that were there are each seen once, though others come.

my $long = create()->{json};
my @bytes = map { request_bytes('POST', "/buffers/$long->{id}/items",
                                { body => "$_" }) } 1 .. 250;
load(clients => 8)->run(@bytes);

my @there = sql("SELECT fliq.id_text('item', id) FROM fliq.buffer_items
                  WHERE buffer_id = '@{[ uuid($long->{id}) ]}'");
my $pushing = load(clients => 4)->background(do {
    my $n = 0;
    sub { return $n++ < 5000 ? $bytes[0] : undef };
});
my (@walked, $cursor);

do {
    my $page = get("$long->{id}/items?limit=7"
                   . ($cursor ? "&cursor=$cursor" : ''));
    push @walked, map { $_->{id} } @{ $page->{items} };
    $cursor = $page->{next_cursor};
} while $cursor;

is(scalar(grep { $_->{status} != 201 } halt($pushing)), 0,
   'pushes during a walk');

my %seen;
$seen{$_}++ for @walked;
is(scalar(grep { $_ > 1 } values %seen), 0, 'no item is seen twice');
is(scalar @there, 250, 'all were pushed');
is(scalar(grep { !$seen{$_} } @there), 0, 'none is left out');

my $buffers = api('GET', '/buffers?limit=100')->{json};
is($buffers->{next_cursor}, undef, 'one page of buffers');
is_deeply([map { $_->{id} } @{ $buffers->{buffers} }],
          [reverse sort map { $_->{id} } @{ $buffers->{buffers} }],
          'newest first');
is_deeply((grep { $_->{id} eq $all->{id} } @{ $buffers->{buffers} })[0],
          get($all->{id}), 'each is as it is read alone');

@walked = ();
do {
    my $page = api('GET', '/buffers?limit=3'
                   . ($cursor ? "&cursor=$cursor" : ''))->{json};
    push @walked, map { $_->{id} } @{ $page->{buffers} };
    create() if @walked == 3;
    $cursor = $page->{next_cursor};
} while $cursor;

is_deeply(\@walked, [map { $_->{id} } @{ $buffers->{buffers} }],
          'pages have each once, though another came');


# --- replay

sub replay ($item, $headers = {}) {
    return api('POST', "/buffers/$item->{buffer_id}/items/$item->{id}/replay",
               undef, $headers);
}

my $whole = push_item($many, { %full })->{json};
end_item($whole, 'failed');

$answer = replay($whole);
my $clone = $answer->{json};
is_status($answer, 201, 'a replay');
isnt($clone->{id}, $whole->{id}, 'it is another item');
is_deeply($clone, {
    %$whole, id => $clone->{id}, replay_of => $whole->{id},
    idempotency_key => undef, created_at => $clone->{created_at},
}, 'a clone, clean, without the key');
is_deeply(get("$many->{id}/items/$clone->{id}"), $clone, 'so it is read');
is(sql("SELECT max(seq) FROM fliq.buffer_items
         WHERE buffer_id = '@{[ uuid($many->{id}) ]}'"),
   sql("SELECT seq FROM fliq.buffer_items
         WHERE id = '@{[ uuid($clone->{id}) ]}'"), 'it is the last in line');
is_status(replay($whole), 201, 'once more');
is(get("$many->{id}/stats")->{pending}, 5, 'both wait');

is_error(replay($_), 409, 'item_not_failed', 'a replay of one that is '
         . get("$many->{id}/items/$_->{id}")->{status})
    for @items[0, 4, 7], $clone;


# --- the words of the client library are the same, but for an error's shape

for my $path ('', "/$many->{id}", "/$many->{id}/stats", "/$many->{id}/items",
              "/$many->{id}/items/$whole->{id}") {
    is_deeply(api('GET', "/buffers$path", undef, {}, $sdk)->{json},
              api('GET', "/buffers$path")->{json}, "both say '$path' alike");
}

$answer = api('POST', "/buffers/$many->{id}/items/$clone->{id}/replay", undef,
              {}, $sdk);
is_status($answer, 409, 'a refusal');
is_deeply($answer->{json}, { code => 'item_not_failed',
          error => 'only an item that has failed can be replayed' },
          'in its shape');


# --- tenants

my $account = sandbox->fliqctl('account', 'create', '--name', 'other');
my $stranger = { Authorization => 'Bearer '
    . sandbox->fliqctl('token', 'create', '--account', $account->{id})
      ->{token} };
my $theirs = api('POST', '/buffers', { url => $url, name => 'least' },
                 $stranger);

is_status($theirs, 201, 'names are for one account');
$theirs = $theirs->{json};

is_error(api('GET', "/buffers/$theirs->{id}/items/$whole->{id}", undef,
             $stranger), 404, 'not_found', "an item in a stranger's buffer");
is_error(api('POST', "/buffers/$theirs->{id}/items/$whole->{id}/replay",
             undef, $stranger), 404, 'not_found', 'a replay there');
is(scalar @{ api('GET', '/buffers', undef, $stranger)->{json}{buffers} }, 1,
   'a list has what is its own');

sql("UPDATE fliq.accounts SET suspended_at = now() WHERE name = 'other'");
ok(wait_until(sub {
    api('POST', "/buffers/$theirs->{id}/items", {}, $stranger)->{status}
    == 403
}), 'an account that is suspended pushes nothing');


# --- credit

sub account (@options) {
    my $account = sandbox->fliqctl('account', 'create', '--name', 'x',
                                   @options);
    my $token = sandbox->fliqctl('token', 'create', '--account',
                                 $account->{id});

    return { Authorization => "Bearer $token->{token}" };
}

for (['paid', 402, 'insufficient_credits', 'balance = 0'],
     ['free', 429, 'daily_limit_reached',
      'used_today = 1, used_on = (now() AT TIME ZONE \'UTC\')::date']) {
    my ($plan, $status, $code, $spent) = @$_;
    my $who = account('--plan', $plan, '--credits', 2,
                      $plan eq 'free' ? ('--daily-limit', 1) : ());
    my $buffer = api('POST', '/buffers', { url => $url, name => 'c' }, $who)
                 ->{json};

    is_status(push_item($buffer, {}, $who), 201, "$plan: a push");
    is_status(push_item($buffer, {}, { %$who, 'Idempotency-Key' => 'k' }),
              201, "$plan: with a key");
    my $first = api('GET', "/buffers/$buffer->{id}/items", undef, $who)
                ->{json}{items}[0];
    end_item($first, 'failed');
    $first = api('GET', "/buffers/$buffer->{id}/items/$first->{id}", undef,
                 $who)->{json};
    sql("UPDATE fliq.accounts SET $spent WHERE plan = '$plan'");

    my $refusal = push_item($buffer, {}, $who);
    is_error($refusal, $status, $code, "$plan: a push");
    like($refusal->{headers}{'retry-after'}, qr/^\d+\z/, 'and when again')
        if $status == 429;
    is_error(push_item($buffer, { idempotency_key => 'new' }, $who),
             $status, $code, "$plan: a new key");
    is_error(replay($first, $who), $status, $code, "$plan: a replay");
    is_error(push_item($buffer, { body => 1 }, $who), 400, 'invalid_body',
             "$plan: what is wrong is said before");
    is_repeat(push_item($buffer, { body => 'x', idempotency_key => 'k' },
                        $who), $first, "$plan: the late repeat of a push");
    is_status(api('POST', '/buffers', { url => $url, name => 'd' }, $who),
              201, "$plan: a buffer executes nothing");
}


# --- delete

is_status(api('DELETE', "/buffers/$many->{id}"), 204, 'deleted');
is_error(api('DELETE', "/buffers/$many->{id}"), 404, 'not_found', 'again');
is_error(api('GET', "/buffers/$many->{id}$_"), 404, 'not_found',
         "it is gone: '$_'")
    for '', '/items', '/stats', "/items/$whole->{id}";
is_error(push_item($many, $_), 404, 'not_found', 'it takes nothing')
    for {}, { idempotency_key => 'full' };
is_error(replay($whole), 404, 'not_found', 'and replays nothing');
is_status(create(name => $many->{name}), 201, 'its name is free again');

my @crossed = load(clients => 16)->run(
    @bytes[0 .. 99], request_bytes('DELETE', "/buffers/$long->{id}"),
    @bytes[100 .. 199]);
my %told;
$told{ $_->{status} }++ for @crossed;
is($told{204}, 1, 'deleted while items are pushed');
is(($told{201} // 0) + ($told{404} // 0), 200, 'each is taken or not found')
    || diag(explain(\%told));
is($crossed[-1]{status}, 404, 'the last one is not');

finish();
