# Credits: what an account has and had is shown; what adds to the executions
# of an account is refused with 402 without credits and with 429 behind its
# daily limit, but the late repeat of a create is answered as the first.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2);

my $boundless = 9_007_199_254_740_991;


sub account (@options) {
    my $account = sandbox->fliqctl('account', 'create', '--name', 'x',
                                   @options);
    my $token = sandbox->fliqctl('token', 'create', '--account',
                                 $account->{id});

    return { Authorization => "Bearer $token->{token}" };
}


sub balance ($headers = {}) {
    return api('GET', '/billing/balance', undef, $headers)->{json};
}


sub transactions ($headers, $query = '') {
    return api('GET', "/billing/transactions$query", undef, $headers);
}


sub job ($headers, %fields) {
    return api('POST', '/jobs', { url => target->url('/ok'),
               scheduled_at => at(0.1), %fields }, $headers);
}


sub schedule ($headers) {
    return api('POST', '/schedules', { url => target->url('/ok'),
               cron => '0 0 1 1 *' }, $headers);
}


sub replay ($headers, $job) {
    return api('POST', "/jobs/$job->{id}/replay", undef, $headers);
}


sub await ($headers, $job) {
    my $now;

    ok(wait_until(sub {
        $now = api('GET', "/jobs/$job->{id}", undef, $headers)->{json};
        return $now->{completed_at};
    }), 'a job has ended');

    return $now;
}


# --- an account on the plan unlimited

is_deeply(balance(), {
    balance => $boundless, plan => 'unlimited', daily_limit => $boundless,
    credits_per_dollar => balance()->{credits_per_dollar},
}, 'numbers for what has no limit');
ok(balance()->{credits_per_dollar} > 0, 'a number to divide by');
is_deeply(transactions({})->{json},
          { transactions => [], next_cursor => undef }, 'no transactions');
is_error(api('POST', '/billing/checkout', $_), 403, 'billing_disabled',
         'no checkout') for { credits => 100 }, '', '{';


# --- one on the plan free: three executions a day

my $free = account('--plan', 'free', '--credits', 10, '--daily-limit', 3);

is_deeply([@{ balance($free) }{qw(balance plan daily_limit)}],
          [10, 'free', 3], 'ten credits');

my %keyed = (scheduled_at => at(0.1), url => target->url('/status/500'),
             max_retries => 0);
my $first = job($free, %keyed, idempotency_key => 'k');
is_status($first, 201, 'a job with a key');
my $failed = await($free, $first->{json});
is($failed->{status}, 'failed', 'it fails');

is_status(schedule($free), 201, 'a schedule');
is_status(replay($free, $failed), 201, 'a replay');
await($free, job($free)->{json});
ok(wait_until(sub { balance($free)->{balance} == 7 }), 'three credits less');

my $midnight = (int(time / 86_400) + 1) * 86_400;

sub is_limited ($answer, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $wait = $answer->{headers}{'retry-after'} // 'none';

    is_error($answer, 429, 'daily_limit_reached', $name);
    ok($wait =~ /^\d+\z/ && abs(time + $wait - $midnight) < 5,
       "until midnight: $wait");
}

is_limited(job($free), 'a job');
is_limited(schedule($free), 'a schedule');
is_limited(replay($free, $failed), 'a replay');
is_limited(job($free, idempotency_key => 'new'), 'a new key');
is_error(job($free, url => 'x'), 400, 'invalid_url',
         'what is wrong is said before');

my $again = job($free, %keyed, idempotency_key => 'k');
is_status($again, 201, 'the late repeat of a create');
is($again->{headers}{'idempotent-replayed'}, 'true', 'is known');
is($again->{json}{id}, $failed->{id}, 'and answered with the first');
is_error(job($free, idempotency_key => 'k'), 409, 'idempotency_conflict',
         'its key for something else');

is(scalar(sql("SELECT count(*) FROM fliq.jobs WHERE idempotency_key = 'k'")),
   1, 'it was made once');

sql("UPDATE fliq.accounts SET used_on = used_on - 1
      WHERE plan = 'free'");
is_status(job($free, scheduled_at => at(3600)), 201, 'another day');


# --- one on the plan paid

my $paid = account('--plan', 'paid', '--credits', 2);

is_deeply([@{ balance($paid) }{qw(balance plan daily_limit)}],
          [2, 'paid', $boundless], 'no daily limit');

$failed = await($paid, job($paid, url => target->url('/status/500'))
                       ->{json});
my $known = job($paid, %keyed, idempotency_key => 'k', max_retries => 1,
                scheduled_at => at(0.1));
is_status($known, 201, 'a key of another account');
ok(wait_until(sub { balance($paid)->{balance} == 0 }), 'none is left');

is_error(job($paid), 402, 'insufficient_credits', 'a job');
is_error(schedule($paid), 402, 'insufficient_credits', 'a schedule');
is_error(replay($paid, $failed), 402, 'insufficient_credits', 'a replay');
is_status(api('GET', '/jobs', undef, $paid), 200, 'it may read');
is_status(api('POST', '/alerts', { type => 'slack',
              target => 'https://hooks.example.com/' }, $paid), 201,
          'and make what executes nothing');

my @many = load(clients => 8)->run(map {
    request_bytes('POST', '/jobs', { url => target->url('/ok'),
                  scheduled_at => at(3600), idempotency_key => "m$_" }, $paid)
} 1 .. 100);
is(scalar(grep { $_->{status} == 402 } @many), 100, 'many at once');

sql("UPDATE fliq.accounts SET balance = -5 WHERE plan = 'paid'");
is(balance($paid)->{balance}, -5, 'a debt is shown');
is_error(job($paid), 402, 'insufficient_credits', 'with a debt');
sql("UPDATE fliq.accounts SET balance = 1 WHERE plan = 'paid'");
is_status(job($paid, scheduled_at => at(3600)), 201, 'with a credit again');


# --- transactions

my $list = transactions($free)->{json};
is($list->{next_cursor}, undef, 'one page');

for my $entry (@{ $list->{transactions} }) {
    like($entry->{id}, qr/^txn_[0-9a-z]{26}\z/, 'an id');
    ok(seconds($entry->{created_at}), 'a time');
    is_deeply([sort keys %$entry],
              [qw(amount created_at description id job_id
                  stripe_payment_intent_id type)], 'what it has');
    is_deeply([@$entry{qw(job_id stripe_payment_intent_id)}],
              [undef, undef], 'and has not');
}

is_deeply([map { [@$_{qw(type amount)}] } @{ $list->{transactions} }],
          [['job_execution', -3], ['grant', 10]],
          'the executions of a day are one, newest first');

my $page = transactions($free, '?limit=1')->{json};
is($page->{transactions}[0]{type}, 'job_execution', 'a page');
is_deeply(transactions($free, "?cursor=$page->{next_cursor}")->{json}
          {transactions}[0], $list->{transactions}[1], 'and the next');


# --- an account that pays for nothing costs no query

is_status(job({}), 201, 'an unlimited account');
is(scalar(sql("SELECT count(*) FROM fliq.credit_transactions t
               JOIN fliq.accounts a ON a.id = t.account_id
               WHERE a.plan = 'unlimited'")), 0, 'has no transactions');

finish();
