# /signing-secret: an account reads its secret and changes it.  From the
# answer to a rotation on, whatever node gave it, each request that goes out
# on any node is signed with the new secret: of jobs and of their retries,
# webhooks and alerts.

use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use JSON::PP qw(decode_json);
use List::Util qw(max);

sandbox(workers => 2, http_conf => 'fliq_retry base=1500ms jitter=0%;');
my $node = Fliq::Node->start(sandbox, workers => 1);
my @urls = (sandbox->{url}, $node->{url});


sub get ($url = undef, $headers = {}) {
    return api('GET', '/signing-secret', undef, $headers, $url);
}


sub rotate ($url = undef, $headers = {}) {
    return api('POST', '/signing-secret/rotate', undef, $headers, $url);
}


sub bearer (@options) {
    my $token = sandbox->fliqctl('token', 'create', '--account', @options);
    return { Authorization => "Bearer $token->{token}" };
}


# signed(request, secret): whether that secret made its signature.
sub signed ($request, $secret) {
    my $header = $request->{header};
    my $text = "$header->{'x-fliq-timestamp'}.$request->{method}."
        . target->url($request->{path}) . ".$request->{body}";

    return $header->{'x-fliq-signature'}
           eq 'v1=' . hmac_sha256_hex($text, $secret);
}


# --- read and change

my $answer = get();
my $old = $answer->{json};

is_status($answer, 200, 'a secret');
is_deeply([sort keys %$old], ['created_at', 'secret'], 'and its age');
like($old->{secret}, qr/^whsec_[0-9A-Za-z]{40}\z/, 'its form');
is($answer->{headers}{'cache-control'}, 'no-store', 'nobody may keep it');
is_deeply(get($node->{url})->{json}, $old, 'the other node says the same');

$answer = rotate();
my $new = $answer->{json};

is_status($answer, 200, 'another one');
like($new->{secret}, qr/^whsec_[0-9A-Za-z]{40}\z/, 'its form');
isnt($new->{secret}, $old->{secret}, 'it is another');
ok(seconds($new->{created_at}) > seconds($old->{created_at}), 'and newer');
is($answer->{headers}{'cache-control'}, 'no-store', 'nobody may keep it');
is_deeply(get($_)->{json}, $new, "so says $_") for @urls;
is_status(api('POST', '/signing-secret/rotate', { secret => 'mine' }), 200,
          'a body is not read');
isnt(get()->{json}{secret}, 'mine', 'so nobody chooses a secret');


# --- who may

my $reader = bearer(sandbox->{account}, '--scope', 'read');
my $other = sandbox->fliqctl('account', 'create', '--name', 'other');
my $stranger = bearer($other->{id});

is_error(get(undef, $reader), 403, 'forbidden', 'reading is not enough');
is_error(rotate(undef, $reader), 403, 'forbidden', 'nor for another one');
is_error($_->(undef, { Authorization => undef }), 401, 'unauthorized',
         'nobody') for \&get, \&rotate;
is_error(api(@$_), 405, 'method_not_allowed', "@$_")
    for ['POST', '/signing-secret'], ['DELETE', '/signing-secret'],
        ['GET', '/signing-secret/rotate'];

my $ours = get()->{json};
my $theirs = get(undef, $stranger)->{json};
isnt($theirs->{secret}, $ours->{secret}, 'an account has its own');
isnt(rotate(undef, $stranger)->{json}{secret}, $theirs->{secret},
     'and changes that');
is_deeply(get()->{json}, $ours, 'but not ours');

sql("DELETE FROM fliq.signing_secrets WHERE secret <> '$ours->{secret}'");
is_error(get(undef, $stranger), 404, 'not_found', 'an account without one');
is_deeply(rotate(undef, $stranger)->{json}, get(undef, $stranger)->{json},
          'gets one');


# --- the next request of each kind

my $alert = '/ok/alert';
api('POST', '/alerts', { type => 'webhook', target => target->url($alert) });


# post_job(path, url, fields): a job with a webhook, made on that node.
sub post_job ($path, $url, %fields) {
    return api('POST', '/jobs', {
        url => target->url($path), scheduled_at => at(0.3),
        webhook_url => target->url("/ok/hook$path"), %fields }, {}, $url);
}


for my $round (1 .. 4) {
    my $secret = rotate($urls[$round % 2])->{json}{secret};
    my @paths = map { "/status/500/$round/$_" } 1 .. 4;

    is_status(post_job($paths[$_], $urls[$_ % 2]), 201, "round $round: a job")
        for 0 .. 3;

    for my $path (@paths) {
        ok(signed((target->wait_for(1, $path))[0], $secret),
           "$path is signed with it");
        ok(signed((target->wait_for(1, "/ok/hook$path"))[0], $secret),
           'its webhook, too');
    }

    my @alerts = target->wait_for(4 * $round, $alert);
    is(scalar(grep { signed($_, $secret) } @alerts), 4, 'and its alerts');
}


# --- between two attempts

my $before = rotate()->{json}{secret};
post_job('/flaky/1/retry', $urls[0], max_retries => 1);
target->wait_for(1, '/flaky/1/retry');
my $after = rotate($node->{url})->{json}{secret};
my @attempts = target->wait_for(2, '/flaky/1/retry');

ok(signed($attempts[0], $before), 'the first attempt has the old one');
ok(signed($attempts[1], $after), 'the retry has the new one');


# --- while all nodes are busy

my $begin = time + 2;
my @answers = load(clients => 16)->run(map {
    request_bytes('POST', '/jobs', {
        url => target->url("/ok/busy/$_"),
        webhook_url => target->url("/ok/hook/busy/$_"),
        scheduled_at => stamp($begin + $_ / 400) })
} 1 .. 1000);
is(scalar(grep { $_->{status} == 201 } @answers), 1000, '1000 jobs');

my @secrets = ({ secret => $after });
my $due = $begin + 2.5;

while (time < $due) {
    my $secret = rotate($urls[@secrets % 2])->{json}{secret};

    $secrets[-1]{ended} = time;
    push @secrets, { secret => $secret };
    sleep 0.05;
}

wait_until(sub { target->matching(qr{/busy/}) == 2000 }, 20);

my @late;
my $unsigned = 0;

for my $request (target->matching(qr{/busy/})) {
    my ($by) = grep { signed($request, $_->{secret}) } @secrets;

    $unsigned++ if !$by;
    push @late, $request->{time} - $by->{ended} if $by && $by->{ended};
}

is(scalar(target->matching(qr{/busy/})), 2000, 'all went out');
is($unsigned, 0, 'each with a signature of ours');
my $worst = max(@late, 0);
ok($worst < 1, sprintf 'over %d rotations, the last with an old secret'
   . ' %.4f s after its end', scalar @secrets, $worst);


# --- many at once

my $rotation = request_bytes('POST', '/signing-secret/rotate');
my $there = load(port => $node->{port}, clients => 8)
    ->background(sub { $rotation });
my @all = load(clients => 8)->run(($rotation) x 200);
push @all, halt($there);

is(scalar(grep { $_->{status} != 200 } @all), 0,
   scalar(@all) . ' rotations on two nodes');

my %seen = map { ($_->{secret} => $_) }
           map { decode_json($_->{body}) } @all;
is(scalar keys %seen, scalar @all, 'each has made its own');

my $last = get()->{json};
is_deeply($last, $seen{ $last->{secret} }, 'the last one holds');
is($last->{created_at}, (sort { seconds($a) <=> seconds($b) }
                         map { $_->{created_at} } values %seen)[-1],
   'which is the newest');
is_deeply(get($node->{url})->{json}, $last, 'on both nodes');

finish();
