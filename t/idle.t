# A worker that has nothing to do does nothing: not while it waits for a job
# that is far away, nor while calls hang, nor while the database is away.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);

my ($worker) = sandbox->workers;


# The seconds of processor time that the worker has used: as the scheduler
# counts them, for the clock's ticks fall together with a target's drops.
sub used () {
    return (split / /, Fliq::Sandbox::slurp("/proc/$worker/schedstat"))[0]
           / 1e9;
}


# Its share of a processor over the next two seconds.
sub is_idle ($name) {
    my $before = used();
    my $end = time + 2;

    wait_until(sub { time > $end });
    my $share = (used() - $before) / 2;

    ok($share < 0.05, sprintf '%s: %.1f %% of a processor', $name,
       100 * $share);
}


create_job(scheduled_at => '9999-12-31T23:59:59Z');
create_job(scheduled_at => at(50 * 86400));
create_job(scheduled_at => at(600));
is_idle('waiting');

my @hanging = map {
    create_job(url => $_, timeout_seconds => 60)
} map { ("/hang/$_", "/drip/100/$_") } 1 .. 25;
is(scalar(target->wait_for(50)), 50, '50 calls are under way');
is_idle('while calls hang');

kill INT => sandbox->{postgres_pid};
ok(Fliq::Sandbox::await_end(sandbox->{postgres_pid}), 'PostgreSQL is gone');
is_idle('while the database is away');

sandbox->again;
ok(wait_until(sub { api('GET', '/health?deep=1')->{status} == 200 }),
   'it is back');
is_idle('afterwards');

# What hangs would hold the worker up for a minute.
target->stop;
ok(wait_until(sub {
    sql("SELECT count(*) FROM fliq.jobs WHERE status = 'failed'") == 50
}), 'the calls have ended');

finish();
