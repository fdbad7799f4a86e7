# What users keep secret is where it has to be and nowhere else: no token,
# signing secret, header or body in a log, in a variable, in an error that is
# stored or sent, in the text of a statement; and no error tells of SQL, of
# files or of internal addresses.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

sandbox(workers => 1, http_conf => 'fliq_retry base=50ms jitter=0%;');

my $level = sub { $_[0] =~ s/^(error_log \S+) notice;/$1 info;/m };
my $access = sandbox->{root} . '/access.log';
my $node = Fliq::Node->start(sandbox, workers => 1, edit => sub {
    $level->($_[0]);
    $_[0] =~ s{access_log off;}{log_format secrets escape=none
        '\$fliq_account|\$fliq_token|\$fliq_route|\$fliq_job|\$request|\$status';
        access_log $access secrets;} or die 'access_log';
});
my $strict = Fliq::Node->start(sandbox, workers => 1, edit => sub {
    $level->($_[0]);
    $_[0] =~ s/fliq_target_allow [^;]+;//;
    $_[0] =~ s/fliq_dispatcher on/fliq_dispatcher off/;
});
my $away = Fliq::Node->start(sandbox, workers => 1, edit => $level,
                             dsn => 'host=127.0.0.1 port=1 dbname=fliq'
                                    . ' user=fliq password=canary-password');


# ask(method, path, body, headers): of the node that logs most.
sub ask ($method, $path, $body = undef, $headers = {}, $url = $node->{url}) {
    return api($method, $path, $body, $headers, $url);
}


# --- plant

my $secret = ask('POST', '/signing-secret/rotate')->{json}{secret};
my $token = ask('POST', '/tokens', { name => 'planted' })->{json}{token};
my $wrong = 'fliq_sk_' . 'Canary0' x 5 . 'Canar';
my $mine = { Authorization => "Bearer $token" };
my %word = map { $_ => "canary-$_-$$" } qw(header body webhook item);
my @words = (values %word, $secret, $token, $wrong, sandbox->{token},
             'canary-password');

like($_, qr/^(?:whsec_|fliq_sk_)\w{40}\z/, 'planted') for $secret, $token;

my %request = (
    headers => { Authorization => "Bearer $word{header}" },
    body => $word{body}, max_retries => 1, webhook_url => target->url('/hook'),
    webhook_headers => { Authorization => $word{webhook} });
my $alert = '/ok/alert';

ask('POST', '/alerts', { type => 'webhook', target => target->url($alert) },
    $mine);
ask('POST', '/alerts', { type => 'slack', target => target->url($alert) },
    $mine);


# search(text, name): that no word is in it.
sub search ($text, $name) {
    my @found = grep { index($text, $_) >= 0 } @words;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is("@found", '', $name);
}


# --- jobs of all ends, asked for and refused in all ways

my @targets = map { target->url($_) }
    qw(/ok /status/500 /reset /close /garbage /reset-after-headers);
push @targets, 'http://localhost:1/refused', 'http://nowhere.invalid/';
my $statements = '';

for my $round (0 .. 40) {
    my $url = $targets[$round % @targets];

    ask('POST', '/jobs', { %request, url => $url, scheduled_at => at(0.4),
                           idempotency_key => "key $round" }, $mine);
    $statements .= join "\n", sql('SELECT query FROM pg_stat_activity');
}

my $schedule = ask('POST', '/schedules', { %request, url => $targets[1],
                                           cron => '0 0 1 1 *' }, $mine);
is_status($schedule, 201, 'a schedule');
sql("UPDATE fliq.schedules SET next_run_at = now() + interval '0.2 s'");

my $buffer = ask('POST', '/buffers', { %request, url => $targets[1],
                                       name => 'b' }, $mine)->{json};
is_status(ask('POST', "/buffers/$buffer->{id}/items",
              { body => $word{item}, headers => { Cookie => $word{item} } },
              $mine), 201, 'an item');

my @refusals = (
    ask('GET', '/jobs', undef, { Authorization => "Bearer $wrong" }),
    ask('GET', '/jobs', undef, { Authorization => "Basic $word{header}" }),
    ask('POST', '/jobs', { %request, url => 'ftp://x/', body => 1 }, $mine),
    ask('POST', '/jobs', "{\"body\":\"$word{body}\"", $mine),
    ask('POST', '/jobs', { %request, url => $targets[0],
                           scheduled_at => $word{body} }, $mine),
    ask('POST', '/jobs', { url => $targets[0], scheduled_at => at(9),
        headers => { 'X-A' => "$word{header}\n" } }, $mine),
    ask('POST', '/jobs', { url => $targets[0], scheduled_at => at(9),
        headers => { Host => $word{header} } }, $mine),
    ask('POST', '/jobs', { %request, url => $targets[0],
        scheduled_at => at(9), idempotency_key => 'key 1' }, $mine));

cmp_ok($_->{status}, '>=', 400, 'refused') for @refusals;
search(join("\n", map { $_->{content} } @refusals), 'no refusal repeats it');

ok(wait_until(sub {
    sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'") == 0
}, 60), 'all jobs have ended');
ok(wait_until(sub {
    sql("SELECT count(*) FROM fliq.buffer_items
          WHERE status = 'failed'") == 1
}, 20), 'so has the item');
ok(wait_until(sub { sql('SELECT count(*) FROM fliq.outbox') == 0 }, 30),
   'webhooks and alerts are out');

my ($sent) = target->to('/ok');
my ($hook) = target->to('/hook');
is_deeply([$sent->{header}{authorization}, $sent->{body},
           $hook->{header}{authorization}],
          ["Bearer $word{header}", @word{qw(body webhook)}],
          'all went where it has to be');

like($statements, qr/fliq\.jobs/, 'statements were seen');
search($statements, 'their text has none of it');

my @alerts = target->to($alert);
cmp_ok(scalar @alerts, '>', 40, scalar(@alerts) . ' alerts');
search(join("\n", map { $_->{body} } @alerts), 'alerts have none of it');
search(join("\n", map { $_->{body} } target->to('/hook')),
       "webhooks' bodies, neither");

my $errors = join "\n", sql('SELECT DISTINCT last_error FROM fliq.jobs
                             UNION SELECT error FROM fliq.executions
                             UNION SELECT last_error FROM fliq.buffer_items');
like($errors, qr/connection refused/, 'last_error was written');
search($errors, 'last_error has none of it');
unlike($errors, qr/127\.|::1|localhost/, 'and no address');

is(sql("SELECT count(*) FROM fliq.tokens t WHERE t::text LIKE '%$token%'
           OR t::text LIKE '%' || encode('$token', 'hex') || '%'"), 0,
   'a token is not stored');


# --- an address that is not allowed

my $literal = ask('POST', '/jobs', { url => 'http://10.1.2.3/',
                  scheduled_at => at(9) }, $mine, $strict->{url});
is_error($literal, 400, 'invalid_url', 'a private literal');
unlike($literal->{json}{error}{message}, qr/\d+\.\d+\.\d+\.\d+/,
       'its address is not repeated');

sandbox->set_http_conf('fliq_target_deny 127.0.0.0/8 ::1;');
$node->stop;
my $inside = create_job(url => 'http://localhost:' . target->port . '/ok');
my $judged = wait_job($inside);
is($judged->{last_error}, "the target's address is not allowed",
   'a name of an internal address: which one is not said');


# --- errors of the database

my $tells = qr{\b(?:SELECT|INSERT|UPDATE|relation|constraint|column|fliq\.|
               libpq|psql|postgres|port)|/(?:tmp|var|src)/|\.c\b|
               \d+\.\d+\.\d+\.\d+}xi;

my $answer = ask('GET', '/jobs', undef, $mine, $away->{url});
is_error($answer, 503, 'unavailable', 'no database');
unlike($answer->{content}, $tells, 'tells nothing of it');
unlike(ask('GET', '/health?deep=1', undef, {}, $away->{url})->{content},
       $tells, '/health, neither');

sql("ALTER TABLE fliq.jobs ADD CONSTRAINT broken
     CHECK (url NOT LIKE '%/refuse') NOT VALID");
$answer = api('POST', '/jobs', { url => 'http://example.com/refuse',
                                 scheduled_at => at(60), body => 'a body' });
is_error($answer, 500, 'internal_error', 'a statement that is refused');
unlike($answer->{content}, $tells, 'tells nothing of it');
like(sandbox->log, qr/the database refused a statement/, 'but the log does');
unlike(sandbox->log, qr/a body|Failing row/, 'without the row');

my $lock = sandbox->hold('LOCK TABLE fliq.jobs');
$answer = api('GET', '/jobs');
Fliq::Sandbox::release($lock);
is_error($answer, 503, 'unavailable', 'a statement that takes too long');
unlike($answer->{content}, $tells, 'tells nothing of it');


# --- the logs

search($_->log, 'an error.log') for sandbox, $node, $strict, $away;
like($node->log, qr/\[info\]/, 'which has the level info');
search(Fliq::Sandbox::slurp($access), 'an access log');
like(Fliq::Sandbox::slurp($access), qr{^acct_\w+\|tok_\w+\|/jobs\|job_\w+\|}m,
     'which has our variables');
search(Fliq::Sandbox::slurp(sandbox->{dir} . '/logs/postgres.log'),
       "PostgreSQL's log");

finish(qr/violates check constraint "broken"/);
