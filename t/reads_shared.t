# Reads of jobs that arrive together share statements, and each is still
# answered on its own: what is wrong with one is no matter to its neighbours.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $count = 5000;

# PostgreSQL's log tells what it executes.
$ENV{FLIQ_PG_OPTS} = join ' ', grep { defined } $ENV{FLIQ_PG_OPTS},
                                 '-c log_min_duration_statement=0';
sandbox(workers => 1);

my %far = (url => 'http://127.0.0.1:9/',
           scheduled_at => '2099-01-01T00:00:00Z');


# job(body, headers): the id of a new one; the headers tell whose it is.
sub job ($body, $headers = {}) {
    my $answer = api('POST', '/jobs', { %far, body => $body }, $headers);

    return $answer->{json}{id} // die "$answer->{content}\n";
}


sub get ($id, $headers = {}) {
    return request_bytes('GET', "/jobs/$id", '', $headers);
}


# How many statements that read jobs the server has executed.
sub statements () {
    my $log = Fliq::Sandbox::slurp(sandbox->{dir} . '/logs/postgres.log');

    return scalar(() = $log =~ / execute job_get\w*: /g);
}


# Sessions that wait for a lock to read a job.
my $waiting = "FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND query LIKE '%job_records%'";


sub reads_wait () {
    ok(wait_until(sub { sql("SELECT count(*) $waiting") > 0 }), 'reads wait');
}


my $account = sandbox->fliqctl(qw(account create --name other));
my $token = sandbox->fliqctl('token', 'create', '--account', $account->{id});
my %other = (Authorization => "Bearer $token->{token}");

my @ours = map { job("ours $_") } 1 .. 50;
my @theirs = map { job("theirs $_", \%other) } 1 .. 10;
my $sealed = job('sealed');
my $bad = job('bad');
my $big = job('x' x 50_000);


# --- statements

get_job({ id => $big });
my $before = statements();
is($before, 1, 'one read is one statement');
my @answers = load(clients => 64)->run(
    map { get($ours[$_ % @ours]) } 0 .. $count - 1);
my $statements = statements() - $before;

is(scalar(grep { $_->{status} == 200 } @answers), $count, 'all were read');
is(scalar(grep { my $n = $_ % @ours + 1;
                 $answers[$_]{body} !~ /"body":"ours $n"/ }
          0 .. $#answers), 0, 'each answer is the job that was asked for');
ok($statements < $count / 4, "in $statements statements");


# --- neighbours

# A value that no key opens, and a row that makes its statement fail.
sql("UPDATE fliq.jobs SET headers = 'sealed:1:0123456789abcdef:AAAA'
      WHERE fliq.id_text('job', id) = '$sealed'");
sql("UPDATE fliq.jobs SET last_error = '0'
      WHERE fliq.id_text('job', id) = '$bad'");
my $view = join ' ', sandbox->sql(
    "SELECT pg_get_viewdef('fliq.job_records'::regclass)");
$view =~ s{j\.last_error}
          {CASE j.last_error WHEN '0' THEN (1 / j.attempts)::text
           ELSE j.last_error END AS last_error};
sql("CREATE OR REPLACE VIEW fliq.job_records AS $view");

my $none = $ours[0] =~ s/.{4}\z/zzzz/r;

# kind => [status, what the answer holds, request]
my %kinds = (
    ours => [200, qr/"body":"ours \d+"/, sub ($i) { get($ours[$i % @ours]) }],
    hot => [200, qr/"body":"ours 7"/, sub ($i) { get($ours[6]) }],
    theirs => [200, qr/"body":"theirs \d+"/,
               sub ($i) { get($theirs[$i % @theirs], \%other) }],
    foreign => [404, qr/"not_found"/, sub ($i) { get($theirs[0]) }],
    none => [404, qr/"not_found"/, sub ($i) { get($none) }],
    sealed => [500, qr/"internal_error"/, sub ($i) { get($sealed) }],
    bad => [500, qr/"internal_error"/, sub ($i) { get($bad) }],
    big => [200, qr/x{50000}/, sub ($i) { get($big) }],
);
my @kinds = sort keys %kinds;
my $next = 0;
my @all = load(clients => 64)->each(sub {
    my $i = $next++;
    return $i < 1000 ? $kinds{$kinds[$i % @kinds]}[2]->($i) : undef;
});

for my $k (0 .. $#kinds) {
    my ($status, $like) = @{ $kinds{$kinds[$k]} };
    my @wrong = grep { $_->{status} != $status || $_->{body} !~ $like }
                map { $all[$_] } grep { $_ % @kinds == $k } 0 .. $#all;

    is(scalar(@wrong), 0, "$kinds[$k]: $status")
        || diag("$wrong[0]{status} $wrong[0]{body}");
}


# --- clients that leave while they wait

my $lock = sandbox->hold('LOCK TABLE fliq.jobs');
my @clients = map {
    my $socket = IO::Socket::INET->new('127.0.0.1:' . sandbox->{port})
                 // die "connect: $!\n";
    syswrite $socket, get($ours[$_]);
    $socket;
} 0 .. 49;

reads_wait();
is(api('GET', '/health')->{status}, 200, 'the worker has seen them all');

close $clients[$_ * 2] for 0 .. 24;
is(api('GET', '/health')->{status}, 200, 'and that half of them left');
Fliq::Sandbox::release($lock);

my @wrong;

for my $n (map { $_ * 2 + 1 } 0 .. 24) {
    my $answer = '';
    my $end = time + 10;

    while ($answer !~ /\}\z/ && time < $end) {
        vec(my $readers = '', fileno $clients[$n], 1) = 1;
        next if !select $readers, undef, undef, 1;
        sysread $clients[$n], $answer, 65536, length $answer or last;
    }

    my $body = 'ours ' . ($n + 1);
    push @wrong, "$n: $answer" if $answer !~ /"body":"$body"/;
}

is("@wrong", '', 'the others are answered');


# --- a database that goes away

my $load = load(clients => 64)->background(sub { get($ours[0]) });

$lock = sandbox->hold('LOCK TABLE fliq.jobs');
reads_wait();
sql("SELECT pg_terminate_backend(pid) $waiting");
Fliq::Sandbox::release($lock);

ok(wait_until(sub { (get_job({ id => $ours[0] }) // {})->{body} }),
   'all is as before');

my (%status, @slow);

for my $answer (halt($load)) {
    $status{$answer->{status}}++;
    push @slow, $answer->{seconds} if $answer->{seconds} > wide(2);
}

is(join(' ', sort keys %status), '200 503',
   "what was lost is told to come again: $status{503} of $status{200}");
is("@slow", '', 'soon');

finish(qr/division by zero/);
