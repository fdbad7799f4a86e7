# Each attempt costs a credit where the plan says so: what falls due beyond
# the credits, or beyond the day's limit, fails without a request and says
# why; no execution is counted, its webhook and its alert go out.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use JSON::PP qw(decode_json);

sandbox(workers => 2, http_conf => 'fliq_retry base=100ms jitter=0%;');


# account(name, options): a new account with a token.
sub account ($name, @options) {
    my $account = sandbox->fliqctl('account', 'create', '--name', $name,
                                   @options);
    my $token = sandbox->fliqctl('token', 'create', '--account',
                                 $account->{id});
    my ($id) = sql("SELECT id FROM fliq.accounts WHERE name = '$name'");

    return { name => $name, id => $id, token => $token->{token} };
}


# due_at(account, seconds, count, fields): so many jobs for one instant.
sub due_at ($account, $seconds, $count, %fields) {
    my $at = at($seconds);

    return grep { $_->{status} == 201 } map {
        api('POST', '/jobs', {
            url => target->url("/ok/$account->{name}/$_"),
            scheduled_at => $at,
            webhook_url => target->url("/ok/hook/$account->{name}"), %fields,
        }, { Authorization => "Bearer $account->{token}" })
    } 1 .. $count;
}


# jobs(account): what became of them, those that succeeded first.
sub jobs ($account) {
    return map {
        my %job;
        @job{qw(status error executions attempts code)} = split /\|/, $_, -1;
        \%job;
    } sql("SELECT status, last_error, (SELECT count(*)
                  FROM fliq.executions e WHERE e.job_id = j.id),
                  attempts, last_status_code
             FROM fliq.jobs j WHERE account_id = '$account->{id}'
            ORDER BY status = 'failed', id");
}


sub all_ended ($account) {
    return wait_until(sub {
        !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'
                 AND account_id = '$account->{id}'")
    });
}


# spent(account): its balance and how many executions it had today.
sub spent ($account) {
    return sql("SELECT balance, used_today FROM fliq.accounts
                 WHERE id = '$account->{id}'");
}


# --- three credits, five jobs

my $paid = account('paid', '--plan', 'paid', '--credits', 3);
sql("INSERT INTO fliq.alert_channels (account_id, id, type, target, lane)
     VALUES ('$paid->{id}', fliq.make_id(), 'webhook', '"
    . target->url('/ok/alert') . "', 7)");

is(scalar(due_at($paid, 0.7, 5)), 5, 'five jobs');
ok(all_ended($paid), 'all have ended');

my @jobs = jobs($paid);
is_deeply([map { $_->{status} } @jobs], [('success') x 3, ('failed') x 2],
          'three succeed and two fail') or diag(explain(\@jobs));
is(scalar(target->matching(qr{^/ok/paid/})), 3, 'three requests');
is_deeply([map { $_->{executions} } @jobs], [1, 1, 1, 0, 0],
          'three executions');

for my $job (@jobs[3, 4]) {
    is($job->{error}, 'the account has no credits left', 'why it failed');
    is($job->{attempts}, 0, 'no attempt is counted');
    is($job->{code}, '', 'no status');
}

is(spent($paid), '0|3', 'nothing is left');
is(sql("SELECT type, amount FROM fliq.credit_transactions
         WHERE account_id = '$paid->{id}' AND type <> 'grant'"),
   'job_execution|-3', 'one transaction of the day');
is(sql("SELECT sum(executions) FROM fliq.usage_daily
         WHERE account_id = '$paid->{id}'"), 3, 'three are counted');

my @hooks = map { decode_json($_->{body}) }
            target->wait_for(5, '/ok/hook/paid');
my @failed = grep { $_->{status} eq 'failed' } @hooks;
is(scalar(@hooks), 5, 'five webhooks');
is(scalar(@failed), 2, 'two of them of a failure');
is($failed[0]{last_error}, 'the account has no credits left', 'that say why');
is($failed[0]{attempt_num}, 0, 'and no attempt');

my @alerts = target->wait_for(2, '/ok/alert');
is(scalar(@alerts), 2, 'two alerts');
is(decode_json($alerts[0]{body})->{attempts}, 0, 'of no attempt');


# --- retries cost, too

my $retry = account('retry', '--plan', 'paid', '--credits', 2);
due_at($retry, 0.3, 1, url => target->url('/status/500/retry'),
       max_retries => 5);
ok(all_ended($retry), 'it has ended');

my ($end) = jobs($retry);
is($end->{status}, 'failed', 'failed');
is($end->{executions}, 2, 'after two executions');
is($end->{error}, 'the account has no credits left', 'for the third');
is(scalar(target->to('/status/500/retry')), 2, 'two requests');
is(spent($retry), '0|2', 'nothing is left');


# --- a daily limit

my $free = account('free', '--plan', 'free', '--credits', 100,
                   '--daily-limit', 2);
is(scalar(due_at($free, 0.7, 4)), 4, 'four jobs');
ok(all_ended($free), 'all have ended');

@jobs = jobs($free);
is_deeply([map { $_->{status} } @jobs], [('success') x 2, ('failed') x 2],
          'two succeed and two fail');
is($jobs[3]{error}, 'the daily execution limit is reached', 'why they failed');
is(scalar(target->matching(qr{^/ok/free/})), 2, 'two requests');
is(spent($free), '98|2', 'two credits are spent');

sql("UPDATE fliq.accounts SET used_on = used_on - 1
      WHERE id = '$free->{id}'");
is(scalar(due_at($free, 0.3, 1)), 1, 'one on another day');
ok(all_ended($free), 'it has ended');
is(spent($free), '97|1', 'it was fired');


# --- the plan without gates

my $unlimited = account('unlimited');
due_at($unlimited, 0.3, 5);
ok(all_ended($unlimited), 'all have ended');
is(scalar(grep { $_->{status} eq 'success' } jobs($unlimited)), 5,
   'without limits all succeed');
is(spent($unlimited), '0|0', 'and nothing is counted');

finish();
