# /schedules: what is made, shown and changed; next_run_at is the first run
# after the database's clock, and null while a schedule is paused; of changes
# that are made at once none is lost.  (What is refused is in t/contract.)

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2);

my $url = 'http://127.0.0.1:9/';
my $stamp = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\z/;


sub create (%fields) {
    return api('POST', '/schedules',
               { url => $url, cron => '0 0 1 1 *', %fields });
}


sub get ($schedule) {
    return api('GET', "/schedules/$schedule->{id}")->{json};
}


sub patch ($schedule, %fields) {
    return api('PATCH', "/schedules/$schedule->{id}", \%fields);
}


# The next first of January, and the next full minute.
sub new_year () {
    return sprintf '%d-01-01T00:00:00Z', 1901 + (gmtime)[5];
}


sub is_next_minute ($schedule, $before, $name) {
    my $at = seconds($schedule->{next_run_at});

    return ok($at > $before && $at <= time + 60 && $at % 60 == 0, $name)
        || diag("next_run_at is $schedule->{next_run_at}");
}


# --- create: the least

my $answer = create();
my $least = $answer->{json};

is_status($answer, 201, 'the least');
like($least->{id}, qr/^sched_[0-9a-z]{26}\z/, 'an id');
is($answer->{headers}{location}, "/schedules/$least->{id}", 'its Location');
like($least->{created_at}, $stamp, 'when it was made');

is_deeply($least, {
    id => $least->{id}, user_id => sandbox->{account}, name => '',
    url => $url, cron => '0 0 1 1 *', cron_expr => '0 0 1 1 *',
    http_method => 'POST', method => 'POST', headers => undef,
    body => undef, max_retries => 0, timeout_seconds => 30,
    backoff => 'exponential', webhook_url => undef,
    webhook_headers => undef, status => 'active',
    paused => JSON::PP::false, next_run_at => new_year(),
    last_run_at => undef, created_at => $least->{created_at},
    updated_at => $least->{created_at},
}, 'all that it has');

is_deeply(get($least), $least, 'and has when it is read');


# --- create: everything

my %all = (
    name => 'nightly', http_method => 'PUT',
    headers => { 'X-A' => 'b' }, body => "\x{e9}\0x", max_retries => 20,
    timeout_seconds => 3600, backoff => 'linear',
    webhook_url => 'http://127.0.0.1:9/hook',
    webhook_headers => { 'X-C' => 'd' },
);
my $all = create(%all)->{json};

is_deeply({ map { $_ => $all->{$_} } keys %all }, \%all, 'everything');

my $alias = api('POST', '/schedules', {
    url => $url, cron_expr => '@daily', method => 'delete' })->{json};
is_deeply([@$alias{qw(cron cron_expr http_method method)}],
          ['@daily', '@daily', 'DELETE', 'DELETE'], 'other names');

my $null = create(map { $_ => undef } keys %all, 'paused', 'status')->{json};
is_deeply({ %$null, map { $_ => 0 } qw(id created_at updated_at) },
          { %$least, map { $_ => 0 } qw(id created_at updated_at) },
          'null is as good as nothing');

my $asleep = create(paused => JSON::PP::true)->{json};
is_deeply([@$asleep{qw(status paused next_run_at)}],
          ['paused', JSON::PP::true, undef], 'one that starts paused');

is_status(create(cron => $_), 201, "cron $_")
    for '*/5 * * * *', '5/15 0 * jan-MAR sun', '0 0 29 2 *', '1,2,3-9/3 * * '
    . '* 7', '@hourly', '@midnight', '@weekly', '@monthly', '@yearly',
    '@annually', " 1\t2 * * * ";


# --- names

is_status(create(name => 'x' x 256), 201, 'a long name');
is_error(create(name => 'nightly'), 409, 'name_taken', 'a name again');
is_error(patch($least, name => 'nightly'), 409, 'name_taken', 'a new name');
is_status(patch($all, name => 'nightly'), 200, 'its own name');
is(scalar(grep { $_->{status} == 201 } load(clients => 8)->run(
    map { request_bytes('POST', '/schedules',
          { url => $url, cron => '@daily', name => 'once' }) } 1 .. 16)),
   1, 'of many at once, one gets the name');


# --- pause and resume

my $busy = create(cron => '* * * * *')->{json};
my $before = time;
is_next_minute($busy, $before - 1, 'the next minute');

for (1, 2) {
    $answer = api('POST', "/schedules/$busy->{id}/pause");
    is_status($answer, 204, "paused $_");
    is($answer->{content}, '', 'without a body');
    is_deeply([@{ get($busy) }{qw(status paused next_run_at)}],
              ['paused', JSON::PP::true, undef], 'so it is');
}

for (1, 2) {
    $before = time;
    is_status(api('POST', "/schedules/$busy->{id}/resume"), 204,
              "resumed $_");
    is(get($busy)->{status}, 'active', 'so it is');
    is_next_minute(get($busy), $before, 'and runs at the next minute');
}


# --- change

$answer = patch($all, url => 'http://127.0.0.1:9/other', body => undef,
                webhook_url => undef, max_retries => undef);
is_status($answer, 200, 'a change');

my $changed = $answer->{json};
is_deeply($changed, {
    %$all, url => 'http://127.0.0.1:9/other', body => undef,
    webhook_url => undef, max_retries => 0,
    updated_at => $changed->{updated_at},
}, 'what is named changes, null gives the default, the rest stays');
ok($changed->{updated_at} gt $all->{updated_at}, 'updated_at moves');
is_deeply(get($all), $changed, 'it is kept');

my ($lane, $hook) = split /\|/, sql("SELECT lane, webhook_lane
    FROM fliq.schedules WHERE name = 'nightly'");
my $twin = create(name => 'twin', url => 'http://127.0.0.1:9/')->{json};
is($lane, sql("SELECT lane FROM fliq.schedules WHERE name = 'twin'"),
   'its lane is that of its host');
is($hook, 0, 'and it has none for a webhook');

$before = time;
$changed = patch($all, cron => '* * * * *')->{json};
is_next_minute($changed, $before, 'a new cron has a new run');
is(patch($all, status => 'paused', cron => '@daily')->{json}{next_run_at},
   undef, 'none when it is paused');
is(patch($all, cron_expr => '0 0 1 1 *')->{json}{next_run_at}, undef,
   'and none while it is paused');
is(patch($all, paused => JSON::PP::false)->{json}{next_run_at}, new_year(),
   'one when it goes on');

sql("UPDATE fliq.schedules SET next_run_at = '2031-05-05 05:05+00'
      WHERE name = 'nightly'");
is(patch($all, cron => '0 0 1 1 *', max_retries => 1)->{json}{next_run_at},
   '2031-05-05T05:05:00Z', 'the same cron keeps the run');

is_status(patch($all), 200, 'no change at all');
is_status(api('PATCH', "/schedules/$all->{id}", get($all)), 200,
          'what was read can be sent back');
is_error(api('PATCH', "/schedules/$all->{id}", '[1]'), 400, 'invalid_json',
         'no object');

# A run that was spawned after the change was read: the guard's own statement,
# since a request cannot be stopped half way.

sql("UPDATE fliq.schedules SET last_run_at = '2031-05-05 05:05+00'
      WHERE name = 'nightly'");
is_error(patch($all, max_retries => 2), 409, 'conflict',
         'a run that was had is not had again');
sql("UPDATE fliq.schedules SET last_run_at = NULL WHERE name = 'nightly'");


# --- many changes at once: each is kept or refused

my $many = create()->{json};
my @answers = load(clients => 12)->run(map {
    request_bytes('PATCH', "/schedules/$many->{id}",
                  { headers => { "X-$_" => 'x' }, max_retries => $_ % 21 })
} 1 .. 200);
my %by_status;
$by_status{ $_->{status} }++ for @answers;
delete @by_status{200, 409};
is_deeply(\%by_status, {}, 'each is 200 or 409');

my $last = get($many);
my ($n) = (keys %{ $last->{headers} })[0] =~ /(\d+)/;
is($last->{max_retries}, $n % 21, 'no change is half another');

my @pairs = map { $_ % 2 ? 'pause' : 'resume' } 1 .. 100;
@answers = load(clients => 8)->run(
    map { request_bytes('POST', "/schedules/$many->{id}/$_") } @pairs);
is(scalar(grep { $_->{status} != 204 && $_->{status} != 409 } @answers), 0,
   'pause and resume at once');
$last = get($many);
is($last->{next_run_at}, $last->{paused} ? undef : new_year(),
   'the run suits the state');


# --- lists

my $mine = api('GET', '/schedules?limit=100')->{json};
is($mine->{next_cursor}, undef, 'one page');
is_deeply([map { $_->{id} } @{ $mine->{schedules} }],
          [reverse sort map { $_->{id} } @{ $mine->{schedules} }],
          'newest first');

my (@walked, $cursor);
do {
    my $page = api('GET', '/schedules?limit=3'
                   . ($cursor ? "&cursor=$cursor" : ''))->{json};
    push @walked, @{ $page->{schedules} };
    create() if @walked == 3;
    $cursor = $page->{next_cursor};
} while $cursor;
is_deeply([map { $_->{id} } @walked],
          [map { $_->{id} } @{ $mine->{schedules} }],
          'pages have each once, though another came');


# --- its jobs (as if it had run)

for my $status ('success', 'failed', 'failed', 'cancelled') {
    sql("INSERT INTO fliq.jobs (account_id, id, url, method, scheduled_at,
             max_retries, timeout_seconds, lane, status, schedule_id)
         SELECT account_id, fliq.make_id(), url, method, now(), 0, 30, lane,
                '$status', id FROM fliq.schedules WHERE name = 'nightly'");
}

sub jobs ($query = '') {
    return api('GET', "/schedules/$all->{id}/jobs$query");
}

is_status(jobs(), 200, 'its jobs');
is_deeply([map { $_->{status} } @{ jobs()->{json}{jobs} }],
          ['cancelled', 'failed', 'failed', 'success'], 'newest first');
is($_->{schedule_id}, $all->{id}, 'each names it')
    for @{ jobs()->{json}{jobs} };
is(scalar @{ jobs("?status=$_->[0]")->{json}{jobs} }, $_->[1], $_->[0])
    for ['failed', 2], ['completed', 1], ['success', 1], ['cancelled', 1],
        ['scheduled', 0], ['running', 0], ['pending', 0];

my $page = jobs('?limit=3')->{json};
is(scalar @{ $page->{jobs} }, 3, 'a page');
is_deeply([map { $_->{status} }
           @{ jobs("?cursor=$page->{next_cursor}")->{json}{jobs} }],
          ['success'], 'and the next one');

is_deeply(api('GET', "/schedules/$least->{id}/jobs")->{json},
          { jobs => [], next_cursor => undef }, 'one that has none');


# --- preview

sub preview ($query) {
    return api('GET', "/schedules/preview?$query");
}

is_deeply(preview('cron=0+8+*+*+1-5&from=2026-03-13T08:00:00Z&count=3')
          ->{json},
          { cron => '0 8 * * 1-5', next => ['2026-03-16T08:00:00Z',
            '2026-03-17T08:00:00Z', '2026-03-18T08:00:00Z'] },
          'runs after a time');
is(scalar @{ preview('cron=%40daily')->{json}{next} }, 5, 'five by default');
is_next_minute({ next_run_at => preview('cron=*+*+*+*+*')->{json}{next}[0] },
               time - 1, 'from now by default');
is(scalar @{ preview('cron=*+*+*+*+*&count=50')->{json}{next} }, 50, 'fifty');
is_deeply(preview('cron=@yearly&from=9998-06-01T00:00:00Z')->{json}{next},
          ['9999-01-01T00:00:00Z'], 'the last one');


# --- tenants

my $account = sandbox->fliqctl('account', 'create', '--name', 'other');
my $stranger = { Authorization => 'Bearer '
    . sandbox->fliqctl('token', 'create', '--account', $account->{id})
      ->{token} };

is_deeply(api('GET', '/schedules', undef, $stranger)->{json},
          { schedules => [], next_cursor => undef }, 'an empty list');
is_status(api('POST', '/schedules',
              { url => $url, cron => '@daily', name => 'nightly' },
              $stranger), 201, 'names are for one account');


# --- delete

is_status(api('DELETE', "/schedules/$all->{id}"), 204, 'deleted');
is_error(api('DELETE', "/schedules/$all->{id}"), 404, 'not_found', 'again');
is_error(api('GET', "/schedules/$all->{id}"), 404, 'not_found', 'it is gone');
is(scalar @{ jobs()->{json}{jobs} }, 4, 'its history stays');

finish();
