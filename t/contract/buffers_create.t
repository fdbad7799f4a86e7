# POST /buffers: a buffer is made of a name and a URL.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (name => 'least', url => 'http://127.0.0.1:9/');

our %all = (name => 'all', url => 'https://example.com/x',
    http_method => 'PUT', headers => { a => 'b' }, timeout_seconds => 7,
    rate_limit => 50, max_retries => 0, backoff => 'linear',
    webhook_url => 'https://example.com/hook',
    webhook_headers => { c => 'd' });
our $whole = has(
    %all, id => qr/"buf_[0-7][0-9a-hjkmnp-tv-z]{25}"/, method => 'PUT',
    paused => JSON::PP::false, created_at => qr/"20[^"]+Z"/,
    updated_at => qr/"20[^"]+Z"/);

made('/buffers', { %least, name => 'taken' });

route('POST /buffers', allow => 'GET, HEAD, POST, OPTIONS',
      body => \%least, unique => 'name');

run_tests();

__DATA__

=== TEST 1: a buffer with everything
--- request eval: "POST /buffers\n" . ::json(\%::all)
--- error_code: 201
--- response_headers_like
Content-Type: application/json
Location: /buffers/buf_[0-9a-z]{26}
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses
--- always: access methods body dialects



=== TEST 3: what is taken
--- accepts
name  "x" x 256
http_method  absent  "POST"
method  "delete"  "DELETE"
headers  absent  null
timeout_seconds  1
timeout_seconds  3600
timeout_seconds  absent  30
rate_limit  1
rate_limit  1000
rate_limit  null  10
rate_limit  absent  10
max_retries  0
max_retries  20
max_retries  absent  3
backoff  absent  "exponential"
webhook_url  "http://127.0.0.1:9/"
webhook_url  null
colour  "red"  -



=== TEST 4: what is not
--- known
url http_method method headers max_retries timeout_seconds rate_limit backoff
webhook_url webhook_headers name
--- fields
url  absent  is required
url  null  is required
name  absent  is required
name  null  is required
name  ""  must not be empty
name  "taken"  no other  409 name_taken



=== TEST 5: nor what contradicts itself; names are for one account
--- rows
{"name":"m","url":"http://a/","method":"GET","http_method":"PUT"}
    400 invalid_http_method  same
