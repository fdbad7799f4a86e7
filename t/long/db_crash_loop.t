# For a minute jobs are created and fired while PostgreSQL is killed and
# started again and again: every job that was answered 201 is fired, none of
# them is lost, and nginx is never restarted.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

my $minute = $ENV{FLIQ_TEST_SECONDS} // 60;

sandbox(workers => 2);
target();

my $nginx = sandbox->{nginx_pid};
my @workers = sandbox->workers;
my $made = 0;
my $load = load(clients => 8)->background(sub {
    sleep 0.003;
    return request_bytes('POST', '/jobs', {
        url => target->url('/ok/' . ++$made),
        scheduled_at => at(0.5 + rand 2) });
});

my $end = time + $minute;
my $crashes = 0;

while (time < $end) {
    wait_until(sub { api('GET', '/health?deep=1')->{status} == 200 }, 15);

    my $busy = target->requests;
    ok(wait_until(sub { target->requests > $busy + 100 }),
       'jobs are fired');

    kill KILL => sandbox->{postgres_pid};
    Fliq::Sandbox::await_end(sandbox->{postgres_pid});
    sandbox->again;
    $crashes++;
}

my @answers = halt($load);
my @created = grep { $_->{status} == 201 } @answers;
my @bad = grep { $_->{status} != 201 && $_->{status} != 503 } @answers;

diag(sprintf '%d crashes, %d jobs, %d times 503', $crashes,
     scalar @created, @answers - @created - @bad);
ok($crashes > 3, 'PostgreSQL has crashed');
is(join(' ', map { $_->{error} // $_->{body} } @bad), '',
   'nothing but 201 and 503 was answered');

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 60), 'all have ended');

my %ids = map { ($_->{body} =~ /"id":"(job_\w+)"/ ? $1 : '' => 1) } @created;
my %fired = map { ($_->{header}{'x-fliq-delivery-id'} => 1) } target->requests;

is(scalar(grep { !$fired{$_} } keys %ids), 0, 'every job was fired');
is(sql("SELECT count(*) FROM fliq.jobs WHERE status <> 'success'"), 0,
   'every job is a success');
is(sql('SELECT count(*) - count(DISTINCT job_id) FROM fliq.executions'), 0,
   'none has two executions');
is(sandbox->{nginx_pid}, $nginx, 'nginx is the same');
is_deeply([sort { $a <=> $b } sandbox()->workers],
          [sort { $a <=> $b } @workers], 'so are its workers');

finish();
