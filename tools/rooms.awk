# Who may include whom, which library is seen where, and what must not be
# called.  Reads the .c and .h files of src/ and the
# front door; prints "file:line: what is wrong", exits 1 if anything is.

function complain(what) {
    print FILENAME ":" FNR ": " what
    bad = 1
}

# The room of a file, or of a header by its name.
function room_of(name) {
    if (name ~ /^fliq_sql\.h$/)              { return "store" }
    if (name ~ /^src\//) {
        split(name, path, "/")
        return path[2]
    }
    return (name in home) ? home[name] : "?"
}

BEGIN {
    allowed["core"] = " core "
    allowed["event"] = " event "
    allowed["db"] = " db event core "
    allowed["store"] = " store db core "
    allowed["api"] = " api store core "
    allowed["dispatch"] = " dispatch store event core "
    allowed["ctl"] = " ctl core "
    allowed["module"] = " module api dispatch store db event core "

    library["<libpq-fe.h>"] = " db store "
    library["<curl/curl.h>"] = " dispatch "
    library["<jansson.h>"] = " api "

    # These wait; a worker has no time to.  Names are looked up by the one
    # file that does so on a thread.
    waits = "PQconnectdb|PQconnectdbParams|PQsetdbLogin|PQping|PQpingParams"
    waits = waits "|PQreset|PQexec|PQexecParams|PQprepare|PQexecPrepared"
    waits = waits "|PQdescribePrepared|PQcancel|PQgetCopyData|PQputCopyData"
    waits = waits "|PQfn|curl_easy_perform|curl_multi_wait|curl_multi_poll"
    waits = waits "|gethostbyname|getaddrinfo|sleep|usleep"
    waits = waits "|nanosleep|system|popen|select|poll"

    # These are wrong at any time.
    wrong = "strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca"

    for (i = 1; i < ARGC; i++) {
        name = ARGV[i]
        room = name
        sub(/.*\//, "", name)
        sub(/^src\//, "", room)
        sub(/\/.*/, "", room)
        home[name] = room
    }
}

FNR == 1 {
    room = (FILENAME ~ /^src\//) ? room_of(FILENAME) : "module"
    if (!(room in allowed)) {
        complain("no room for this file: see rooms.awk")
    }
    in_comment = 0
    first = 1
}

# nginx's headers choose the features of libc's (_GNU_SOURCE): whoever comes
# before them decides otherwise.
/^#[ ]*include / {
    if (first && room !~ /^(core|ctl)$/ \
        && $2 !~ /^(<ngx_|"ngx_http_fliq_)/)
    {
        complain("ngx_config.h comes before " $2)
    }
    first = 0
}

/^#[ ]*include "/ {
    split($0, part, "\"")
    other = room_of(part[2])

    if (other == "?") {
        complain("\"" part[2] "\" is not a header of ours")
    } else if (index(allowed[room], " " other " ") == 0) {
        complain(room " must not include " other " (" part[2] ")")
    } else if (part[2] ~ /_private\.h$/ && other != room) {
        complain(part[2] " is private to " other)
    }
}

/^#[ ]*include </ {
    if (($2 in library) && index(library[$2], " " room " ") == 0 \
        && FILENAME !~ /fliq_disp_request\.c$/)
    {
        complain($2 " is not for " room)
    }
    if ($2 ~ /^<ngx_/ && room == "core") {
        complain("core does not know nginx")
    }
    if ($2 ~ /^<openssl\// && room == "core" \
        && FILENAME !~ /fliq_(sign|seal|id)\.c$/)
    {
        complain("of core, only sign, seal and id know libcrypto")
    }
    next
}

# Strings stay for the search for SQL; comments do not count.
{
    line = $0
    if (in_comment) {
        if (!match(line, /\*\//)) {
            next
        }
        line = substr(line, RSTART + 2)
        in_comment = 0
    }
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
    if (match(line, /\/\*/)) {
        line = substr(line, 1, RSTART - 1)
        in_comment = 1
    }
}

line ~ /"(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP|SET) / {
    complain("SQL stands in .sql files, not in C")
}

{
    gsub(/"[^"]*"/, "\"\"", line)

    if (match(line, "(^|[^A-Za-z0-9_>.])(" waits ") ?\\(") \
        && FILENAME !~ /_db_resolve\.c$/)
    {
        complain("a call that waits: " substr(line, RSTART, RLENGTH) ")")
    }

    if (match(line, "(^|[^A-Za-z0-9_>.])(" wrong ") ?\\(")) {
        complain("a call not to be made: " substr(line, RSTART, RLENGTH) ")")
    }
}

END {
    exit bad
}
