#!/usr/bin/perl

# The unit tests of src/core: each binary of t/unit is one test here, and what
# it printed is shown when it fails.

use warnings;
use strict;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Spec;
use Test::More;

my $dir = dirname(abs_path(__FILE__)) . '/unit';
my $build = File::Spec->rel2abs($ENV{BUILD} || "$dir/../../build/unit");

my $jobs = $ENV{UNIT_JOBS} || 2;
my $output = `make -C '$dir' -j$jobs BUILD='$build' 2>&1`;

if ($? != 0) {
    plan(tests => 1);
    fail('unit tests build');
    diag($output);
    exit 1;
}

my @names = map { basename($_, '.c') } sort glob("$dir/*.c");

plan(tests => scalar @names);

for my $name (@names) {
    $output = `'$build/$name' 2>&1`;
    ok($? == 0, "unit $name") or diag($output);
}
