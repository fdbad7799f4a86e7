# One dead target does not hold the slots of healthy ones: no more than
# per_host calls of a worker go to one host, and one account's backlog does
# not delay another's jobs.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use List::Util qw(max);

my $workers = 2;
my $per_host = 10;

sandbox(workers => $workers,
        http_conf => "fliq_dispatcher on concurrency=60 per_host=$per_host;");

my $healthy = Fliq::Target->start;
my $account = sandbox->fliqctl('account', 'create', '--name', 'other')->{id};
my $token = sandbox->fliqctl('token', 'create', '--account', $account);


# create(requests): all at once; they must be taken.
sub create (@requests) {
    my @answers = load(clients => 32)->run(@requests);

    is(scalar(grep { $_->{status} == 201 } @answers), scalar(@requests),
       @requests . ' jobs');
}


# lateness(path): of the job of each request, in seconds, the latest.
sub lateness ($paths, %due) {
    my %first = map { ($_->{path} => $_->{time}) } reverse $healthy->requests;

    return max map { ($first{$_} // 9e9) - $due{$_} } @$paths;
}


# --- 300 jobs for a target that answers none, in front of 50 healthy ones

my $due = time + 1.5;
create(map {
    request_bytes('POST', '/jobs', { url => target->url("/hang/$_"),
        timeout_seconds => 2, scheduled_at => stamp($due) })
} 1 .. 300);

my %due = map { ("/ok/$_" => $due + $_ / 50) } 1 .. 50;
create(map {
    request_bytes('POST', '/jobs', { url => $healthy->url($_),
        scheduled_at => stamp($due{$_}) })
} sort keys %due);

is(scalar($healthy->wait_for(50)), 50, 'the healthy ones are fired');
my $late = lateness([keys %due], %due);
ok($late < 0.3, sprintf 'none more than %.3f s late', $late);


# --- the backlog of one account, and the jobs of another to the same host

my %theirs = map { ("/ok/theirs/$_" => time + 1 + $_ / 20) } 1 .. 20;
create(map {
    Fliq::Load::request('POST', '/jobs',
        { Authorization => "Bearer $token->{token}" },
        JSON::PP::encode_json({ url => $healthy->url($_),
                                scheduled_at => stamp($theirs{$_}) }))
} sort keys %theirs);

is(scalar(wait_until(sub {
    my @all = $healthy->matching(qr{^/ok/theirs/});
    return @all == 20 ? 20 : 0;
})), 20, "another account's are fired");
$late = lateness([keys %theirs], %theirs);
ok($late < 0.3, sprintf 'none more than %.3f s late', $late);


# --- never more than that at one host

my $waiting = sql("SELECT count(*) FROM fliq.jobs
                    WHERE url LIKE '%/hang/%' AND status = 'waiting'");
ok($waiting > 100, "meanwhile $waiting still wait for the dead one");

my @begins = map { $_->{time} } target->requests;
my $most = max map {
    my $now = $_;
    scalar grep { $_ <= $now && $_ > $now - 1.9 } @begins;
} @begins;
ok($most <= $workers * $per_host, "at most $most calls to it at once");
ok($most > $workers * $per_host / 2, 'which makes use of its slots');

finish();
