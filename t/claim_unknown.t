# A claim whose answer is lost, because its session was ended at that moment,
# may have taken jobs, webhooks and buffers that no worker knows of: they are
# given back while the worker lives on, and none hangs.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Buffers;
use Fliq::Proxy;
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


# creates(count, path, seconds, port): begin to create so many, each due within
# so many seconds of its create, however long all of them take.
sub creates ($count, $path, $seconds, $port = sandbox->{port}) {
    my $base = target->url($path);
    my $n = 0;

    return load(port => $port, clients => 16)->background(sub {
        return undef if $n == $count;
        $n++;

        return request_bytes('POST', '/jobs', {
            url => "$base/j/$n",
            webhook_url => "$base/h/$n",
            scheduled_at => stamp(time + 1 + rand $seconds),
        });
    });
}


sub created ($creates) {
    return scalar grep { $_->{status} == 201 } Fliq::Load::finish($creates);
}


# --- sessions that end at any moment

my $ended = 0;
my $creates = creates($count, '/ok', 3);

wait_until(sub {
    $ended += end_claims();
    return sql("SELECT (count(*) = $count AND max(scheduled_at) < now())::int
                  FROM fliq.jobs");
}, 120);
is(created($creates), $count, "$count jobs");
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
is(scalar(grep { !$paths{"/ok/j/$_"} } 1 .. $count), 0, 'all were fired');
is(scalar(grep { !$paths{"/ok/h/$_"} } 1 .. $count), 0, 'all were told');


# --- answers that do not arrive

my $proxy = Fliq::Proxy->start(
    sandbox,
    cut => { '/ok/cut/j/' => 5, '/ok/cut/h/' => 5, '/ok/buffer/' => 3 },
    lose => { outbox_delete => 0.5 });
my $node = Fliq::Node->start(sandbox, workers => 1, dsn => $proxy->dsn);

is(created(creates(1000, '/ok/cut', 5)), 1000, '1000 jobs');

ok(wait_until(sub { target->matching(qr{^/ok/cut/h/}) >= 1000 }, 20),
   'all were fired and told');
ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
        && !sql('SELECT count(*) FROM fliq.outbox')
}), 'nothing hangs');

my $lost = () = $node->log =~ /jobs of a claim whose answer was lost/g;
ok($lost >= 5, "what $lost claims took was given back");

%paths = ();
$paths{$_->{path}}++ for target->matching(qr{^/ok/cut/});
is(scalar(keys %paths), 2000, 'each was sent');
is(scalar(grep { $_ > 1 } values %paths), 0, 'and none twice');

# A push through the node is claimed by it, before any other looks.
for my $i (1 .. 20) {
    my $buffer = make_buffer(url => "/ok/buffer/$i");
    my $answer = api('POST', "/buffers/$buffer->{id}/items", { body => '1' },
                     {}, $node->{url});

    is_status($answer, 201, "an item of buffer $i");
}

ok(drained(20), 'no buffer hangs');

# A slow node may have had none of the webhooks above: what is created through
# it comes to it sooner or later.
ok(wait_until(sub {
    created(creates(1, '/ok/more', 0.5, $node->{port}));
    return scalar grep { $_ eq 'outbox_delete' } $proxy->lost;
}, 60), 'answers to what was sent being deleted were lost');
like($node->log, qr/buffers of a claim whose answer was lost/,
     'those that were taken were given back');
is_deeply([map { scalar(target->to("/ok/buffer/$_")) } 1 .. 20], [(1) x 20],
          'each item was sent once');

$node->stop;
$proxy->stop;

finish();
