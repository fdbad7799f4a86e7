# fliq_encryption_key: headers, bodies and signing secrets are nowhere in the
# database, and all works as it does without.  Keys change under load, and
# nothing that does not open is ever sent.

use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use File::Find ();
use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $keys = File::Temp->newdir;


# key(name): the directive that names a key's file, which is made once.
sub key ($name) {
    state %made;

    if (!$made{$name}++) {
        open my $out, '>', "$keys/$name" or die "$name: $!\n";
        chmod 0600, "$keys/$name";
        print {$out} unpack('H*', Digest::SHA::sha256("$name $$")), "\n";
        close $out;
    }

    return "fliq_encryption_key " . ($name eq 'plain' ? '' : "$keys/")
           . "$name;";
}


sub conf (@names) {
    return join "\n", 'fliq_retry base=100ms jitter=0%;',
           map { key($_) } @names;
}


# key_id(name): as it stands in values and in logs.
sub key_id ($name) {
    key($name);
    my ($seal) = grep { -x } map { Fliq::Sandbox::repo() . "/build/$_" }
                 qw(fliq-seal sanitize/fliq-seal);
    chomp(my $id = `$seal id $keys/$name`);
    return $id;
}


sandbox(workers => 2, http_conf => conf('one'));
my $account = sql('SELECT id FROM fliq.accounts');


# A word that is in one place only.
sub canary ($what) {
    state $n = 0;
    return "canary-$what-" . unpack('H*', Digest::SHA::sha1($$ . $n++));
}


sub signed ($request, $secret) {
    my $header = $request->{header};
    my $text = "$header->{'x-fliq-timestamp'}.$request->{method}."
        . target->url($request->{path}) . ".$request->{body}";

    return $header->{'x-fliq-signature'}
           eq 'v1=' . hmac_sha256_hex($text, $secret);
}


# files_with(word): files of the database that have it.
sub files_with ($word) {
    my @found;

    sandbox->sql('CHECKPOINT', sandbox->{dsn} =~ s/user=fliq/user=postgres/r);
    File::Find::find(sub {
        return if !-f || !open my $in, '<:raw', $_;
        local $/;
        push @found, $File::Find::name if index(<$in> // '', $word) >= 0;
    }, sql('SHOW data_directory'));

    return @found;
}


sub dump_of () {
    open my $dump, '-|', 'pg_dump', '-d', sandbox->{dsn} or die "pg_dump: $!";
    local $/;
    my $text = <$dump>;
    close $dump or die "pg_dump failed\n";
    return $text;
}


# stored(): the heads of all values at rest, and how many have each.
sub stored () {
    return { map { split /\|/ } sql(q{
        SELECT head, count(*) FROM (
            SELECT left(unnest(ARRAY[headers, webhook_headers]), 26) AS head
              FROM fliq.jobs
            UNION ALL
            SELECT encode(substr(body, 1, 10), 'hex') FROM fliq.jobs
            UNION ALL
            SELECT left(unnest(ARRAY[headers, webhook_headers]), 26)
              FROM fliq.schedules
            UNION ALL
            SELECT encode(substr(body, 1, 10), 'hex') FROM fliq.schedules
            UNION ALL
            SELECT left(unnest(ARRAY[headers, webhook_headers]), 26)
              FROM fliq.buffers
            UNION ALL
            SELECT left(headers, 26) FROM fliq.buffer_items
            UNION ALL
            SELECT encode(substr(body, 1, 10), 'hex') FROM fliq.buffer_items
            UNION ALL
            SELECT left(secret, 26) FROM fliq.signing_secrets) AS v
         WHERE head IS NOT NULL
         GROUP BY head}) };
}


# all_under(name): that all of them are under that key.
sub all_under ($name, $what) {
    my $id = key_id($name);
    my @other = grep { $_ ne "sealed:1:$id:" && $_ ne "ff01$id" }
                keys %{ stored() };

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is("@other", '', $what);
}


# --- nothing of it in the database, everything of it at the target

my %word = map { $_ => canary($_) }
           qw(header body webhook item item-body buffer schedule);
my $headers = { 'X-Canary' => $word{header}, 'Content-Type' => 'text/x' };
my $hooked = { webhook_url => target->url('/ok/hook'),
               webhook_headers => { 'X-Canary' => $word{webhook} } };

my $secret = api('POST', '/signing-secret/rotate')->{json}{secret};
like($secret, qr/^whsec_/, 'a secret');
is(api('GET', '/signing-secret')->{json}{secret}, $secret, 'reads the same');

my $job = create_job(url => '/status/500/job', headers => $headers,
                     body => "{\"at\":\"$word{body}\"}", %$hooked,
                     idempotency_key => 'once');
is_deeply([@$job{qw(headers body webhook_headers)}],
          [$headers, "{\"at\":\"$word{body}\"}", $hooked->{webhook_headers}],
          'a create answers in plain text');
is_deeply([@{ get_job($job) }{qw(headers body webhook_headers)}],
          [@$job{qw(headers body webhook_headers)}], 'a get, too');

my ($request) = target->wait_for(1, '/status/500/job');
is($request->{header}{'x-canary'}, $word{header}, 'the header arrives');
is($request->{body}, $job->{body}, 'the body arrives');
ok(signed($request, $secret), 'the signature is right');

my ($hook) = target->wait_for(1, '/ok/hook');
is($hook->{header}{'x-canary'}, $word{webhook}, "the webhook's header, too");
ok(signed($hook, $secret), 'and its signature');

is(wait_job($job)->{last_error}, 'the target answered 500', 'it has failed');
my $replay = api('POST', "/jobs/$job->{id}/replay");
is_status($replay, 201, 'a replay');
is($replay->{json}{body}, $job->{body}, 'has the body');
target->wait_for(2, '/status/500/job');
is((target->to('/status/500/job'))[1]{header}{'x-canary'}, $word{header},
   'and sends the header');

my $empty = create_job(url => '/ok/empty', body => '', headers => {});
is((target->wait_for(1, '/ok/empty'))[0]{body}, '', 'an empty body');
is_deeply([@{ get_job($empty) }{qw(body headers)}], ['', {}], 'stays empty');

my $schedule = api('POST', '/schedules', {
    url => target->url('/ok/schedule'), cron => '0 0 1 1 *', name => 'yearly',
    headers => { 'X-Canary' => $word{schedule} }, body => $word{schedule},
    %$hooked })->{json};
is($schedule->{body}, $word{schedule}, 'a schedule');
is_status(api('PATCH', "/schedules/$schedule->{id}", { name => 'changed' }),
          200, 'is changed');
sql("UPDATE fliq.schedules SET next_run_at = now() + interval '0.2 s'");
($request) = target->wait_for(1, '/ok/schedule');
is("$request->{header}{'x-canary'} $request->{body}",
   "$word{schedule} $word{schedule}", 'and spawns what it was given');

my $buffer = api('POST', '/buffers', {
    name => 'b', url => target->url('/status/500/item'), max_retries => 0,
    headers => { 'X-Canary' => $word{buffer} }, %$hooked })->{json};
is_deeply($buffer->{headers}, { 'X-Canary' => $word{buffer} }, 'a buffer');
my $items = "/buffers/$buffer->{id}/items";
my $item = api('POST', $items, { body => $word{'item-body'},
                                 headers => { 'X-Item' => $word{item} } });
is($item->{json}{body}, $word{'item-body'}, 'an item');
($request) = target->wait_for(1, '/status/500/item');
is_deeply([@{ $request->{header} }{qw(x-canary x-item)}, $request->{body}],
          [@word{qw(buffer item item-body)}], 'arrives with all headers');
wait_until(sub { (api('GET', "$items/$item->{json}{id}")->{json}{status}
                  // '') eq 'failed' });
is(api('POST', "$items/$item->{json}{id}/replay")->{json}{body},
   $word{'item-body'}, 'its replay has the body');
target->wait_for(2, '/status/500/item');

is(scalar(@{ api('GET', $_->[0])->{json}{$_->[1]} }), $_->[2],
   "$_->[1] in a list")
    for ['/jobs?limit=100', 'jobs', 4], ['/schedules', 'schedules', 1],
        ['/buffers', 'buffers', 1], [$items, 'items', 2];

my $made = sandbox->fliqctl('account', 'create', '--name', 'made', '--key',
                            "$keys/one");
my $token = sandbox->fliqctl('token', 'create', '--account', $made->{id});
my $of_made = api('GET', '/signing-secret', undef,
                  { Authorization => "Bearer $token->{token}" });
like($of_made->{json}{secret}, qr/^whsec_[0-9A-Za-z]{40}\z/,
     'a secret that fliqctl made and encrypted');

wait_until(sub { sql('SELECT count(*) FROM fliq.outbox') == 0 });
my $dump = dump_of();
like($dump, qr{/status/500/job}, 'a dump has the URL');
ok(scalar(files_with('/status/500/job')), 'a file has it');

my @seen = grep { index($dump, $_) >= 0 } values %word, $secret,
           $of_made->{json}{secret};
is("@seen", '', 'but nothing else');
@seen = map { files_with($_) } values %word, $secret,
        $of_made->{json}{secret};
is("@seen", '', 'and no file has it');


# --- two keys, in another order on each node

sub set_conf (@names) {
    sandbox->set_http_conf(conf(@names));
}

set_conf('one', 'two');
my $node = Fliq::Node->start(sandbox, workers => 1, edit => sub {
    my $swapped = sandbox->{root} . '/swapped.conf';
    open my $out, '>', $swapped or die "$swapped: $!\n";
    print {$out} conf('two', 'one');
    close $out;
    $_[0] =~ s{include \S*http\.conf;}{include $swapped;} or die 'include';
});

my %sealed_by;

for my $i (1 .. 40) {
    my $url = $i % 2 ? sandbox->{url} : $node->{url};
    my $answer = api('POST', '/jobs', {
        url => target->url("/ok/both/$i"), scheduled_at => at(1),
        body => "body $i", headers => { 'X-N' => "n$i" } }, {}, $url);
    my $other = api('GET', "/jobs/$answer->{json}{id}", undef, {},
                    $i % 2 ? $node->{url} : sandbox->{url});

    is($other->{json}{body}, "body $i", "the other node reads job $i");
}

wait_until(sub { target->matching(qr{^/ok/both/}) == 40 });
is(join(' ', sort grep { $_ } map { $_->{body} =~ /(\d+)/ ? $1 : 0 }
        target->matching(qr{^/ok/both/})), join(' ', sort 1 .. 40),
   'all arrive');
is(sql("SELECT count(DISTINCT substr(body, 3, 8)) FROM fliq.jobs
         WHERE url LIKE '%/ok/both/%'"), 2, 'under one key or the other');
is_status(api('GET', '/jobs?limit=100', undef, {}, $_), 200, "a list of $_")
    for sandbox->{url}, $node->{url};


# --- reencrypt, while jobs are made and fired

set_conf('two', 'one');

my $n = 0;
my $load = load(clients => 4)->background(sub {
    $n++;
    return request_bytes('POST', '/jobs', {
        url => target->url("/ok/load/$n"), scheduled_at => at(0.3),
        headers => { 'X-N' => "n$n" }, body => "body $n" });
});
wait_until(sub { target->matching(qr{^/ok/load/}) > 50 });
my $moved = sandbox->fliqctl('reencrypt', '--to', "$keys/two", '--from',
                             "$keys/one");
cmp_ok($moved->{changed}, '>', 20, "$moved->{changed} rows were changed");
is($moved->{left}, 0, 'none is left');
my @answers = halt($load);
my $made_jobs = grep { $_->{status} == 201 } @answers;
is($made_jobs, scalar @answers, "$made_jobs jobs were made meanwhile");
ok(wait_until(sub { target->matching(qr{^/ok/load/}) == $made_jobs }, 30),
   'and fired')
    or diag(scalar target->matching(qr{^/ok/load/}));
is(scalar(grep { !/^body \d+\z/ } map { $_->{body} }
          target->matching(qr{^/ok/load/})), 0, 'with their bodies');

$node->stop;
set_conf('two');
all_under('two', 'all is under the new key');
is(get_job($job)->{body}, $job->{body}, 'it reads');
is_deeply(api('GET', "/schedules/$schedule->{id}")->{json}{headers},
          { 'X-Canary' => $word{schedule} }, 'a schedule, too');
is(api('GET', "$items/$item->{json}{id}")->{json}{headers}{'X-Item'},
   $word{item}, 'an item, too');
is(api('GET', '/signing-secret')->{json}{secret}, $secret, 'the secret, too');


# --- the wrong key, and none

for my $case ([['three'], 'another key'], [[], 'no key']) {
    my ($with, $name) = @$case;

    set_conf('two');
    my $late = create_job(url => '/ok/late', scheduled_at => at(3600),
                          headers => $headers, body => $word{body}, %$hooked);
    my $pushed = api('POST', '/buffers', {
        name => $name, url => target->url('/ok/late'), max_retries => 3,
        rate_limit => 1, headers => { 'X-Canary' => $word{buffer} },
        %$hooked })->{json};
    api('POST', "/buffers/$pushed->{id}/pause");
    my $left = api('POST', "/buffers/$pushed->{id}/items",
                   { body => $word{'item-body'} })->{json};
    my $hooks = () = target->to('/ok/hook');

    set_conf(@$with);
    is_error(api('GET', "/jobs/$late->{id}"), 500, 'internal_error',
             "$name: a job");
    is_error(api('GET', $_), 500, 'internal_error', "$name: $_")
        for '/jobs', '/schedules', '/buffers', '/signing-secret';
    is_status(api('GET', "/jobs/$late->{id}/executions"), 200,
              "$name: what has no such value is answered");

    sql("WITH late AS (UPDATE fliq.jobs SET due_at = now()
                        WHERE url LIKE '%/ok/late' RETURNING id)
         UPDATE fliq.due SET due_at = now() FROM late WHERE job_id = late.id");
    api('POST', "/buffers/$pushed->{id}/resume");
    my $says = 'what was stored of the request cannot be decrypted';
    ok(wait_until(sub {
        sql("SELECT count(*) FROM fliq.buffer_items
              WHERE status = 'failed' AND last_error = '$says'
                AND attempts = 0 AND buffer_id
                    = (SELECT id FROM fliq.buffers WHERE name = '$name')")
    }), "$name: the item fails without a request");
    ok(wait_until(sub {
        sql("SELECT count(*) FROM fliq.jobs
              WHERE url LIKE '%/ok/late' AND status = 'failed'
                AND last_error = '$says' AND attempts = 0")
    }), "$name: the job fails without a request");
    ok(wait_until(sub { sql('SELECT count(*) FROM fliq.outbox') == 0 }),
       "$name: webhooks are given up");
    is(scalar(target->to('/ok/hook')), $hooks, "$name: and are not sent");

    my $id = key_id('two');
    like(sandbox->log, qr/\[error\].* a\ value\ of\ acct_\w{26}\ is\ encrypted
        \ with\ the\ key\ $id,\ which\ is\ not\ given/x, "$name: the log");

    set_conf('two');
    is_status(api('GET', "/jobs/$late->{id}"), 200, 'with the key it reads');
    is(get_job($late)->{last_error}, $says, 'and says why it failed');
    sql("DELETE FROM fliq.jobs WHERE url LIKE '%/ok/late'");
}

is(scalar(target->to('/ok/late')), 0, 'nothing was sent');


# --- values that were moved or changed

my $there = { Authorization => "Bearer $token->{token}" };
my $theirs = api('POST', '/jobs', { url => target->url('/ok/theirs'),
    scheduled_at => at(60), headers => { 'X-N' => 'theirs' },
    body => 'theirs' }, $there)->{json};
my $ours = create_job(url => '/ok/ours', scheduled_at => at(60),
                      headers => { 'X-N' => 'ours' }, body => 'ours');

for my $change (
    ["body = (SELECT body FROM fliq.jobs WHERE url LIKE '%/theirs')",
     "another account's body"],
    ["headers = (SELECT headers FROM fliq.jobs WHERE url LIKE '%/theirs')",
     "another account's headers"],
    ['headers = webhook_headers', 'a value of another kind'],
    ["body = set_byte(body, 40, get_byte(body, 40) # 1)", 'a changed bit'],
    ["body = substr(body, 1, 20)", 'a cut body'],
    ["body = '\\xff'", 'a body of one byte'],
    ["headers = 'sealed:'", 'a mark alone'],
    ["headers = replace(headers, 'sealed:1', 'sealed:2')", 'another version'])
{
    my $try = create_job(url => '/ok/moved', scheduled_at => at(60), %$hooked,
                         headers => { 'X-N' => 'try' },
                         body => 'something to try');

    sql("UPDATE fliq.jobs SET $change->[0] WHERE url LIKE '%/moved'");
    is_error(api('GET', "/jobs/$try->{id}"), 500, 'internal_error',
             $change->[1]);
    sql("DELETE FROM fliq.due WHERE job_id IN
             (SELECT id FROM fliq.jobs WHERE url LIKE '%/moved')");
    sql("DELETE FROM fliq.jobs WHERE url LIKE '%/moved'");
}

is(get_job($ours)->{body}, 'ours', 'ours is as it was');


# --- and back

set_conf('plain', 'two');
my $between = create_job(url => '/ok/between', headers => $headers,
                         body => $word{body});
is((target->wait_for(1, '/ok/between'))[0]{body}, $word{body},
   'a job while nothing is encrypted any more');
is(sql("SELECT count(*) FROM fliq.jobs WHERE headers LIKE '{%'"), 1,
   'it is stored as it is');
is(get_job($job)->{body}, $job->{body}, 'what is encrypted reads');
$moved = sandbox->fliqctl('reencrypt', '--to', 'plain', '--from',
                          "$keys/two");
is($moved->{left}, 0, 'back to plain text');
set_conf();
is(get_job($job)->{body}, $job->{body}, 'it reads without a key');
is(scalar(grep { /^(?:sealed|ff)/ } keys %{ stored() }), 0,
   'nothing is encrypted');
like(dump_of(), qr/\Q$word{header}\E/, 'a dump has it');
is(sandbox->fliqctl('reencrypt', '--to', "$keys/three")->{left}, 0,
   'from plain text');
set_conf('three');
all_under('three', 'to a key');
is(get_job($job)->{headers}{'X-Canary'}, $word{header}, 'it reads');

finish();
