# Where the kernel has no IPv6, a call to such an address fails at once: that
# is no lack of descriptors to wait for, and keeps nobody else waiting.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Preload;
use Fliq::Test;

preload('targets/no_ipv6.c');
sandbox(workers => 1);

my $port = target()->port;
my $six = create_job(url => "http://[::1]:$port/ok/six", max_retries => 0,
                     timeout_seconds => 8);

# Beside the first, and after it.
my @others = map {
    create_job(url => "/ok/$_", soon => 0.05 + $_ / 4, max_retries => 0)
} 1 .. 4;

my $job = wait_job($six, qr/^failed\z/, wide(2));

is($job->{status}, 'failed', 'an address of IPv6 fails at once');
is($job->{last_error}, 'could not connect', 'and the error says so');

for my $other (@others) {
    is(wait_job($other, qr/^success\z/, wide(2))->{status}, 'success',
       'another job is called meanwhile');
}

my ($both) = wait_job(create_job(url => "http://localhost:$port/ok/both",
                                 max_retries => 0));
is($both->{status}, 'success', 'a name with both is called by the other');

finish(qr/socket\(\) for an outbound call failed/);
