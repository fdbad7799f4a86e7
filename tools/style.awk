# The style of nginx's C code, as far as lines can show it.  clang-format
# cannot hold it (two spaces between type and name, a pointer's star in the
# column of the names), so that its check would fight every good line.
#
# Reads .c and .h files; prints "file:line: what is wrong", exits 1 if any.

function complain(what) {
    print FILENAME ":" FNR ": " what
    bad = 1
}

# A line without the text in its strings, characters and comments.
function code_of(line,    before, rest) {
    gsub(/\\./, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    gsub(/'[^']*'/, "''", line)

    if (in_comment) {
        if (!match(line, /\*\//)) {
            return ""
        }
        line = substr(line, RSTART + 2)
        in_comment = 0
    }

    while (match(line, /\/\*/)) {
        before = substr(line, 1, RSTART - 1)
        rest = substr(line, RSTART + 2)
        if (!match(rest, /\*\//)) {
            in_comment = 1
            return before
        }
        line = before substr(rest, RSTART + 2)
    }

    return line
}

function end_file() {
    if (lines > 900) {
        print file ": longer than 900 lines"
        bad = 1
    }
    if (blank) {
        print file ": ends with a blank line"
        bad = 1
    }
}

FNR == 1 {
    if (file) {
        end_file()
    }
    file = FILENAME
    in_comment = 0
    body = 0
    blank = 0
    after_body = 0
    macro = 0
}

{
    lines = FNR
    code = code_of($0)
    sub(/[ ]+$/, "", code)
}

/^$/ {
    blank++
    if (blank == 3) {
        complain("more than two blank lines")
    }
    next
}

length($0) > 79      { complain("longer than 79 columns") }
code ~ /\/\//        { complain("// comment") }
/TODO|FIXME|XXX/     { complain("unfinished: " $0) }

macro || code ~ /^#/ {
    macro = /\\$/
    blank = 0
    after_body = 0
    next
}

# The end of a function, and what must follow it.
after_body && blank != 2 && code !~ /^#/ {
    complain("two blank lines after a function")
}

{ after_body = 0 }

body && code == "}" {
    if (FNR - body > 150) {
        complain("function of more than 150 lines")
    }
    body = 0
    after_body = 1
}

code == "{" {
    if (blank) {
        complain("blank line before a function's brace")
    }
    body = FNR
}

!body && code ~ /^[a-z].*\) *\{$/ {
    complain("a function's brace is on its own line")
}

!body && code ~ /^static [a-z].*[a-z_]\(.*\)$/ && code !~ /[;=]/ {
    complain("a function's type is on its own line")
}

body && code ~ /(^|[^a-z_])(if|for|while|switch)\(/ {
    complain("no space before a parenthesis")
}

body && code ~ /^ +(if|for|while) \(.*\) [a-z_]+.*;$/ && code !~ /\{/ {
    complain("a branch has braces and lines of its own")
}

code ~ /^ *else/ {
    complain("else is on the line of the brace")
}

code ~ /\)\{|else\{|do\{/   { complain("no space before a brace") }
code ~ /[^ ] +;$/         { complain("space before a semicolon") }
code ~ /\( +[^ ]|[^ ] +\)/ && code !~ /for \(/ {
    complain("space inside parentheses")
}
code ~ /,[^ ]/            { complain("no space after a comma") }
code ~ /[a-z_]\* +[a-z]/ && code !~ /[)0-9]\* / {
    complain("a pointer's star stands at the name")
}

{ blank = 0 }

END {
    end_file()
    exit bad
}
