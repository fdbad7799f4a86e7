# The public API reference, walked from its top to its bottom: each request
# that it shows is made, each field, promise and error that it tells of is
# looked at, under the heading where it stands.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use JSON::PP qw(decode_json);

my $stamp = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\z/;
my $far = '2098-04-01T09:00:00Z';
my %refused;                            # "status code": how often seen

sandbox(workers => 2, http_conf => 'fliq_retry base=100ms jitter=0%;');


# ask(method, path, body, headers): api(), which remembers refusals.
sub ask (@request) {
    my $answer = api(@request);

    if ($answer->{status} >= 400) {
        my $error = $answer->{json}{error};
        my $is_shape = ref $error eq 'HASH'
            && "@{[sort keys %{ $answer->{json} }]}" eq 'error'
            && "@{[sort keys %$error]}" eq 'code message';

        ok($is_shape, "the shape of a $answer->{status}")
            || diag($answer->{content});
        $refused{"$answer->{status} $error->{code}"}++;
    }

    return $answer;
}


# The answer of a request that must be answered so.
sub good ($status, @request) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = ask(@request);

    is_status($answer, $status, "$request[0] $request[1]");
    return $answer->{json};
}


sub bad ($status, $code, @request) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return is_error(ask(@request), $status, $code,
                    "$request[0] $request[1]");
}


# has(object, names): it has these members, perhaps among others.
sub has ($object, @names) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @absent = grep { !exists $object->{$_} } @names;

    return is("@absent", '', "it has @names");
}


sub job (%fields) {
    return { url => 'https://yourapp.example/api/charge',
             scheduled_at => $far, %fields };
}


sub schedule (%fields) {
    return { url => 'https://yourapp.example/api/digest',
             cron => '0 8 * * 1-5', %fields };
}


# account(options): the headers of a new account's token.
sub account (@options) {
    my $id = sandbox->fliqctl('account', 'create', '--name', 'x', @options)
             ->{id};
    my $token = sandbox->fliqctl('token', 'create', '--account', $id);

    return { Authorization => "Bearer $token->{token}" };
}


sub ended ($job, $headers = {}) {
    my $now;

    ok(wait_until(sub {
        $now = ask('GET', "/jobs/$job->{id}", undef, $headers)->{json};
        return $now->{status} =~ /^(?:success|failed|cancelled)\z/;
    }), 'it has ended');

    return $now;
}


# webhook(path): the payload that was sent there.
sub webhook ($path) {
    my ($request) = target->wait_for(1, $path);

    return decode_json($request->{body} // '{}');
}


my $failed;


# A webhook that hangs has ten seconds; what comes of it is looked at when
# they have passed.
my $patient = create_job(url => '/ok/patient',
                         webhook_url => target->url('/hang/patient'));


subtest 'API Reference' => sub {
    my $answer = ask('GET', '/jobs');

    is_status($answer, 200, 'a request');
    is($answer->{headers}{'content-type'}, 'application/json', 'JSON');
    is(ref $answer->{json}, 'HASH', 'indeed');
    is(ref good(201, 'POST', '/jobs', job()), 'HASH', 'in and out');
};


subtest 'Authentication' => sub {
    like(sandbox->{token}, qr/^fliq_sk_/, 'a token');
    good(200, 'GET', '/jobs');
    bad(401, 'unauthorized', 'GET', '/jobs', undef, { Authorization => $_ })
        for undef, 'Bearer fliq_sk_your_token', sandbox->{token};
};


subtest 'Jobs: Create a job' => sub {
    my %all = (
        http_method => 'PUT', headers => { 'X-A' => 'b' }, body => '{"a":1}',
        max_retries => 3, idempotency_key => 'order-7',
        webhook_url => 'https://yourapp.example/hook',
        webhook_headers => { Authorization => 'Bearer x' },
    );
    my $job = good(201, 'POST', '/jobs', job(%all));

    has($job, qw(id url http_method scheduled_at max_retries status
                 created_at));
    is_deeply({ map { $_ => $job->{$_} } keys %{ job(%all) } }, job(%all),
              'what was sent');
    like($job->{id}, qr/^job_\w+\z/, 'its id');
    is($job->{status}, 'scheduled', 'its status');
    like($job->{created_at}, $stamp, 'when it was created');

    is(good(201, 'POST', '/jobs', job(%all))->{id}, $job->{id},
       'the same key is the same job');
    bad(409, 'idempotency_conflict', 'POST', '/jobs',
        job(%all, body => 'other'));

    my $least = good(201, 'POST', '/jobs', job());
    is_deeply([@$least{qw(http_method max_retries)}], ['POST', 0],
              'defaults');
    bad(400, 'invalid_url', 'POST', '/jobs', { scheduled_at => $far });
    bad(400, 'invalid_scheduled_at', 'POST', '/jobs',
        { url => job()->{url} });
    bad(400, "invalid_$_->[0]", 'POST', '/jobs', job(@$_))
        for [url => 1], [http_method => 1], [scheduled_at => 1],
            [headers => 'x'], [body => {}], [max_retries => 'x'],
            [idempotency_key => 1], [webhook_url => 1],
            [webhook_headers => 'x'];
};


subtest 'Jobs: Get a job' => sub {
    my $job = ended(create_job(url => '/ok/get'));

    is_deeply([@$job{qw(status execution_count)}], ['success', 1],
              'status and execution count');
    is((target->to('/ok/get'))[0]{method}, 'POST', 'it was called by POST');
    bad(404, 'not_found', 'GET', '/jobs/job_' . '0' x 26);
};


subtest 'Jobs: List jobs' => sub {
    good(201, 'POST', '/jobs', job()) for 1 .. 22;

    my @walked;
    my $cursor = '';
    do {
        my $page = good(200, 'GET',
                        "/jobs?status=scheduled&limit=10&cursor=$cursor");
        push @walked, map { $_->{id} } @{ $page->{jobs} };
        $cursor = $page->{next_cursor} // '';
    } while $cursor ne '';

    my %once = map { ($_ => 1) } @walked;
    is(scalar(@walked), 25, 'pages have all');
    is(scalar(keys %once), 25, 'once');

    is(scalar(@{ good(200, 'GET', '/jobs')->{jobs} }), 20, 'twenty');
    good(200, 'GET', '/jobs?limit=100');
    bad(400, 'invalid_limit', 'GET', '/jobs?limit=101');
    bad(400, 'invalid_cursor', 'GET', '/jobs?cursor=x');
    bad(400, 'invalid_status', 'GET', '/jobs?status=x');

    for my $status (qw(scheduled success failed cancelled)) {
        my $page = good(200, 'GET', "/jobs?status=$status&limit=50");
        my @others = grep { $_->{status} ne $status } @{ $page->{jobs} };

        is(scalar(@others), 0, "$status alone");
    }
};


subtest 'Jobs: Cancel a job' => sub {
    my $job = create_job(url => '/ok/cancelled', scheduled_at => at(2));

    good(204, 'DELETE', "/jobs/$job->{id}");
    is(get_job($job)->{status}, 'cancelled', 'it is cancelled');
    bad(409, 'job_already_executed', 'DELETE', "/jobs/$job->{id}");
    bad(409, 'job_already_executed', 'DELETE',
        '/jobs/' . ended(create_job())->{id});
    bad(404, 'not_found', 'DELETE', '/jobs/job_' . '0' x 26);

    ended(create_job(scheduled_at => at(2)));
    is(scalar(target->to('/ok/cancelled')), 0, 'it never fired');
};


subtest 'Jobs: Replay a failed job' => sub {
    $failed = ended(create_job(url => '/status/500/replay',
                               max_retries => 1));
    is_deeply([@$failed{qw(status execution_count)}], ['failed', 2],
              'one that failed for good');

    my $clone = good(201, 'POST', "/jobs/$failed->{id}/replay");
    has($clone, qw(id status replay_of scheduled_at created_at));
    isnt($clone->{id}, $failed->{id}, 'another job');
    is_deeply([@$clone{qw(status replay_of execution_count)}],
              ['pending', $failed->{id}, 0], 'pending, and clean');
    is($clone->{scheduled_at}, $clone->{created_at}, 'due now');

    is(ended($clone)->{execution_count}, 2, 'with attempts of its own');
    is_deeply(get_job($failed), $failed, 'the failed one is as it was');

    my $job = good(201, 'POST', '/jobs', job());
    bad(409, 'job_not_failed', 'POST', "/jobs/$job->{id}/replay");

    my $poor = account('--plan', 'paid', '--credits', 1);
    $job = ended(good(201, 'POST', '/jobs', job(scheduled_at => at(1),
                      url => target->url('/status/500')), $poor), $poor);
    wait_until(sub {
        api('GET', '/billing/balance', undef, $poor)->{json}{balance} == 0
    });
    bad(402, 'insufficient_credits', 'POST', "/jobs/$job->{id}/replay",
        undef, $poor);
    bad(402, 'insufficient_credits', 'POST', '/jobs', job(), $poor);
};


subtest 'Schedules: Create a schedule' => sub {
    my %all = (
        http_method => 'PUT', headers => { a => 'b' }, body => 'x',
        max_retries => 3, webhook_url => 'https://yourapp.example/hook',
        webhook_headers => { a => 'b' },
    );
    my $schedule = good(201, 'POST', '/schedules', schedule(%all));

    has($schedule, qw(id url cron status created_at next_run_at));
    is_deeply({ map { $_ => $schedule->{$_} } keys %{ schedule(%all) } },
              schedule(%all), 'what was sent');
    like($schedule->{id}, qr/^sched_\w+\z/, 'its id');
    is($schedule->{status}, 'active', 'its status');

    my $next = seconds($schedule->{next_run_at});
    my ($s, $min, $hour, $wday) = (gmtime $next)[0, 1, 2, 6];
    ok($next > time && $next < time + 4 * 86_400, 'the next working day');
    is("$hour:$min:$s", '8:0:0', 'at eight, UTC');
    ok($wday >= 1 && $wday <= 5, 'Monday to Friday');

    my $least = good(201, 'POST', '/schedules', schedule());
    is_deeply([@$least{qw(http_method max_retries)}], ['POST', 0],
              'defaults');
    bad(400, 'invalid_url', 'POST', '/schedules', { cron => '@daily' });
    bad(400, 'invalid_cron', 'POST', '/schedules',
        { url => schedule()->{url} });
    bad(400, "invalid_$_->[0]", 'POST', '/schedules', schedule(@$_))
        for [url => 1], [http_method => 1], [cron => '* * * *'],
            [cron => '0 8 * * 1-9'], [headers => 'x'], [body => {}],
            [max_retries => 'x'], [webhook_url => 1],
            [webhook_headers => 'x'];
};


subtest 'Schedules: List schedules' => sub {
    my $page = good(200, 'GET', '/schedules?limit=1');

    is(scalar(@{ $page->{schedules} }), 1, 'a page');
    $page = good(200, 'GET', '/schedules?limit=50&cursor='
                             . $page->{next_cursor});
    is(scalar(@{ $page->{schedules} }), 1, 'and the next');
    bad(400, 'invalid_limit', 'GET', '/schedules?limit=0');
};


subtest 'Schedules: Delete a schedule' => sub {
    my $made = good(201, 'POST', '/schedules',
                    schedule(url => target->url('/ok/deleted')));

    good(204, 'DELETE', "/schedules/$made->{id}");
    bad(404, 'not_found', 'DELETE', "/schedules/$made->{id}");

    my $left = good(200, 'GET', '/schedules?limit=50')->{schedules};
    ok(!grep({ $_->{id} eq $made->{id} } @$left), 'it runs no more');
};


subtest 'Webhooks' => sub {
    my @keys = sort qw(job_id status status_code last_error completed_at
                       attempt_num);
    my $hooked = sub ($name, $path, %fields) {
        return create_job(url => $path, %fields,
                          webhook_url => target->url("/ok/hook/$name"));
    };

    my $done = ended($hooked->('done', '/ok', webhook_headers =>
                               { Authorization => 'Bearer mine' }));
    my $payload = webhook('/ok/hook/done');
    is_deeply([sort keys %$payload], \@keys, 'six members');
    is_deeply($payload, {
        job_id => $done->{id}, status => 'completed', status_code => 200,
        last_error => undef, completed_at => $done->{completed_at},
        attempt_num => 1 }, 'of one that completed');

    my ($request) = target->to('/ok/hook/done');
    is($request->{method}, 'POST', 'a POST');
    is($request->{header}{'content-type'}, 'application/json', 'of JSON');
    is($request->{header}{authorization}, 'Bearer mine', 'webhook_headers');

    my $fails = ended($hooked->('fails', '/status/500', max_retries => 1));
    is_deeply(webhook('/ok/hook/fails'), {
        job_id => $fails->{id}, status => 'failed', status_code => 500,
        last_error => $fails->{last_error}, attempt_num => 2,
        completed_at => $fails->{completed_at} }, 'of one that failed');

    my $gone = $hooked->('gone', '/ok', scheduled_at => $far);
    good(204, 'DELETE', "/jobs/$gone->{id}");
    is_deeply(webhook('/ok/hook/gone'), {
        job_id => $gone->{id}, status => 'cancelled', status_code => undef,
        last_error => undef, attempt_num => 0,
        completed_at => get_job($gone)->{completed_at} },
        'of one that was cancelled');

    my $job = ended(create_job(webhook_url =>
                               target->url('/status/500/hook')));
    target->wait_for(1, '/status/500/hook');
    is(get_job($job)->{status}, 'success',
       'a webhook that fails changes nothing');

    my $free = account('--plan', 'free', '--credits', 10);
    ended(good(201, 'POST', '/jobs', job(scheduled_at => at(1),
               url => target->url('/ok'),
               webhook_url => target->url('/ok/hook/free')), $free), $free);
    webhook('/ok/hook/free');
    my $usage = good(200, 'GET', '/stats/usage', undef, $free);
    is_deeply([@$usage{qw(balance total_job_executions)}], [9, 1],
              'and takes no credit');

    my $made = good(201, 'POST', '/schedules', schedule(
        url => target->url('/ok/run'), webhook_headers => { 'X-A' => 'b' },
        webhook_url => target->url('/ok/hook/run')));
    sql("UPDATE fliq.schedules SET next_run_at = now()
          WHERE fliq.id_text('sched', id) = '$made->{id}'");
    $payload = webhook('/ok/hook/run');
    is($payload->{status}, 'completed', 'a spawned job has it, too');
    is((target->to('/ok/hook/run'))[0]{header}{'x-a'}, 'b',
       'with its headers');
    is(get_job({ id => $payload->{job_id} })->{schedule_id}, $made->{id},
       'it is one of the schedule');
};


subtest 'Executions: List executions for a job' => sub {
    my $job = ended(create_job(url => '/flaky/1/executions',
                               max_retries => 1));
    my $list = good(200, 'GET', "/jobs/$job->{id}/executions");
    my @all = @{ $list->{executions} };

    is("@{[keys %$list]}", 'executions', 'an envelope');
    is_deeply([map { [@$_{qw(attempt_num status status_code)}] } @all],
              [[1, 'failed', 500], [2, 'success', 200]], 'each attempt');

    for (@all) {
        has($_, qw(id attempt_num status status_code duration_ms
                   executed_at));
        like($_->{id}, qr/^exec_\w+\z/, 'its id');
        like($_->{executed_at}, $stamp, 'when');
        like($_->{duration_ms}, qr/^\d+\z/, 'how long');
    }

    bad(404, 'not_found', 'GET', '/jobs/job_' . '0' x 26 . '/executions');
};


subtest 'Alert channels: Create a channel' => sub {
    my %all = (type => 'slack', name => 'on-call',
               target => target->url('/ok/slack'));
    my $slack = good(201, 'POST', '/alerts', \%all);

    is_deeply([sort keys %$slack],
              [qw(created_at enabled id name target type updated_at)],
              'seven members');
    is_deeply({ map { $_ => $slack->{$_} } keys %all }, \%all,
              'what was sent');
    like($slack->{id}, qr/^alt_\w+\z/, 'its id');
    ok($slack->{enabled}, 'it is on');

    good(201, 'POST', '/alerts',
         { type => 'webhook', target => target->url('/ok/alert') });
    bad(400, 'invalid_type', 'POST', '/alerts', { %all, type => $_ })
        for 'email', 'pager', undef;
    bad(400, 'invalid_target', 'POST', '/alerts', { %all, target => $_ })
        for undef, 'http://169.254.169.254/', 'x';

    ended(create_job(url => '/flaky/1/alert', max_retries => 1));
    my $job = ended(create_job(url => '/status/500/alert',
                               max_retries => 1));

    my $alert = webhook('/ok/alert');
    has($alert, qw(resource_type resource_id last_error status_code
                   attempts));
    is_deeply([@$alert{qw(resource_type resource_id last_error status_code
                          attempts)}],
              ['job', $job->{id}, $job->{last_error}, 500, 2],
              'what a webhook is told');
    is("@{[keys %{ webhook('/ok/slack') }]}", 'text', 'and slack');
    is(scalar(target->to('/ok/alert')), 1, 'not of a retry');
};


subtest 'Alert channels: List, toggle & delete' => sub {
    my $list = good(200, 'GET', '/alerts');
    my @channels = @{ $list->{channels} };

    is("@{[keys %$list]}", 'channels', 'an envelope');
    is(scalar(@channels), 2, 'of both');

    for (@channels) {
        good(204, 'PATCH', "/alerts/$_->{id}",
             { enabled => JSON::PP::false });
    }

    ended(create_job(url => '/status/500/quiet',
                     webhook_url => target->url('/ok/hook/quiet')));
    webhook('/ok/hook/quiet');
    ok(wait_until(sub {
        !sql("SELECT count(*) FROM fliq.outbox WHERE url NOT LIKE '%/hang/%'")
    }), 'nothing is left to send');
    is(scalar(target->to('/ok/alert')), 1, 'they hear nothing');

    good(204, 'PATCH', "/alerts/$channels[0]{id}",
         { enabled => JSON::PP::true });
    ok(good(200, 'GET', '/alerts')->{channels}[0]{enabled}, 'on again');

    good(204, 'DELETE', "/alerts/$_->{id}") for @channels;
    is_deeply(good(200, 'GET', '/alerts'), { channels => [] }, 'gone');
    bad(404, 'not_found', 'DELETE', "/alerts/$channels[0]{id}");
};


subtest 'Analytics: Job stats' => sub {
    my $stats = good(200, 'GET', '/stats/jobs?days=30');

    is_deeply([sort keys %$stats],
              [qw(avg_duration_ms failed p95_duration_ms since_days
                  succeeded success_rate total_executions)],
              'seven members');
    is($stats->{total_executions}, $stats->{succeeded} + $stats->{failed},
       'a sum');
    is($stats->{success_rate},
       $stats->{succeeded} / $stats->{total_executions}, 'a rate');
    ok($stats->{failed} > 0 && $stats->{p95_duration_ms} >= 0, 'numbers');

    is(good(200, 'GET', "/stats/jobs$_->[0]")->{since_days}, $_->[1],
       "days $_->[0]")
        for ['', 30], ['?days=7', 7], ['?days=0', 1], ['?days=1000', 365];
    bad(400, 'invalid_days', 'GET', '/stats/jobs?days=x');
};


subtest 'Analytics: Usage' => sub {
    my $today = substr stamp(time), 0, 10;
    my $free = account('--plan', 'free', '--credits', 41_200);
    my $usage = good(200, 'GET', '/stats/usage?days=30', undef, $free);

    is_deeply([sort keys %$usage],
              [qw(balance buckets plan since_days total_buffer_executions
                  total_job_executions)], 'six members');
    is_deeply([@$usage{qw(balance plan since_days)}], [41_200, 'free', 30],
              'credits, plan and days');

    $usage = good(200, 'GET', '/stats/usage');
    my @buckets = @{ $usage->{buckets} };
    is(scalar(@buckets), 30, 'a bucket for each day');
    is_deeply([sort keys %{ $buckets[-1] }],
              [qw(buffer_executions date job_executions)], 'of three');
    ok($buckets[-1]{date} ge $today, 'the last is today');
    ok($buckets[0]{date} lt $buckets[29]{date}, 'the oldest is the first');
    is($usage->{total_job_executions},
       good(200, 'GET', '/stats/jobs')->{total_executions}, 'the same total');
};


subtest 'Errors' => sub {
    my $answer = ask('POST', '/jobs',
                     job(scheduled_at => '2020-01-01T00:00:00Z'));

    is_status($answer, 400, 'a time that has passed');
    is_deeply($answer->{json}, { error => {
        code => 'invalid_scheduled_at',
        message => 'scheduled_at must be in the future' } },
        'word for word');

    bad(400, 'invalid_json', 'POST', '/jobs', '{');

    my $reader = sandbox->fliqctl('token', 'create', '--scope', 'read',
                                  '--account', sandbox->{account});
    bad(403, 'forbidden', 'POST', '/jobs', job(),
        { Authorization => "Bearer $reader->{token}" });

    my $limited = account('--plan', 'free', '--credits', 9,
                          '--daily-limit', 0);
    bad(429, 'daily_limit_reached', 'POST', '/jobs', job(), $limited);
    bad(404, 'unknown_route', 'GET', '/nowhere');

    sql('ALTER TABLE fliq.alert_channels RENAME TO away');
    bad(500, 'internal_error', 'GET', '/alerts');
    sql('ALTER TABLE fliq.away RENAME TO alert_channels');
    good(200, 'GET', '/alerts');

    my %rows = (
        400 => 'invalid_json', 401 => 'unauthorized', 403 => 'forbidden',
        404 => 'not_found', 409 => 'job_already_executed',
        429 => 'daily_limit_reached', 500 => 'internal_error');
    my %statuses = map { (/^(\d+)/ => 1) } keys %refused;

    ok($refused{"$_ $rows{$_}"}, "the row $_ was seen") for sort keys %rows;
    delete @statuses{keys %rows};
    is("@{[keys %statuses]}", '402', 'and no other, but want of credits');
};


subtest 'Webhooks: ten seconds' => sub {
    my ($request) = target->wait_for(1, '/hang/patient');

    ok(wait_until(sub { target->closed($request) }, 30),
       'one that hangs is given up');

    my $seconds = target->closed($request) - $request->{time};
    ok($seconds > 9.5 && $seconds < 30, "after $seconds");
    is(get_job($patient)->{status}, 'success', 'the job has succeeded');
};


subtest 'A newcomer' => sub {
    local $ENV{FLIQ_URL} = sandbox->{url};
    local $ENV{FLIQ_TOKEN} = sandbox->{token};
    local $ENV{OK_URL} = target->url('/ok/tour');
    local $ENV{BAD_URL} = target->url('/status/503/tour');
    my $before = good(200, 'GET', '/stats/jobs')->{total_executions};
    my $told = `$FindBin::Bin/../examples/tour.sh 2>&1`;

    is($?, 0, 'examples/tour.sh ends well') || diag($told);
    like($told, qr/^--- That was all$/m, 'at its end');
    unlike($told, qr/^5\d\d /m, 'no error of the server');
    is(scalar(target->to('/ok/tour')), 1, 'one job was called');
    is(scalar(target->to('/status/503/tour')), 2, 'one failed, and again');
    is(good(200, 'GET', '/stats/jobs')->{total_executions}, $before + 3,
       'which is what the numbers say');
};


finish(qr/(?:relation "fliq.alert_channels"|statement "alert_list") does not/);
