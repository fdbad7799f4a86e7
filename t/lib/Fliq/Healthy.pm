package Fliq::Healthy;

# Jobs for a target that is well, beside whatever a test makes of others, and
# how late they were.
#
#   my $healthy = Fliq::Healthy->new;
#   my %due = $healthy->plan(100, 1, 4);        # in 1 s, over 4 s
#   my @late = $healthy->lateness(%due);
#   rank(0.95, @late)

use v5.36;

use Exporter qw(import);
use JSON::PP qw(decode_json encode_json);
use List::Util qw(max);
use Time::HiRes qw(time);

use Fliq::Target;
use Fliq::Test ();

our @EXPORT = qw(rank milliseconds);

my $planned = 0;


# new(token => TEXT): with the sandbox's token, or another account's.
sub new ($class, %opt) {
    return bless { target => Fliq::Target->start,
                   token => Fliq::Test::sandbox()->{token}, %opt }, $class;
}


sub target ($self) { return $self->{target} }


# plan(count, lead, seconds): create so many jobs that are due at even
# intervals, from lead seconds after now on, or later on a machine that is too
# busy for that.  The due time of each by its path.
sub plan ($self, $count, $lead, $seconds) {
    while (1) {
        my $first = time + $lead;
        my $batch = ++$planned;
        my @due = map { $first + $seconds * $_ / $count } 0 .. $count - 1;
        my @made = $self->post(map {
            { url => $self->{target}->url("/ok/$batch/$_"),
              scheduled_at => Fliq::Test::stamp($due[$_]) }
        } 0 .. $#due);

        return map { ("/ok/$batch/$_" => $due[$_]) } 0 .. $#due
            if @made == @due;
        $lead = max(2 * $lead, 1);
    }
}


# post(jobs): create them all at once; the jobs.  They are fewer when the time
# of one has passed before it could be created.
sub post ($self, @jobs) {
    my @answers = Fliq::Test::load(clients => 32)->run(map {
        Fliq::Load::request('POST', '/jobs',
            { Authorization => "Bearer $self->{token}" }, encode_json($_))
    } @jobs);
    my ($refused) = grep { $_->{status} != 201
                           && $_->{body} !~ /invalid_scheduled_at/ } @answers;

    die "POST /jobs: $refused->{status} $refused->{body}\n" if $refused;

    return map { decode_json($_->{body}) }
           grep { $_->{status} == 201 } @answers;
}


# lateness(due): wait until all are fired; the seconds that each was late, the
# least first.  One that is not fired was late for ever.
sub lateness ($self, %due) {
    my %first;
    my $end = 30 + (sort { $b <=> $a } values %due)[0] - time;

    Fliq::Test::wait_until(sub {
        %first = map { ($_->{path} => $_->{time}) }
                 reverse $self->{target}->requests;
        return !grep { !$first{$_} } keys %due;
    }, $end);

    return sort { $a <=> $b }
           map { ($first{$_} // 9e9) - $due{$_} } keys %due;
}


# rank(share, sorted): the one that this share of them does not exceed.
sub rank ($share, @sorted) {
    return $sorted[$share * $#sorted];
}


# milliseconds(sorted): what a line of a report says of them.
sub milliseconds (@late) {
    return sprintf 'min %.2f, p50 %.2f, p95 %.2f, p99 %.2f, max %.2f ms',
                   map { 1000 * rank($_, @late) } 0, 0.5, 0.95, 0.99, 1;
}


1;
