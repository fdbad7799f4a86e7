# Sessions that end at any moment, with claims and outcomes of buffers under
# way: no buffer hangs, no item is sent twice or out of its turn, and the
# rate is kept.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Buffers;
use Fliq::Test;

my $count = 120;

sandbox(workers => 2);

my @workers = sandbox->workers;
my @buffers = map {
    make_buffer(url => "/rate/25/5/b$_", rate_limit => 25)
} 1 .. 40;

fill_buffers($count, @buffers);

# End the sessions that claim buffers or settle their items, for a while.
my $ended = 0;
my $end = time + 5;

wait_until(sub {
    $ended += sql("SELECT count(pg_terminate_backend(pid))
                     FROM pg_stat_activity
                    WHERE pid <> pg_backend_pid()
                      AND query LIKE '%fliq.buffer%'
                      AND random() < 0.5");
    return time > $end && $ended > 10;
}, 60);
ok($ended > 10, "$ended sessions were ended meanwhile");
ok(drained(60), 'no buffer hangs');

my $lost = () = sandbox->log =~ /buffers of a claim whose answer was lost/g;
diag("$lost claims were given back");

my $by_path = target->by_path;
my ($above, $out_of_turn, $wrong) = (0, 0, 0);

for my $buffer (@buffers) {
    my $path = $buffer->{url} =~ s{^http://[^/]+}{}r;
    my @requests = $by_path->{$path}->@*;

    $wrong++ if @requests != $count;
    $out_of_turn += disorder(@requests);
    $above++ if most_in_a_second(@requests) > $buffer->{rate_limit};
}

is($wrong, 0, 'each item was sent once');
is($out_of_turn, 0, 'in its turn');
is($above, 0, 'no buffer was ever above its rate');
is(sql('SELECT sum(completed) FROM fliq.buffer_heads'), 40 * $count,
   'all are completed');
is(sql('SELECT sum(executions) FROM fliq.usage_daily'), 40 * $count,
   'and counted once');
is_deeply([sort { $a <=> $b } sandbox->workers],
          [sort { $a <=> $b } @workers], 'by the same workers');

finish();
