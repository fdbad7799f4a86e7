# What the module is built with against exploits of a mistake in it has come
# out at the other end; and it needs no library but the four that it says.

use v5.36;

use FindBin;
use Test::More;

my $so = "$FindBin::Bin/../build/ngx_http_fliq_module.so";


sub readelf (@options) {
    open my $in, '-|', 'readelf', '-W', @options, $so
        or die "readelf: $!\n";
    my @lines = <$in>;
    close $in or die "readelf @options failed\n";

    return @lines;
}


my @segments = readelf('-l');
my @dynamic = readelf('-d');
my @symbols = map { / UND (\w+)/ ? $1 : () } readelf('--dyn-syms');


# --- memory: what is written to is not run, what is resolved not written to

my ($stack) = grep { /^\s+GNU_STACK\s/ } @segments;

like($stack, qr/ RW\s/, 'the stack is not executable');
is(join('', grep { /^\s+LOAD\s.* RWE\s/ } @segments), '',
   'nothing is writable and executable');
ok((grep { /^\s+GNU_RELRO\s/ } @segments), 'relocations are read-only');
ok((grep { /\(FLAGS\)\s.*\bBIND_NOW\b/ } @dynamic), 'all is bound at once');
ok(!(grep { /\(TEXTREL\)|\bTEXTREL\b/ } @dynamic), 'code is not relocated');


# --- what the compiler put in

ok((grep { $_ eq '__stack_chk_fail' } @symbols), 'stacks are protected');

# Several, as one of another library's inline functions would be one.
my @fortified = grep { /\A__\w+_chk\z/ } @symbols;
cmp_ok(scalar @fortified, '>=', 2, "fortified: @fortified");

# Debian 12's own startup files are not marked for it, so the processor does
# not check yet; the module's code is ready.
if (grep { /Machine:.*X86-64/ } readelf('-h')) {
    my $targets = () = `objdump -d --no-show-raw-insn $so` =~ /\bendbr64\b/g;
    cmp_ok($targets, '>', 100, "$targets targets of jumps are marked");
}


# --- what it needs

is_deeply([sort map { /\(NEEDED\).*\[(.+?)\.so/ ? $1 : () } @dynamic],
          [qw(libc libcrypto libcurl libjansson libpq)],
          'four libraries, and that of C');

done_testing();
