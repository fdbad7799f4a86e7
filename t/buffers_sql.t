# What the statements of buffers promise when they meet: order, no push that
# is forgotten, nobody who waits for another's pushes, no outcome of somebody
# who lost the buffer, nothing left of what was deleted.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use Fliq::Session;

sandbox(workers => 1);

# A database with the schema, which no dispatcher looks at.
sql('CREATE DATABASE quiet');
my $dsn = sandbox->{dsn} =~ s/dbname=\w+/dbname=quiet/r;
my $node = Fliq::Node->start(sandbox, workers => 1, dsn => $dsn);
ok(wait_until(sub {
    api('GET', '/health?deep=1', undef, {}, $node->{url})->{status} == 200
}), 'the schema is there');
$node->stop;

my ($one, $two, $look) = map {
    Fliq::Session->new($dsn, 'buffer_*', 'item_*')
} 1 .. 3;

my $account = uuid(0xa);
my @owners = (uuid(0xf1), uuid(0xf2));
my $end = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
my $buffers = 0;

$look->run("INSERT INTO fliq.owners (id, lock_key, node, pid)
            VALUES ('$owners[0]', 1, 'n', 1), ('$owners[1]', 2, 'n', 2)");


sub uuid ($number) {
    return sprintf '00000000-0000-0000-0000-%012x', $number;
}


# buffer(items): a new buffer with so many items, 1, 2, ...
sub buffer ($items = 0, $webhook = 'NULL') {
    my $id = uuid(0x1000 + ++$buffers);

    $look->run("EXECUTE buffer_create('$account', '$id', 'b$buffers',
                'http://x/', 'POST', NULL, 3, 30, 'linear', 10, $webhook,
                NULL, 5, 6)");
    $look->run(push_item($id, $_)) for 1 .. $items;

    return $id;
}


sub push_item ($buffer, $item, $key = 'NULL') {
    return "EXECUTE item_create('$account', '$buffer', '" . uuid($item)
           . "', NULL, 'body $item', $key, NULL)";
}


# claim(owner): of at most one buffer.
sub claim ($owner = $owners[0]) {
    return "EXECUTE buffer_claim('$owner', 1, '{}')";
}


# taken(rows): the item and the attempt of a claim.
sub taken (@rows) {
    return join ' ', map {
        my @fields = split /\|/;
        hex(substr $fields[2], -6) . ":$fields[3]";
    } @rows;
}


# settle(buffer, item, fields): what came of it.
sub settle ($buffer, $item, %with) {
    my %o = (owner => $owners[0], attempt => 1, retries => 0, code => 200,
             status => 'completed', refused => 0, due => 'now()', %with);
    my $error = $o{status} eq 'completed' ? 'NULL' : "'it failed'";

    return "EXECUTE buffer_settle('$o{owner}', '{$account}', '{$buffer}',
        '{" . uuid($item) . "}', '{$o{attempt}}', '{$o{retries}}',
        ARRAY[NULL::timestamptz], ARRAY[now()], '{5}', '{$o{code}}',
        ARRAY[$error], ARRAY[$o{due}], ARRAY['p'::bytea],
        '{$o{refused}}', '{$o{status}}', '{5}', 1)";
}


# counted(row): of an outcome: the owner lives, items settled, webhooks.
sub counted ($row) {
    return $row =~ s/\A((?:[^|]*\|){2}[^|]*).*/$1/r;
}


# head(buffer): whether it is due, who has it, which item was reached.
sub head ($buffer) {
    return scalar $look->run("SELECT due_at IS NOT NULL, owner_id IS NOT NULL,
        first_seq FROM fliq.buffer_heads WHERE buffer_id = '$buffer'");
}


sub items ($buffer, $what = "seq || ':' || status") {
    return join ' ', $look->run("SELECT $what FROM fliq.buffer_items
        WHERE buffer_id = '$buffer' ORDER BY seq");
}


sub stats ($buffer) {
    return scalar $look->run("EXECUTE buffer_stats('$account', '$buffer')");
}


sub remove ($buffer) {
    return "EXECUTE buffer_delete('$account', '$buffer')";
}


# waits(session): it has come to a lock that another has.
sub waits ($session) {
    return wait_until(sub { $session->waits });
}


# --- numbers are given in commit order, and none is lost

my $buffer = buffer();

$one->run('BEGIN');
$one->run(push_item($buffer, 1));
$two->send(push_item($buffer, 2));
ok(waits($two), 'a push waits for the push before it');
$one->run('COMMIT');
like($two->rows, qr/^t\|/, 'and is made');
is(items($buffer, "right(id::text, 1)"), '1 2', 'in the order of commits');

$one->run('BEGIN');
$one->run(push_item($buffer, 3, "'key'"));
$two->send(push_item($buffer, 4, "'key'"));
ok(waits($two), 'a push with the same key waits');
$one->run('ROLLBACK');
like($two->rows, qr/^t\|f\|f\|\d/, 'and is made, as the other was not');
is(items($buffer, 'seq'), '0 1 2', 'no number is left out');

$one->run('BEGIN');
$one->run(push_item($buffer, 5, "'twice'"));
$two->send(push_item($buffer, 6, "'twice'"));
ok(waits($two), 'another with one key');
$one->run('COMMIT');
is($two->rows, 't|f|f||3', 'is not made, as the other was');
is(stats($buffer), '4|0|0|0', 'four wait');
$look->run(remove($buffer));


# --- a push crosses the outcome of the last item

for my $first ('push', 'settle') {
    $buffer = buffer(1);
    is(taken($one->run(claim())), '1:1', "$first first: in flight");

    my ($before, $after) = (push_item($buffer, 2), settle($buffer, 1));
    ($before, $after) = ($after, $before) if $first eq 'settle';

    $one->run('BEGIN');
    $one->run($before);
    $two->send($after);
    ok(waits($two), "$first first: the other waits");
    $one->run('COMMIT');
    $two->rows;

    is(head($buffer), 't|f|0', "$first first: it is due");
    is(taken($one->run(claim())), '2:1', "$first first: the item goes");
    $one->run(settle($buffer, 2));
    is(head($buffer), 'f|f|1', "$first first: then it is empty");
    is(stats($buffer), '0|0|2|0', "$first first: two are completed");
    $look->run(remove($buffer));
}


# --- pushing keeps nobody from sending

$buffer = buffer(2);
$one->run('BEGIN');
$one->run(push_item($buffer, 3));
is(taken($two->run(claim())), '1:1', 'a claim does not wait for a push');
like($two->run(settle($buffer, 1)), qr/^t\|1\|0\|\d/,
     'nor does an outcome, which says when more may be sent');
$one->run('COMMIT');
is(items($buffer), '0:completed 1:pending 2:pending',
   'all are in their place');
$look->run(remove($buffer));


# --- a claim that comes late: the head went round since its snapshot, and the
# clock was set back, so that it is due again

for my $what ('completed', 'pending') {
    $buffer = buffer(2);

    $two->run('BEGIN');
    $two->run("SELECT FROM fliq.owners WHERE id = '$owners[0]' FOR UPDATE");
    $one->send(claim());
    ok(waits($one), "$what: a claim is held up behind its snapshot");

    is(taken($look->run(claim($owners[1]))), '1:1', "$what: another is not");
    $look->run(settle($buffer, 1, owner => $owners[1], status => $what));
    $look->run("UPDATE fliq.buffer_heads SET due_at = now() - interval '1 h'");
    $two->run('COMMIT');

    is(taken($one->rows), $what eq 'completed' ? '2:1' : '1:2',
       "$what: it takes what is first now");
    $look->run(remove($buffer));
}


# --- an outcome counts for who has the buffer, that item and that attempt

$buffer = buffer(2, q('http://hook/'));
$one->run(claim());

for my $stranger ([1, owner => $owners[1]], [2], [1, attempt => 2]) {
    my ($item, @with) = @$stranger;
    is(counted($one->run(settle($buffer, $item, @with))), 't|0|0',
       "not counted: item $item, @with");
}

is(counted($one->run(settle($buffer, 1, status => 'pending', retries => 1))),
   't|1|0', 'it is tried again');
is(taken($one->run(claim())), '1:2', 'as its second attempt');
is(counted($one->run(settle($buffer, 1, status => 'pending'))), 't|0|0',
   'the first outcome once more does not count');

is($one->run("EXECUTE buffer_disown('$owners[0]', '{$buffer}')"), 0,
   'one that is known is not disowned');
is($one->run("EXECUTE buffer_disown('$owners[0]', '{}')"), 1,
   'one that is not known is');
is(counted($one->run(settle($buffer, 1, attempt => 2))), 't|0|0',
   'and its outcome does not count');
is(taken($one->run(claim($owners[1]))), '1:2', 'the next has the same item');

my $usage = "SELECT sum(executions), sum(failed) FROM fliq.usage_daily";
my $used = $look->run($usage);
is(counted($one->run(settle($buffer, 1, attempt => 2, owner => $owners[1],
                    status => 'failed', refused => 1))), 't|1|1',
   'which is refused');
is(items($buffer, "attempts || ' ' || coalesce(status_code, 0)"),
   '1 200 0 0', 'that is no attempt, and no status');
is($look->run($usage), $used, 'nor an execution');
like($look->run('SELECT body FROM fliq.outbox'),
     qr/"status" : "failed".*"attempt_num" : 1\b/, 'its webhook says so');


# --- paused

$one->run(claim());
$look->run("EXECUTE buffer_pause('$account', '$buffer', true)");
is($one->run(settle($buffer, 2, status => 'pending')), 't|1|0|',
   'what is in flight ends when the buffer is paused');
is(taken($one->run(claim())), '', 'nothing follows');
is($one->run('EXECUTE buffer_next') =~ s/\|.*//r, '', 'nor will it');
$look->run(push_item($buffer, 3));
$look->run("EXECUTE buffer_pause('$account', '$buffer', false)");
is(taken($one->run(claim())), '2:2', 'until it goes on, where it stood');
$one->run(settle($buffer, 2, attempt => 2, due => "now() + interval '1 h'"));
is(taken($one->run(claim())), '', 'not before the time that was set');
$look->run(remove($buffer));

$buffer = buffer(1);
$one->run(claim());
$one->run(settle($buffer, 1, due => "now() + interval '1 h'"));
$look->run(push_item($buffer, 2));
is(taken($one->run(claim())), '', 'nor when it was empty in between');
$look->run(remove($buffer));


# --- what a dead dispatcher had goes on, a second later

$buffer = buffer(1);
$one->run(claim());
$look->run("DELETE FROM fliq.owners WHERE id = '$owners[0]'");
my $before = $look->run('SELECT clock_timestamp()');
is($look->run('EXECUTE buffer_release'), 1, 'it is released');
is($look->run("SELECT due_at >= '$before'::timestamptz + interval '1 s',
                      free_at = due_at
                 FROM fliq.buffer_heads WHERE buffer_id = '$buffer'"), 't|t',
   'not before a second has passed');
is(counted($one->run(settle($buffer, 1))), 'f|0|0', 'the dead settle nothing');
is($one->run(claim()), undef, 'and claim nothing');
is($look->run('EXECUTE buffer_release'), 0, 'nothing is released twice');
ok(wait_until(sub { taken($two->run(claim($owners[1]))) eq '1:1' }),
   'then the item goes, as the same attempt');
$look->run("INSERT INTO fliq.owners (id, lock_key, node, pid)
            VALUES ('$owners[0]', 1, 'n', 1)");


# --- deleted while an item is in flight

is($look->run(remove($buffer)), 1, 'deleted in flight');
is($look->run(remove($buffer)), undef, 'it is gone');
is(counted($two->run(settle($buffer, 1, owner => $owners[1]))), 't|0|0',
   'its outcome does not count');
is($look->run(push_item($buffer, 2)), 'f|f|f||', 'it takes no item');
is($look->run("EXECUTE item_list('$account', '$end', 10, '$buffer')"), undef,
   'it lists none');

$buffer = buffer(1);
$one->run('BEGIN');
$one->run(push_item($buffer, 2));
$two->send(remove($buffer));
ok(waits($two), 'a delete waits for a push');
$one->run('COMMIT');
is($two->rows, 1, 'and deletes');

$buffer = buffer(1);
$one->run('BEGIN');
$one->run(remove($buffer));
$two->send(push_item($buffer, 2));
ok(waits($two), 'a push waits for a delete');
$one->run('COMMIT');
like($two->rows, qr{^f\|f\|f\|\|}, 'and finds no buffer');

$buffer = buffer(2);
$one->run(claim());
$one->run('BEGIN');
$one->run(settle($buffer, 1));
$two->send(remove($buffer));
ok(waits($two), 'a delete waits for an outcome');
$one->run('COMMIT');
is($two->rows, 1, 'and deletes');

my $sweeps = 0;
$sweeps++ while $sweeps < 100
    && $look->run('SELECT count(*) FROM fliq.buffer_tails')
    && defined $look->run('EXECUTE buffer_sweep');
is(join(' ', $look->run('SELECT count(*) FROM fliq.buffer_items
                         UNION ALL SELECT count(*) FROM fliq.buffer_heads
                         UNION ALL SELECT count(*) FROM fliq.buffer_tails
                         UNION ALL SELECT count(*) FROM fliq.buffers')),
   '0 0 0 0', "nothing is left after $sweeps sweeps");


# --- a claim reaches the disk, whatever its session does else

$buffer = buffer(1);
$one->run("SET synchronous_commit = off");
$one->run('BEGIN');
is(taken($one->run(claim())), '1:1', 'claimed');
my $position = $one->run('SELECT pg_current_wal_insert_lsn()');
$one->run('COMMIT');
is($look->run("SELECT pg_current_wal_flush_lsn() > '$position'"), 't',
   'it is flushed when it is answered');

finish();
