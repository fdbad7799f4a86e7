# Every directive: good values are taken, bad ones end nginx with an error
# that names the directive or the value, and wrong places are refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Nginx;
use Test::Nginx::Socket 'no_plan';

($ENV{TEST_NGINX_FLIQ_PGHOST}) = sandbox->{dsn} =~ /host=(\S+)/;
$ENV{TEST_NGINX_FLIQ_KEYS} = sandbox->{root};


sub key_file {
    my ($name, $mode, $text) = @_;

    open my $out, '>', "$ENV{TEST_NGINX_FLIQ_KEYS}/$name" or die "$name: $!";
    print {$out} $text;
    close $out;
    chmod $mode, "$ENV{TEST_NGINX_FLIQ_KEYS}/$name" or die "$name: $!";
}


key_file('hex.key', 0600, '0f' x 32 . "\n");
key_file('base64.key', 0400, 'A' x 43 . "=\n");
key_file('group.key', 0640, '1e' x 32);
key_file('world.key', 0644, '2d' x 32);
key_file('written.key', 0620, '3c' x 32);
key_file('same.key', 0600, '0F' x 32);
key_file('short.key', 0600, '0f' x 31 . "\n");
key_file('long.key', 0600, '0f' x 32 . "\n" . '0f' x 32 . "\n");
key_file('huge.key', 0600, '0f' x 10000);
key_file('empty.key', 0600, '');
key_file('other.key', 0600, '4b' x 32);

no_long_string();
run_tests();

__DATA__

=== TEST 1: nothing but a database
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- request
GET /health?deep=1
--- response_body_like: "ok"



=== TEST 2: everything that there is
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN"
        connections=4 queue=100 timeout=2s;
    fliq_dispatcher on concurrency=10 per_host=5 poll=500ms;
    fliq_target_allow 127.0.0.0/8 10.1.2.3 ::1/128;
    fliq_target_deny 127.0.0.2 2001:db8::/32;
    fliq_target_allow 192.168.0.0/16;
    fliq_retry base=1s max=10m jitter=0%;
    fliq_timeout 5s;
    fliq_webhook_timeout 1500ms;
    fliq_max_body 10k;
    fliq_user_agent "curious/1.0";
--- config
    location / {
        fliq_api dialect=reference;
    }
--- request
GET /health?deep=1
--- response_body_like: "ok"



=== TEST 3: the ends of the ranges
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN"
        connections=1 queue=1000000 timeout=100ms;
    fliq_dispatcher off concurrency=1 per_host=100000 poll=60s;
    fliq_retry jitter=100%;
    fliq_timeout 1h;
    fliq_webhook_timeout 5m;
    fliq_max_body 64m;
--- request
GET /health?deep=1
--- response_body_like: "ok"



=== TEST 4: parts of fliq_retry, and a database as a URI
--- http_config
    fliq_database "postgresql:///fliq?host=$TEST_NGINX_FLIQ_PGHOST&user=fliq";
    fliq_retry base=100ms;
--- request
GET /health?deep=1
--- response_body_like: "ok"



=== TEST 5: no database
--- http_config
--- config
    location / {
        fliq_api;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
no "fliq_database"



=== TEST 6: a dispatcher without a database
--- http_config
    fliq_dispatcher on;
--- config
    location / {
        return 204;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
no "fliq_database"



=== TEST 7: two databases
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_database" directive is duplicate



=== TEST 8: a conninfo that is none
--- http_config
    fliq_database "host=/tmp nonsense";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
nonsense



=== TEST 9: a conninfo with an unknown keyword
--- http_config
    fliq_database "hast=/tmp dbname=fliq";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
hast



=== TEST 10: a bad URI
--- http_config
    fliq_database "postgresql://[::1/fliq";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
postgresql://[::1/fliq



=== TEST 11: a port that is none
--- http_config
    fliq_database "host=127.0.0.1 port=99999";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
99999



=== TEST 12: fliq_database connections=0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" connections=0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"connections=0"



=== TEST 13: fliq_database connections=65
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" connections=65;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"connections=65"



=== TEST 14: fliq_database connections=x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" connections=x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"connections=x"



=== TEST 15: fliq_database connections=
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" connections=;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"connections="



=== TEST 16: fliq_database connections=-1
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" connections=-1;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"connections=-1"



=== TEST 17: fliq_database connections=1.5
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" connections=1.5;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"connections=1.5"



=== TEST 18: fliq_database queue=0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" queue=0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"queue=0"



=== TEST 19: fliq_database queue=1000001
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" queue=1000001;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"queue=1000001"



=== TEST 20: fliq_database timeout=0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" timeout=0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"timeout=0"



=== TEST 21: fliq_database timeout=99ms
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" timeout=99ms;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"timeout=99ms"



=== TEST 22: fliq_database timeout=11m
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" timeout=11m;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"timeout=11m"



=== TEST 23: fliq_database timeout=5x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" timeout=5x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"timeout=5x"



=== TEST 24: fliq_database colour=red
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" colour=red;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"colour=red"



=== TEST 25: fliq_database connections
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN" connections;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"connections"



=== TEST 26: fliq_dispatcher maybe
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher maybe;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"maybe"



=== TEST 27: two dispatchers
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on;
    fliq_dispatcher off;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_dispatcher" directive is duplicate



=== TEST 28: fliq_dispatcher concurrency=0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on concurrency=0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"concurrency=0"



=== TEST 29: fliq_dispatcher concurrency=100001
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on concurrency=100001;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"concurrency=100001"



=== TEST 30: fliq_dispatcher per_host=0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on per_host=0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"per_host=0"



=== TEST 31: fliq_dispatcher per_host=x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on per_host=x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"per_host=x"



=== TEST 32: fliq_dispatcher poll=99ms
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on poll=99ms;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"poll=99ms"



=== TEST 33: fliq_dispatcher poll=61s
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on poll=61s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"poll=61s"



=== TEST 34: fliq_dispatcher speed=fast
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_dispatcher on speed=fast;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"speed=fast"



=== TEST 35: fliq_target_allow x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"x"



=== TEST 36: fliq_target_allow 10.0.0.0/33
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 10.0.0.0/33;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"10.0.0.0/33"



=== TEST 37: fliq_target_allow 10.0.0.1/8
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 10.0.0.1/8;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"10.0.0.1/8"



=== TEST 38: fliq_target_allow 256.0.0.0/8
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 256.0.0.0/8;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"256.0.0.0/8"



=== TEST 39: fliq_target_allow ::/129
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 ::/129;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"::/129"



=== TEST 40: fliq_target_allow 10.0.0.0/
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 10.0.0.0/;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"10.0.0.0/"



=== TEST 41: fliq_target_allow 10.0.0.0/-1
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 10.0.0.0/-1;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"10.0.0.0/-1"



=== TEST 42: fliq_target_allow localhost
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 localhost;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"localhost"



=== TEST 43: fliq_target_allow 10.0.0.0/8,127.0.0.0/8
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8 10.0.0.0/8,127.0.0.0/8;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"10.0.0.0/8,127.0.0.0/8"



=== TEST 44: fliq_target_deny x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_deny 127.0.0.0/8 x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"x"



=== TEST 45: fliq_target_deny 10.0.0.1/8
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_deny 127.0.0.0/8 10.0.0.1/8;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"10.0.0.1/8"



=== TEST 46: fliq_retry base=0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry base=0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"base=0"



=== TEST 47: fliq_retry base=-1s
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry base=-1s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"base=-1s"



=== TEST 48: fliq_retry base=x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry base=x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"base=x"



=== TEST 49: fliq_retry max=0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry max=0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"max=0"



=== TEST 50: fliq_retry jitter=101%
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry jitter=101%;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"jitter=101%"



=== TEST 51: fliq_retry jitter=25
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry jitter=25;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"jitter=25"



=== TEST 52: fliq_retry jitter=-1%
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry jitter=-1%;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"jitter=-1%"



=== TEST 53: fliq_retry jitter=%
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry jitter=%;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"jitter=%"



=== TEST 54: fliq_retry growth=2
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry growth=2;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"growth=2"



=== TEST 55: fliq_retry 30s
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry 30s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"30s"



=== TEST 56: fliq_retry with a base over its max
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry base=2m max=1m;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_retry"
max



=== TEST 57: two fliq_retry
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_retry base=1s;
    fliq_retry base=1s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_retry" directive is duplicate



=== TEST 58: fliq_timeout 0
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_timeout 0;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"0"



=== TEST 59: fliq_timeout x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_timeout x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"x"



=== TEST 60: fliq_timeout 3601s
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_timeout 3601s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"3601s"



=== TEST 61: fliq_timeout 2h
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_timeout 2h;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"2h"



=== TEST 62: fliq_timeout -1s
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_timeout -1s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"-1s"



=== TEST 63: fliq_timeout 500ms
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_timeout 500ms;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"500ms"



=== TEST 64: fliq_timeout ""
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_timeout "";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
fliq_timeout



=== TEST 65: fliq_max_body x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_max_body x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
fliq_max_body



=== TEST 66: fliq_max_body -1
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_max_body -1;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
fliq_max_body



=== TEST 67: fliq_max_body 65m
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_max_body 65m;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
fliq_max_body



=== TEST 68: fliq_user_agent with a line feed
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_user_agent "a\nb";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
fliq_user_agent



=== TEST 69: fliq_api with an unknown dialect
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    location / {
        fliq_api dialect=latin;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"dialect=latin"



=== TEST 70: fliq_api with an unknown parameter
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    location / {
        fliq_api fast;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fast"



=== TEST 71: fliq_api twice in a location
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    location / {
        fliq_api;
        fliq_api;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_api" directive is duplicate



=== TEST 72: fliq_api in a location given by a regular expression
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    location ~ ^/v1/ {
        fliq_api;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_api" directive is not allowed in



=== TEST 73: fliq_api in a named location
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    location @fliq {
        fliq_api;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_api" directive is not allowed in



=== TEST 74: fliq_api outside of a location
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_api;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_api" directive is not allowed here



=== TEST 75: fliq_database in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_database "dbname=x";
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_database" directive is not allowed here



=== TEST 76: fliq_dispatcher in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_dispatcher on;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_dispatcher" directive is not allowed here



=== TEST 77: fliq_target_allow in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_target_allow 10.0.0.0/8;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_target_allow" directive is not allowed here



=== TEST 78: fliq_retry in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_retry base=1s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_retry" directive is not allowed here



=== TEST 79: fliq_timeout in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_timeout 1s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_timeout" directive is not allowed here



=== TEST 80: fliq_max_body in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_max_body 1k;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_max_body" directive is not allowed here



=== TEST 81: fliq_user_agent in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_user_agent x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_user_agent" directive is not allowed here



=== TEST 82: fliq_webhook_timeout 99ms
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_webhook_timeout 99ms;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_webhook_timeout" must be from 100ms to 5m



=== TEST 83: fliq_webhook_timeout 301s
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_webhook_timeout 301s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_webhook_timeout" must be from 100ms to 5m



=== TEST 84: fliq_webhook_timeout x
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_webhook_timeout x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
fliq_webhook_timeout



=== TEST 85: fliq_webhook_timeout in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_webhook_timeout 1s;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_webhook_timeout" directive is not allowed here



=== TEST 86: an encryption key
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/hex.key;
--- request
GET /health?deep=1
--- response_body_like: "ok"



=== TEST 87: two encryption keys
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/hex.key;
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/base64.key;
--- request
GET /health?deep=1
--- response_body_like: "ok"



=== TEST 88: an encryption key that its group reads
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/group.key;
--- request
GET /health?deep=1
--- response_body_like: "ok"
--- error_log
[warn]
can be read by its group



=== TEST 89: three encryption keys
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/hex.key;
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/base64.key;
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/other.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_encryption_key" directive is given more than twice



=== TEST 90: one encryption key twice
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/hex.key;
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/same.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
same.key" is given twice



=== TEST 91: an encryption key that everybody reads
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/world.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
world.key" can be read by everybody



=== TEST 92: an encryption key that its group writes
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/written.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
written.key" can be written by others



=== TEST 93: an encryption key's file that is too short
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/short.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
short.key" is not 32 bytes in hex or base64 on one line



=== TEST 94: an encryption key's file that has two lines
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/long.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
long.key" is not 32 bytes in hex or base64 on one line



=== TEST 95: an encryption key's file that has too much
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/huge.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
huge.key" is not 32 bytes in hex or base64 on one line



=== TEST 96: an encryption key's file that is empty
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/empty.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
empty.key" is not 32 bytes in hex or base64 on one line



=== TEST 97: an encryption key that is not there
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/none.key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
none.key" cannot be opened (2: No such file



=== TEST 98: an encryption key that is a directory
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
/" is not a regular file



=== TEST 99: fliq_encryption_key without a file
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
invalid number of arguments in "fliq_encryption_key"



=== TEST 100: fliq_encryption_key in a server
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
--- config
    fliq_encryption_key x;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_encryption_key" directive is not allowed here



=== TEST 101: an encryption key that does not encrypt
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key plain;
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/hex.key;
--- request
GET /health?deep=1
--- response_body_like: "ok"



=== TEST 102: "plain" behind an encryption key
--- http_config
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_encryption_key $TEST_NGINX_FLIQ_KEYS/hex.key;
    fliq_encryption_key plain;
--- must_die
--- suppress_stderr
--- error_log
[emerg]
"fliq_encryption_key" directive has "plain" behind a key
