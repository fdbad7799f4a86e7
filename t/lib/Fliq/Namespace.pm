package Fliq::Namespace;

# A machine of its own for a test: a mount and a network namespace that end
# with it.  There any address can be given to the loopback interface, and any
# interface be made.
#
#   my $dir = Fliq::Namespace->enter(addresses => ['93.184.216.34/32']);

use v5.36;

use File::Temp;
use POSIX qw(_exit);


# enter(addresses => [TEXT...], files => CODE, setup => CODE): run the test
# from its start in namespaces of its own, with these addresses.  The code is
# called with a directory: files returns pairs, of a file of the system's and
# one to stand in its place, setup returns more commands for sh.  Returns the
# directory.  Nobody in particular stays who he is, and may do there what root
# may.
sub enter ($class, %opt) {
    my $inside = delete $ENV{FLIQ_NAMESPACE};
    return $inside if defined $inside;

    my $dir = File::Temp->newdir('fliq-namespace-XXXXXX', TMPDIR => 1);
    chmod 0755, $dir;

    my %file = $opt{files} ? $opt{files}->($dir) : ();
    my @user = $> == 0 ? () : ('-U', '--keep-caps', "--map-user=$>",
                               '--map-group=' . (split / /, $))[0]);
    my $setup = join ' && ',
        'ip link set lo up',
        'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start',
        (map { "ip addr add $_ dev lo" . (/:/ ? ' nodad' : '') }
             @{ $opt{addresses} // [] }),
        (map { "mount --bind $file{$_} $_" } sort keys %file),
        ($opt{setup} ? $opt{setup}->($dir) : ()),
        'exec "$@"';

    $ENV{FLIQ_NAMESPACE} = "$dir";
    my $rc = system 'unshare', @user, '-m', '-n', 'sh', '-c', $setup, 'sh',
                    $^X, $0;
    undef $dir;
    _exit($rc >> 8 || ($rc ? 1 : 0));
}


# write_file(path, text): one that everybody may read.
sub write_file ($path, $text) {
    open my $out, '>', $path or die "$path: $!\n";
    print {$out} $text;
    close $out;
    chmod 0644, $path;
}


1;
