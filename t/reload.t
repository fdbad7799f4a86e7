# Reload while 500 slow jobs are in flight and the API is busy: no request
# fails, each job is fired exactly once and recorded as success, and the old
# workers go when they are done.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $count = 500;

sandbox(workers => 2,
        http_conf => 'fliq_dispatcher on concurrency=1000 per_host=1000;');

my $due = time + 1;
my @answers = load(clients => 32)->run(map {
    request_bytes('POST', '/jobs', { url => target->url("/slow/2500/$_"),
                                     scheduled_at => stamp($due) })
} 1 .. $count);
is(scalar(grep { $_->{status} == 201 } @answers), $count, '500 were created');

is(scalar(target->wait_for($count)), $count, '500 are in flight');


# --- the API is busy, with connections old and new, and jobs fall due

my $made = 0;
my $new = load(clients => 4, keepalive => 0)->background(sub {
    sleep 0.001;
    return request_bytes('POST', '/jobs', {
        url => target->url('/ok/new/' . ++$made),
        scheduled_at => at(1) });
});
my $kept = load(clients => 4)->background(sub {
    sleep 0.001;
    return request_bytes('POST', '/jobs', {
        url => target->url('/ok/kept/' . ++$made),
        scheduled_at => at(1) });
});

ok(wait_until(sub { target->matching(qr{^/ok/kept/}) > 50 }),
   'the API is busy');


# --- reload, three times

my @old = sandbox->workers;

for my $round (1 .. 3) {
    my @before = sandbox->workers;
    kill HUP => sandbox->{nginx_pid};

    ok(wait_until(sub {
        my %now = map { ($_ => 1) } sandbox->workers;
        return keys %now == 2 && !grep { $now{$_} } @before;
    }), "reload $round: two new workers");

    my $before = target->matching(qr{^/ok/});
    ok(wait_until(sub { target->matching(qr{^/ok/}) > $before + 50 }),
       "reload $round: they work");
}

my @fresh = halt($new);
my @reused = halt($kept);

is(join(' ', map { $_->{error} // $_->{body} }
             grep { $_->{status} != 201 } @fresh), '',
   'none of ' . @fresh . ' requests on new connections failed');
is(join(' ', map { $_->{error} // $_->{body} }
             grep { $_->{status} != 201 } @reused), '',
   'nor of ' . @reused . ' on those kept alive');


# --- the jobs

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 15), 'all have ended');

my $total = $count + @fresh + @reused;
my $by_path = target->by_path;

is(scalar(grep { m{^/slow/} } keys %$by_path), $count,
   'the slow ones were fired');
is(join(' ', grep { @{ $by_path->{$_} } != 1 } keys %$by_path), '',
   'everything was fired exactly once');
is(scalar(keys %$by_path), $total, 'everything was fired');
is(sql("SELECT count(*) FROM fliq.jobs
         WHERE status = 'success' AND attempts = 1"), $total,
   'and is recorded as success');
is(sql('SELECT count(*), count(DISTINCT job_id), bool_and(success)
          FROM fliq.executions'), "$total|$total|t", 'with one execution');


# --- the old workers

ok(wait_until(sub {
    my %left = map { ($_ => 1) } sandbox->all_workers;
    return !grep { $left{$_} } @old;
}, 15), 'the old workers are gone');
is(scalar(sandbox->all_workers), 2, 'two are left');
ok(wait_until(sub { sql('SELECT count(*) FROM fliq.owners') == 2 }),
   'and two owners');

finish();
