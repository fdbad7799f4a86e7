#!/bin/bash
# A tour of the API with nothing but curl: every call that a newcomer makes,
# with what is sent and what comes back.
#
#   FLIQ_URL=http://127.0.0.1:8080 FLIQ_TOKEN=fliq_sk_... examples/tour.sh
#
# OK_URL and BAD_URL are endpoints that answer a GET with 200 and with an
# error; without them the API itself serves.  It ends with status 0 when all
# went as it should, and takes away what it made; jobs stay in the account's
# history.

set -euo pipefail

: "${FLIQ_URL:?the address of the API, such as http://127.0.0.1:8080}"
: "${FLIQ_TOKEN:?a token of an account}"

ok_url=${OK_URL:-$FLIQ_URL/health}
bad_url=${BAD_URL:-$FLIQ_URL/nowhere}


say() {
    printf '\n--- %s\n' "$*"
}


# call STATUS METHOD PATH [BODY]: a request; answer is its body, and another
# status the end of the tour.
call() {
    local status
    local -a curl=(curl -sS --noproxy '*' --max-time 10 -X "$2"
                   -H "Authorization: Bearer $FLIQ_TOKEN"
                   -w '\n%{http_code}')

    [[ -z ${4:-} ]] || curl+=(-H 'Content-Type: application/json' -d "$4")

    printf '\n%s %s %s\n' "$2" "$3" "${4:-}"
    answer=$("${curl[@]}" "$FLIQ_URL$3")
    status=${answer##*$'\n'}
    answer=${answer%$'\n'*}
    printf '%s %s\n' "$status" "$answer"

    if [[ $status != "$1" ]]; then
        echo "tour: $2 $3 was answered with $status, not with $1" >&2
        exit 1
    fi
}


# field NAME: the first string of that name in the answer.
field() {
    grep -o "\"$1\" *: *\"[^\"]*\"" <<< "$answer" | head -n 1 | cut -d '"' -f 4
}


# expect TEXT: the answer has it.
expect() {
    if [[ $answer != *"$1"* ]]; then
        echo "tour: the answer has no $1" >&2
        exit 1
    fi
}


# seconds N: the time so much later, in UTC.
seconds() {
    date -u -d "+$1 seconds" +%Y-%m-%dT%H:%M:%SZ
}


# await JOB STATUS: asks for the job until it has this status.
await() {
    local -i tries

    for (( tries = 0; tries < 150; tries++ )); do
        answer=$(curl -sS --noproxy '*' --max-time 10 "$FLIQ_URL/jobs/$1" \
                      -H "Authorization: Bearer $FLIQ_TOKEN")
        [[ $(field status) != "$2" ]] || break
        sleep 0.2
    done

    call 200 GET "/jobs/$1"
    expect "\"status\":\"$2\""
}


tour_of_jobs() {
    local done_job far_job

    say "A job: one request, at its time"
    call 201 POST /jobs "{\"url\":\"$ok_url\",\"http_method\":\"GET\",
        \"scheduled_at\":\"$(seconds 3)\",\"headers\":{\"X-Shop\":\"7\"}}"
    done_job=$(field id)

    say "Another one, far ahead, is in the list of those that wait"
    call 201 POST /jobs "{\"url\":\"$ok_url\",\"http_method\":\"PUT\",
        \"scheduled_at\":\"$(seconds 86400)\",\"max_retries\":3}"
    far_job=$(field id)
    call 200 GET "/jobs?status=scheduled&limit=50"
    expect "$far_job"

    say "It is cancelled, which can be done once"
    call 204 DELETE "/jobs/$far_job"
    call 409 DELETE "/jobs/$far_job"

    say "By now the first one has been executed"
    await "$done_job" success
    call 200 GET "/jobs/$done_job/executions"
    expect '"status":"success"'
}


tour_of_failures() {
    local job clone

    say "A job whose endpoint answers with an error has failed"
    call 201 POST /jobs "{\"url\":\"$bad_url\",\"http_method\":\"GET\",
        \"scheduled_at\":\"$(seconds 3)\"}"
    job=$(field id)
    await "$job" failed
    call 200 GET "/jobs/$job/executions"
    expect '"status":"failed"'

    say "It is replayed: a clone fires now"
    call 201 POST "/jobs/$job/replay"
    clone=$(field id)
    expect "\"replay_of\":\"$job\""
    await "$clone" failed

    say "What is wrong with a request is said"
    call 400 POST /jobs \
        "{\"url\":\"$ok_url\",\"scheduled_at\":\"2020-01-01T00:00:00Z\"}"
    expect '"code":"invalid_scheduled_at"'
}


tour_of_schedules() {
    local schedule

    say "A schedule: working days at eight (UTC)"
    call 201 POST /schedules "{\"url\":\"$ok_url\",\"cron\":\"0 8 * * 1-5\"}"
    schedule=$(field id)
    expect '"status":"active"'
    call 200 GET "/schedules?limit=50"
    expect "$schedule"

    say "It pauses, goes on, and is gone"
    call 204 POST "/schedules/$schedule/pause"
    call 204 POST "/schedules/$schedule/resume"
    call 204 DELETE "/schedules/$schedule"
}


tour_of_alerts() {
    local channel

    say "A channel that hears of permanent failures; off, and gone"
    call 201 POST /alerts \
        "{\"type\":\"slack\",\"target\":\"$ok_url\",\"name\":\"on-call\"}"
    channel=$(field id)
    call 200 GET /alerts
    expect "$channel"
    call 204 PATCH "/alerts/$channel" '{"enabled": false}'
    call 204 DELETE "/alerts/$channel"
}


tour_of_numbers() {
    say "What has been executed"
    call 200 GET "/stats/jobs?days=7"
    expect '"since_days":7'
    call 200 GET "/stats/usage?days=1"
    expect '"balance":'
}


tour_of_jobs
tour_of_failures
tour_of_schedules
tour_of_alerts
tour_of_numbers

say "That was all"
