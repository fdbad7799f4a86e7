# bin/fliq-sandbox: starts, says where everything is, starts again what died
# with the same data, token and port, runs side by side with others, stops.

use v5.36;

use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use IO::Select;

my $sandbox = sandbox(workers => 2);


sub alive ($pid) {
    return !Fliq::Sandbox::await_end($pid, 0.01);
}


# --- what it says

like($sandbox->{url}, qr{^http://127\.0\.0\.1:\d+\z}, 'url');
like($sandbox->{token}, qr/^fliq_sk_\w{40}\z/, 'token');
like($sandbox->{account}, qr/^acct_\w{26}\z/, 'account');
is(sql('SELECT current_database()'), 'fliq', 'dsn');
ok(-d $sandbox->{dir}, 'dir');
ok(alive($sandbox->{nginx_pid}), 'nginx_pid');
ok(alive($sandbox->{postgres_pid}), 'postgres_pid');
ok(-s $sandbox->{nginx_conf}, 'nginx_conf');
ok(-e $sandbox->{error_log}, 'error_log');
is(scalar($sandbox->workers), 2, 'workers');
is(sql('SHOW fsync') . sql('SHOW synchronous_commit')
   . sql('SHOW full_page_writes'), 'ononon', 'it is durable');
is(sql('SHOW listen_addresses'), '', 'PostgreSQL has no port');
is(api('GET', '/jobs')->{status}, 200, 'the API answers');

my $job = create_job(url => '/ok/first', scheduled_at => at(3600));


# --- again: nothing changes

my %first = map { ($_ => $sandbox->{$_}) } qw(url token account dsn dir
    nginx_pid postgres_pid nginx_conf error_log);

sub same ($name, @but) {
    my %but = map { ($_ => 1) } @but;

    is($sandbox->{$_}, $first{$_}, "$name: the same $_")
        for grep { !$but{$_} } sort keys %first;

    # A worker that lost its connection comes back by itself.
    ok(wait_until(sub {
        api('GET', "/jobs/$job->{id}")->{status} == 200
    }, 3), "$name: the data");
}

$sandbox->again;
same('again');


# --- its output ends, although what it started goes on

{
    my $out = '';
    open my $start, '-|', Fliq::Sandbox::repo() . '/bin/fliq-sandbox start'
        . " --dir $sandbox->{dir} 2>/dev/null" or die "start: $!\n";
    my $end = time + 20;

    while (IO::Select->new($start)->can_read($end - time)) {
        last if !sysread $start, $out, 4096, length $out;
    }

    ok(time < $end, 'the pipe was closed');
    is(decode_json($out)->{token}, $first{token},
       'options given once are remembered');
}


# --- what died comes back

kill KILL => $sandbox->{nginx_pid}, $sandbox->workers;
Fliq::Sandbox::await_end($sandbox->{nginx_pid});
$sandbox->again;
same('nginx was killed', 'nginx_pid');
isnt($sandbox->{nginx_pid}, $first{nginx_pid}, 'another nginx');

# A master alone: its workers go on listening.
kill KILL => $sandbox->{nginx_pid};
Fliq::Sandbox::await_end($sandbox->{nginx_pid});
$sandbox->again;
same('the master was killed', 'nginx_pid');
is(scalar($sandbox->workers), 2, 'two workers');

kill KILL => $sandbox->{postgres_pid};
Fliq::Sandbox::await_end($sandbox->{postgres_pid});
$sandbox->again;
same('PostgreSQL was killed', 'nginx_pid', 'postgres_pid');

kill KILL => $sandbox->{postgres_pid}, $sandbox->{nginx_pid},
             $sandbox->workers;
Fliq::Sandbox::await_end($_) for @$sandbox{qw(nginx_pid postgres_pid)};
$sandbox->again;
same('all was killed', 'nginx_pid', 'postgres_pid');

is(wait_job(create_job(url => '/ok/fires'))->{status}, 'success',
   'it fires');


# --- stopped and started

my %last = map { ($_ => $sandbox->{$_}) } qw(nginx_pid postgres_pid);
my @workers = $sandbox->workers;
$sandbox->command('stop', '--dir', $sandbox->{dir});

ok(!alive($_), 'ended: a process') for values %last, @workers;
$sandbox->command('stop', '--dir', $sandbox->{dir});
pass('stopping what is stopped is no error');

$sandbox->again;
same('stopped', 'nginx_pid', 'postgres_pid');


# --- side by side

my $second = Fliq::Sandbox->start(strict => 1);

isnt($second->{$_}, $sandbox->{$_}, "another $_")
    for qw(url token account dsn dir nginx_pid postgres_pid);
is(api('GET', '/jobs', undef, {}, $second->{url})->{status}, 401,
   'a token of the one is none of the other');
is(api('POST', '/jobs', { url => target->url, scheduled_at => at(9) },
       { Authorization => "Bearer $second->{token}" },
       $second->{url})->{status}, 400, '--strict: no loopback targets');

$second->stop;
same('another was stopped', 'nginx_pid', 'postgres_pid');


# --- --http-conf

$sandbox->set_http_conf('fliq_user_agent "curious/1";
    server { listen 127.0.0.1:' . Fliq::Port::free_port() . '; }');
ok(wait_until(sub {
    state $n = 0;
    my $path = '/ok/agent/' . ++$n;
    wait_job(create_job(url => $path));
    my ($request) = target->to($path);
    return $request->{header}{'user-agent'} eq 'curious/1';
}), 'a directive of its own');


# --- mistakes

for my $case (['start', '--port', 'x'], ['start', '--port', '0'],
              ['start', '--workers', '0'], ['start', '--frob'],
              ['frob'], ['start', '--http-conf', '/nonexistent'],
              ['stop', '--dir', '/nonexistent/dir'], ['start', '--dir']) {
    my @dir = "@$case" =~ /--dir/ ? () : ('--dir', "$sandbox->{root}/bad");

    eval { $sandbox->command(@$case, @dir) };
    like($@, qr/failed/, "fails: @$case");
}

is(sql('SELECT 1'), 1, 'the sandbox is as it was');

finish(qr/\[(?:alert|emerg)\] .* exited on signal 9/, qr/PANIC/);
