# A minute of steady work leaves a worker as it was: no descriptor and, after
# a warm-up, hardly any memory more; nothing is left behind in the database.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

my $minute = $ENV{FLIQ_TEST_SECONDS} // 60;
my @paths = qw(/ok /status/500 /slow/50 /reset /close /flaky/1 /big/100000
               /garbage /echo);

sandbox(workers => 1, http_conf => 'fliq_retry base=100ms max=1s;');

my ($worker) = sandbox->workers;


sub resident () {
    my ($pages) = Fliq::Sandbox::slurp("/proc/$worker/statm") =~ /^\d+ (\d+)/;
    return $pages * 4096;
}


sub descriptors () {
    return scalar(() = glob "/proc/$worker/fd/*");
}


# work(seconds): create jobs of all kinds, read, list and cancel them, and
# let them end.
sub work ($seconds) {
    my $end = time + $seconds;
    my $n = 0;

    load(clients => 16)->each(sub {
        return undef if time > $end;
        sleep 0.001;
        $n++;

        return request_bytes('GET', '/jobs?limit=5') if $n % 7 == 0;
        return request_bytes('POST', '/jobs', '{') if $n % 11 == 0;
        return request_bytes('POST', '/jobs', {
            url => target->url($paths[rand @paths]), max_retries => 1,
            body => 'x' x rand 5000, headers => { a => 'b' },
            scheduled_at => at(rand 2 + 0.2) });
    });

    ok(wait_until(sub {
        !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
    }, 30), 'all have ended');

    return $n;
}


work($minute / 3);
my ($memory, $files) = (resident(), descriptors());

my $requests = work($minute);
my $grown = resident() - $memory;

diag(sprintf '%d requests; %.1f MB, %+.2f MB; %d descriptors, then %d',
     $requests, $memory / 1e6, $grown / 1e6, $files, descriptors());

ok($grown < 4e6, 'the worker has not grown');
ok(wait_until(sub { descriptors() <= $files + 5 }, 30),
   'it has no descriptors more');
is((sandbox->workers)[0], $worker, 'it is the same');
is(sql('SELECT (SELECT count(*) FROM fliq.due)
             + (SELECT count(*) FROM fliq.claims)'), 0, 'nothing is left');

finish();
