# A schedule spawns one job for each of its runs, due at the run's exact
# time, whatever the number of nodes; after a downtime it fires once for all
# that it missed and goes on; a paused one fires nothing.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $count = 200;

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 2);
my $account = sql('SELECT id FROM fliq.accounts');


# schedule(path, cron, next, count): insert some; next is SQL.  Returns their
# ids.
sub schedule ($path, $cron, $next, $n = 1) {
    my $url = target->url($path);

    return sql("INSERT INTO fliq.schedules
                       (account_id, id, cron, url, method, body, max_retries,
                        timeout_seconds, lane, next_run_at, webhook_url,
                        webhook_lane)
                SELECT '$account', fliq.make_id(), '$cron',
                       '$url' || CASE WHEN $n > 1 THEN '/' || i ELSE '' END,
                       'PUT', 'hello', 0, 30, 1, $next, '$url/hook', 1
                  FROM generate_series(1, $n) AS i
             RETURNING id");
}


# runs(path): when the jobs for it were scheduled, as Unix times.
sub runs ($path) {
    return sql("SELECT extract(epoch FROM scheduled_at) FROM fliq.jobs
                 WHERE url = '" . target->url($path) . "'
                 ORDER BY scheduled_at");
}


sub next_run ($id) {
    return sql("SELECT extract(epoch FROM next_run_at) FROM fliq.schedules
                 WHERE id = '$id'");
}


# --- many, due at one instant, on two nodes with two workers each

my $due = sprintf '%.6f', time + 4;
my @ids = schedule('/ok/many', '0 0 1 1 *', "to_timestamp($due)", $count);

is(scalar(@ids), $count, "$count schedules");
ok(wait_until(sub {
    sql("SELECT count(*) FROM fliq.jobs WHERE status = 'success'") == $count
}), 'each spawned a job that succeeded');

my @requests = target->matching(qr{^/ok/many/\d+$});
my %paths = map { $_->{path} => 1 } @requests;
my ($first, @late) = sort { $a <=> $b } map { $_->{time} - $due } @requests;

is(scalar(@requests), $count, 'each was fired once');
is(scalar(keys %paths), $count, 'all were fired');
ok($first >= -1e-6, sprintf 'none before its time: %.4f s', $first);
ok($late[-1] < 0.5, sprintf 'the last %.4f s after it', $late[-1]);
is($requests[0]{method}, 'PUT', 'the method');
is($requests[0]{body}, 'hello', 'the body');

is(sql("SELECT count(*) FROM fliq.jobs
         WHERE schedule_id IS NOT NULL
           AND scheduled_at = to_timestamp($due)"), $count,
   'scheduled_at is the run');
is(sql("SELECT count(DISTINCT schedule_id) FROM fliq.jobs"), $count,
   'one of each schedule');
is(sql("SELECT count(*) FROM fliq.schedules
         WHERE last_run_at = to_timestamp($due)
           AND next_run_at = date_trunc('year', now()) + interval '1 year'"),
   $count, 'the schedules have moved on');
ok(wait_until(sub { target->to('/ok/many/hook') >= $count }),
   'the webhooks are inherited');


# --- paused, and one right after it that tells when it is over

my ($paused) = schedule('/ok/paused', '0 0 1 1 *',
                        "now() + interval '2 s'");
schedule('/ok/after', '0 0 1 1 *', "now() + interval '2300 ms'");
sql("UPDATE fliq.schedules SET paused = true, next_run_at = NULL
      WHERE id = '$paused'");

is(scalar(target->wait_for(1, '/ok/after')), 1, 'the next one was fired');
is(scalar(target->to('/ok/paused')), 0, 'the paused one was not');

sql("UPDATE fliq.schedules
        SET paused = false, next_run_at = now() + interval '300 ms'
      WHERE id = '$paused'");
is(scalar(target->wait_for(1, '/ok/paused')), 1,
   'when it goes on it is fired');


# --- an expression that nobody can read

my ($broken) = schedule('/ok/broken', '61 * * * *', 'now()');
is(scalar(target->wait_for(1, '/ok/broken')), 1, 'it runs as it is written');
is(next_run($broken), '', 'and then no more');


# --- somebody sits on the lock

my $sitting = fork // die "fork: $!\n";
exec 'psql', '-Xq', '-d', sandbox->{dsn}, '-o', '/dev/null', '-c',
     'SELECT pg_advisory_lock(1718380914), pg_sleep(30)'
    if $sitting == 0;

ok(wait_until(sub {
    sql("SELECT count(*) FROM pg_locks
          WHERE locktype = 'advisory' AND granted AND objid = 1718380914
            AND pid = (SELECT pid FROM pg_stat_activity
                        WHERE query LIKE '%pg_sleep(30)%'
                          AND pid <> pg_backend_pid())")
}), 'the lock is taken');

my $stuck = time;
schedule('/ok/stuck', '0 0 1 1 *', 'now()');
my ($freed) = target->wait_for(1, '/ok/stuck', 8);
ok($freed && $freed->{time} - $stuck < 5,
   sprintf 'it is done without after %.2f s', $freed->{time} - $stuck);
kill INT => $sitting;
waitpid $sitting, 0;


# --- a downtime

$node->stop;
kill QUIT => sandbox->{nginx_pid};
Fliq::Sandbox::await_end(sandbox->{nginx_pid});

my ($id) = schedule('/ok/missed', '* * * * *',
                    "date_trunc('minute', now()) - interval '3 hours'");
my $missed = next_run($id);

sandbox->again;
is(scalar(target->wait_for(1, '/ok/missed')), 1, 'it is fired');

my $fired = (target->to('/ok/missed'))[0]{time};

is((runs('/ok/missed'))[0], $missed,
   'it was fired for the first run that it missed');


# --- its next minute, exact

ok(wait_until(sub { target->to('/ok/missed') >= 2 }, 75),
   'it is fired at its next minute');
my $next = (runs('/ok/missed'))[1];
my $late = (target->to('/ok/missed'))[1]{time} - $next;

ok($next % 60 == 0 && $next > $fired - 1 && $next < $fired + 60,
   'and at none that it missed');
ok($late >= -1e-6 && $late < 0.25, sprintf '%.4f s after it', $late);

finish(qr/has the cron expression "61 \* \* \* \*" and runs no more/,
       qr/canceling statement due to user request/);
