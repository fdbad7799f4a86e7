# worker_shutdown_timeout bounds the drain of an old worker: what is still in
# flight is cut, and fired again by the new ones within 2 seconds; what has
# ended in time is not.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $count = 20;

sandbox(workers => 1);
sandbox->stop_nginx;
my $node = Fliq::Node->start(sandbox, workers => 1,
                             main => 'worker_shutdown_timeout 2s;');

my %paths = (long => '/slow/5000', short => '/slow/1200');
my @answers = load(port => $node->{port}, clients => 8)->run(map {
    my $path = $paths{$_};
    map { request_bytes('POST', '/jobs', { url => target->url("$path/$_"),
                                           scheduled_at => at(0.5) })
    } 1 .. $count
} sort keys %paths);
is(scalar(grep { $_->{status} == 201 } @answers), 2 * $count, 'jobs');
is(scalar(target->wait_for(2 * $count)), 2 * $count, 'all are in flight');

my ($old) = $node->workers;
my $reloaded = time;
kill HUP => $node->{nginx_pid};

ok(Fliq::Sandbox::await_end($old, 10), 'the old worker ends');
my $ended = time;
ok($ended - $reloaded > 1.5 && $ended - $reloaded < 3,
   sprintf 'after %.2f s', $ended - $reloaded);

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 15), 'all jobs have ended');

my $by_path = target->by_path;
my @times = map { $by_path->{"/slow/5000/$_"} } 1 .. $count;
my ($last) = sort { $b <=> $a } map { $_->[-1]{time} - $ended } @times;

is(scalar(grep { @$_ != 2 } @times), 0, 'those that were cut: fired twice');
ok($last < 2, sprintf 'again at most %.2f s after the cut', $last);
is(scalar(grep { @{ $by_path->{"/slow/1200/$_"} } != 1 } 1 .. $count), 0,
   'those that ended in time: once');
is(sql("SELECT count(*) FROM fliq.jobs
         WHERE status = 'success' AND attempts = 1"), 2 * $count,
   'all are success, at the first attempt');
is(sql('SELECT count(*) FROM fliq.executions'), 2 * $count,
   'each with one execution');

finish();
