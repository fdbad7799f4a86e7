# kill -9 of one of two workers while 500 slow jobs are in flight: what it
# held is fired again by the other within 2 seconds, with the same attempt
# number and at the cost of no retry; all 500 are recorded, as success, once.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $count = 500;

sandbox(workers => 2,
        http_conf => 'fliq_dispatcher on concurrency=1000 per_host=1000;');

my $due = time + 1;
my @answers = load(clients => 32)->run(map {
    request_bytes('POST', '/jobs', { url => target->url("/slow/3000/$_"),
                                     scheduled_at => stamp($due) })
} 1 .. $count);
is(scalar(grep { $_->{status} == 201 } @answers), $count, '500 were created');

is(scalar(target->wait_for($count)), $count, '500 are in flight');


# --- kill the one that holds more

my %held = map { split /\|/ } sql(
    'SELECT o.pid, sum(cardinality(c.job_ids))
       FROM fliq.claims c JOIN fliq.owners o ON o.id = c.owner_id
      GROUP BY 1');
my ($victim) = sort { $held{$b} <=> $held{$a} } keys %held;
my @before = sandbox->workers;

is(scalar(grep { $_ == $victim } @before), 1, 'its owner is a worker');
diag("worker $victim is killed, of " . join ', ', map { "$_: $held{$_}" }
     sort keys %held);

my $killed = time;
kill KILL => $victim;

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 15), 'all have ended');


# --- what became of them

my $by_path = target->by_path;
my @twice = grep { @{ $by_path->{$_} } == 2 } sort keys %$by_path;
my @more = grep { @{ $by_path->{$_} } > 2 } sort keys %$by_path;
my @again = map { $by_path->{$_}[1] } @twice;

is(scalar(keys %$by_path), $count, 'all were fired');
is(scalar(@twice), $held{$victim}, 'those of the dead worker twice');
is("@more", '', 'none more often');

my @delays = sort { $a <=> $b } map { $_->{time} - $killed } @again;
ok(@delays && $delays[0] > 0 && $delays[-1] < 2,
   sprintf 'they were fired again %.2f to %.2f s after the kill',
   @delays[0, -1]);

is(join(' ', grep { $_->{header}{'x-fliq-attempt'} != 1 } @again), '',
   'as the same attempt');
is(join(' ', grep {
       $by_path->{$_}[0]{header}{'x-fliq-delivery-id'}
           ne $by_path->{$_}[1]{header}{'x-fliq-delivery-id'}
   } @twice), '', 'as the same delivery');

is(sql("SELECT count(*) FROM fliq.jobs
         WHERE status = 'success' AND attempts = 1"), $count,
   'all are recorded as success, with one attempt');
is(sql('SELECT count(*), count(DISTINCT job_id), bool_and(success)
          FROM fliq.executions WHERE attempt_num = 1'), "$count|$count|t",
   'each with one execution');
is(sql('SELECT sum(executions) FROM fliq.usage_daily'), $count,
   'each is counted once');
ok(wait_until(sub {
    !sql('SELECT (SELECT count(*) FROM fliq.due)
               + (SELECT count(*) FROM fliq.claims)')
}), 'nothing is left');


# --- there are two workers again, and both work

ok(wait_until(sub { sandbox->workers == 2 }), 'two workers');
is(wait_job(create_job(url => '/ok/after'))->{status}, 'success',
   'a job afterwards');

finish(qr/\[alert\] .* worker process $victim exited on signal 9/);
