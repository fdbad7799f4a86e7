# GET /schedules/preview: when an expression runs, or what is wrong with it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Contract;
use Test::Nginx::Socket 'no_plan';

route('GET /schedules/preview', query => '?cron=@daily',
      allow => 'GET, HEAD, OPTIONS');

run_tests();

__DATA__

=== TEST 1: runs after a time
--- rows
?cron=0+8+*+*+1-5&from=2026-03-10T14:22:01Z&count=1
    200  ^\{"cron":"0 8 \* \* 1-5","next":\["2026-03-11T08:00:00Z"\]\}$
?cron=0+8+*+*+1-5&from=2026-03-13T08:00:00Z&count=2
    200  \["2026-03-16T08:00:00Z","2026-03-17T08:00:00Z"\]



=== TEST 2: how many
--- rows
?cron=@daily  200  "next":\[(?:"[^"]+T00:00:00Z",?){5}\]
?cron=@daily&count=1  200  "next":\[(?:"[^"]+T00:00:00Z",?){1}\]
?cron=@daily&count=50  200  "next":\[(?:"[^"]+T00:00:00Z",?){50}\]
?cron=@yearly&from=9998-06-01T00:00:00Z  200  \["9999-01-01T00:00:00Z"\]
?cron=%40hourly&from=2026-01-01%2001:00:00%2B01:00&count=1  200  T01:00:00Z
?cron=@daily&count=&from=  200  "next":\[



=== TEST 3: what is wrong, and where
--- rows
?  400 invalid_cron  is required
?cron=  400 invalid_cron  .
?cron=x  400 invalid_cron  .
?cron=0+25+*+*+*  400 invalid_cron  hour.*"25".*0-23
?cron=*+*+*+*  400 invalid_cron  .
?cron=*+*+*+*+*+*  400 invalid_cron  .
?cron=0+0+30+2+*  400 invalid_cron  .
?cron=@reboot  400 invalid_cron  .
?cron=@daily%00  400 invalid_cron  .
?cron=@daily&from=x  400 invalid_from  .
?cron=@daily&from=2026-01-01  400 invalid_from  .
?cron=@daily&from=2026-01-01T00:00:00  400 invalid_from  time zone
?cron=@daily&count=0  400 invalid_count  from 1 to 50
?cron=@daily&count=51  400 invalid_count  from 1 to 50
?cron=@daily&count=-1  400 invalid_count  from 1 to 50
?cron=@daily&count=1.5  400 invalid_count  from 1 to 50
?cron=@daily&count=x  400 invalid_count  from 1 to 50



=== TEST 4: what every route refuses
--- always: access no_body dialects
--- rows
PUT /schedules/preview  405 method_not_allowed  GET
POST /schedules/preview  405 method_not_allowed  GET
OPTIONS /schedules/preview  204  ^$
