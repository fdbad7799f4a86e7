package Fliq::Proxy;

# A process between nginx and a sandbox's PostgreSQL that spoils what they
# say to each other.
#
#   my $proxy = Fliq::Proxy->start($sandbox, lose => { job_create => 0.1 });
#   my $node = Fliq::Node->start($sandbox, dsn => $proxy->dsn);
#   ... $proxy->lost ...                # how many answers have been lost
#
# It ends with the process that started it, or with stop().

use v5.36;

use File::Temp;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use List::Util qw(min);
use POSIX qw(_exit);
use Time::HiRes qw(time);

my $owner = $$;
my @started;


# start(sandbox, options):
#   cut => {text => N}           the first N answers that have this text are
#                                kept, and their connection is closed
#   lose => {statement => share} so large a share of this statement's answers
#                                is: it has been carried out by then
#   delay => seconds             what is said takes so long, either way
#   host => address              to listen on
sub start ($class, $sandbox, %opt) {
    my ($dir) = $sandbox->{dsn} =~ /host=(\S+)/;
    my ($port) = $sandbox->{dsn} =~ /port=(\d+)/;
    my $listen = IO::Socket::INET->new(
        LocalAddr => $opt{host} // '127.0.0.1', Listen => 64)
        or die "listen: $!\n";

    my $self = bless {
        cut => {}, lose => {}, delay => 0, %opt, listen => $listen,
        path => "$dir/.s.PGSQL.$port", port => $listen->sockport,
        log => File::Temp->new(TEMPLATE => 'fliq-proxy-XXXXXX', TMPDIR => 1),
    }, $class;

    $self->{pid} = fork // die "fork: $!\n";

    if ($self->{pid} == 0) {
        eval { $self->_forward; 1 } or warn "proxy: $@";
        _exit(1);
    }

    push @started, $self;
    return $self;
}


sub dsn ($self) {
    return 'host=' . ($self->{host} // '127.0.0.1')
           . " port=$self->{port} dbname=fliq user=fliq";
}


sub stop ($self) {
    my $pid = delete $self->{pid} or return;

    kill KILL => $pid;
    waitpid $pid, 0;
}


# connected(): when connections were made, in Unix seconds.
sub connected ($self) {
    return map { /^connected (\S+)/ ? $1 : () } $self->_log;
}


# lost(): the statements whose answers were.
sub lost ($self) {
    return map { /^lost (\S+)/ ? $1 : () } $self->_log;
}


sub _log ($self) {
    open my $in, '<', $self->{log}->filename or die "proxy: $!\n";
    return <$in>;
}


# --- the process


# An end of a connection is {socket, peer, server, queue, doomed}: the queue
# has what is to be sent to it, [time, bytes] each.
sub _forward ($self) {
    local $SIG{PIPE} = 'IGNORE';

    $self->{all} = IO::Select->new($self->{listen});
    $self->{ends} = {};

    while (1) {
        my $now = time;
        my @due = map { @{ $_->{queue} } ? $_->{queue}[0][0] : () }
                  values %{ $self->{ends} };
        my $patience = @due ? min(@due) - $now : undef;

        $patience = 0 if defined $patience && $patience < 0;

        for my $socket ($self->{all}->can_read($patience)) {
            $socket == $self->{listen} ? $self->_accept
                                       : $self->_read($socket);
        }

        $self->_send($_) for values %{ $self->{ends} };
    }
}


sub _accept ($self) {
    my $client = $self->{listen}->accept or return;
    my $server = IO::Socket::UNIX->new($self->{path}) or return;
    my @ends = map { { socket => $_, queue => [] } } $client, $server;

    $ends[0]{peer} = $ends[1];
    $ends[1]{peer} = $ends[0];
    $ends[1]{server} = 1;

    $self->{ends}{$_->{socket}} = $_ for @ends;
    $self->{all}->add($client, $server);
    $self->_note('connected ' . time);
}


sub _read ($self, $socket) {
    my $from = $self->{ends}{$socket} or return;
    my $n = sysread $socket, my $bytes, 1 << 20;

    return $self->_close($from)
        if !$n || ($from->{server} && $self->_is_lost($from, $bytes));

    $self->_doom($from, $bytes) if !$from->{server};
    push @{ $from->{peer}{queue} }, [time + $self->{delay}, $bytes];
}


# Is a statement among the client's bytes whose answer is to be lost?
sub _doom ($self, $client, $bytes) {
    for my $name (keys %{ $self->{lose} }) {
        $client->{peer}{doomed} = $name
            if $bytes =~ /\0\Q$name\E\0/ && rand() < $self->{lose}{$name};
    }
}


sub _is_lost ($self, $server, $bytes) {
    my ($text) = grep { $self->{cut}{$_} && index($bytes, $_) >= 0 }
                 keys %{ $self->{cut} };

    $self->{cut}{$text}-- if defined $text;
    $text //= $server->{doomed} // return 0;
    $self->_note("lost $text");

    return 1;
}


sub _close ($self, $end) {
    for my $one ($end, $end->{peer}) {
        delete $self->{ends}{$one->{socket}};
        $self->{all}->remove($one->{socket});
        close $one->{socket};
    }

    delete $_->{peer} for $end->{peer}, $end;
}


sub _send ($self, $to) {
    while (@{ $to->{queue} } && $to->{queue}[0][0] <= time) {
        my ($due, $bytes) = @{ shift @{ $to->{queue} } };

        while (length $bytes) {
            my $n = syswrite($to->{socket}, $bytes) or last;
            substr $bytes, 0, $n, '';
        }
    }
}


sub _note ($self, $line) {
    syswrite $self->{log}, "$line\n";
}


END {
    if ($$ == $owner) {
        local $?;
        $_->stop for @started;
    }
}


1;
