# What the parts of the benchmark share: sandboxes, targets, load, samples.
# Sourced by bench/run, bench/instructions and the files in bench/parts.
# shellcheck shell=bash

set -euo pipefail
umask 022

bench=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
repo=$(dirname "$bench")
work=$(readlink -m "${BENCH_DIR:-$repo/build/bench}")
results=$work/results.tsv
part=${0##*/}

if [[ -n ${BENCH_SHORT:-} ]]; then
    defaults=(1 1 2000 20000 200 150)
else
    defaults=(5 5 100000 10000000 512 1500)
fi

rounds=${BENCH_N:-${defaults[0]}}           # samples of each measure
seconds=${BENCH_SECONDS:-${defaults[1]}}    # that a load lasts
jobs=${BENCH_JOBS:-${defaults[2]}}          # that a drain has
rows=${BENCH_ROWS:-${defaults[3]}}          # of history in "scale"
flying=${BENCH_FLYING:-${defaults[4]}}      # calls in flight in "cost"
pace=${BENCH_PACE:-${defaults[5]}}          # creates a second, at the least
processors=$(nproc)
connections=2                               # of a worker: fliq_database's

# What the sandboxes run with; the rest is PostgreSQL's and nginx's default.
export FLIQ_PG_OPTS=${BENCH_PG_OPTS:--c shared_buffers=512MB}
export FLIQ_NO_BUILD=1

endings=()

# What the functions below set.
url='' token='' dsn='' nginx_pid='' postgres_pid='' nginx_conf='' account_id=''
launched='' target='' target_pid='' rate='' p50='' p99='' requests='' base=''
answer='' settled=0 silence='' session_in='' session_out='' session_pid=''


say() {
    echo "bench: $part: $*" >&2
}


die() {
    say "$*"
    exit 1
}


# at_end COMMAND...: when this process ends, the last one first.
at_end() {
    endings+=("$(printf '%q ' "$@")")
}


end_all() {
    local status=$? i

    trap '' INT TERM

    for (( i = ${#endings[@]} - 1; i >= 0; i-- )); do
        eval "${endings[i]}" > /dev/null 2>&1 || true
    done

    (( status == 0 )) || say "failed; its logs are in $work/$part"
    exit "$status"
}


complain() {
    (( BASH_SUBSHELL )) \
        || say "line $1 of ${BASH_SOURCE[1]##*/}: \"${2%%$'\n'*}\" failed"
}


# begin: what every part calls first.
begin() {
    set -E
    trap end_all EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'complain "$LINENO" "$BASH_COMMAND"' ERR

    at_end forget "$work/$part"
    forget "$work/$part"
    rm -rf "${work:?}/$part"
    mkdir -p "$work/$part"
    cd "$work/$part"

    # A pipe that nobody writes to.
    mkfifo silence
    exec {silence}<> silence
    rm silence
}


# The data goes, the logs of a part that failed stay.
forget() {
    [[ ! -L $1/sandbox/state ]] || rm -rf "$(readlink "$1/sandbox/state")"
    rm -rf "$1/sandbox/pg" "$1/sandbox/state" "$1"/pgbench_log.*
}


# measure ID LABEL UNIT VALUE: one sample.  The label says all that a reader
# of the table needs, the id is what bench/goals knows it by.
measure() {
    [[ $4 =~ ^-?[0-9]+(\.[0-9]+)?$ ]] || die "$2: \"$4\" is no number"
    printf '%s\t%s\t%s\t%s\t%s\n' "$part" "$1" "$2" "$3" "$4" >> "$results"
    say "$2: $4 $3"
}


# skip WHY: what this machine cannot show, for the report.
skip() {
    printf '%s\t-\t%s\t\t\n' "$part" "$1" >> "$results"
    say "$1"
}


# calc EXPRESSION [DIGITS]
calc() {
    awk "BEGIN { printf \"%.${2:-2}f\", ($1) }"
}


now() {
    date +%s.%N
}


# wait_until SECONDS COMMAND...: asks every 20 ms, with no process for that:
# beside a drain these would take a twentieth of two processors.
wait_until() {
    local deadline=$(( SECONDS + $1 ))
    shift

    until "$@"; do
        (( SECONDS < deadline )) || die "waited too long for: $*"
        read -r -t 0.02 -u "$silence" || true
    done
}


# sleep_until TIME: seconds since 1970.
sleep_until() {
    local left

    left=$(calc "$1 - $(now)" 3)
    [[ $left == -* ]] || sleep "$left"
}


free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
        LocalAddr => "127.0.0.1", Listen => 1)->sockport'
}


# percentile P FILE: of a file of numbers, one a line.
percentile() {
    sort -n "$2" | awk -v p="$1" '
        { value[NR] = $1 }
        END {
            if (!NR) { exit 1 }
            i = int(NR * p / 100 + 0.999999)
            print value[(i < 1) ? 1 : i]
        }'
}


# --- what is measured


# cpu PID...: seconds used by them, their children, and those that have ended.
cpu() {
    local pid parent

    for parent in "$@"; do
        echo "parent $(cat "/proc/$parent/stat")"

        for pid in $(pgrep -P "$parent"); do
            cat "/proc/$pid/stat" 2> /dev/null || true
        done
    done | awk -v hz="$(getconf CLK_TCK)" -v all=0 '
        {
            whole = /^parent/
            sub(/.*\) /, "")
            all += $12 + $13
            if (whole) { all += $14 + $15 }
        }
        END { printf "%.2f", all / hz }'
}


# private PID: kilobytes of its children that no other process shares.
private() {
    local pid

    for pid in $(pgrep -P "$1"); do
        cat "/proc/$pid/smaps_rollup"
    done | awk '/^Private_/ { sum += $2 } END { print sum }'
}


# Sets the name to the string or number that it has in the JSON in $info.
from_info() {
    printf -v "$1" %s "$(sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" \
        <<< "$info")"
}


# sandbox WORKERS [OPTION]...: a fresh one.  Sets url, token, dsn, account_id,
# nginx_pid, postgres_pid, nginx_conf.
sandbox() {
    local workers=$1 info name port
    shift

    forget "$work/$part"
    rm -rf sandbox
    port=$(free_port)

    info=$("$repo/bin/fliq-sandbox" start --dir sandbox --port "$port" \
        --workers "$workers" "$@" 2> sandbox.log | tail -n 1) \
        || die "no sandbox: $(tail -n 3 sandbox.log)"
    at_end "$repo/bin/fliq-sandbox" stop --dir "$PWD/sandbox"

    for name in url token account dsn nginx_pid postgres_pid nginx_conf; do
        from_info "$name"
    done

    account_id=$(sql "SELECT id FROM fliq.accounts")
    [[ $(sql "SHOW fsync")$(sql "SHOW synchronous_commit") == onon ]] \
        || die "the database is not durable"

    # One session that can be asked again and again at next to no cost.
    coproc SESSION { exec psql -X -q -A -t "$dsn" 2>> sandbox.log; }
    exec {session_in}>&"${SESSION[1]}" {session_out}<&"${SESSION[0]}"
    session_pid=$SESSION_PID
    at_end kill "$session_pid"
}


# ask QUERY: in that session.  Sets answer, one line.
ask() {
    printf '%s;\n' "$1" >&"$session_in"
    read -r -t 60 answer <&"$session_out" || die "no answer to: $1"
}


sandbox_stop() {
    printf '\\q\n' >&"$session_in"
    wait "$session_pid"
    exec {session_in}>&- {session_out}<&-
    "$repo/bin/fliq-sandbox" stop --dir "$PWD/sandbox" 2>> sandbox.log

    ! grep -E '\[(alert|emerg|crit)\]' sandbox/logs/error.log >&2 \
        || die "nginx's log says so"
}


sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 "$dsn" -c "$1"
}


# As the superuser, whom the socket lets in.
admin() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 "${dsn/user=fliq/user=postgres}" \
        -c "$1"
}


# sql_file FILE [NAME=VALUE]...
sql_file() {
    local file=$1 set
    local -a sets=()
    shift

    for set in "$@"; do
        sets+=(-v "$set")
    done

    psql -X -q -A -t -v ON_ERROR_STOP=1 -v account="$account_id" \
        "${sets[@]}" "$dsn" -f "$bench/sql/$file"
}


# The bytes of the database.
database_size() {
    sql "SELECT pg_database_size(current_database())"
}


# Whatever the last step left to write is not the next one's to pay for.
settle() {
    admin CHECKPOINT
}


# launch DIR: an nginx of its own from DIR/nginx.conf, the same binary with
# the same sanitizer as the sandbox's.  It is no daemon, so that its number is
# known at once.  Sets launched.
launch() {
    local -a settings

    mapfile -d '' settings < <(grep -zE '^(LD_PRELOAD|ASAN_OPTIONS)=' \
        "/proc/$nginx_pid/environ")

    env "${settings[@]}" "$(readlink "/proc/$nginx_pid/exe")" -p "$1" \
        -c "$1/nginx.conf" -e "$1/error.log" -g 'daemon off;' \
        > "$1/out" 2>&1 < /dev/null &
    launched=$!
    at_end kill "$launched"
    wait_until 10 test -s "$1/nginx.pid"
}


# target LOG|off: an nginx that answers 200 to all, noting when in LOG.  Sets
# target, target_pid.
target() {
    local port log=off

    mkdir -p target
    rm -f target/nginx.pid
    [[ $1 == off ]] || log="$PWD/$1 due buffer=64k flush=100ms"
    port=$(free_port)

    sed "s|@DIR@|$PWD/target|; s|@PORT@|$port|; s|@LOG@|$log|" \
        "$bench/target.conf.in" > target/nginx.conf

    launch "$PWD/target"
    target_pid=$launched
    target=http://127.0.0.1:$port
    wait_until 10 curl -fs --noproxy '*' -o /dev/null "$target/"
}


# --- load


# load NAME CLIENTS PATH [NAME=VALUE]...: wrk with bench/lua/NAME.lua for
# $seconds, or until its requests have ended.  Sets requests, rate, p50, p99
# (milliseconds).  Any answer but 2xx is a failure.
load() {
    local script=$1 clients=$2 path=$3 lasts=${load_seconds:-$seconds}
    local threads out errors
    shift 3

    threads=$(( clients < processors ? clients : processors ))
    [[ $script != due ]] || threads=1

    out=$(env TOKEN="$token" TARGET="${target:-http://127.0.0.1:9}" "$@" \
        timeout -k 5 "$(( lasts + 300 ))" wrk -t "$threads" -c "$clients" \
        -d "${lasts}s" --timeout 30s \
        -s "$bench/lua/$script.lua" "$url$path") \
        || die "wrk failed: $out"

    out=$(grep -o 'RESULT .*' <<< "$out") || die "wrk said no result"
    read -r _ requests rate p50 p99 errors <<< "$out"
    (( errors == 0 )) || die "$errors of $requests requests failed"
    (( requests > 0 )) || die "no request was answered"
}


# due COUNT STEP CLIENTS: create COUNT jobs, due STEP microseconds apart, the
# first one when all are created and a moment has passed.  Sets base.
due() {
    base=$(( $(date +%s) + 3 + $1 / pace ))
    load_seconds=120 load due "$3" /jobs COUNT="$1" STEP="$2" BASE="$base"
    [[ $(calc "$base - $(now) > 0.5" 0) == 1 ]] \
        || die "creating $1 jobs took too long"
}


arrived() {
    (( $(grep -c /due/ requests.log) >= $1 ))
}


# lateness ID LABEL COUNT: of the requests to due jobs in requests.log, of
# which COUNT come, and which it forgets.
lateness() {
    wait_until 60 arrived "$3"
    awk 'sub("/due/", "", $2) {
             printf "%.3f\n", ($1 - $2 / 1e6) * 1000
         }' requests.log > late
    (( $(wc -l < late) == $3 )) || die "$2: more requests than jobs"

    measure "$1.p50" "$2: p50" ms "$(percentile 50 late)"
    measure "$1.p99" "… p99" ms "$(percentile 99 late)"
    measure "$1.max" "… max" ms "$(percentile 100 late)"

    : > requests.log
}


# pgbench_load SCRIPT CLIENTS [OPTION]...: the same for a script of pgbench.
pgbench_load() {
    local script=$1 clients=$2 threads out
    shift 2

    threads=$(( clients < processors ? clients : processors ))
    rm -f pgbench_log.*

    out=$(timeout -k 5 600 pgbench -n -M prepared -c "$clients" \
        -j "$threads" -T "$seconds" -l -f "$bench/sql/$script" \
        -D account="$account_id" "$@" "$dsn" 2>&1) \
        || die "pgbench failed: $out"

    rate=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' <<< "$out")
    cat pgbench_log.* | cut -d ' ' -f 3 > latencies
    p50=$(calc "$(percentile 50 latencies) / 1000" 3)
    p99=$(calc "$(percentile 99 latencies) / 1000" 3)
    rm -f pgbench_log.*
}


# --- drains


# Sets settled, the executions that are recorded.
count_settled() {
    ask "SELECT coalesce(sum(executions), 0) FROM fliq.usage_daily"
    settled=$answer
}


executed() {
    count_settled
    (( settled >= $1 ))
}


# drain COUNT SET: load COUNT jobs by SQL that are all due at one moment, wait
# until the outcome of each is durable.  SET (0-999) tells loads apart.
# Sets rate, the jobs a second from that moment on.  Runs $at_due just before.
drain() {
    local count=$1 lead due ended before

    for lead in 3 10 30; do
        count_settled
        before=$settled
        due=$(( $(date +%s) + lead + count / 20000 ))
        sql_file load_due.sql set="$2$(( lead % 9 ))" count="$count" \
            due="$due" url="$target/hooks/orders"
        settle
        [[ $(calc "$due - $(now) > 0.3" 0) == 0 ]] || break

        say "loading took too long, once more"
        wait_until 120 executed "$(( before + count ))"
    done

    sleep_until "$(calc "$due - 0.1" 3)"
    ${at_due:-:}
    sleep_until "$due"
    wait_until "$(( 60 + count / 200 ))" executed "$(( before + count ))"
    ended=$(now)

    rate=$(calc "$count / ($ended - $due)" 1)
    count_settled
    (( settled == before + count )) || die "more executions than jobs"
}
