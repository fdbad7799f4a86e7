# In no second do more requests of a buffer reach its target than its rate
# says, with two nodes, whatever the rate, and few less than that; what is
# pushed into a buffer that has paused for a while finds no more room.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Buffers;
use Fliq::Test;

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 2);

# By rate: how many items, and how long they take at least.
my %plan = (
    1  => [6, 5],
    2  => [13, 6],
    10 => [55, 5],
    64 => [256, 3],
    70 => [280, 3],
);

my %buffer = map {
    $_ => make_buffer(url => "/rate/$_/0/b", rate_limit => $_ + 0)
} keys %plan;

fill_buffers($plan{$_}[0], $buffer{$_}) for keys %plan;
ok(drained(60), 'all are sent');

for my $rate (sort { $a <=> $b } keys %plan) {
    my ($count, $least) = $plan{$rate}->@*;
    my @requests = target->to("/rate/$rate/0/b");
    my $most = most_in_a_second(@requests);
    my $took = $requests[-1]{time} - $requests[0]{time};
    my $stats = api('GET', "/buffers/$buffer{$rate}{id}/stats")->{json};

    is(scalar(@requests), $count, "rate $rate: one request an item");
    is(disorder(@requests), 0, "rate $rate: in their order");
    is($stats->{completed}, $count, "rate $rate: none was refused");
    ok($most <= $rate, "rate $rate: $most in a second at most");
    ok($took >= $least && $took < 5 * $least + 5,
       sprintf 'rate %d: %.2f s, %d s at least', $rate, $took, $least);
}


# --- a burst is allowed once, and not again a moment later

my $buffer = make_buffer(url => '/rate/5/0/burst', rate_limit => 5);

sub push_some ($node, $from, $to) {
    for my $n ($from .. $to) {
        my $answer = api('POST', "/buffers/$buffer->{id}/items",
                         { body => "$n" }, {}, $node->{url});
        is_status($answer, 201, "item $n");
    }
}

push_some(sandbox, 1, 4);
ok(drained(), 'a few');
push_some($node, 5, 10);
ok(drained(), 'and more on another node');

my @requests = target->to('/rate/5/0/burst');
is(scalar(@requests), 10, 'one request an item');
is(disorder(@requests), 0, 'in their order');
my $most = most_in_a_second(@requests);
ok($most <= 5, "$most in a second at most");

finish();
