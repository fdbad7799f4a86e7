# A worker that is stopped for a while, and then goes on, sends nothing that
# others have sent meanwhile: the buffers it had keep their rate, and their
# order but for what was in flight.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Test;

my $count = 300;

sandbox(workers => 1);
my $node = Fliq::Node->start(sandbox, workers => 1);

my @buffers = map {
    make_buffer(url => "/rate/15/25/b$_", rate_limit => 15)
} 1 .. 50;

fill_buffers($count, @buffers);

for my $round (1 .. 2) {
    my $victim = wait_until(sub {
        sql('SELECT o.pid FROM fliq.buffer_heads h
               JOIN fliq.owners o ON o.id = h.owner_id
              GROUP BY 1 ORDER BY count(*) DESC LIMIT 1')
    });

    kill STOP => $victim;

    my $id = sql("SELECT id FROM fliq.owners WHERE pid = $victim");
    ok(wait_until(sub {
        !sql("SELECT count(*) FROM fliq.owners WHERE id = '$id'")
    }, 20), "round $round: it is taken for dead");

    my $before = target->requests;
    ok(wait_until(sub { target->requests > $before + 500 }, 20),
       'others go on');
    kill CONT => $victim;
    ok(wait_until(sub {
        sql("SELECT count(*) FROM fliq.owners WHERE pid = $victim")
    }, 20), 'it is back');
}

ok(drained(120), 'all are sent');

my $by_path = target->by_path;
my ($above, $out_of_turn, $missing, $twice) = (0, 0, 0, 0);

for my $buffer (@buffers) {
    my $path = $buffer->{url} =~ s{^http://[^/]+}{}r;
    my @requests = $by_path->{$path}->@*;
    my %seen;

    $seen{$_->{body}}++ for @requests;
    $missing += grep { !$seen{$_} } 1 .. $count;
    $twice += grep { $_ > 1 } values %seen;
    $out_of_turn += disorder(@requests);
    $above++ if most_in_a_second(@requests) > $buffer->{rate_limit};
}

is($above, 0, 'no buffer was ever above its rate');
is($out_of_turn, 0, 'none was sent out of its turn');
is($missing, 0, 'none was left out');
ok($twice <= 100, "$twice were sent twice");
is(sql('SELECT sum(completed) FROM fliq.buffer_heads'), 50 * $count,
   'each is completed once');

finish(qr/was taken for dead|came too late and were dropped/);
