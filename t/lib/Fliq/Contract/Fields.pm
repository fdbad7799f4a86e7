package Fliq::Contract::Fields;

# What is refused of the fields that several routes take: the rows of
# "--- known" (see Fliq::Contract, "--- fields").

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(known_field);

# Fields of the same kind; %s becomes the name.
my $url = <<'END_URL';
%s  5  must be a string
%s  true  must be a string
%s  ["http://example.com/"]  must be a string
%s  {}  must be a string
%s  ""  .
%s  "example.com"  http
%s  "//example.com/"  http
%s  "ftp://example.com/"  http
%s  "file:///etc/passwd"  http
%s  "http:///path"  host
%s  "http://user:pass@example.com/"  user
%s  "http://example.com:0/"  port
%s  "http://example.com:65536/"  port
%s  "http://example.com/a b"  .
%s  "http://example.com/\n"  .
%s  "http://example.com/\u0000"  u0000
%s  " http://example.com/"  .
%s  "http://[::1/"  .
%s  "http://10.0.0.1/"  address
%s  "http://169.254.169.254/latest/"  address
%s  "http://[::1]/"  address
%s  "http://[::ffff:10.0.0.1]/"  address
%s  "http://0xa000001/"  address
%s  "http://x.example/xxxxxxxxxxxxxxxxxx" x 60  2048
END_URL

my $headers = <<'END_HEADERS';
%s  "text"  object
%s  5  object
%s  ["a"]  object
%s  {"a":1}  strings
%s  {"a":null}  strings
%s  {"a":{}}  strings
%s  {"":"x"}  .
%s  {"a b":"x"}  .
%s  {"a:":"x"}  .
%s  {"a":"x\r\nb: y"}  .
%s  {"a":"\u0000"}  .
%s  {"a":"\u007f"}  .
%s  {"Connection":"x"}  .
%s  {"keep-alive":"x"}  .
%s  {"Proxy-Anything":"x"}  .
%s  {"TE":"x"}  .
%s  {"Trailer":"x"}  .
%s  {"transfer-encoding":"x"}  .
%s  {"Upgrade":"x"}  .
%s  {"HTTP2-Settings":"x"}  .
%s  {"Content-Length":"1"}  .
%s  {"HOST":"x"}  .
%s  {"Expect":"x"}  .
%s  {"x-fliq-signature":"x"}  .
%s  {"X-Fliq-New":"x"}  .
%s  {"a":"x" x 16384}  16384 bytes
END_HEADERS

$headers .= '%s  {' . join(',', map { "\"h$_\":\"x\"" } 1 .. 65)
            . "}  at most 64\n";

my $method = <<'END_METHOD';
%s  5  must be a string
%s  []  must be a string
%s  ""  GET, POST, PUT
%s  "TRACE"  GET, POST, PUT
%s  "CONNECT"  GET, POST, PUT
%s  "GET "  GET, POST, PUT
%s  "GET\u0000"  u0000
%s  "GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG"  GET, POST, PUT
END_METHOD

my $integer = <<'END_INTEGER';
%s  "3"  an integer from %d to %d
%s  ""  an integer from %d to %d
%s  1.5  an integer from %d to %d
%s  true  an integer from %d to %d
%s  []  an integer from %d to %d
%s  {}  an integer from %d to %d
%s  2147483648  an integer from %d to %d
%s  1e300  an integer from %d to %d
END_INTEGER

my %kind = (
    url => $url, webhook_url => $url, target => $url,
    headers => $headers, webhook_headers => $headers,
    http_method => $method, method => $method,
);

my %range = (
    max_retries => [0, 20], timeout_seconds => [1, 3600],
    rate_limit => [1, 1000],
);

my %own = (
    backoff => <<'END_BACKOFF',
backoff  5  must be a string
backoff  ""  exponential.*linear
backoff  "fast"  exponential.*linear
backoff  "Exponential"  exponential.*linear
END_BACKOFF

    name => <<'END_NAME',
name  5  must be a string
name  {}  must be a string
name  "\u0000"  u0000
name  "x" x 257  at most 256 bytes
name  "é" x 129  at most 256 bytes
END_NAME

    body => <<'END_BODY',
body  5  must be a string
body  {}  must be a string
body  [1]  must be a string
body  "x" x 1048577  at most 1048576 bytes  413 body_too_large
END_BODY
);


# known_field(name): rows.
sub known_field {
    my ($name) = @_;

    return _integer($name, @{ $range{$name} }) if $range{$name};
    return split /\n/, $kind{$name} =~ s/%s/$name/gr if $kind{$name};
    return split /\n/, $own{$name} // die "no known field $name\n";
}


sub _integer {
    my ($name, $min, $max) = @_;
    my @values = ($min - 1, $max + 1, $min ? -1 : ());
    my @rows = split /\n/, $integer;

    push @rows, map { "%s  $_  an integer from %d to %d" } @values;
    return map { s/%s/$name/r =~ s/%d to %d/$min to $max/r } @rows;
}


1;
