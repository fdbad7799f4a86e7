# Turn .sql files into C.
#
#   awk -v header=1 -f embed.awk sql/*.sql                       > fliq_sql.h
#   awk -f embed.awk sql/*.sql sql/migrations/*.sql              > fliq_sql.c
#
# sql/NAME.sql becomes the statement fliq_sql_NAME, with its number of
# parameters ($1, $2, ...); a file of migrations/ an entry of
# fliq_sql_migrations, which also records itself; they are numbered 1, 2, 3
# and so on, or the result does not compile.  The comment at the top of a file
# stays out of the text that the server parses.

function finish() {
    if (name == "") {
        return
    }

    if (migration) {
        text = text "\n    \"INSERT INTO fliq.schema_migrations" \
               " (version, name) VALUES (" (name + 0) ", '" name "');\\n\""
        migrations = migrations "    { " (name + 0) ", \"" name "\",\n" \
                     text " },\n"

        if (name + 0 != ++nmigrations) {
            statements = statements "#error \"" name " should have the" \
                         " number " nmigrations "\"\n\n"
        }

    } else {
        statements = statements \
                     "const ngx_http_fliq_db_statement_t  fliq_sql_" name \
                     " = {\n    " nnames + 0 ", \"" name "\",\n" text \
                     ",\n    " nparams "\n};\n\n"
        list = list "    &fliq_sql_" name ",\n"
        names[nnames++] = name
    }
}

FNR == 1 {
    finish()
    name = FILENAME
    migration = name ~ /\/migrations\//
    sub(/.*\//, "", name)
    sub(/\.sql$/, "", name)
    text = ""
    nparams = 0
    top = 1
}

top && /^--/ {
    next
}

{
    top = 0
    line = $0

    while (match(line, /\$[0-9]+/)) {
        n = substr(line, RSTART + 1, RLENGTH - 1) + 0

        if (n > nparams) {
            nparams = n
        }

        line = substr(line, RSTART + RLENGTH)
    }

    line = $0
    gsub(/\\/, "\\\\", line)
    gsub(/"/, "\\\"", line)
    text = text (text == "" ? "" : "\n") "    \"" line "\\n\""
}

END {
    finish()
    print "/* Generated from src/store/sql by src/store/embed.awk. */\n"

    if (!header) {
        print "#include <stddef.h>\n#include \"fliq_sql.h\"\n\n"
        print statements
        print "const ngx_http_fliq_db_statement_t  *fliq_sql_statements[] = {"
        print list "    NULL\n};\n"
        print "const fliq_sql_migration_t  fliq_sql_migrations[] = {"
        print migrations "    { 0, NULL, NULL }\n};"
        exit
    }

    print "#ifndef FLIQ_SQL_H\n#define FLIQ_SQL_H\n"
    print "#include \"ngx_http_fliq_db.h\"\n"
    printf "#define FLIQ_SQL_STATEMENTS  %d\n\n", nnames
    print "typedef struct {\n    int            version;\n" \
          "    const char    *name;\n    const char    *text;\n" \
          "} fliq_sql_migration_t;\n"

    for (i = 0; i < nnames; i++) {
        print "extern const ngx_http_fliq_db_statement_t  fliq_sql_" \
              names[i] ";"
    }

    print "\nextern const ngx_http_fliq_db_statement_t" \
          "  *fliq_sql_statements[];"
    print "\n/* In their order; the last one has version 0. */"
    print "extern const fliq_sql_migration_t  fliq_sql_migrations[];"
    print "\n#endif"
}
