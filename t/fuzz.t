#!/usr/bin/perl

# Each fuzz harness runs for a few seconds, from its kept seeds on.

use warnings;
use strict;

use FindBin;
use File::Basename qw(basename);
use Test::More;

my $root = "$FindBin::Bin/..";
my @names = map { basename($_, '.c') } sort glob("$FindBin::Bin/fuzz/*.c");

plan(tests => scalar @names);

my $output = `FUZZ_JOBS=2 '$root/tools/fuzz' 2 2>&1`;

for my $name (@names) {
    like($output, qr/^fuzz: $name +\d+ runs, +[1-9]\d* covered$/m,
         "fuzz $name");
}

diag($output) if $?;
