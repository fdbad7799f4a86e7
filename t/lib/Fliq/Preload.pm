package Fliq::Preload;

# A library of C that the nginx of the sandboxes to come is started with.
#
#   preload('targets/authority.c', FLIQ_AUTHORITY => $file);
#   sandbox(...);

use v5.36;

use Exporter qw(import);
use File::Basename qw(basename);
use File::Temp;

use Fliq::Sandbox;

our @EXPORT = qw(preload);

my @keep;


# preload(source, environment): compile a file of t/, and put before nginx
# what loads it, after the runtime of a sanitizer if there is one, with these
# variables.
sub preload ($source, %environment) {
    my $dir = File::Temp->newdir('fliq-preload-XXXXXX', TMPDIR => 1);
    my $library = "$dir/" . basename($source) =~ s/c\z/so/r;
    my $nginx = nginx();

    push @keep, $dir;
    chmod 0755, $dir;
    system($ENV{CC} // 'cc', qw(-std=gnu11 -O1 -g -Wall -Wextra -Werror
           -shared -fPIC -o), $library, Fliq::Sandbox::repo() . "/t/$source",
           '-ldl') == 0
        or die "cannot compile $source\n";

    my $set = join ' ', map { "$_='$environment{$_}'" } sort keys %environment;

    open my $out, '>', "$dir/nginx" or die "$dir/nginx: $!\n";
    print {$out} <<"END";
#!/bin/sh
exec env LD_PRELOAD="\${LD_PRELOAD:+\$LD_PRELOAD:}$library" $set $nginx "\$\@"
END
    close $out;
    chmod 0755, "$dir/nginx";
    $ENV{FLIQ_NGINX} = "$dir/nginx";
}


# nginx(): the path of the one that the next sandbox starts.
sub nginx () {
    return $ENV{FLIQ_NGINX} if $ENV{FLIQ_NGINX};

    for my $dir (split(/:/, $ENV{PATH}), '/usr/sbin') {
        return "$dir/nginx" if -x "$dir/nginx";
    }

    die "there is no nginx\n";
}


1;
