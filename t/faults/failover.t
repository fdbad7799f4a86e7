# The primary dies at a random time under load, and its synchronous standby is
# promoted: nodes that know both go on there by themselves, within seconds, and
# nothing is lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Outage;
use Fliq::Test;
use POSIX ();

sandbox(workers => 1, http_conf => Fliq::Faults::CONF);

my ($primary) = sandbox->{dsn} =~ /host=(\S+)/;
my $standby = sandbox->{root} . '/standby';
my ($bin) = reverse sort glob '/usr/lib/postgresql/*/bin';
my @as_postgres = $> == 0 ? qw(setpriv --reuid=postgres --regid=postgres
                               --init-groups) : ();
my $pid;


sub admin ($host, $sql) {
    return sandbox->sql($sql, "host=$host dbname=postgres user=postgres");
}


sub postgres_runs (@command) {
    system(@as_postgres, @command) == 0 or die "@command failed\n";
}


# A copy of the primary that follows it, and that commits wait for.
sub start_standby () {
    my $hba = "$primary/data/pg_hba.conf";

    open my $file, '>>', $hba or die "$hba: $!\n";
    print {$file} "local replication postgres peer map=admin\n";
    close $file;
    admin($primary, 'SELECT pg_reload_conf()');

    mkdir $standby, 0755 or die "$standby: $!\n";
    chown +(getpwnam 'postgres')[2, 3], $standby if $> == 0;
    postgres_runs("$bin/pg_basebackup", '-h', $primary, '-U', 'postgres',
                  '-D', "$standby/data", '-R', '-c', 'fast');

    $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', sandbox->{root} . '/standby.log';
        open STDERR, '>&', \*STDOUT;
        exec @as_postgres, "$bin/postgres", '-D', "$standby/data", '-k',
             $standby, '-c', 'listen_addresses=', '-N', 200
            or POSIX::_exit(127);
    }

    admin($primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    admin($primary, 'SELECT pg_reload_conf()');
    ok(wait_until(sub {
        (admin($primary, 'SELECT sync_state FROM pg_stat_replication')
            // '') eq 'sync'
    }, 30), 'a synchronous standby');
}


start_standby();

my $faults = Fliq::Faults->new;
my $outage = Fliq::Outage->new($faults);
my $node = Fliq::Node->start(sandbox, workers => 2,
    dsn => "host=$primary,$standby port=5432,5432 dbname=fliq user=fliq"
           . ' target_session_attrs=read-write');

$faults->share({ port => $node->{port} });
$faults->begin(10);
sandbox->stop_nginx;
$faults->after(2, 4);

my $fault = $outage->fault('a failover', sub {
    my $begun = time;

    kill KILL => sandbox->{postgres_pid};
    Fliq::Sandbox::await_end(sandbox->{postgres_pid});
    admin($standby, 'SELECT pg_promote()');
    my $promoted = time;

    ok(wait_until(sub {
        api('POST', '/jobs', { url => target->url('/ok'),
                               scheduled_at => at(1) }, {}, $node->{url})
            ->{status} == 201
    }, 30), 'it takes jobs');

    my $back = time - $begun;
    ok($back < 10, sprintf '%.2f s after the primary died, %.2f s after the '
                           . 'promotion', $back, time - $promoted);
    return undef;
});

sandbox->{dsn} = "host=$standby port=5432 dbname=fliq user=fliq";

my $found = $faults->settle;
$faults->is_clean($found, 'a failover');
$outage->is_answered($fault, 5);
$outage->is_back($found, $fault, 5);

$node->stop;
kill INT => $pid;
waitpid $pid, 0;

finish();
