package Fliq::Session;

# A session of the database with statements of src/store/sql prepared as the
# module prepares them, for tests of what two sessions do to each other.
#
#   my $session = Fliq::Session->new($dsn, 'buffer_*', 'item_*');
#   my @rows = $session->run("EXECUTE buffer_get('...', '...')");
#   $session->send('EXECUTE ...');      # it may have to wait for a lock
#   ... $session->waits ...             # it does
#   my @rows = $session->rows;          # of what was sent

use v5.36;

use IPC::Open2 qw(open2);

use Fliq::Sandbox;


sub new ($class, $dsn, @patterns) {
    my $self = bless { dsn => $dsn, sent => 0 }, $class;
    my $sql = Fliq::Sandbox::repo() . '/src/store/sql';

    $self->{psql} = open2($self->{out}, $self->{in}, 'psql', '-XqAt', '-v',
                          'ON_ERROR_STOP=1', '-d', $dsn);
    $self->run(Fliq::Sandbox::slurp("$sql/session.sql"));

    for my $file (map { glob "$sql/$_.sql" } @patterns) {
        my ($name) = $file =~ m{(\w+)\.sql\z};
        $self->run("PREPARE $name AS\n" . Fliq::Sandbox::slurp($file));
    }

    ($self->{pid}) = $self->run('SELECT pg_backend_pid()');
    return $self;
}


# send(statements): without waiting for what comes.
sub send ($self, $statements) {
    $self->{sent}++;
    print { $self->{in} } "$statements\n;\n\\echo end $self->{sent}\n";
    $self->{in}->flush;
}


# rows(): of what was sent last, each as its fields joined by "|".
sub rows ($self) {
    my @rows;

    while (defined(my $line = readline $self->{out})) {
        chomp $line;
        return wantarray ? @rows : $rows[0] if $line eq "end $self->{sent}";
        push @rows, $line;
    }

    die "a session has ended\n";
}


sub run ($self, $statements) {
    $self->send($statements);
    return $self->rows;
}


# waits(): whether it waits for a lock that another session has.
sub waits ($self) {
    my ($waits) = Fliq::Sandbox->sql(
        "SELECT wait_event_type = 'Lock' FROM pg_stat_activity
          WHERE pid = $self->{pid}", $self->{dsn});

    return $waits eq 't';
}


sub DESTROY ($self) {
    close $self->{in};
    close $self->{out};
    waitpid $self->{psql}, 0;
}


1;
