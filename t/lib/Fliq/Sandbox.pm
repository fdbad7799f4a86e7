package Fliq::Sandbox;

# A sandbox of bin/fliq-sandbox in a directory and on a port of its own.
#
#   my $sandbox = Fliq::Sandbox->start(workers => 2, http_conf => '...');
#
# It ends with the process that started it, and its directory with it; the
# directory is kept for a look when a test failed.

use v5.36;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Handle;
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Fliq::Port qw(free_port);

my $repo = abs_path(dirname(__FILE__) . '/../../..');
my $owner = $$;
my @started;


sub repo () { return $repo }


# start(workers => N, strict => 0|1, http_conf => TEXT, state => DIR): start
# one, or die with what it said.  Its data is in the directory, if one is
# named, which it makes and removes.
sub start ($class, %opt) {
    my $dir = tempdir('fliq-test-XXXXXX', TMPDIR => 1);
    chmod 0755, $dir;

    my $self = bless {
        root => $dir, dir => "$dir/run", port => free_port(), opt => \%opt,
    }, $class;

    register($self);
    $self->_write_http_conf;
    $self->_place($opt{state}) if defined $opt{state};
    $self->again;

    return $self;
}


sub _place ($self, $state) {
    for my $dir ($self->{dir}, $state) {
        mkdir $dir or die "$dir: $!\n";
        chmod 0755, $dir;
    }

    symlink $state, "$self->{dir}/state" or die "state: $!\n";
}


# shared(): the one that FLIQ_TEST_SANDBOX describes, which somebody else
# started and ends, with an account of this process's own; or undef.
sub shared ($class) {
    my $info = $ENV{FLIQ_TEST_SANDBOX} or return undef;
    my $root = tempdir('fliq-test-XXXXXX', TMPDIR => 1);
    my $self = bless { %{ decode_json($info) }, root => $root,
                       opt => {}, stopped => 1, shared => 1 }, $class;

    chmod 0755, $root;
    register($self);

    $self->{account} = $self->fliqctl('account', 'create', '--name',
                                      'shares')->{id};
    $self->{token} = $self->fliqctl('token', 'create', '--account',
                                    $self->{account})->{token};
    return $self;
}


# again(): bring back whatever died.
sub again ($self) {
    my $opt = $self->{opt};
    my @options = ('--dir', $self->{dir}, '--port', $self->{port},
                   '--workers', $opt->{workers} // 1);

    push @options, '--strict' if $opt->{strict};
    push @options, '--http-conf', "$self->{root}/http.conf"
        if defined $opt->{http_conf};

    my $out = $self->command('start', @options);
    my $info = eval { decode_json((split /\n/, $out)[-1]) }
        or die "fliq-sandbox said no JSON: $out";

    @$self{keys %$info} = values %$info;
    $self->{nginx} = readlink "/proc/$self->{nginx_pid}/exe";
    return $self;
}


# command(arguments): run bin/fliq-sandbox and return its output, or die.
sub command ($self, @arguments) {
    my ($out, $err) = ("$self->{root}/out", "$self->{root}/err");
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>', $err;
        exec "$repo/bin/fliq-sandbox", @arguments or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    die "fliq-sandbox @arguments failed:\n" . slurp($err) if $? != 0;

    return slurp($out);
}


# stop(): stop nginx and PostgreSQL.
sub stop ($self) {
    return if $self->{stopped}++ || !-d $self->{dir};
    $self->command('stop', '--dir', $self->{dir});
}


# stop_nginx(): end nginx alone, gracefully.
sub stop_nginx ($self) {
    kill QUIT => $self->{nginx_pid};
    await_end($self->{nginx_pid}) or die "nginx does not end\n";
}


# set_http_conf(text): change it and reload; by the end the old workers take
# nothing new.
sub set_http_conf ($self, $text) {
    my %old = map { ($_ => 1) } $self->workers;

    $self->{opt}{http_conf} = $text;
    $self->_write_http_conf;
    $self->again;
    kill HUP => $self->{nginx_pid};

    my $end = time + 10;
    sleep 0.01 while time < $end && grep { $old{$_} } $self->workers;
}


sub _write_http_conf ($self) {
    return if !defined $self->{opt}{http_conf};

    open my $file, '>', "$self->{root}/http.conf" or die "http.conf: $!\n";
    print {$file} $self->{opt}{http_conf};
    close $file;
}


# workers(): the pids of nginx's workers that are not shutting down.
sub workers ($self) {
    return grep { title($_) =~ /^nginx: worker process\0*\z/ }
           children($self->{nginx_pid});
}


# all_workers(): with those that are.
sub all_workers ($self) {
    return grep { title($_) =~ /^nginx: worker process/ }
           children($self->{nginx_pid});
}


# children(pid): the processes whose parent it is.
sub children ($parent) {
    my @found;

    for my $dir (glob '/proc/[0-9]*') {
        open my $in, '<', "$dir/stat" or next;
        my $stat = <$in> // next;

        push @found, $dir =~ s{.*/}{}r if $stat =~ /\) \S \Q$parent\E /;
    }

    return @found;
}


sub title ($pid) {
    open my $in, '<', "/proc/$pid/cmdline" or return '';
    return scalar <$in> // '';
}


# sql(query): the rows of the answer, each as its fields joined by "|".
sub sql ($self, $query, $dsn = $self->{dsn}) {
    open my $psql, '-|', 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1',
         '-d', $dsn, '-c', $query
        or die "psql: $!\n";
    chomp(my @rows = <$psql>);
    close $psql or die "psql failed: $query\n";

    return wantarray ? @rows : $rows[0];
}


# hold(statement): run it in a transaction that stays open, with its locks,
# until release() of what this returns.
sub hold ($self, $statement) {
    unlink "$self->{root}/held";
    open my $psql, '|-', "psql -XqAt -d '$self->{dsn}' > $self->{root}/held"
        or die "psql: $!\n";

    $psql->autoflush;
    print {$psql} "BEGIN;\n$statement;\nSELECT 'held';\n";

    my $end = time + 10;
    sleep 0.005 while time < $end && !-s "$self->{root}/held";
    die "$statement does not end\n" if !-s "$self->{root}/held";

    return $psql;
}


sub release ($psql) {
    close $psql or die "psql failed\n";
}


# fliqctl(arguments): its JSON value; dies when it fails.
sub fliqctl ($self, @arguments) {
    open my $ctl, '-|', "$repo/bin/fliqctl", '--dsn', $self->{dsn},
         @arguments
        or die "fliqctl: $!\n";
    my $out = join '', <$ctl>;
    close $ctl or die "fliqctl @arguments failed\n";

    return decode_json($out);
}


# log(): the text of error.log.
sub log ($self) {
    return -e $self->{error_log} ? slurp($self->{error_log}) : '';
}


# bad_lines(allowed): what must not be in the log of nginx or PostgreSQL.
sub bad_lines ($self, @allowed) {
    my $postgres = "$self->{dir}/logs/postgres.log";
    my @errors = -e $postgres
        ? grep { /(?:ERROR|PANIC):/ } split /\n/, slurp($postgres) : ();

    return (bad_in($self->log, @allowed), _but(\@allowed, @errors));
}


# bad_in(log, allowed): the lines of an error.log that must not be there.
sub bad_in ($log, @allowed) {
    my $bad = qr/\[(?:alert|emerg|crit)\]
                 |AddressSanitizer|LeakSanitizer:|runtime\ error:/x;

    return _but(\@allowed, grep { /$bad/ } split /\n/, $log);
}


sub _but ($allowed, @lines) {
    for my $regex (@$allowed) {
        @lines = grep { $_ !~ $regex } @lines;
    }

    return @lines;
}


# started(): all sandboxes, and their nodes, of this process.
sub started ($class) { return @started }


sub register ($self) { push @started, $self }


sub slurp ($path) {
    open my $in, '<', $path or die "$path: $!\n";
    local $/;
    return scalar <$in> // '';
}


# await_end(pid): wait until a process that is no child of ours is gone; one
# that nobody has waited for yet is.
sub await_end ($pid, $timeout = 30) {
    my $end = time + $timeout;

    while (time < $end) {
        open my $in, '<', "/proc/$pid/stat" or return 1;
        my $stat = <$in> // return 1;

        return 1 if $stat =~ /\) Z /;
        sleep 0.005;
    }

    return 0;
}


# preload(nginx_conf): what nginx needs in LD_PRELOAD for its module.
sub preload ($conf) {
    my ($module) = slurp($conf) =~ /load_module (\S+);/;

    return `ldd $module` =~ /=> (\S*libasan\S*)/ ? $1 : '';
}


# A directory is removed only when all went well.
sub _end ($self, $keep) {
    eval { $self->stop; 1 } or warn "# $@";

    if ($keep) {
        diag("its logs are kept in "
             . ($self->{shared} ? $self->{root} : "$self->{dir}/logs"));
        return;
    }

    my $state = $self->{shared} ? undef : readlink "$self->{dir}/state";
    remove_tree(grep { defined } $state, $self->{root});
}


END {
    if ($$ == $owner) {
        local $?;
        my $failed = $? != 0 || !Test::More->builder->is_passing;
        $_->_end($failed) for reverse @started;
    }
}


1;
