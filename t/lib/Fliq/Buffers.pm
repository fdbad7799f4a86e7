package Fliq::Buffers;

# What the tests of buffers share: to make many, to fill them at once, and to
# judge how they were sent.

use v5.36;

use Exporter qw(import);

use Fliq::Test ();

our @EXPORT = qw(make_buffer fill_buffers drained most_in_a_second disorder);

my $names = 0;


# make_buffer(fields): a new buffer; the url may be a path of the target.
sub make_buffer (%fields) {
    $fields{url} = Fliq::Test::target()->url($fields{url})
        if $fields{url} =~ m{^/};

    my $answer = Fliq::Test::api('POST', '/buffers',
                                 { name => 'b' . ++$names, %fields });

    die "POST /buffers: $answer->{content}\n" if $answer->{status} != 201;
    return $answer->{json};
}


# fill_buffers(count, buffers): so many items for each, whose bodies are 1 to
# count, in one transaction, as if they had been pushed one by one.
sub fill_buffers ($count, @buffers) {
    my $ids = join ', ', map { "'$_->{id}'" } @buffers;
    my $these = "buffer_id IN (
        SELECT id FROM fliq.buffers
         WHERE fliq.id_text('buf', id) IN ($ids))";

    Fliq::Test::sql("BEGIN;
        INSERT INTO fliq.buffer_items (buffer_id, id, account_id, seq, body)
        SELECT t.buffer_id, fliq.make_id(), t.account_id,
               t.next_seq + n - 1, convert_to(n::text, 'UTF8')
          FROM fliq.buffer_tails t, generate_series(1, $count) AS n
         WHERE t.$these;
        UPDATE fliq.buffer_tails
           SET next_seq = next_seq + $count, idle = false WHERE $these;
        UPDATE fliq.buffer_heads
           SET due_at = coalesce(due_at, greatest(free_at, now()))
         WHERE owner_id IS NULL AND $these;
        COMMIT");
}


# drained(timeout): wait until no item waits.
sub drained ($timeout = 10) {
    return Fliq::Test::wait_until(sub {
        !Fliq::Test::sql('SELECT EXISTS (SELECT FROM fliq.buffer_tails
                                          WHERE NOT idle)::int')
    }, $timeout);
}


# most_in_a_second(requests): how many of them, which are in the order of
# their arrival, arrived within one second at most.
sub most_in_a_second (@requests) {
    my ($most, $first) = (0, 0);

    for my $i (0 .. $#requests) {
        $first++ while $requests[$i]{usec} - $requests[$first]{usec}
                       >= 1_000_000;
        $most = $i - $first + 1 if $i - $first + 1 > $most;
    }

    return $most;
}


# disorder(requests): how many of one buffer's arrived out of their turn: the
# body is to be that of the request before, or the next number.
sub disorder (@requests) {
    return scalar grep {
        my $ahead = $requests[$_]{body}
                    - ($_ ? $requests[$_ - 1]{body} : 0);
        $ahead != 1 && !($_ && $ahead == 0);
    } 0 .. $#requests;
}


1;
