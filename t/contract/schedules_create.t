# POST /schedules: a schedule is made of a URL and a cron expression.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

our %all = (%least, name => 'nightly', http_method => 'PUT',
    headers => { a => 'b' }, body => 'x', max_retries => 3,
    timeout_seconds => 7, backoff => 'linear',
    webhook_url => 'https://example.com/hook', webhook_headers => {});
our $whole = has(
    %all, id => qr/"sched_[0-7][0-9a-hjkmnp-tv-z]{25}"/, method => 'PUT',
    cron_expr => '0 0 1 1 *', status => 'active', paused => JSON::PP::false,
    next_run_at => qr/"20\d\d-01-01T00:00:00Z"/, last_run_at => undef,
    created_at => qr/"20[^"]+Z"/, updated_at => qr/"20[^"]+Z"/,
    user_id => sandbox->{account}, webhook_headers => qr/(?:\{\}|null)/);

made('/schedules', { %least, name => 'taken' });

route('POST /schedules', allow => 'GET, HEAD, POST, OPTIONS',
      body => \%least);

run_tests();

__DATA__

=== TEST 1: a schedule with everything
--- request eval: "POST /schedules\n" . ::json(\%::all)
--- error_code: 201
--- response_headers_like
Content-Type: application/json
Location: /schedules/sched_[0-9a-z]{26}
--- response_body_like eval: $::whole



=== TEST 2: what every route refuses, and what executes
--- always: access methods body credit dialects



=== TEST 3: cron expressions
--- accepts
cron  "0 8 * * 1-5"
cron  "*/15 * * * *"
cron  "5/15 1-20/3 1,15 jan-MAR sun,Tue"
cron  "0 0 29 2 *"
cron  "59 23 31 12 7"
cron  "@hourly"
cron  "@daily"
cron  "@midnight"
cron  "@weekly"
cron  "@monthly"
cron  "@yearly"
cron  "@annually"



=== TEST 4: the other fields, at their limits
--- accepts
http_method  absent  "POST"
http_method  "delete"  "DELETE"
method  "OPTIONS"
cron_expr  "0 0 1 1 *"
headers  null
body  ""
max_retries  0
max_retries  20
max_retries  absent  0
timeout_seconds  1
timeout_seconds  3600
timeout_seconds  absent  30
backoff  "linear"
backoff  absent  "exponential"
name  "x" x 256
name  absent  ""
webhook_url  "http://127.0.0.1:9/"
webhook_url  null
webhook_headers  {"a":"b"}
paused  true
status  "paused"
colour  "red"  -



=== TEST 5: what is not taken
--- known
url http_method method headers body max_retries timeout_seconds backoff
webhook_url webhook_headers name
--- fields
url  absent  is required
url  null  is required
cron  absent  is required
cron  null  is required
cron  5  must be a string
cron  []  must be a string
cron  ""  .
cron  "* * * *"  .
cron  "* * * * * *"  .
cron  "60 * * * *"  minute.*"60".*0-59
cron  "0 24 * * *"  hour.*"24".*0-23
cron  "0 0 0 * *"  .*"0".*1-31
cron  "0 0 32 * *"  .*"32".*1-31
cron  "0 0 1 0 *"  month.*"0".*1-12
cron  "0 0 1 13 *"  month.*"13".*1-12
cron  "0 0 * * 8"  .*"8".*0-7
cron  "*/0 * * * *"  .
cron  "5-1 * * * *"  .
cron  "1,,2 * * * *"  .
cron  "x * * * *"  .
cron  "0 0 31 2 *"  .
cron  "0 0 30 feb *"  .
cron  "@reboot"  .
cron  "@every 5m"  .
cron  "* * * * *\n"  .
cron  "* * * * *\u0000"  u0000
cron  "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0 * * * *" x 30  at most
cron_expr  5  must be a string
cron_expr  "* * * * *"  same as cron_expr  400 invalid_cron
status  "running"  active.*paused
status  5  must be a string
paused  "yes"  true or false
paused  1  true or false
name  "taken"  no other  409 name_taken



=== TEST 6: nor what contradicts itself
--- rows
{"url":"http://a/","cron":"@daily","method":"GET","http_method":"PUT"}
    400 invalid_http_method  same
{"url":"http://a/","cron":"@daily","paused":true,"status":"active"}
    400 invalid_status  agree
{"url":"http://a/","cron_expr":"@daily"}  201  "cron":"@daily"
@stranger {"url":"http://a/","cron":"@daily","name":"taken"}  201
