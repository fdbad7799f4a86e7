package Fliq::Node;

# Another nginx on a sandbox's PostgreSQL: a node of its own, with the
# sandbox's configuration but for its port, its database and its workers.
#
#   my $node = Fliq::Node->start($sandbox, workers => 8, dsn => $dsn);
#
# It is a Fliq::Sandbox in what one can ask of it: {url, port, nginx_pid},
# workers(), log(), bad_lines(), stop().

use v5.36;

use parent -norequire, 'Fliq::Sandbox';

use HTTP::Tiny;
use POSIX ();
use Time::HiRes qw(sleep time);

use Fliq::Port qw(free_port);
use Fliq::Sandbox;


my $count = 0;


# start(sandbox, options): launch it, and wait until it answers.  Options:
# workers, dsn, main (directives for the main context), and edit, which is
# called with the text of the configuration in $_[0].
sub start ($class, $sandbox, %opt) {
    my $self = $class->launch($sandbox, %opt);

    $self->await;
    return $self;
}


# launch(sandbox, options): the same without waiting.
sub launch ($class, $sandbox, %opt) {
    my $port = free_port();
    my $self = bless {
        %$sandbox, dir => "$sandbox->{root}/node" . ++$count, port => $port,
        url => "http://127.0.0.1:$port", dsn => $opt{dsn} // $sandbox->{dsn},
        sandbox => $sandbox, opt => \%opt, stopped => 0,
    }, $class;

    $self->{error_log} = "$self->{dir}/error.log";
    $self->{nginx_conf} = "$self->{dir}/nginx.conf";
    mkdir $self->{dir} or die "$self->{dir}: $!\n";
    $self->_write_conf;
    $self->_exec;
    Fliq::Sandbox::register($self);

    return $self;
}


sub _write_conf ($self) {
    my $sandbox = $self->{sandbox};
    my $conf = Fliq::Sandbox::slurp($sandbox->{nginx_conf});
    my $workers = $self->{opt}{workers} // 1;

    $conf =~ s/^worker_processes .*/worker_processes $workers;/m;
    $conf =~ s/^error_log .*/error_log $self->{error_log} notice;/m;
    $conf =~ s/^pid .*/pid $self->{dir}\/nginx.pid;/m;
    $conf =~ s/^ *listen \[::1\].*\n//m;
    $conf =~ s/listen 127\.0\.0\.1:\d+;/listen 127.0.0.1:$self->{port};/;
    $conf =~ s/\Q$sandbox->{dsn}\E/$self->{dsn}/;
    $conf =~ s/^events /$self->{opt}{main}\n$&/m if $self->{opt}{main};
    $self->{opt}{edit}->($conf) if $self->{opt}{edit};

    open my $out, '>', $self->{nginx_conf} or die "nginx.conf: $!\n";
    print {$out} $conf;
    close $out;
}


# nginx becomes a daemon when it listens; its pid file tells the rest.
sub _exec ($self) {
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        $ENV{LD_PRELOAD} = Fliq::Sandbox::preload($self->{nginx_conf});
        $ENV{ASAN_OPTIONS} //= 'detect_leaks=0';
        open STDOUT, '>>', "$self->{dir}/nginx.out";
        open STDERR, '>>', "$self->{dir}/nginx.out";
        exec $self->{nginx}, '-p', $self->{dir}, '-c', $self->{nginx_conf},
             '-e', $self->{error_log} or POSIX::_exit(127);
    }

    $self->{launched} = $pid;
}


# await(): wait until it has started and answers.
sub await ($self) {
    waitpid $self->{launched}, 0;
    die 'nginx failed: ', Fliq::Sandbox::slurp("$self->{dir}/nginx.out")
        if $? != 0;

    my $end = time + 10;
    sleep 0.01 while !-s "$self->{dir}/nginx.pid" && time < $end;

    chomp($self->{nginx_pid} = Fliq::Sandbox::slurp("$self->{dir}/nginx.pid"));

    while (time < $end) {
        my $answer = HTTP::Tiny->new(timeout => 5)->get("$self->{url}/health");
        return if $answer->{success};
        sleep 0.01;
    }

    die "a node does not answer\n";
}


# stop(): end it gracefully.
sub stop ($self) {
    return if $self->{stopped}++ || !$self->{nginx_pid};

    kill QUIT => $self->{nginx_pid};
    Fliq::Sandbox::await_end($self->{nginx_pid});
}


# crash(): end all of it at once, as a power failure would.
sub crash ($self) {
    $self->{stopped}++;

    my @all = ($self->{nginx_pid},
               Fliq::Sandbox::children($self->{nginx_pid}));
    kill KILL => @all;
    Fliq::Sandbox::await_end($_) for @all;
}


# again(): start it after a crash.
sub again ($self) {
    unlink "$self->{dir}/nginx.pid";
    $self->{stopped} = 0;
    $self->_exec;
    $self->await;
}


# PostgreSQL's log is the sandbox's to judge, the files are its to remove.
sub bad_lines ($self, @allowed) {
    return Fliq::Sandbox::bad_in($self->log, @allowed);
}


sub _end ($self, $keep) {
    eval { $self->stop; 1 } or warn "# $@";
}


1;
