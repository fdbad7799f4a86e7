# nginx is replaced by a new binary (USR2, then QUIT) while 300 slow jobs are
# in flight and the API is busy: no request fails, each job fires once.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

my $count = 300;

sandbox(workers => 2,
        http_conf => 'fliq_dispatcher on concurrency=1000 per_host=1000;');

my $old = sandbox->{nginx_pid};
my $due = time + 1;
load(clients => 32)->run(map {
    request_bytes('POST', '/jobs', { url => target->url("/slow/2500/$_"),
                                     scheduled_at => stamp($due) })
} 1 .. $count);
is(scalar(target->wait_for($count)), $count, 'all are in flight');

my $made = 0;
my $load = load(clients => 4, keepalive => 0)->background(sub {
    sleep 0.002;
    return request_bytes('POST', '/jobs', {
        url => target->url('/ok/' . ++$made), scheduled_at => at(1) });
});

kill USR2 => $old;
my $pid_file = sandbox->{dir} . '/nginx.pid';
ok(wait_until(sub { -s "$pid_file.oldbin" && -s $pid_file }),
   'a second master');
chomp(my $new = Fliq::Sandbox::slurp($pid_file));
ok(wait_until(sub {
    grep { Fliq::Sandbox::title($_) =~ /worker process/ }
        Fliq::Sandbox::children($new)
}), 'it has workers');

kill QUIT => $old;
ok(Fliq::Sandbox::await_end($old), 'the first one ends');

my @answers = halt($load);
is(join(' ', map { $_->{error} // $_->{body} }
             grep { $_->{status} != 201 } @answers), '',
   'none of ' . @answers . ' requests failed');

ok(wait_until(sub {
    !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
}, 15), 'all have ended');

my $by_path = target->by_path;
is(join(' ', grep { @{ $by_path->{$_} } != 1 } keys %$by_path), '',
   'each was fired exactly once');
is(scalar(keys %$by_path), $count + @answers, 'all were fired');
is(sql("SELECT count(*) FROM fliq.jobs WHERE status <> 'success'"), 0,
   'all are success');

sandbox->{nginx_pid} = $new;
finish();
