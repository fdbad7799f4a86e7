/*
 * fliq-seal: what fliqctl pipes values through that are encrypted at rest,
 * since neither psql nor the openssl command can do AES-GCM.
 *
 *   fliq-seal id FILE              print the id of the key in FILE
 *   fliq-seal seal FILE [FILE]     seal with the first key what is plain or
 *                                  was sealed with another
 *   fliq-seal plain FILE [FILE]    open what is sealed
 *
 * The latter read and write lines of PostgreSQL's COPY (text format):
 *
 *   account uuid, headers, webhook_headers, body, secret, and anything else
 *
 * each value as a bytea in hex or \N.  What has nothing to change, or does
 * not open, becomes \N.  The status is 1 when something did not open, 2 when
 * nothing could be done.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fliq_seal.h"


#define FLIQ_RESEAL_VALUES  4


typedef struct {
    fliq_seal_ring_t    ring;
    int                 plain;      /* 1: open, 0: seal */
    unsigned long       closed;     /* values that did not open */
} fliq_reseal_t;


static const char  fliq_reseal_hex[] = "0123456789abcdef";

/* In the order of the columns. */
static const fliq_seal_kind_e  fliq_reseal_kinds[FLIQ_RESEAL_VALUES] = {
    FLIQ_SEAL_HEADERS, FLIQ_SEAL_WEBHOOK_HEADERS, FLIQ_SEAL_BODY,
    FLIQ_SEAL_SECRET
};


static int
fliq_reseal_complain(const char *what, const char *why)
{
    (void) fprintf(stderr, "fliq-seal: %s %s\n", what, why);

    return -1;
}


/* Add the key in a file to the ring. */
static int
fliq_reseal_key(fliq_seal_ring_t *ring, const char *path)
{
    int          rc;
    FILE        *in;
    uint8_t      bytes[1024];
    fliq_str_t   text;
    const char  *why;

    in = fopen(path, "rb");
    if (in == NULL) {
        return fliq_reseal_complain(path, "cannot be opened");
    }

    text.data = bytes;
    text.len = fread(bytes, 1, sizeof(bytes), in);
    (void) fclose(in);

    rc = fliq_seal_key(&ring->keys[ring->n], text, &why);
    if (rc != 0) {
        return fliq_reseal_complain(path, why);
    }

    ring->n++;

    return 0;
}


/* The value of a hex digit, or -1. */
static int
fliq_reseal_digit(char c)
{
    const char  *p;

    p = c ? strchr(fliq_reseal_hex, c) : NULL;

    return p ? (int) (p - fliq_reseal_hex) : -1;
}


/* Read hex, whatever "-" there is in it, in its place. */
static int
fliq_reseal_unhex(char *text, size_t len, fliq_str_t *bytes)
{
    int     digit;
    size_t  i, n;

    bytes->data = (uint8_t *) text;
    n = 0;

    for (i = 0; i < len; i++) {
        if (text[i] == '-') {
            continue;
        }

        digit = fliq_reseal_digit(text[i]);
        if (digit == -1) {
            return -1;
        }

        bytes->data[n / 2] = (uint8_t) (n % 2 ? bytes->data[n / 2] | digit
                                              : digit << 4);
        n++;
    }

    bytes->len = n / 2;

    return n % 2 ? -1 : 0;
}


static void
fliq_reseal_put(fliq_str_t value)
{
    size_t  i;

    (void) fputs("\\\\x", stdout);

    for (i = 0; i < value.len; i++) {
        (void) putchar(fliq_reseal_hex[value.data[i] >> 4]);
        (void) putchar(fliq_reseal_hex[value.data[i] & 0x0f]);
    }
}


/*
 * Open a value if it is sealed.  ${buf} has room for it.  Return 0, or -1
 * when it does not open.
 */
static int
fliq_reseal_open(fliq_reseal_t *reseal, fliq_seal_kind_e kind,
    const fliq_id_t *account, uint8_t *buf, fliq_str_t *value)
{
    fliq_str_t  plain;

    if (!fliq_seal_is(kind, *value)) {
        return 0;
    }

    if (fliq_seal_open(&reseal->ring, kind, account, *value, buf, &plain)
        != FLIQ_SEAL_OPENED)
    {
        reseal->closed++;
        return -1;
    }

    *value = plain;

    return 0;
}


/* One value of a line.  Return 0, or -1 when the line is none. */
static int
fliq_reseal_value(fliq_reseal_t *reseal, fliq_seal_kind_e kind,
    const fliq_id_t *account, char *field)
{
    int         rc;
    uint8_t    *opened, *sealed;
    fliq_str_t  value;

    if (strcmp(field, "\\N") == 0) {
        (void) fputs("\\N", stdout);
        return 0;
    }

    if (strncmp(field, "\\\\x", 3) != 0
        || fliq_reseal_unhex(field + 3, strlen(field + 3), &value) != 0)
    {
        return -1;
    }

    opened = malloc(value.len + 1);
    sealed = malloc(fliq_seal_size(kind, value.len));
    rc = opened && sealed ? 0 : -1;

    if (rc == 0
        && fliq_reseal_open(reseal, kind, account, opened, &value) != 0)
    {
        (void) fputs("\\N", stdout);

    } else if (rc == 0) {

        if (!reseal->plain) {
            rc = fliq_seal(&reseal->ring.keys[0], kind, account, value,
                           sealed, &value);
        }

        fliq_reseal_put(value);
    }

    free(opened);
    free(sealed);

    return rc;
}


/* Return 0, or -1 when it is not a line of the form above. */
static int
fliq_reseal_line(fliq_reseal_t *reseal, char *line)
{
    int          i;
    char        *field, *rest;
    fliq_id_t    account;
    fliq_str_t   bytes;

    rest = line;
    field = strsep(&rest, "\t");

    (void) printf("%s", field);

    if (fliq_reseal_unhex(field, strlen(field), &bytes) != 0
        || bytes.len != FLIQ_ID_SIZE)
    {
        return -1;
    }

    memcpy(account.bytes, bytes.data, FLIQ_ID_SIZE);

    for (i = 0; i < FLIQ_RESEAL_VALUES; i++) {
        field = strsep(&rest, "\t");

        (void) putchar('\t');

        if (field == NULL
            || fliq_reseal_value(reseal, fliq_reseal_kinds[i], &account,
                                 field) != 0)
        {
            return -1;
        }
    }

    (void) printf("\t%s", rest ? rest : "");

    return 0;
}


static int
fliq_reseal_lines(fliq_reseal_t *reseal)
{
    int      rc;
    char    *line;
    size_t   size;
    ssize_t  len;

    line = NULL;
    size = 0;
    rc = 0;

    while (rc == 0 && (len = getline(&line, &size, stdin)) > 0) {

        if (memchr(line, '\0', (size_t) len) != NULL
            || fliq_reseal_line(reseal, line) != 0)
        {
            rc = fliq_reseal_complain("stdin", "has a line that is none");
        }
    }

    free(line);

    if (rc == 0 && (ferror(stdin) || fflush(stdout) != 0)) {
        rc = fliq_reseal_complain("a pipe", "broke");
    }

    return rc;
}


static int
fliq_reseal_usage(void)
{
    (void) fprintf(stderr, "usage: fliq-seal id FILE\n"
                           "       fliq-seal seal|plain FILE [FILE]\n");
    return 2;
}


int
main(int argc, char **argv)
{
    int            i;
    fliq_reseal_t  reseal;

    memset(&reseal, 0, sizeof(fliq_reseal_t));

    if (argc < 3 || argc > 2 + FLIQ_SEAL_KEYS) {
        return fliq_reseal_usage();
    }

    for (i = 2; i < argc; i++) {
        if (fliq_reseal_key(&reseal.ring, argv[i]) != 0) {
            return 2;
        }
    }

    if (strcmp(argv[1], "id") == 0 && argc == 3) {
        (void) printf("%s\n", reseal.ring.keys[0].id_text);
        return 0;
    }

    reseal.plain = strcmp(argv[1], "plain") == 0;

    if (!reseal.plain && strcmp(argv[1], "seal") != 0) {
        return fliq_reseal_usage();
    }

    if (fliq_reseal_lines(&reseal) != 0) {
        return 2;
    }

    return reseal.closed ? 1 : 0;
}
