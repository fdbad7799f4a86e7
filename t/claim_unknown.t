# A claim whose answer is lost, because its session was ended at that moment,
# may have taken jobs and webhooks that no worker knows of: they are given
# back while the worker lives on, and none hangs.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $count = 3000;

sandbox(workers => 2);

my @workers = sandbox->workers;


# end_claims(): end the sessions that claim or that delete what was sent.
sub end_claims () {
    return sql("SELECT count(pg_terminate_backend(pid))
                  FROM pg_stat_activity
                 WHERE pid <> pg_backend_pid()
                   AND (query LIKE '%DELETE FROM fliq.due%'
                        OR query LIKE '%fliq.outbox%')");
}


my $begin = time + 3;
my @answers = load(clients => 16)->run(map {
    request_bytes('POST', '/jobs', {
        url => target->url("/ok/$_"), webhook_url => target->url("/ok/h/$_"),
        scheduled_at => stamp($begin + $_ / 1000),
    })
} 1 .. $count);
is(scalar(grep { $_->{status} == 201 } @answers), $count, "$count jobs");

my $ended = 0;
wait_until(sub {
    $ended += end_claims();
    return time > $begin + $count / 1000;
});
ok($ended > 10, "$ended sessions were ended meanwhile");

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 20), 'no job hangs');
ok(wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') }, 20),
   'no webhook hangs');

is(sql("SELECT count(*) FROM fliq.jobs WHERE status = 'success'"), $count,
   'all are success');
is(sql('SELECT count(*), count(DISTINCT job_id) FROM fliq.executions'),
   "$count|$count", 'each has one execution');
ok(wait_until(sub { !sql('SELECT count(*) FROM fliq.claims') }),
   'no claim is left');
is_deeply([sort { $a <=> $b } sandbox->workers],
          [sort { $a <=> $b } @workers], 'by the same workers');

my %paths;
$paths{$_->{path}}++ for target->requests;
is(scalar(grep { !$paths{"/ok/$_"} } 1 .. $count), 0, 'all were fired');
is(scalar(grep { !$paths{"/ok/h/$_"} } 1 .. $count), 0, 'all were told');

finish();
