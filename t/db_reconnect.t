# Workers that lose the database all at once, and that it goes on refusing, do
# not come back in step.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Proxy;
use Fliq::Test;
use List::Util qw(sum);

sandbox(workers => 1);

my $proxy = Fliq::Proxy->start(sandbox);
my $node = Fliq::Node->start(sandbox, workers => 4, dsn => $proxy->dsn);
my $newer = 1_000_000;

wait_until(sub { api('GET', '/health?deep=1', undef, {}, $node->{url})
                     ->{status} == 200 });
my $connections = $proxy->connected;
ok($connections >= 8, "$connections connections");

# A newer schema is refused, and asked for again after the longest backoff.
sql("INSERT INTO fliq.schema_migrations (version, name)
     VALUES ($newer, 'newer')");
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = 'fliq' AND pid <> pg_backend_pid()");
my $lost = time;

ok(wait_until(sub { $proxy->connected > 7 * $connections }, 30),
   'each is tried again and again');
sql("DELETE FROM fliq.schema_migrations WHERE version = $newer");

# The mean, for a machine that stands still for a moment bunches some, too: in
# step they would be all of them, or halves of them, in one after another.
my %attempts;
$attempts{int(10 * $_)}++ for grep { $_ > $lost + 1.5 } $proxy->connected;
my $together = sum(values %attempts) / keys %attempts;
ok($together < $connections / 4,
   sprintf '%.1f of them together in a tenth of a second', $together);

ok(wait_until(sub {
    api('GET', '/health?deep=1', undef, {}, $node->{url})->{status} == 200
}), 'the database is taken again');

$node->stop;
$proxy->stop;

finish();
