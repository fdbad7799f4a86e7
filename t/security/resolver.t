# A name is worth nothing: whatever its server says, and however often it
# changes its mind, no address is connected to that the policy refuses, and
# no worker waits for an answer.  Here one says what it likes, and a public
# address is ours, so that a call to it arrives.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Resolver;
use Fliq::Test;
use Fliq::Sink;

my $public = '93.184.216.34';
my @six = -e '/proc/net/if_inet6' ? ('2606:2800:220:1::1') : ();
my @loopback = ('127.0.0.1', @six ? '::1' : ());

Fliq::Resolver->enter(addresses => ["$public/32", map { "$_/128" } @six]);

# What a server may say in place of an address that is allowed.
my %refused = (
    loopback => ['127.0.0.1'], loopback6 => ['::1'], any => ['0.0.0.0'],
    any6 => ['::'], private => ['10.0.0.1'], metadata => ['169.254.169.254'],
    shared => ['100.64.0.1'], broadcast => ['255.255.255.255'],
    multicast => ['224.0.0.1'], local6 => ['fd00:ec2::254'],
    link6 => ['fe80::1'], mapped => ['::ffff:127.0.0.1'],
    compatible => ['::127.0.0.1'], nat64 => ['64:ff9b::7f00:1'],
    sixtofour => ['2002:7f00:1::'], teredo => ['2001:0:7f00:1::'],
    alias => ['other.test', '127.0.0.1'], aliases =>
    [(map { "a$_.test" } 1 .. 8), '127.0.0.1'], localhost =>
    ['localhost', '127.0.0.1'], many => [map { "127.0.0.$_" } 1 .. 28],
);

# What is no answer.
my $header = pack 'n5', 0x8180, 1, 1, 0, 0;
my %lie = (
    nowhere => 'NXDOMAIN', failing => 'SERVFAIL', empty => [],
    circle => ['circle.test'], garbage => \"ID\xff\xff garbage \0\1\2\3",
    short => \'ID', stranger => \"XX${header}", truncated =>
    \("ID" . pack 'n5', 0x8380, 0, 0, 0, 0),
    headless => \("ID${header}\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f"),
    looping => \("ID${header}\xc0\x0c\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4"
                 . "\x7f\0\0\1"),
);


# said(name, type, n): what our server says.
sub said ($name, $type, $n) {
    my ($what) = $name =~ /^(\w+)/;
    my $of = sub (@all) {
        return [grep { (/:/ ? 'AAAA' : 'A') eq $type || /test|localhost/ }
                @all];
    };

    return $lie{$what} if defined $lie{$what};
    return $of->(@{ $refused{$what} }) if $refused{$what};
    return $of->($public, @six) if $what eq 'public';
    return undef if $what eq 'stalling';
    return $of->($n % 2 ? $public : '127.0.0.1') if $what eq 'flipping';
    return $of->($n ? @loopback : $public) if $what eq 'rebinding';
    return $of->('127.0.0.1', $public, '10.0.0.1', '::1')
        if $what eq 'mixed';
    return $of->($public, '127.0.0.1') if $what eq 'mixed2';
    return $of->('::1', '::2', $public) if $what eq 'mixed6';
    return $of->((map { "127.0.0.$_" } 1 .. 20), $public)
        if $what eq 'lastly';
    return 'NXDOMAIN';
}

my $dns = Fliq::Resolver->start(\&said);
my $sink = Fliq::Sink->start(addresses => [$public, @six, @loopback]);
my $retry = 'fliq_retry base=100ms max=1s jitter=0%;';

sandbox(workers => 1, strict => 1, http_conf => $retry);


sub url ($name, $path) { return $sink->url($path, "$name.test") }


# The connections that were made to an address that is not allowed.
sub breaches () {
    return join ', ', map { "$_->{local} $_->{bytes}" }
           grep { $_->{local} ne $public && $_->{local} !~ /^2606:/ }
           $sink->connections;
}


# --- what is allowed arrives

my $job = wait_job(create_job(url => url('public', '/public')));
is($job->{status}, 'success', 'a public address is called')
    || diag($job->{last_error});
is($sink->wait_for(1, '/public'), 1, 'and has heard of it');


# --- what is not does not, in whatever way it is said

my %job = map {
    ($_ => create_job(url => url($_, "/$_"), timeout_seconds => 20))
} sort keys %refused;

for my $name (sort keys %job) {
    my $job = wait_job($job{$name});

    is($job->{last_error}, "the target's address is not allowed",
       "$name: @{ $refused{$name} }[0]");
}

$job = wait_job(create_job(
    url => 'http://loopback.test:' . sandbox->{port} . '/health'));
is($job->{last_error}, "the target's address is not allowed",
   'nor is this nginx itself');

is(wait_job(create_job(url => url($_, "/$_")))->{status}, 'success',
   "$_: the allowed one of several addresses is called")
    for qw(mixed mixed2 mixed6);

my ($lastly) = executions(wait_job(create_job(
    url => url('lastly', '/lastly'), timeout_seconds => 30)));
is($lastly->{status}, 'success', 'also when it is the last of many');
ok($lastly->{duration_ms} < 7500, "at once: $lastly->{duration_ms} ms");

is(breaches(), '', 'no other was');


# --- all four kinds of calls

my %fails = (scheduled_at => at(1), max_retries => 0);

for my $name (qw(loopback public)) {
    is_status(api('POST', '/alerts', {
        type => 'webhook', target => url($name, "/alert-$name") }),
        201, "an alert to $name");
    create_job(%fails, url => url('loopback', '/job'),
               webhook_url => url($name, "/hook-$name"));

    my $buffer = api('POST', '/buffers', {
        name => $name, url => url($name, "/item-$name"), max_retries => 0,
    })->{json}{id};
    my $item = api('POST', "/buffers/$buffer/items", {})->{json}{id};
    my $now;

    wait_until(sub {
        $now = api('GET', "/buffers/$buffer/items/$item")->{json};
        return $now->{completed_at};
    });
    is($now->{last_error}, $name eq 'public'
       ? undef : "the target's address is not allowed", "an item for $name");
}

is(scalar($sink->wait_for(1, $_)) > 0, 1, "$_ has arrived")
    for qw(/alert-public /hook-public /item-public);
ok(wait_until(sub {
    sql('SELECT (SELECT count(*) FROM fliq.outbox)
              + (SELECT count(*) FROM fliq.jobs
                  WHERE completed_at IS NULL)') == 0
}), 'all has been tried');
is(breaches(), '', 'no webhook, alert or item has got through');


# --- a name that changes

is(wait_job(create_job(url => url('rebinding', '/first')))->{status},
   'success', 'rebinding: public at first');
wait_job(create_job(url => url('rebinding', '/again')));

sandbox->set_http_conf("$retry # a new worker has no answers yet");
$job = wait_job(create_job(url => url('rebinding', '/then')));
is($job->{last_error}, "the target's address is not allowed",
   'rebinding: loopback then');
ok($dns->asked('rebinding.test', 'A') >= 2, 'its server was asked again');

wait_job(create_job(url => url('flipping', "/$_"), max_retries => 2))
    for 1 .. 3;
is(breaches(), '', 'neither has got anybody to call the loopback');


# --- what is no answer, and none

%job = map { ($_ => create_job(url => url($_, "/$_"))) } sort keys %lie;
my @stalled = map {
    create_job(url => url("stalling-$_", '/'), timeout_seconds => 20)
} 1 .. 20;
my $late = create_job(url => url('stalling', '/'), timeout_seconds => 1);
ok(wait_until(sub { $dns->asked('stalling-20.test', 'A') }),
   'the server is asked, and says nothing');
my $prompt = wait_job(create_job(url => "http://$public:" . $sink->port));
is($prompt->{status}, 'success', 'meanwhile others are called');

is(wait_job($late)->{last_error}, 'timed out after 1 s',
   'no answer: a timeout');
is(wait_job($job{$_}, qr/success|failed/, 30)->{last_error},
   'could not resolve the host', "$_: no answer") for sort keys %job;

my ($last) = sort { $b <=> $a } map {
    seconds(wait_job($_, qr/failed/, 30)->{completed_at})
} @stalled;
ok(seconds($prompt->{completed_at}) < $last, 'nobody has waited for them');
is(breaches(), '', 'and no other address was called');

finish();
