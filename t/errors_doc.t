# docs/errors.md has every code that the API can answer with, each with the
# status that the one table of errors gives it, and no other.

use v5.36;

use FindBin;
use Test::More;

my $repo = "$FindBin::Bin/..";

my %status = (
    BAD_REQUEST => 400, UNAUTHORIZED => 401, PAYMENT_REQUIRED => 402,
    FORBIDDEN => 403, NOT_FOUND => 404, NOT_ALLOWED => 405,
    REQUEST_TIME_OUT => 408, CONFLICT => 409, LENGTH_REQUIRED => 411,
    REQUEST_ENTITY_TOO_LARGE => 413, REQUEST_URI_TOO_LARGE => 414,
    TOO_MANY_REQUESTS => 429, INTERNAL_SERVER_ERROR => 500,
    NOT_IMPLEMENTED => 501, BAD_GATEWAY => 502, SERVICE_UNAVAILABLE => 503,
    GATEWAY_TIME_OUT => 504,
);


sub slurp ($path) {
    open my $in, '<', $path or die "$path: $!\n";
    local $/;
    return scalar <$in>;
}


my $table = slurp("$repo/src/api/ngx_http_fliq_error.c");
my %code;

while ($table =~ /\{ NGX_HTTP_(\w+),\s+ngx_string\("(\w+)"\)/g) {
    $code{$2} = $status{$1} // die "no number for NGX_HTTP_$1\n";
}

cmp_ok(scalar keys %code, '>', 20, 'the table was read');

# Fields: the names that are handed to what records invalid_<field>.

my $named = qr/(?:fault_field|field_(?!named|sent)\w+|target_\w+)
               \( (?:in->)?ctx,\s+ (?:(?:in->)?body,\s+)? "(\w+)"/x;

# Those that come as an argument were named further up, in just these two.
my %passed;

for my $file (glob "$repo/src/api/*.c") {
    my $text = slurp($file);
    $code{"invalid_$1"} = 400 while $text =~ /$named/g;
    $passed{$1} = 1 while $text =~ /fault_field\([^,]+,\s*([^",]+),/g;
}

delete $passed{'const char *field'};
is_deeply([sort keys %passed], [qw(field name)], 'no name is made elsewhere');

cmp_ok(scalar(grep { /^invalid_/ } keys %code), '>', 25, 'so were fields');

# The page: a row is | `code` | status | when |.

my $page = slurp("$repo/docs/errors.md");
my %page;

while ($page =~ /^\| `(\w+)`\s*\| (\d+)\s*\| (.+?)\s*\|$/mg) {
    ok(!exists $page{$1}, "$1 is there once");
    $page{$1} = $2;
}

is_deeply(\%page, \%code, 'the page has the codes and their statuses');

done_testing();
