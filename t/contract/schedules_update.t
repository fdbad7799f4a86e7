# PATCH /schedules/{id}: what is named changes, the rest stays. (Changes at the
# same time are t/schedules_api.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

my %least = (url => 'http://127.0.0.1:9/', cron => '0 0 1 1 *');

made('/schedules', { %least, name => 'taken' });
our $schedule = made('/schedules', { %least, name => 'mine' });

route('PATCH /schedules/{sched}', ids => { sched => $schedule->{id} },
      body => {}, allow => 'GET, HEAD, PATCH, DELETE, OPTIONS');

run_tests();

__DATA__

=== TEST 1: what every route refuses
--- always: access methods ids body dialects



=== TEST 2: what is taken
--- accepts
url  "https://example.com/other"
http_method  "put"  "PUT"
method  "GET"
cron  "*/5 * * * *"
cron_expr  "@daily"
headers  {"a":"b"}
headers  null
body  "x"
body  null
max_retries  20
max_retries  null  0
timeout_seconds  3600
timeout_seconds  null  30
backoff  "linear"
backoff  null  "exponential"
webhook_url  "https://example.com/hook"
webhook_headers  {"a":"b"}
name  "other"
name  "mine"
status  "paused"
status  "active"
paused  true
paused  false
colour  "red"  -



=== TEST 3: paused and active, under either name
--- rows
{"status":"paused"}  200  "status":"paused".*"paused":true.*"next_run_at":null
{"paused":false}  200  "status":"active".*"paused":false
{}  200  "status":"active"



=== TEST 4: what is not
--- known
url http_method method headers body max_retries timeout_seconds backoff
webhook_url webhook_headers name
--- fields
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
url  null  is required
cron  null  is required
cron_expr  5  must be a string
status  "running"  active.*paused
status  5  must be a string
paused  "yes"  true or false
paused  1  true or false
name  "taken"  no other  409 name_taken



=== TEST 5: nor what contradicts itself
--- rows
{"cron":"@daily","cron_expr":"@hourly"}  400 invalid_cron  same
{"method":"GET","http_method":"PUT"}  400 invalid_http_method  same
{"paused":true,"status":"active"}  400 invalid_status  agree
