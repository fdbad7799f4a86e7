package Fliq::Namespace;

# A machine of the test's own: a mount namespace, and a network namespace if it
# wants one, that end with the test.
#
#   my $dir = Fliq::Namespace->enter(setup => sub ($dir) {      # at first
#       return "mount -t tmpfs -o size=64m none $dir/volume";
#   });

use v5.36;

use File::Temp;
use POSIX qw(_exit);


# enter(setup => CODE, net => 0|1): run the test from its start in namespaces
# of its own.  The code is called before, with a directory, and returns the
# commands that set them up.  Returns the directory.  As nobody in particular
# one is root in the namespaces first.
sub enter ($class, %opt) {
    my $inside = delete $ENV{FLIQ_NAMESPACE};
    return $inside if defined $inside;

    my $dir = File::Temp->newdir('fliq-namespace-XXXXXX', TMPDIR => 1);
    chmod 0755, $dir;

    my $back = $> == 0 ? '' : "unshare -U --map-user=$> --map-group="
                              . (split / /, $))[0];
    my $setup = join ' && ', $opt{setup}->($dir), "exec $back \"\$@\"";

    $ENV{FLIQ_NAMESPACE} = "$dir";
    my $rc = system 'unshare', ($> == 0 ? () : '-r'), '-m',
                    ($opt{net} ? '-n' : ()), 'sh', '-c', $setup, 'sh', $^X,
                    $0;
    undef $dir;
    _exit($rc >> 8 || ($rc ? 1 : 0));
}


1;
