# 10,000 schedules of "* * * * *" spawn and fire within their minute, for two
# minutes on two nodes, each once; and one-off jobs that fall due meanwhile
# are not delayed by more than a second.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;

my $count = 10_000;
my $minutes = 2;

sandbox(workers => 2);
my $node = Fliq::Node->start(sandbox, workers => 2);
my $account = sql('SELECT id FROM fliq.accounts');
my $other = Fliq::Target->start;


# One-off jobs each 40 ms, from 2 seconds before a minute to 10 after it,
# for another host and for the same one.
my $first = 60 * (1 + int((time + 15) / 60));
my @oneoff = map { $first - 2 + $_ / 25 } 0 .. 299;
my @answers = load(clients => 16)->run(map {
    my ($i, $due) = ($_, $oneoff[$_]);

    map { request_bytes('POST', '/jobs', {
        url => $_->url("/ok/one/$i"), scheduled_at => stamp($due) })
    } $other, target
} 0 .. $#oneoff);
is(scalar(grep { $_->{status} == 201 } @answers), 600, '600 one-off jobs');

my $url = target->url('/ok/many');
sql("INSERT INTO fliq.schedules
            (account_id, id, cron, url, method, max_retries, timeout_seconds,
             lane, next_run_at)
     SELECT '$account', fliq.make_id(), '* * * * *', '$url/' || i, 'POST', 0,
            30, (SELECT lane FROM fliq.jobs
                  WHERE url = '" . target->url('/ok/one/0') . "'),
            to_timestamp($first)
       FROM generate_series(1, $count) AS i");
ok(time < $first - 2, sprintf 'ready %.1f s before the minute',
   $first - time);


# lateness(requests, due): of each, in seconds, in order.
sub lateness ($due, @requests) {
    return sort { $a <=> $b } map { $_->{time} - $due->($_) } @requests;
}


sub report ($name, @late) {
    diag(sprintf '%s: %d, half within %.3f s, 99 %% %.3f, all %.3f', $name,
         scalar(@late), @late[@late / 2, @late * 0.99, -1]);
}


for my $minute (0 .. $minutes - 1) {
    my $due = $first + 60 * $minute;

    ok(wait_until(sub {
        time > $due && target->matching(qr{/many/}) >= $count * ($minute + 1)
    }, 120), "minute $minute: all are fired");

    my @requests = grep { $_->{time} >= $due && $_->{time} < $due + 60 }
                   target->matching(qr{/many/});
    my %paths = map { $_->{path} => 1 } @requests;
    my @late = lateness(sub { $due }, @requests);

    is(scalar(@requests), $count, "minute $minute: each within it");
    is(scalar(keys %paths), $count, "minute $minute: and once");
    report("minute $minute", @late);
}

for my $of ([another => $other], [same => target]) {
    my ($name, $target) = @$of;
    my @late = lateness(
        sub { $oneoff[$_[0]{path} =~ s{.*/}{}r] },
        $target->matching(qr{/one/}));

    is(scalar(@late), scalar(@oneoff), "one-off jobs for the $name host");
    ok($late[0] > -1e-4 && $late[-1] < 1,
       sprintf 'the last one is %.3f s late', $late[-1]);
    report("one-off, $name host", @late);
}

is(sql("SELECT count(*) FROM (
            SELECT 1 FROM fliq.jobs WHERE schedule_id IS NOT NULL
             GROUP BY schedule_id, scheduled_at HAVING count(*) > 1) AS twice"),
   0, 'no run was spawned twice');

finish();
