# Each part of bench/run works, but for peers, which needs what is not
# Debian's: it ends, measures what it says it does, and makes its table.
# What the figures are is no matter here.

use v5.36;

use FindBin;
use File::Temp qw(tempdir);
use Test::More;

my $run = "$FindBin::Bin/../bench/run";

# What runs side by side, and labels that each part's table has.
my @groups = (
    [create => ['POST /jobs, 64 clients', 'pgbench, one INSERT a commit, 1'],
     read => ['GET /jobs/{id}', 'pgbench, SELECT by key', 'limit=20'],
     drain => ['due jobs, 2 cores', 'libcurl alone'],
     nodes => ['POST /jobs, 64 clients, nodes: 4', 'due jobs, nodes: 4']],
    [lateness => ['idle', '5,000 due a second', 'due at one moment'],
     soak => ['jobs fired and recorded', 'autovacuums of fliq.due'],
     cost => ['PostgreSQL, the same', 'per call in flight'],
     scale => ['stats/jobs?days=365', 'stats/usage?days=365',
               'a second, with']],
);

my @dirs = map { tempdir('fliq-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1) }
           @groups;
my @pids;

for my $i (0 .. $#groups) {
    my %labels = @{ $groups[$i] };
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        chmod 0755, $dirs[$i];
        @ENV{qw(BENCH_SHORT BENCH_DIR)} = (1, $dirs[$i]);
        open STDOUT, '>', "$dirs[$i]/out";
        open STDERR, '>&', \*STDOUT;
        exec $run, sort keys %labels or die "$run: $!\n";
    }

    push @pids, $pid;
}

for my $i (0 .. $#groups) {
    my %labels = @{ $groups[$i] };

    waitpid $pids[$i], 0;
    is($?, 0, "bench/run @{[sort keys %labels]}") || diag(text($i, 'out'));

    my $page = text($i, 'performance.md');

    for my $label (map { @{ $labels{$_} } } sort keys %labels) {
        like($page, qr/^\| [^|]*\Q$label\E[^|]* \| [\d.,]+ \|/m, $label);
    }

    unlike($page, qr/Failed/, 'none failed');
}


sub text ($i, $name) {
    open my $in, '<', "$dirs[$i]/$name" or return "no $name";
    local $/;
    return scalar <$in>;
}


# --- what fails is said, and is an error

$ENV{BENCH_DIR} = tempdir('fliq-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
$ENV{BENCH_PG_OPTS} = '-c fsync=off';
$ENV{BENCH_SHORT} = 1;

my $out = `$run read 2>&1`;

isnt($?, 0, 'a part that fails is an error');
like($out, qr/the database is not durable/, 'it says why');
like($out, qr/Failed: read/, 'the page says which');

done_testing();
