# nginx under valgrind's memcheck goes through all that the module does: every
# route, jobs, buffers, schedules, webhooks and alerts whose targets are well
# or misbehave, clients that leave, a database that drops its connections, a
# reload and a graceful end.  No process of it reads what was not set or is
# not its own, and none has lost a byte when it ends.

use v5.36;

use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Misbehaviour;
use Fliq::Preload;
use Fliq::Test;
use JSON::PP ();

my $dir = File::Temp->newdir('fliq-valgrind-XXXXXX', TMPDIR => 1);
chmod 0755, $dir;

my $supp = Fliq::Sandbox::repo() . '/t/lib/valgrind.supp';

# nginx of a configuration check is not looked at: it runs for each reload.
sub under_valgrind ($nginx) {
    open my $out, '>', "$dir/nginx" or die "$dir/nginx: $!\n";
    print {$out} <<"END_SH";
#!/bin/sh
case " \$* " in *" -t "*) exec $nginx "\$@" ;; esac
exec valgrind --vgdb=no --num-callers=25 --suppressions=$supp \\
    --trace-children=yes --leak-check=full \\
    --show-leak-kinds=definite --errors-for-leak-kinds=definite \\
    --log-file=$dir/%p.log $nginx "\$@"
END_SH
    close $out;
    chmod 0755, "$dir/nginx";

    return "$dir/nginx";
}


$ENV{FLIQ_NGINX} = under_valgrind(Fliq::Preload::nginx());

# How long anything may take: it is some thirty times slower than usual.
my $patience = 120;

my $conf = 'fliq_retry base=100ms max=1s jitter=0%; fliq_max_body 64k;
            fliq_webhook_timeout 2s;';

sandbox(workers => 2, http_conf => $conf);

my $far = '2099-01-01T00:00:00Z';
my $url = target->url('/ok');
my %seen;                               # processes


# The title of a process is valgrind's to keep: all children are workers.
sub workers () {
    my @workers = Fliq::Sandbox::children(sandbox->{nginx_pid});

    $seen{$_}++ for @workers;
    return @workers;
}


# says(status, method, path, body): that this is the answer; its object.
sub says ($status, $method, $path, $body = undef) {
    my $answer = api($method, $path, $body);
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_status($answer, $status, "$method $path");
    return $answer->{json};
}


sub outbox_empty () {
    return wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') },
                      $patience);
}


sub none_waits () {
    return wait_until(sub {
        !sql("SELECT count(*) FROM fliq.jobs
               WHERE status = 'waiting' AND schedule_id IS NULL
                 AND due_at < now() + interval '1 hour'")
    }, $patience);
}


# --- each area of the API, and what it refuses

sub jobs () {
    my %job = (url => $url, scheduled_at => $far, headers => { 'X-A' => 'b' },
               body => "\x{e4}" x 9000, max_retries => 3,
               backoff => 'linear', webhook_url => "$url/hook",
               webhook_headers => { 'X-Hook' => '1' });
    my $job = says(201, 'POST', '/jobs', \%job);

    says(201, 'POST', '/jobs', { %job, idempotency_key => 'k' }) for 1 .. 2;
    says(409, 'POST', '/jobs', { %job, idempotency_key => 'k', body => '' });
    says(400, 'POST', '/jobs', $_)
        for '{', '[]', '', "{\"url\": \"\xff\"}", { %job, url => 'x' },
            { %job, scheduled_at => 'x' }, { %job, max_retries => -1 },
            { %job, headers => { "a\n" => 'b' } },
            { %job, url => 'http://10.0.0.1/' };
    says(413, 'POST', '/jobs', { %job, body => 'x' x 300_000 });

    says(200, 'GET', "/jobs/$job->{id}$_") for '', '/executions', '/attempts';
    my $page = says(200, 'GET', '/jobs?limit=1');
    says(200, 'GET', "/jobs?limit=1&cursor=$page->{next_cursor}")
        if $page->{next_cursor};
    says(200, 'GET', "/jobs?status=$_") for qw(scheduled running failed);
    says(400, 'GET', "/jobs?$_") for qw(limit=0 cursor=x status=x);
    says(404, 'GET', "/jobs/$_") for 'x', 'job_' . '0' x 26;
    says(204, 'DELETE', "/jobs/$job->{id}");
    says(409, 'DELETE', "/jobs/$job->{id}");
}


sub schedules () {
    my $schedule = says(201, 'POST', '/schedules', { url => $url,
        cron => '@hourly', name => 'a', headers => { A => 'b' } });
    my $path = "/schedules/$schedule->{id}";

    says(409, 'POST', '/schedules', { url => $url, cron => '@daily',
                                      name => 'a' });
    says(400, 'POST', '/schedules', { url => $url, cron => '99 * * * *' });
    says(200, 'GET', $_) for '/schedules?limit=1', $path, "$path/jobs",
                             '/schedules/preview?cron=5/15+*+*+*+*&count=5';
    says(200, 'PATCH', $path, $_) for { cron => '@daily', body => undef },
                                      { status => 'paused', body => 'x' };
    says(400, 'PATCH', $path, { cron => 'x' });
    says(204, 'POST', "$path/$_") for qw(resume pause);
    says(204, 'DELETE', $path);
}


sub buffers () {
    my $buffer = make_buffer(url => '/ok/item', rate_limit => 1000,
                             headers => { A => 'b' });
    my $path = "/buffers/$buffer->{id}";
    my $items = "$path/items";
    my $item = says(201, 'POST', $items, { body => 'x',
                                          headers => { B => 'c' } });

    says(201, 'POST', $items, { body => 'y', idempotency_key => 'k' })
        for 1 .. 2;
    says(201, 'POST', $items, { body => "$_" }) for 1 .. 20;
    ok(drained($patience), 'a buffer is sent');

    says(200, 'GET', $_) for '/buffers?limit=1', $path, "$path/stats",
                             "$items?status=completed&limit=2",
                             "$items/$item->{id}";
    says(409, 'POST', "$items/$item->{id}/replay");
    says(204, 'POST', "$path/$_") for qw(pause resume);
    says(204, 'DELETE', $path);
    says(404, 'POST', $items, { body => 'x' });
}


sub rest () {
    my $token = says(201, 'POST', '/tokens', { name => 'ci',
                                               scope => 'read' });

    is_error(api('POST', '/jobs', {}, { Authorization =>
                                        "Bearer $token->{token}" }),
             403, 'forbidden', 'a token to read');
    says(200, 'GET', $_) for '/tokens', '/signing-secret', '/stats/jobs?days=3',
        '/stats/usage?days=3', '/billing/balance', '/billing/transactions',
        '/health?deep=1', '/openapi.json', '/alerts';
    says(204, 'DELETE', "/tokens/$token->{id}");
    is(api('GET', '/jobs', undef, { Authorization => $_ })->{status}, 401,
       'no such token') for undef, 'Basic x', 'Bearer fliq_sk_' . 'x' x 40;
    says(404, 'GET', '/nothing');
    says(405, 'PUT', '/jobs', {});

    my $alert = says(201, 'POST', '/alerts', { type => 'slack', name => 'x',
                                               target => $url });
    says(204, 'PATCH', "/alerts/$alert->{id}", { enabled => JSON::PP::false });
    says(200, 'GET', "/alerts/$alert->{id}");
    says(204, 'DELETE', "/alerts/$alert->{id}");
    says(200, 'POST', '/signing-secret/rotate');
}


# --- clients that leave in the middle, or while the database writes

sub leavers () {
    my $bytes = request_bytes('POST', '/jobs', { url => $url,
                                                 scheduled_at => $far });
    for my $part ($bytes, substr($bytes, 0, -5), substr $bytes, 0, 20) {
        my @sockets = map {
            IO::Socket::INET->new('127.0.0.1:' . sandbox->{port})
        } 1 .. 5;

        syswrite $_, $part for @sockets;
    }
}


# --- what is fired: each target as that of a job, a buffer, a webhook and an
# --- alert channel

sub fired () {
    my @cases = misbehaviour();
    my @items;

    for my $case (@cases) {
        my ($name, $to, $code, $error, $lasts) = @$case;
        my $at = $to =~ m{^/} ? target->url($to) : $to;
        my %fields = (url => $at, timeout_seconds => $lasts ? 1 : 10);
        my $buffer = make_buffer(%fields, max_retries => 0);

        push @items, says(201, 'POST', "/buffers/$buffer->{id}/items",
                          { body => 'x' });
        $case = create_job(%fields, max_retries => 1, soon => 2,
                           webhook_url => $at);
    }

    says(201, 'POST', '/alerts', { type => $_, target => "$url/$_" })
        for qw(webhook slack);
    says(201, 'POST', '/alerts', { type => 'webhook',
                                   target => target->url('/reset') });

    ok(none_waits(), 'all jobs have ended');
    ok(drained($patience), 'all items');
    ok(outbox_empty(), 'all webhooks and alerts');

    my %ended;
    $ended{get_job($_)->{status}}++ for @cases;
    ok($ended{success} > 5 && $ended{failed} > 20,
       "$ended{success} succeeded, $ended{failed} failed");

    my ($failed) = grep { get_job($_)->{status} eq 'failed' } @cases;
    says(200, 'GET', "/jobs/$failed->{id}/executions");
    says(201, 'POST', "/jobs/$failed->{id}/replay");

    ($failed) = grep { $_->{status} eq 'failed' } map {
        api('GET', "/buffers/$_->{buffer_id}/items/$_->{id}")->{json}
    } @items;
    says(201, 'POST',
         "/buffers/$failed->{buffer_id}/items/$failed->{id}/replay");
}


# --- all of it

my $schedule = says(201, 'POST', '/schedules', { url => "$url/minute",
                                                 cron => '* * * * *' });
my @before = workers();
is(scalar @before, 2, 'two workers');

sub walk () {
    jobs();
    schedules();
    buffers();
    rest();
    leavers();
}

walk();
fired();

# Connections that the database ends, and jobs meanwhile.
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE usename = 'fliq' AND pid <> pg_backend_pid()");
ok(wait_until(sub { api('GET', '/health?deep=1')->{status} == 200 },
              $patience), 'the database is back');
create_job(url => '/ok/again');
ok(scalar(target->wait_for(1, '/ok/again', $patience)), 'and a job is fired');

# A reload while calls are in flight; the old workers end.
create_job(url => '/slow/3000', soon => 1) for 1 .. 3;
target->wait_for(1, '/slow/3000', $patience);
sandbox->set_http_conf("$conf fliq_max_body 32k;" =~ s/fliq_max_body 64k;//r);
ok(wait_until(sub {
    my %now = map { ($_ => 1) } workers();
    return keys %now == 2 && !grep { $now{$_} } @before;
}, $patience), 'new workers');

walk();
ok(scalar(target->wait_for(1, '/ok/minute', 70)), 'the schedule ran');
says(204, 'DELETE', "/schedules/$schedule->{id}");
ok(none_waits(), 'all jobs have ended again');

# The end, while calls are in flight.
create_job(url => '/slow/1000', soon => 1) for 1 .. 3;
target->wait_for(1, '/slow/1000', $patience);
sandbox->stop_nginx;


# --- what valgrind says

is(scalar keys %seen, 4, 'four workers');
cmp_ok(scalar(() = glob "$dir/*.log"), '>=', 5, 'and a master');

for my $log (sort glob "$dir/*.log") {
    my ($pid) = $log =~ /(\d+)\.log\z/;
    my $text = Fliq::Sandbox::slurp($log);
    my $name = $seen{$pid} ? "worker $pid" : "process $pid";

    like($text, qr/ERROR SUMMARY: 0 errors/, "$name: no error")
        || diag($text);
    like($text, qr/definitely lost: 0 bytes|All heap blocks were freed/,
         "$name: nothing is lost");
}

# The limit of descriptors is valgrind's, who needs some for itself.
finish(qr/setrlimit\(RLIMIT_NOFILE, \d+\) failed/);
