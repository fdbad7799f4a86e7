# What a target may ask for with Retry-After, and what is made of it: whole
# seconds and dates, an hour at most, and nothing else.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Test;
use POSIX qw(strftime);

sandbox(workers => 2, http_conf => 'fliq_retry base=20s jitter=0%;');


sub date ($after, $format = '%a, %d %b %Y %H:%M:%S GMT') {
    return strftime($format, gmtime(time + $after));
}


# what it says, and the seconds after which the next attempt is due; 20 are
# those of the backoff
my @cases = (
    ['60', 60], ['0', 20], ['19', 20], ['3600', 3600], ['3601', 3600],
    ['99999999999', 3600], ['9' x 40, 3600], ['9' x 200, 20],
    ['-5', 20], ['-99999999999999999999', 20], ['+60', 20], ['60.5', 20],
    ['1e3', 20], ['0x40', 20], ['60s', 20], ['60, 70', 20], ['soon', 20],
    ["\xff\xfe", 20], ['', 20],
    [date(120), 120], [date(-120), 20], [date(7200), 3600],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 3600],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 20],
    ['Fri, 99 Dec 2099 99:99:99 GMT', 20],
    ['2099-01-01T00:00:00Z', 20],
);

my @jobs = map {
    my $path = $cases[$_][0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;

    create_job(url => "/retry-after/" . ($path || '%20')
                      . '/' . ($_ % 2 ? 429 : 503), max_retries => 1);
} 0 .. $#cases;

for my $i (0 .. $#cases) {
    my ($says, $wait) = $cases[$i]->@*;
    my $job = wait_job($jobs[$i], qr/^scheduled\z/);

    wait_until(sub { ($job = get_job($jobs[$i]))->{attempts} == 1 });

    my $after = seconds($job->{next_attempt_at} // '') // 0;
    $after -= (target->to($job->{url} =~ s{^http://[^/]+}{}r))[0]{time};

    # a date is in whole seconds, and the machine may be slow
    my $least = $says =~ /GMT/ && $wait == 120 ? 110 : $wait;
    ok($after >= $least && $after < $wait + 10,
       sprintf '"%s": %.1f s', $says =~ s/[^ -~]/?/gr, $after);
}

finish();
