# No job reaches an address that the policy refuses: a literal one is refused
# when the job is created, a name when it is connected to.  What is allowed
# and denied on top is the directives' to say; the longest block wins.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

# A proxy would reach what the policy refuses.
my $proxy = Fliq::Target->start;
$ENV{$_} = $proxy->url('') for qw(http_proxy https_proxy all_proxy ALL_PROXY);

sandbox(workers => 1, strict => 1);

my $port = target->port;


# create(url): the status and code of a create, or the id.
sub create ($url, $name = 'url', $at = at(3600)) {
    my $answer = api('POST', '/jobs', {
        url => 'http://example.com/', $name => $url, scheduled_at => $at });

    return $answer->{json}{id} if $answer->{status} == 201;
    return "$answer->{status} $answer->{json}{error}{code}";
}


# --- literal addresses

my @refused = (
    # this network, loopback, private, link-local, metadata, CGNAT
    '0.0.0.0', '0.1.2.3', '127.0.0.1', '127.255.255.254', '10.0.0.1',
    '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1',
    '169.254.0.1', '169.254.169.254', '100.64.0.1', '100.127.255.255',
    # special, documentation, benchmarks, multicast, reserved, broadcast
    '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1',
    '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
    # the same in other forms
    '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.1', '017700000001',
    '0177.0.0.1', '127.0.0.1.', '169.254.43518',
    # IPv6: unspecified, loopback, unique local, link-local, site-local,
    # multicast, documentation
    '[::]', '[::1]', '[fc00::1]', '[fdff::1]', '[fe80::1]', '[fec0::1]',
    '[ff02::1]', '[2001:db8::1]', '[0:0:0:0:0:0:0:1]', '[100::1]',
    # IPv6 with an IPv4 address in it: mapped, compatible, NAT64, 6to4, Teredo
    '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:10.0.0.1]',
    '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::a00:1]',
    '[2002:7f00:1::]', '[2002:a00:1::1]', '[2001:0:1::1]',
);

for my $host (@refused) {
    is(create("http://$host:$port/"), '400 invalid_url', "http://$host");
}

is(create("https://$_/"), '400 invalid_url', "https://$_")
    for '127.0.0.1', '[::1]', '169.254.169.254';
is(create("http://$_/", 'webhook_url'), '400 invalid_webhook_url',
   "webhook_url http://$_") for @refused[0 .. 10], '[::1]';

like(create("http://$_/"), qr/^job_/, "http://$_ may be dialled")
    for '8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.255.255',
        '100.128.0.1', '192.0.1.1', '223.255.255.255', '126.255.255.255',
        '128.0.0.1', '[2606:4700::1111]', '[::ffff:8.8.8.8]', 'example.com',
        '134744072';


# --- a name is judged when it is connected to

sub fire ($url) {
    return wait_job({ id => create($url, 'url', at(0.5)) });
}

my $job = fire("http://localhost:$port/ok/name");

is($job->{status}, 'failed', 'a name for a loopback address: failed');
is($job->{last_status_code}, undef, 'without a status code');
like($job->{last_error}, qr/address|policy|allow|refus/i, 'it says why');
is($job->{execution_count}, 1, 'it is an execution');
is(scalar(target->requests), 0, 'the target has seen nothing');
unlike(raw_connections(), qr/\S/, 'not even a connection');


# Whether anything is, or was a moment ago, connected to the target.
sub raw_connections () {
    my $hex = sprintf ':%04X', $port;
    open my $in, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";

    return join '', grep { / \S+$hex .*|$hex \S+ / && !/ 0A / } <$in>;
}


# --- the directives

sandbox->set_http_conf('fliq_target_allow 127.0.0.0/8 10.0.0.0/8;
                        fliq_target_deny 127.0.0.2/32 10.1.0.0/16;
                        fliq_target_allow 10.1.2.0/24;
                        fliq_target_deny 8.8.8.0/24;');

ok(wait_until(sub { create("http://127.0.0.1:$port/") =~ /^job_/ }),
   'allowed: 127.0.0.1');
is(create('http://127.0.0.2/'), '400 invalid_url', 'denied: 127.0.0.2');
like(create('http://10.2.0.1/'), qr/^job_/, 'allowed: 10.2.0.1');
is(create('http://10.1.0.1/'), '400 invalid_url', 'denied: 10.1.0.1');
like(create('http://10.1.2.3/'), qr/^job_/, 'allowed: 10.1.2.3');
is(create('http://8.8.8.8/'), '400 invalid_url', 'denied: 8.8.8.8');
like(create('http://8.8.4.4/'), qr/^job_/, 'as before: 8.8.4.4');
is(create('http://192.168.0.1/'), '400 invalid_url',
   'as before: 192.168.0.1');
like(create('http://[::ffff:127.0.0.1]/'), qr/^job_/,
     'a mapped address is the address');
is(create('http://[::1]/'), '400 invalid_url', 'as before: ::1');

is(fire("http://127.0.0.1:$port/ok/literal")->{status}, 'success',
   'an allowed address is dialled');

# Where localhost is ::1 too, that one is passed over.
is(fire("http://localhost:$port/ok/allowed")->{status}, 'success',
   'so is a name for it');


# --- what was allowed when the job was created may not be when it fires

my $later = create("http://127.0.0.1:$port/ok/later", 'url', at(3600));
sandbox->set_http_conf('fliq_target_deny 127.0.0.0/8;');
ok(wait_until(sub { create("http://127.0.0.1:$port/") !~ /^job_/ }),
   'denied: 127.0.0.1');
is(get_job({ id => $later })->{status}, 'scheduled', 'while the job waits');

hurry({ id => $later });
$job = wait_job({ id => $later }, qr/^(?:success|failed)\z/, 30);
is($job->{status}, 'failed', 'denied meanwhile: failed');
is(scalar(target->to('/ok/later')), 0, 'denied meanwhile: not fired');
is(scalar($proxy->requests), 0, 'no proxy was asked');

finish();
