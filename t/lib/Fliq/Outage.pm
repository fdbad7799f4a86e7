package Fliq::Outage;

# What tests of a database that fails share, on Fliq::Faults: how requests were
# answered meanwhile, what the workers cost, and when all was well again.
#
#   my $outage = Fliq::Outage->new($faults);
#   my $fault = $outage->fault('a restart', sub { ... });
#   my $found = $faults->settle;
#   $outage->is_answered($fault);
#   $outage->is_back($found, $fault);

use v5.36;

use List::Util qw(max);
use POSIX qw(sysconf _SC_CLK_TCK);
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm_modern);

use Fliq::Ledger;
use Fliq::Sandbox;
use Fliq::Test ();

# PostgreSQL's log tells when it was ready.
$ENV{FLIQ_PG_OPTS} = join ' ', grep { defined } $ENV{FLIQ_PG_OPTS},
                                 '-c log_timezone=UTC';


sub new ($class, $faults) {
    return bless { faults => $faults }, $class;
}


# fault(name, code): as that of Fliq::Faults; code may return when the database
# was there again, if that was before its own end.
sub fault ($self, $name, $code) {
    my $back;
    my $fault = $self->{faults}->fault($name, sub { $back = $code->() });

    $fault->{ended} = $back if $back;
    return $fault;
}


# ready_at(): when PostgreSQL said last that it takes connections.
sub ready_at () {
    my $path = Fliq::Test::sandbox()->{dir} . '/logs/postgres.log';
    my ($line) = grep { /ready to accept connections/ }
                 reverse split /\n/, Fliq::Sandbox::slurp($path);

    my ($y, $mo, $d, $h, $mi, $s) = ($line // '') =~
        /^(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+\.\d+) UTC /
        or die "PostgreSQL was never ready\n";

    return timegm_modern(int $s, $mi, $h, $d, $mo - 1, $y) + $s - int $s;
}


# cpu(pids, code): the share of a core that the busiest of these processes
# takes while code runs, in per cent.
sub cpu ($pids, $code) {
    my ($begun, %before) = (time, map { ($_ => _ticks($_)) } @$pids);

    $code->();

    my $took = (time - $begun) * sysconf(_SC_CLK_TCK);
    return max map { 100 * (_ticks($_) - $before{$_}) / $took } @$pids;
}


sub _ticks ($pid) {
    my @fields = split / /, Fliq::Sandbox::slurp("/proc/$pid/stat")
                            =~ s/.*\) //rs;

    return $fields[11] + $fields[12];
}


# health(name, seconds, url): ask for /health all the time, and assert that all
# is answered, and within 50 ms but for one per cent.
sub health ($name, $seconds, $url = undef) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $end = time + $seconds;
    my (@took, @bad);

    while (time < $end) {
        my $answer = Fliq::Test::api('GET', '/health', undef, {}, $url);

        push @took, $answer->{seconds};
        push @bad, $answer->{status} if $answer->{status} != 200;
        sleep 0.02;
    }

    @took = sort { $a <=> $b } @took;
    my ($half, $most) = map { 1000 * $_ } @took[@took / 2, 0.99 * @took];

    diag(sprintf '%s: %d times /health, half within %.1f ms, 99 %% within '
                 . '%.1f ms', $name, scalar @took, $half, $most);
    is("@bad", '', "$name: /health is answered");
    ok($most < 50, "$name: within 50 ms");
}


# is_answered(fault, seconds): assert that all that was asked while it lasted
# was answered, and within so many seconds; that there were refusals.
sub is_answered ($self, $fault, $seconds) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $name = $fault->{name};
    my @asked = grep { $_->{begun} >= $fault->{begun}
                       && $_->{begun} < $fault->{ended} }
                     values %{ $self->{faults}{orders} };

    my $slowest = max 0, map { $_->{ended} - $_->{begun} } @asked;
    my %statuses;
    $statuses{$_->{status}}++ for @asked;

    diag(sprintf '%s: answered %s, the slowest after %.2f s', $name,
         join(', ', map { "$_: $statuses{$_}" } sort keys %statuses),
         $slowest);
    is(join(' ', grep { !/^(?:201|400|503)\z/ } keys %statuses), '',
       "$name: nothing but 201, 400 and 503 is answered");
    ok($slowest < $seconds, "$name: within $seconds s");

    return \%statuses;
}


# is_back(found, fault, seconds): assert that what fell due while it lasted was
# fired so many seconds after its end at the latest.
sub is_back ($self, $found, $fault, $seconds = Fliq::Test::wide(2)) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $name = $fault->{name};
    my $took = $fault->{ended} - $fault->{begun};
    my $due = Fliq::Ledger::awaited($found, $fault) - $took;

    diag(sprintf '%s: it took %.2f s; what fell due was fired %.2f s later; '
                 . '%d calls again', $name, $took, $due,
         Fliq::Ledger::repeated($found, $name));
    ok($due < $seconds, "$name: what fell due is fired within $seconds s");
}


1;
