# What a buffer sends: its items in the order of their submission, one at a
# time, a failed one again in its place; what a 429 means; pauses, replays,
# webhooks, alerts, credits; and what happens to an item in flight whose
# buffer is deleted.

use v5.36;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use JSON::PP qw(decode_json);

sandbox(workers => 2, http_conf => 'fliq_retry base=100ms jitter=0%;');

my $secret = sql('SELECT secret FROM fliq.signing_secrets');
my $names = 0;


# buffer(path, fields): a new one, to a path of the target.
sub buffer ($path, %fields) {
    my $headers = delete $fields{as};
    my $answer = api('POST', '/buffers', {
        name => 'b' . ++$names, url => target->url($path),
        rate_limit => 1000, %fields,
    }, $headers // {});

    die "POST /buffers: $answer->{content}\n" if $answer->{status} != 201;
    return $answer->{json};
}


sub push_item ($buffer, $body, $headers = {}, $as = {}) {
    my $answer = api('POST', "/buffers/$buffer->{id}/items",
                     { body => "$body", headers => $headers }, $as);

    die "POST items: $answer->{content}\n" if $answer->{status} != 201;
    return $answer->{json};
}


sub item ($item) {
    return api('GET', "/buffers/$item->{buffer_id}/items/$item->{id}")
        ->{json};
}


sub wait_item ($item, $status = qr/^(?:completed|failed)\z/) {
    my $now;

    wait_until(sub { ($now = item($item))->{status} =~ $status });
    return $now;
}


# The bodies that a path got, in the order of their arrival.
sub bodies ($path) {
    return join ' ', map { $_->{body} } target->to($path);
}


sub head_of ($buffer, $what) {
    return sql("SELECT $what FROM fliq.buffer_heads
                 WHERE fliq.id_text('buf', buffer_id) = '$buffer->{id}'");
}


# --- in order

my $buffer = buffer('/ok/order');
my @items = map { push_item($buffer, $_) } 1 .. 40;

is(wait_item($items[-1])->{status}, 'completed', 'forty items');
is(bodies('/ok/order'), join(' ', 1 .. 40), 'in their order');
is(item($items[0])->{status}, 'completed', 'the first one, too');
is(api('GET', "/buffers/$buffer->{id}/stats")->{json}{completed}, 40,
   'they are counted');

$buffer = buffer('/slow/100/one');
@items = map { push_item($buffer, $_) } 1 .. 5;
wait_item($items[4]);

my @times = map { $_->{time} } target->to('/slow/100/one');
is(scalar(grep { $times[$_] - $times[$_ - 1] < 0.1 } 1 .. 4), 0,
   'no two of them at a time');


# --- what is sent

$buffer = buffer('/echo/sent', method => 'PUT', headers => {
    'X-Both' => 'buffer', 'X-Buffer' => 'yes', 'Content-Type' => 'text/a' });
my $item = push_item($buffer, 'hello', {
    'x-both' => 'item', 'X-Item' => 'too' });
my $end = wait_item($item);
my ($request) = target->to('/echo/sent');
my $header = $request->{header};

is($request->{method}, 'PUT', 'the method');
is($request->{body}, 'hello', 'the body');
is_deeply([map { $_->[1] } grep { lc $_->[0] eq 'x-both' }
           @{ $request->{headers} }], ['item'], 'an item\'s header wins');
is($header->{'x-buffer'}, 'yes', 'a header of the buffer');
is($header->{'x-item'}, 'too', 'one of the item');
is($header->{'content-type'}, 'text/a', 'Content-Type');
is($header->{'x-fliq-delivery-id'}, $item->{id}, 'X-Fliq-Delivery-Id');
is($header->{'x-fliq-attempt'}, 1, 'X-Fliq-Attempt');
like($header->{'x-request-id'}, qr/^exec_[0-7][0-9a-z]{25}\z/,
     'X-Request-ID');
like($header->{'user-agent'}, qr{^fliq-nginx/}, 'User-Agent');

my $time = $header->{'x-fliq-timestamp'};
is($header->{'x-fliq-signature'}, 'v1=' . hmac_sha256_hex(
    "$time.PUT." . target->url('/echo/sent') . '.hello', $secret),
   'X-Fliq-Signature');
is($end->{status_code}, 200, 'status_code');
is($end->{retry_count}, 0, 'retry_count');
is($end->{last_error}, undef, 'last_error');
ok(abs(seconds($end->{completed_at}) - $request->{time}) < 2,
   'completed_at');


# --- a failed one is tried again in its place

$buffer = buffer('/flaky/2/place', backoff => 'linear');
@items = map { push_item($buffer, $_) } qw(a b c);
$end = wait_item($items[2]);
@times = map { $_->{time} } target->to('/flaky/2/place');

is(bodies('/flaky/2/place'), 'a a a b b b c c c', 'each keeps its place');
is(join(' ', map { $_->{header}{'x-fliq-attempt'} }
        target->to('/flaky/2/place')), '1 2 3 1 2 3 1 2 3', 'X-Fliq-Attempt');
is($end->{status}, 'completed', 'in the end it is completed');
is($end->{retry_count}, 2, 'after two retries');
ok($times[1] - $times[0] >= 0.1, 'after the first delay of the backoff');
ok($times[2] - $times[1] >= 0.2, 'and after the second');

$buffer = buffer('/status/500/last', max_retries => 1);
@items = map { push_item($buffer, $_) } qw(a b);
$end = wait_item($items[1]);
is(bodies('/status/500/last'), 'a a b b', 'no more often than it may');
is($end->{status}, 'failed', 'then it has failed');
is($end->{status_code}, 500, 'with its status');
is($end->{retry_count}, 1, 'its retries');
is($end->{last_error}, 'the target answered 500', 'and an error');

$buffer = buffer('/retry-after/1/503/wait', max_retries => 1);
$item = wait_item(push_item($buffer, 'x'));
@times = map { $_->{time} } target->to('/retry-after/1/503/wait');
is($item->{status}, 'completed', 'a 503 is tried again');
is($item->{retry_count}, 1, 'which costs a retry');
ok($times[1] - $times[0] >= 1, 'no sooner than Retry-After says');


# --- 429

$buffer = buffer('/retry-after/1/429/free', max_retries => 0);
@items = map { push_item($buffer, $_) } qw(a b);
$end = wait_item($items[1]);
@times = map { $_->{time} } target->to('/retry-after/1/429/free');
is($end->{status}, 'completed', 'a 429 is no failure');
is($end->{retry_count}, 0, 'and costs no retry');
is(bodies('/retry-after/1/429/free'), 'a a b b', 'its place is kept');
ok($times[1] - $times[0] >= 1, 'it waits as long as Retry-After says');
is(item($items[0])->{retry_count}, 0, 'nor did the first');

$buffer = buffer('/status/429/none', max_retries => 0);
$item = push_item($buffer, 'x');
target->wait_for(1, '/status/429/none');
ok(wait_until(sub { head_of($buffer, 'due_at') }), 'without Retry-After');
my $wait = head_of($buffer, 'extract(epoch FROM due_at)')
           - (target->to('/status/429/none'))[0]{time};
ok($wait >= 60 && $wait < 62, sprintf 'it waits for %.3f s', $wait);
is(item($item)->{status}, 'pending', 'it waits');
is(item($item)->{last_error}, 'the target answered 429', 'and says why');

sub tried_again ($ago) {
    sql("UPDATE fliq.buffer_items
            SET throttled_at = now() - interval '$ago'
          WHERE fliq.id_text('item', id) = '$item->{id}'");
    sql("UPDATE fliq.buffer_heads
            SET due_at = now(), free_at = NULL
          WHERE fliq.id_text('buf', buffer_id) = '$buffer->{id}'");
}

tried_again('23 h 59 min 30 s');
target->wait_for(2, '/status/429/none');
ok(wait_until(sub { head_of($buffer, 'due_at') }), 'nearly a day later');
$wait = head_of($buffer, 'extract(epoch FROM due_at)')
        - (target->to('/status/429/none'))[1]{time};
ok($wait > 25 && $wait < 31, sprintf 'it waits till the day is over: %.1f s',
   $wait);

tried_again('24 h');
$end = wait_item($item);
is($end->{status}, 'failed', 'a day later it has failed');
is($end->{status_code}, 429, 'with 429');
is($end->{retry_count}, 0, 'and no retry');


# --- paused

$buffer = buffer('/slow/1000/pause');
@items = map { push_item($buffer, $_) } qw(a b);
target->wait_for(1, '/slow/1000/pause');
is(item($items[0])->{status}, 'running', 'one runs');
is(item($items[1])->{status}, 'pending', 'the next one waits');
is_status(api('POST', "/buffers/$buffer->{id}/pause"), 204, 'pause');
is(wait_item($items[0])->{status}, 'completed', 'what is in flight ends');
push @items, push_item($buffer, 'c');

my $other = buffer('/ok/other');
wait_item(push_item($other, $_)) for 1 .. 3;
is(bodies('/slow/1000/pause'), 'a', 'a paused buffer sends nothing');
is(item($items[2])->{status}, 'pending', 'and takes items');

is_status(api('POST', "/buffers/$buffer->{id}/resume"), 204, 'resume');
is(wait_item($items[2])->{status}, 'completed', 'it goes on');
is(bodies('/slow/1000/pause'), 'a b c', 'where it stood');


# --- webhooks, alerts, replays

is_status(api('POST', '/alerts', { type => 'webhook', name => 'a',
                                   target => target->url('/ok/alert') }),
          201, 'an alert channel');

$buffer = buffer('/status/500/hook?a=b', max_retries => 1,
    method => 'PATCH', webhook_url => target->url('/ok/hook'),
    webhook_headers => { 'X-Mine' => 'yes' });
$item = push_item($buffer, 'x');
my $last = push_item($buffer, 'y');
$end = wait_item($item);
wait_item($last);

($request) = target->wait_for(1, '/ok/hook');
is_deeply(decode_json($request->{body}), {
    job_id => $item->{id}, buffer_id => $buffer->{id},
    item_id => $item->{id}, status => 'failed', status_code => 500,
    last_error => 'the target answered 500',
    completed_at => $end->{completed_at}, attempt_num => 2,
}, 'what the webhook is told');
is($request->{header}{'x-mine'}, 'yes', 'with its headers');
is($request->{header}{'x-fliq-delivery-id'}, $item->{id},
   'X-Fliq-Delivery-Id');
like($request->{header}{'x-fliq-signature'}, qr/^v1=[0-9a-f]{64}\z/,
     'signed');
my @failed = target->to('/status/500/hook?a=b');
ok($request->{time} - $failed[1]{time} < 0.5, 'at once');

($request) = target->wait_for(1, '/ok/alert');
is_deeply(decode_json($request->{body}), {
    event => 'failure', resource_type => 'buffer_item',
    resource_id => $item->{id}, buffer_id => $buffer->{id},
    url => $buffer->{url}, method => 'PATCH', status_code => 500,
    last_error => 'the target answered 500', attempts => 2,
    failed_at => $end->{completed_at},
}, 'what an alert channel is told');

my $replay = api('POST',
                 "/buffers/$buffer->{id}/items/$item->{id}/replay");
is_status($replay, 201, 'replay');
$end = wait_item($replay->{json});
is(bodies('/status/500/hook?a=b'), 'x x y y x x', 'at the tail');
is($end->{replay_of}, $item->{id}, 'replay_of');
is(scalar(target->wait_for(3, '/ok/hook')), 3, 'a webhook for each');
is(scalar(target->wait_for(3, '/ok/alert')), 3, 'an alert for each');

$buffer = buffer('/ok/hooked', webhook_url => target->url('/ok/hook2'));
$item = wait_item(push_item($buffer, 'x'));
($request) = target->wait_for(1, '/ok/hook2');
is_deeply(decode_json($request->{body}), {
    job_id => $item->{id}, buffer_id => $buffer->{id},
    item_id => $item->{id}, status => 'completed', status_code => 200,
    last_error => undef, completed_at => $item->{completed_at},
    attempt_num => 1,
}, 'of a success');
ok(wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') }),
   'the outbox is empty');
is(scalar(target->to('/ok/alert')), 3, 'no alert of a success');


# --- deleted while in flight

$buffer = buffer('/slow/1000/gone', webhook_url => target->url('/ok/gone'));
push_item($buffer, $_) for 1 .. 3;
target->wait_for(1, '/slow/1000/gone');
is_status(api('DELETE', "/buffers/$buffer->{id}"), 204, 'deleted');
is_status(api('GET', "/buffers/$buffer->{id}"), 404, 'it is gone');

my @workers = sandbox->workers;
$other = buffer('/slow/1000/beside');
wait_item(push_item($other, $_)) for 1 .. 2;
is(bodies('/slow/1000/gone'), '1', 'nothing follows');
is(scalar(target->to('/ok/gone')), 0, 'nobody is told');
is_deeply([sandbox->workers], \@workers, 'no worker has died of it');


# --- what is counted

my $count = grep { $_->{path} !~ m{^/ok/(?:hook2?|alert)\z} }
            target->requests;
is(api('GET', '/stats/usage?days=2')->{json}{total_buffer_executions},
   $count - 1, 'each request is counted, but for the one that was deleted');

my $account = sandbox->fliqctl('account', 'create', '--name', 'paid',
                               '--plan', 'paid', '--credits', 2);
my $token = sandbox->fliqctl('token', 'create', '--account', $account->{id});
my $as = { Authorization => "Bearer $token->{token}" };

$buffer = buffer('/ok/credit', as => $as);
is_status(api('POST', "/buffers/$buffer->{id}/pause", undef, $as), 204,
          'paused');
@items = map { push_item($buffer, $_, {}, $as) } 1 .. 4;
is_status(api('POST', "/buffers/$buffer->{id}/resume", undef, $as), 204,
          'resumed');
ok(wait_until(sub {
    api('GET', "/buffers/$buffer->{id}/stats", undef, $as)->{json}{failed}
        == 2
}), 'two of four items find no credit');

$end = api('GET', "/buffers/$buffer->{id}/items/$items[3]{id}", undef, $as);
is(bodies('/ok/credit'), '1 2', 'the first two were sent');
is($end->{json}{last_error}, 'the account has no credits left',
   'the others say why they were not');
is($end->{json}{status_code}, undef, 'without a status');
is($end->{json}{retry_count}, 0, 'and are not tried again');
is(api('GET', '/billing/balance', undef, $as)->{json}{balance}, 0,
   'no credit is left');

finish();
