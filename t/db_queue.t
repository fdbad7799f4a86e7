# A database that does not answer: a statement waits for it no longer than
# the timeout of fliq_database, requests that find the queue full are refused
# at once, and when it answers again all is as before.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

my $sandbox = sandbox(workers => 1);
my $node = Fliq::Node->start($sandbox, edit => sub {
    $_[0] =~ s/(fliq_database "[^"]+")/$1 connections=1 queue=20 timeout=1s/;
});

my %far = (url => 'http://127.0.0.1:9/',
           scheduled_at => '2099-01-01T00:00:00Z');
my $post = request_bytes('POST', '/jobs', \%far);


sub jobs () {
    return sql('SELECT count(*) FROM fliq.jobs');
}


# Warm: the token is known, the statement prepared.
is((load(port => $node->{port}, clients => 1)->run($post))[0]{status}, 201,
   'a job');


for my $round (1 .. 2) {
    my $before = jobs();
    my $lock = $sandbox->hold(
        'LOCK TABLE fliq.jobs IN SHARE ROW EXCLUSIVE MODE');
    my @answers = load(port => $node->{port}, clients => 200)
        ->run(($post) x 200);
    my @refused = grep { $_->{seconds} < 0.5 } @answers;
    my @waited = grep { $_->{seconds} >= 0.5 } @answers;
    my ($longest) = sort { $b <=> $a } map { $_->{seconds} } @answers;

    is(scalar(grep { $_->{status} == 503
                     && $_->{head} =~ /^Retry-After: [1-9]/mi
                     && $_->{body} =~ /"code":"unavailable"/ } @answers),
       200, "round $round: all are told to come again");
    ok(@refused >= 100, "round $round: most at once: " . @refused);
    ok(@waited > 0, "round $round: some have waited: " . @waited);

    # A create may wait for the commit before its own.
    ok($longest < 2.5,
       sprintf 'round %d: none longer than %.2f s', $round, $longest);

    my ($health) = load(port => $node->{port}, clients => 1)
        ->run(request_bytes('GET', '/health'));
    is($health->{status}, 200, "round $round: /health");

    Fliq::Sandbox::release($lock);

    ok(wait_until(sub {
        my ($answer) = load(port => $node->{port}, clients => 1)->run($post);
        return $answer->{status} == 201;
    }, 5), "round $round: it goes on");

    # What was under way when the client was told to come again may have
    # been written; what was refused was not.
    ok(jobs() - $before <= @waited + 1,
       "round $round: nothing that was refused was written");
}

finish();
