# The same idempotency key with the same request gives the first job again,
# with another request 409, however many ask at once and however late; and
# there is never a second job.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 2);

my %fields = (url => target->url('/ok/far'),
              scheduled_at => '2099-01-01T00:00:00Z');


sub post ($fields, $headers = {}) {
    return api('POST', '/jobs', $fields, $headers);
}


sub count_of ($key) {
    return sql("SELECT count(*) FROM fliq.jobs
                 WHERE idempotency_key = '$key'");
}


sub is_replay ($answer, $job, $name) {
    is($answer->{status}, 201, "$name: 201");
    is($answer->{json}{id}, $job->{id}, "$name: the first job");
    is($answer->{headers}{'idempotent-replayed'}, 'true', "$name: says so");
}


# --- one after the other

my $first = post({ %fields, idempotency_key => 'a', body => 'x' });
is_status($first, 201, 'the first');
ok(!exists $first->{headers}{'idempotent-replayed'}, 'the first is none');
is($first->{json}{idempotency_key}, 'a', 'the job tells its key');

my $job = $first->{json};
my $url = $fields{url};

is_replay(post({ %fields, idempotency_key => 'a', body => 'x' }), $job,
          'the same');
is_replay(post(qq({ "idempotency_key" : "a",\n "body":"\\u0078",
               "scheduled_at":"2099-01-01T02:00:00+02:00", "url":"$url" })),
          $job, 'the same, written otherwise');
is_replay(post({ %fields, idempotency_key => 'a', body => 'x',
                 method => 'post', max_retries => 0 }), $job,
          'the same, with defaults spelled out');
is_replay(post({ %fields, body => 'x' }, { 'Idempotency-Key' => 'a' }),
          $job, 'the same, the key in a header');
is_replay(post({ %fields, idempotency_key => 'a', body => 'x' },
               { 'Idempotency-Key' => 'a' }), $job, 'the key in both');

my %other = (body => 'y', url => "$url/2", method => 'PUT', max_retries => 1,
             scheduled_at => '2099-01-01T00:00:01Z', timeout_seconds => 31,
             backoff => 'linear', headers => { a => 'b' },
             webhook_url => 'https://example.com/',
             webhook_headers => { a => 'b' });

for my $name (sort keys %other) {
    is_error(post({ %fields, idempotency_key => 'a', body => 'x',
                    $name => $other{$name} }),
             409, 'idempotency_conflict', "another $name");
}

is_error(post({ %fields, idempotency_key => 'a' },
              { 'Idempotency-Key' => 'b' }),
         400, 'invalid_idempotency_key', 'two keys');
is_error(post({ %fields }, { 'Idempotency-Key' => 'k' x 257 }),
         400, 'invalid_idempotency_key', 'a long key in a header');
is(count_of('a'), 1, 'one job');
is(count_of('b'), 0, 'none of what was refused');


# --- keys are an account's own

my $other = sandbox->fliqctl('account', 'create', '--name', 'other');
my $token = sandbox->fliqctl('token', 'create', '--account', $other->{id});
my $theirs = post({ %fields, idempotency_key => 'a', body => 'x' },
                  { Authorization => "Bearer $token->{token}" });

is_status($theirs, 201, "another account's");
isnt($theirs->{json}{id}, $job->{id}, 'it is another job');
ok(!exists $theirs->{headers}{'idempotent-replayed'}, 'and none replayed');


# --- the key is looked up before the time is judged

my %soon = (url => target->url('/ok/soon'), scheduled_at => at(0.5),
            idempotency_key => 'soon');
my $soon = post(\%soon)->{json};

is(wait_job($soon)->{status}, 'success', 'a job was executed');
is_replay(post(\%soon), $soon, 'a late repeat');
is_error(post({ %soon, body => 'other' }), 409, 'idempotency_conflict',
         'a late repeat with another request');
is_error(post({ %soon, idempotency_key => 'never' }), 400,
         'invalid_scheduled_at', 'a late first');

api('DELETE', "/jobs/$job->{id}");
is_replay(post({ %fields, idempotency_key => 'a', body => 'x' }), $job,
          'a repeat of one that was cancelled');


# --- all at once

for my $round (1 .. 10) {
    my %same = (%fields, idempotency_key => "round $round");
    my @answers = load(clients => 32)->run(
        (request_bytes('POST', '/jobs', \%same)) x 32);
    my %ids = map { ($_->{body} =~ /"id":"(job_\w+)"/ ? $1 : '-' => 1) }
              @answers;

    is(scalar(grep { $_->{status} == 201 } @answers), 32,
       "round $round: 32 answers of 201");
    is(scalar(keys %ids), 1, "round $round: one job in all of them");
    is(scalar(grep { $_->{head} =~ /^Idempotent-Replayed: true/mi }
              @answers), 31, "round $round: 31 say that they are replays");
    is(count_of("round $round"), 1, "round $round: one row");
}

my @mixed = load(clients => 32)->run(map {
    request_bytes('POST', '/jobs', { %fields, idempotency_key => 'mixed',
                                     body => $_ % 2 ? 'odd' : 'even' })
} 1 .. 32);

is(join(' ', map { $_->{status} } sort { $a->{status} <=> $b->{status} }
             @mixed),
   join(' ', (201) x 16, (409) x 16), 'two requests race: one of them wins');
is(count_of('mixed'), 1, 'one row');


# --- once means once at the target, too

my %burst = (url => target->url('/ok/burst'), idempotency_key => 'burst',
             scheduled_at => at(1));
load(clients => 32)->run((request_bytes('POST', '/jobs', \%burst)) x 32);

ok(wait_until(sub {
    sql("SELECT count(*) FROM fliq.jobs WHERE idempotency_key = 'burst'
            AND status = 'success'")
}), 'it was executed');
is(scalar(target->to('/ok/burst')), 1, 'it was fired once');

finish();
