# A worker that is stopped but alive holds its jobs no longer than their
# timeout plus 15 seconds; when it goes on, what it brings is too late and
# changes nothing.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

my $count = 50;

sandbox(workers => 2);

my $due = time + 0.5;
load(clients => 8)->run(map {
    request_bytes('POST', '/jobs', { url => target->url("/slow/1000/$_"),
                                     timeout_seconds => 3,
                                     scheduled_at => stamp($due) })
} 1 .. $count);
is(scalar(target->wait_for($count)), $count, 'all are in flight');

my %held = map { split /\|/ } sql(
    'SELECT o.pid, sum(cardinality(c.job_ids))
       FROM fliq.claims c JOIN fliq.owners o ON o.id = c.owner_id
      GROUP BY 1');
my ($victim) = sort { $held{$b} <=> $held{$a} } keys %held;

kill STOP => $victim;
my $stopped = time;

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 30), 'all have ended');
my $took = time - $stopped;
ok($took < 3 + 15, sprintf 'after %.1f s', $took);

is(sql('SELECT count(*), count(DISTINCT job_id) FROM fliq.executions'),
   "$count|$count", 'each with one execution');


# --- it goes on

my $recorded = sql("SELECT md5(string_agg(e::text, '' ORDER BY e.id))
                      FROM fliq.executions e");
kill CONT => $victim;

ok(wait_until(sub {
    sql("SELECT count(*) FROM fliq.owners WHERE pid = $victim
            AND beat_at > now() - interval '1 second'")
}, 20), 'the worker is back');
is(sql("SELECT md5(string_agg(e::text, '' ORDER BY e.id))
          FROM fliq.executions e"), $recorded, 'it has changed nothing');
is(sql('SELECT sum(executions) FROM fliq.usage_daily'), $count,
   'nor counted anything twice');

my @more = map { create_job(url => "/slow/100/more/$_") } 1 .. 20;
is(scalar(grep { wait_job($_)->{status} eq 'success' } @more), 20,
   'both workers go on');

finish();
