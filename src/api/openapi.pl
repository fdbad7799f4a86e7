# Turn docs/openapi.yaml into C: the JSON text that GET /openapi.json answers
# with, and its ETag.
#
#   perl openapi.pl openapi.yaml                        > fliq_openapi.c
#   perl openapi.pl --json openapi.yaml                 > openapi.json

use v5.36;

use Digest::SHA qw(sha256_hex);
use JSON::PP;
use YAML::PP;
use YAML::PP::Common qw(PRESERVE_ORDER);

my $json_only = @ARGV && $ARGV[0] eq '--json' && shift;
my ($path) = @ARGV;

die "usage: openapi.pl [--json] FILE\n" if @ARGV != 1;

my $yaml = YAML::PP->new(boolean => 'JSON::PP', preserve => PRESERVE_ORDER);
my $json = JSON::PP->new->utf8->encode($yaml->load_file($path));

if ($json_only) {
    print $json;
    exit;
}


# literal(text): C string literals of it, a line each.
sub literal ($text) {
    my @lines = $text =~ /.{1,64}/gs;

    for (@lines) {
        s/([\\"?])/\\$1/g;
        s/([^ -~])/sprintf '\\%03o', ord $1/ge;
    }

    return join "\n", map { qq(    "$_") } @lines;
}


my $etag = literal('"' . substr(sha256_hex($json), 0, 32) . '"');
my $text = literal($json);

print <<"END";
/* Generated from docs/openapi.yaml by src/api/openapi.pl. */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_openapi.h"


const ngx_str_t  fliq_openapi_etag = ngx_string(
$etag
);

const ngx_str_t  fliq_openapi_json = ngx_string(
$text
);
END
