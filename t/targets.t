# However a target misbehaves, the attempt is recorded as what it was, in
# time, and the jobs of other targets do not wait for it.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Port qw(free_port);
use Fliq::Test;

my $tls = free_port();
my $closed = free_port();
my ($cert, $key) = self_signed();

sandbox(workers => 2, http_conf => <<"CONF");
    server {
        listen 127.0.0.1:$tls ssl;
        ssl_certificate $cert;
        ssl_certificate_key $key;
    }
CONF


sub self_signed () {
    my $dir = File::Temp->newdir('fliq-tls-XXXXXX', TMPDIR => 1);
    my @files = map { "$dir/$_.pem" } qw(cert key);

    state @keep = ($dir);
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -batch"
           . " -subj /CN=127.0.0.1 -out $files[0] -keyout $files[1]"
           . " 2> /dev/null") == 0
        or die "openssl failed\n";

    return @files;
}


# name, url, status, code, what the error says, seconds it may take at most
my @cases = (
    ['refused', "http://127.0.0.1:$closed/", 'failed', undef, 'connect', 1],
    ['closed', '/close', 'failed', undef, '.', 1],
    ['reset', '/reset', 'failed', undef, '.', 1],
    ['reset in the body', '/reset-after-headers', 'failed', 200, '.', 1],
    ['hanging', '/hang', 'failed', undef, 'time', 1.3],
    ['garbage', '/garbage', 'failed', undef, '.', 1],
    ['endless headers', '/endless-headers', 'failed', undef, '.', 1.3],
    ['a drip', '/drip', 'failed', 200, 'time', 1.3],
    ['slower than the timeout', '/slow/3000', 'failed', undef, 'time', 1.3],
    ['a name that there is not', 'http://nothing.invalid/', 'failed', undef,
     '.', 1.3],
    ['TLS where there is none', 'https://127.0.0.1:' . target->port . '/ok',
     'failed', undef, '.', 1.3],
    ['a certificate of nobody', "https://127.0.0.1:$tls/", 'failed', undef,
     'certificate', 1.3],
    ['interim answers', '/continue', 'success', 200, undef, 1],
    ['no length', '/until-close', 'success', 200, undef, 1],
    ['a big body', '/big/10000000', 'success', 200, undef, 1],
    map({ ["status $_", "/status/$_",
           $_ =~ /^2/ ? 'success' : 'failed', $_,
           $_ =~ /^2/ ? undef : $_, 1] }
        200, 201, 204, 206, 299, 300, 301, 302, 304, 307, 308, 400, 401, 404,
        408, 410, 418, 429, 500, 502, 503, 599),
);

my $due = at(1);
my %jobs = map {
    ($_->[0] => create_job(url => $_->[1], scheduled_at => $due,
                           timeout_seconds => 1))
} @cases;
my $endless = create_job(url => '/endless-body', scheduled_at => $due,
                         timeout_seconds => 2);

# The healthy ones are due while those are under way.
my $healthy = Fliq::Target->start;
my @healthy = map {
    create_job(url => $healthy->url("/ok/$_"), scheduled_at => at(1.5))
} 1 .. 50;

for my $case (@cases) {
    my ($name, $url, $status, $code, $error, $most) = @$case;
    my $job = wait_job($jobs{$name});
    my @executions = executions($job);
    my $execution = $executions[0] // {};

    is($job->{status}, $status, "$name: $status");
    is(scalar(@executions), 1, "$name: one execution");
    is($execution->{status}, $status, "$name: recorded as that");
    is($execution->{status_code}, $code, "$name: its status code");
    is($job->{last_status_code}, $code, "$name: the job's, too");
    is($job->{last_error}, $execution->{error}, "$name: the same error");

    if (defined $error) {
        like($execution->{error}, qr/$error/i, "$name: its error");
    }
    else {
        is($execution->{error}, undef, "$name: no error");
    }

    my $took = ($execution->{duration_ms} // 1e9) / 1000;
    ok($took <= $most, "$name: recorded in time, $took s");
}

for my $job (@healthy) {
    my $end = wait_job($job);
    my ($request) = $healthy->to($job->{url} =~ s{^http://[^/]+}{}r);
    my $late = $request->{time} - seconds($job->{scheduled_at});

    ok($end->{status} eq 'success' && $late >= 0 && $late < 0.5,
       sprintf 'a healthy one meanwhile, %.0f ms late', $late * 1000);
}


# --- a body without end is read to 64 KiB, not more

my $end = wait_job($endless);
my ($request) = target->to('/endless-body');
my ($execution) = executions($end);

like($end->{status}, qr/^(?:success|failed)\z/, 'an endless body: an end');
is($execution->{status_code}, 200, 'an endless body: its status code');
is($execution->{response_excerpt}, 'e' x 1024, 'an endless body: excerpt');

my $sent = wait_until(sub { target->sent($request) });
ok(defined $sent && $sent < 16 << 20,
   "the connection was closed after $sent bytes");

# What the big one sent is in the sockets' buffers, not in the worker.
my ($big) = target->to('/big/10000000');
ok(defined wait_until(sub { target->sent($big) }),
   'the connection of a big body is closed');


# --- the workers are as they were

is(scalar(sandbox->workers), 2, 'two workers');
is(api('GET', '/health?deep=1')->{status}, 200, 'they answer');
is(scalar(grep { /exited on signal/ } split /\n/, sandbox->log), 0,
   'none has died');

finish();
