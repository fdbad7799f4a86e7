#!/usr/bin/perl

# The unit tests take at least 95 % of the branches of src/core.

use warnings;
use strict;

use FindBin;
use File::Basename qw(basename);
use Test::More;

my $root = "$FindBin::Bin/..";
my @files = map { basename($_) } sort glob("$root/src/core/*.c");

my $output = `'$root/tools/coverage' 95 2>&1`;
my $status = $?;

is($status, 0, 'at least 95 %') or diag($output);
like($output, qr/^\Q$_\E +\d+ branches, +\d/m, "$_ was counted") for @files;

note($output);
done_testing();
