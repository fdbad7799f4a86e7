# 50 buffers of 200 items each on two nodes, one of whose workers is killed
# and one of which is reloaded meanwhile.  The target holds each buffer to its
# rate and refuses nothing; the order is kept; nothing is lost; only what was
# in flight at the kill is sent twice.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Test;

my $count = 200;

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 2);

my @buffers = map {
    my $rate = 10 + $_ % 5 * 5;

    make_buffer(url => "/rate/$rate/25/b$_", rate_limit => $rate)
} 1 .. 50;

fill_buffers($count, @buffers);

sub sent ($least) {
    return wait_until(sub { target->requests >= $least }, 60);
}

ok(sent(2000), 'they are under way');

# The one that has most in flight.
my $victim = wait_until(sub {
    sql('SELECT o.pid FROM fliq.buffer_heads h
           JOIN fliq.owners o ON o.id = h.owner_id
          GROUP BY 1 ORDER BY count(*) DESC LIMIT 1')
});
kill KILL => $victim;
my $killed = time;

ok(sent(4000), 'after a worker was killed');
kill HUP => $node->{nginx_pid};
ok(sent(6000), 'and a node reloaded');
kill HUP => sandbox->{nginx_pid};

ok(drained(240), 'they are all sent');

my $by_path = target->by_path;
my ($refused, $out_of_turn, $missing) = (0, 0, 0);
my @twice;

for my $buffer (@buffers) {
    my $path = $buffer->{url} =~ s{^http://[^/]+}{}r;
    my @requests = $by_path->{$path}->@*;
    my %seen;

    $seen{$_->{body}}++ for @requests;
    $missing += grep { !$seen{$_} } 1 .. $count;
    $out_of_turn += disorder(@requests);
    $refused++ if most_in_a_second(@requests) > $buffer->{rate_limit};

    push @twice, map { $requests[$_ - 1]{time} }
                 grep { $requests[$_]{body} == $requests[$_ - 1]{body} }
                 1 .. $#requests;
}

is($refused, 0, 'no buffer was ever above its rate');
is($out_of_turn, 0, 'none was sent out of its turn');
is($missing, 0, 'none was left out');
ok(@twice > 0 && @twice <= 50, @twice . ' were sent twice');
is(scalar(grep { abs($_ - $killed) > 1 } @twice), 0,
   'those that were in flight at the kill');
is(sql('SELECT sum(completed) FROM fliq.buffer_heads'), 50 * $count,
   'all are completed');
is(sql('SELECT count(*) FROM fliq.buffer_items WHERE attempts <> 1'), 0,
   'at the first attempt, with no 429');

finish(qr/worker process $victim exited on signal 9/);
