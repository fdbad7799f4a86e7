# The answer to a COMMIT is lost, again and again under load: nobody knows then
# whether it took effect.  A create that is repeated with its idempotency key
# gives the job that it had made; outcomes that are sent again count once; and
# nothing is lost, or fired twice.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Proxy;
use Fliq::Test;

my $seconds = Fliq::Faults::rounds() > 1 ? 60 : 8;

sandbox(workers => 1, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $proxy = Fliq::Proxy->start(sandbox, lose => {
    job_create => 0.06, job_create_keyless => 0.06, item_create => 0.03,
    job_cancel => 0.03,
    map { ($_ => 0.005) } qw(job_settle claim_due claim_lanes buffer_claim
                             buffer_settle schedule_spawn),
});
my $node = Fliq::Node->start(sandbox, workers => 2, dsn => $proxy->dsn);

$faults->share({ port => $node->{port} });
$faults->begin($seconds);

# All is the node's to do.
sandbox->stop_nginx;

my ($made, $end, @replays, @others, @keyless) = (0, time + $seconds);

# Until one of these, too, was among those whose answers were lost.
while (time < $end || !@replays && time < $end + 60) {
    my %job = (
        url => target->url('/ok'), scheduled_at => at(6 + rand 4),
        idempotency_key => 'repeat-' . ++$made,
    );
    my ($tries, $answer) = (0);

    wait_until(sub {
        $tries++;
        $answer = api('POST', '/jobs', \%job, {}, $node->{url});
        push @others, $answer->{status} if $answer->{status} !~ /^(?:201|503)/;
        return $answer->{status} == 201;
    }) or die "no job: $answer->{content}\n";

    push @replays, $answer->{json}{id}
        if $tries > 1 && $answer->{headers}{'idempotent-replayed'};

    # Without a key it is sent once; the module tells the job by its id.
    delete $job{idempotency_key};
    $answer = api('POST', '/jobs', { %job, method => 'PUT' }, {},
                  $node->{url});
    push @keyless, $answer->{json}{id} if $answer->{status} == 201;
    push @others, $answer->{status} if $answer->{status} !~ /^(?:201|503)/;
}

my $found = $faults->settle;
my %lost;
$lost{$_}++ for $proxy->lost;

diag(join ', ', map { "$_: $lost{$_}" } sort keys %lost);
ok(($lost{$_} // 0) > 0, "answers to $_ were lost")
    for qw(job_create job_create_keyless job_settle claim_due);

$faults->is_clean($found, 'lost answers');
is(scalar @{ $found->{again} }, 0, 'nothing was fired twice');

is("@others", '', 'nothing but 201 and 503 is answered to a create');
ok(@replays > 0, @replays . ' repeats gave the job that was there');
is(sql("SELECT count(*), count(DISTINCT idempotency_key) FROM fliq.jobs
         WHERE idempotency_key LIKE 'repeat-%'"), "$made|$made",
   "each of $made keys has one job");

my %is_there = map { $_ => 1 } sql(
    "SELECT fliq.id_text('job', id) FROM fliq.jobs WHERE method = 'PUT'");

is(scalar(grep { !$is_there{$_} } @keyless), 0,
   @keyless . ' jobs without a key that were answered 201 are there');
ok(keys %is_there <= $made, 'and none of them twice');

$node->stop;
$proxy->stop;

# A batch without keys whose connection was lost may come to its insert after
# the rows were made by the second try.
finish(qr/duplicate key value violates unique constraint "jobs_pkey"/);
