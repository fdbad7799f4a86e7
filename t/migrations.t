# However many workers and nodes start at once on an empty database, the
# migrations are applied once; and a schema newer than the module knows is
# refused with one clear log line and 503, until it is no longer newer.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);

my @files = glob Fliq::Sandbox::repo()
    . '/src/store/sql/migrations/[0-9][0-9][0-9]_*.sql';
my $latest = 0 + ($files[-1] =~ m{/(\d+)_[^/]+\z})[0];


# fresh(name): the DSN of a new, empty database.
sub fresh ($name) {
    sql("CREATE DATABASE $name");
    return sandbox->{dsn} =~ s/dbname=\w+/dbname=$name/r;
}


sub on ($dsn, $query) {
    return sandbox->sql($query, $dsn);
}


sub health ($node) {
    return api('GET', '/health?deep=1', undef, {}, $node->{url});
}


# --- all at once

for my $round (1 .. 3) {
    my $dsn = fresh("fresh$round");
    my @nodes = map {
        Fliq::Node->launch(sandbox, workers => 8, dsn => $dsn)
    } 1 .. 2;

    $_->await for @nodes;
    ok(wait_until(sub { health($nodes[0])->{status} == 200
                        && health($nodes[1])->{status} == 200 }),
       "round $round: both nodes are healthy");

    is(on($dsn, "SELECT string_agg(version::text, ' ' ORDER BY version)
                   FROM fliq.schema_migrations"),
       join(' ', 1 .. @files), "round $round: each was applied, once");
    ok(wait_until(sub {
        on($dsn, 'SELECT count(*) FROM fliq.owners') == 16
    }), "round $round: 16 dispatchers are there");

    $_->stop for @nodes;
    is(on($dsn, 'SELECT count(*) FROM fliq.owners'), 0,
       "round $round: and gone");
}


# --- a restart changes nothing

my $dsn = sandbox->{dsn} =~ s/dbname=\w+/dbname=fresh1/r;
my $applied = on($dsn, 'SELECT max(applied_at) FROM fliq.schema_migrations');
my $node = Fliq::Node->start(sandbox, workers => 2, dsn => $dsn);

ok(wait_until(sub { health($node)->{status} == 200 }), 'on what is there');
is(on($dsn, 'SELECT max(applied_at) FROM fliq.schema_migrations'), $applied,
   'nothing is applied again');
$node->stop;


# --- a newer schema

on($dsn, "INSERT INTO fliq.schema_migrations (version, name)
          VALUES ($latest + 7, 'from_the_future')");
$node = Fliq::Node->start(sandbox, workers => 1, dsn => $dsn);

my $newer = $latest + 7;
my $line = qr{\[\w+\] .*schema.*\b$newer\b.*};

ok(wait_until(sub { $node->log =~ $line }), 'a newer schema: a log line');
diag($node->log =~ /($line)/);
like(($node->log =~ /($line)/)[0], qr/newer/, 'that says newer');

is_error(health($node), 503, 'unavailable', 'a newer schema: /health?deep=1');
is_error(api('GET', '/jobs', undef, {}, $node->{url}), 503, 'unavailable',
         'a newer schema: /jobs');
is_status(api('GET', '/health', undef, {}, $node->{url}), 200,
          'a newer schema: /health');
is(on($dsn, 'SELECT count(*) FROM fliq.owners'), 0,
   'a newer schema: no dispatcher');
is(scalar(() = $node->log =~ /$line/g), 1, 'a newer schema: one log line');

on($dsn, "DELETE FROM fliq.schema_migrations WHERE version = $newer");
ok(wait_until(sub { health($node)->{status} == 200 }, 15),
   'no longer newer: it works, without a restart');

finish(qr/\b$newer\b/);
