# Beside 10,000 due jobs for one dead host, and beside 200,000 due jobs of one
# account, the jobs of another account are on time: 99 of 100 within a second.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Healthy;
use Fliq::Test;

sandbox(workers => 2);

my $account = sql('SELECT id FROM fliq.accounts');
my $other = sandbox->fliqctl('account', 'create', '--name', 'other')->{id};
my $token = sandbox->fliqctl('token', 'create', '--account', $other)->{token};
my $theirs = Fliq::Healthy->new(token => $token);


# backlog(count, url, timeout): that many jobs of the first account, due now,
# as their creates would have left them.  The lane is that of the host.
sub backlog ($count, $url, $timeout) {
    my $model = create_job(url => "$url/0", scheduled_at => at(86400));

    sql("WITH model AS (
             SELECT lane FROM fliq.jobs
              WHERE fliq.id_text('job', id) = '$model->{id}'),
         made AS (
             INSERT INTO fliq.jobs (account_id, id, url, method, scheduled_at,
                                    due_at, max_retries, timeout_seconds, lane)
             SELECT '$account', fliq.make_id(), '$url/' || n, 'POST', now(),
                    now(), 0, $timeout, lane
               FROM model, generate_series(1, $count) AS n
          RETURNING account_id, id, due_at, lane)
         INSERT INTO fliq.due (account_id, job_id, due_at, lane)
         SELECT account_id, id, due_at, lane FROM made");
}


# What waits of it, or is running.
sub left () {
    return sql("SELECT count(*) FROM fliq.due
                 WHERE account_id = '$account' AND due_at < now()");
}


for my $case ([10_000, target->url('/hang'), 5, 'a dead host'],
              [200_000, target->url('/ok'), 30, 'one account']) {
    my ($count, $url, $timeout, $name) = @$case;

    backlog($count, $url, $timeout);

    # 10 at a time, ten times
    my @late = sort { $a <=> $b } map {
        $theirs->lateness($theirs->plan(10, 0.5, 0.5))
    } 1 .. 10;
    my $left = left();

    diag("beside $count jobs of $name, $left of which wait at the end: "
         . milliseconds(@late));
    ok($late[0] >= 0 && rank(0.99, @late) < 1,
       "$name: those of another account are on time");
    ok($left > 0, "$name: meanwhile $left wait");
}

finish();
