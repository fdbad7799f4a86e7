# Reload every two seconds under load: not one API request fails, on
# connections old or new, nothing is fired twice, nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Test;

my $seconds = Fliq::Faults::rounds() > 1 ? 60 : 10;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $reloads = 0;

$faults->share({ keepalive => 0 }, { keepalive => 1 });
$faults->begin($seconds);

my $end = time + $seconds;

while (time < $end) {
    my @before = sandbox->workers;

    $faults->after(1.5, 2);
    kill HUP => sandbox->{nginx_pid};
    $reloads++ if wait_until(sub {
        my %now = map { ($_ => 1) } sandbox->workers;
        return keys %now == 2 && !grep { $now{$_} } @before;
    });
}

my $found = $faults->settle;
my @failed = $faults->failed;

ok($reloads >= $seconds / 4, "$reloads reloads");
is("@failed", '', 'no request failed');
$faults->is_clean($found, 'reloads');
is(scalar @{ $found->{again} }, 0, 'nothing was fired twice');

finish();
