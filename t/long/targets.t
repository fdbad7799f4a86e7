# 500 healthy jobs are no later for all that other targets do: rounds with
# and without these take turns, so that whatever else the machine does falls
# on both.  And what never answers ends after the 30 s that are the default.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Healthy;
use Fliq::Misbehaviour;
use Fliq::Test;

my ($rounds, $count) = (10, 50);

sandbox(workers => 2);

my @never = map { create_job(url => $_) }
            '/hang', '/drip/5000', "https://127.0.0.1:${\ target->port}/";
my $healthy = Fliq::Healthy->new;
my @urls = map { $_->[1] =~ m{^/} ? target->url($_->[1]) : $_->[1] }
           misbehaviour();
my (@bad, %late, %middle);


# A round of healthy jobs, with or without the others in front of them.
sub round_of ($kind) {
    my $due = time + 4;

    if ($kind eq 'during') {
        push @bad, $healthy->post(map {
            { url => $_, scheduled_at => stamp($due), timeout_seconds => 3 }
        } @urls, @urls);
    }

    my @late = $healthy->lateness(
        $healthy->plan($count, $due - time + 0.2, 2.5));

    push $late{$kind}->@*, @late;
    push $middle{$kind}{$_}->@*, rank($_, @late) for 0.5, 0.95;
    wait_job($_) for @bad;
}


sub median (@values) {
    return rank(0.5, sort { $a <=> $b } @values);
}


round_of('first');
round_of($_ % 2 ? 'during' : 'before') for 0 .. 2 * $rounds - 1;

for my $kind (qw(before during)) {
    my @all = sort { $a <=> $b } $late{$kind}->@*;
    diag(scalar(@all) . " healthy jobs $kind: " . milliseconds(@all));
}

# 10 per cent, or what the clock of this comparison cannot tell.
for my $rank (0.5, 0.95) {
    my ($before, $during)
        = map { median($middle{$_}{$rank}->@*) } qw(before during);
    my $more = 0.1 * $before;
    $more = 0.001 if $more < 0.001;

    ok($during < $before + $more,
       sprintf 'p%d: %.3f ms before, %.3f ms during', 100 * $rank,
       1000 * $before, 1000 * $during);
}

for my $job (@never) {
    my $end = wait_job($job, qr/^failed\z/, 40);
    my ($execution) = executions($end);

    is($end->{last_error}, 'timed out after 30 s', "$job->{url}: timed out");
    ok(abs($execution->{duration_ms} - 30_000) < 1000,
       "$job->{url}: after $execution->{duration_ms} ms");
}

finish();
