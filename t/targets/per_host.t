# One dead target does not hold the slots of healthy ones: no more than
# per_host calls of a worker go to one host, and one account's backlog does
# not delay another's jobs.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Healthy;
use Fliq::Test;
use List::Util qw(max);

my $workers = 2;
my $per_host = 10;

sandbox(workers => $workers,
        http_conf => "fliq_dispatcher on concurrency=60 per_host=$per_host;");

my $account = sandbox->fliqctl('account', 'create', '--name', 'other')->{id};
my $token = sandbox->fliqctl('token', 'create', '--account', $account);
my $healthy = Fliq::Healthy->new;


sub is_punctual ($name, @late) {
    diag("$name: " . milliseconds(@late));
    ok($late[0] >= 0 && $late[-1] < wide(0.3),
       sprintf '%s: none more than %.3f s late', $name, $late[-1]);
}


# --- 300 jobs for a target that answers none, in front of 50 healthy ones

my $due = time + wide(1.5);
$healthy->post(map {
    { url => target->url("/hang/$_"), timeout_seconds => 2,
      scheduled_at => stamp($due) }
} 1 .. 300);
is_punctual('the healthy ones',
            $healthy->lateness($healthy->plan(50, $due - time, 1)));


# --- the backlog of one account, and the jobs of another to the same host

my $theirs = Fliq::Healthy->new(token => $token->{token});
is_punctual("another account's",
            $theirs->lateness($theirs->plan(20, 1, 1)));


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
