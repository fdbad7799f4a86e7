# 1,000 buffers of 100 items each go on side by side, in their order, none
# delayed by another; and an item costs no more in a buffer of 100,000 than in
# one of 10.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Test;

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 2);


# --- many

my ($buffers, $count) = (1000, 100);
my @buffers = map {
    make_buffer(url => "/ok/many/$_", rate_limit => 1000)
} 1 .. $buffers;

fill_buffers($count, @buffers);
ok(drained(300), 'all are sent');

my $by_path = target->by_path;
my @all = target->requests;
my $start = $all[0]{time};
my $took = $all[-1]{time} - $start;
my ($out_of_turn, @half, @end) = (0);

for my $buffer (@buffers) {
    my $path = $buffer->{url} =~ s{^http://[^/]+}{}r;
    my @requests = $by_path->{$path}->@*;

    $out_of_turn += disorder(@requests);
    push @half, $requests[$count / 2]{time} - $start;
    push @end, $requests[-1]{time} - $start;
}

@half = sort { $a <=> $b } @half;
@end = sort { $a <=> $b } @end;

diag(sprintf '%d items in %.1f s: %.0f a second; half done after %.1f to '
     . '%.1f s, done after %.1f to %.1f s', scalar @all, $took, @all / $took,
     @half[0, -1], @end[0, -1]);

is(scalar(@all), $buffers * $count, 'each item once');
is($out_of_turn, 0, 'each buffer in its order');
ok($half[-1] < $end[0],
   'none has ended before every other one is half through');


# --- long

# The gaps between the first ${most} requests of a buffer of ${items} items,
# of which ${done} have been sent before, in milliseconds.
sub gaps ($path, $items, $done, $most) {
    my $buffer = make_buffer(url => $path, rate_limit => 1000);

    api('POST', "/buffers/$buffer->{id}/pause");
    fill_buffers($items, $buffer);

    sql("BEGIN;
         UPDATE fliq.buffer_items SET status = 'completed'
          WHERE seq < $done
            AND fliq.id_text('buf', buffer_id) = '$buffer->{id}';
         UPDATE fliq.buffer_heads SET first_seq = $done
          WHERE fliq.id_text('buf', buffer_id) = '$buffer->{id}';
         COMMIT") if $done;

    api('POST', "/buffers/$buffer->{id}/resume");
    my @requests = target->wait_for($most, $path, 120);
    api('POST', "/buffers/$buffer->{id}/pause");

    is(disorder(map { { body => $_->{body} - $done } } @requests), 0,
       "$path: in its order");

    return map { 1000 * ($requests[$_]{time} - $requests[$_ - 1]{time}) }
               1 .. $#requests;
}

sub median (@values) {
    return (sort { $a <=> $b } @values)[@values / 2];
}

my $short = median(map { gaps("/ok/short/$_", 10, 0, 10) } 1 .. 50);
my $begin = median(gaps('/ok/begin', 100_000, 0, 500));
my $end = median(gaps('/ok/end', 100_000, 99_500, 500));

diag(sprintf 'an item: %.2f ms in buffers of 10, %.2f ms at the beginning '
     . 'and %.2f ms at the end of one of 100,000', $short, $begin, $end);

ok($begin < 2 * $short, 'a long buffer costs no more at its beginning');
ok($end < 2 * $short, 'nor at its end');

finish();
