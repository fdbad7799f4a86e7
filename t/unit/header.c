/*
 * fliq_header: names, values, methods, and text made valid UTF-8.
 */

#include "unit.h"

#include "fliq_header.h"


static int
check(const char *name, const char *value, const char **why)
{
    *why = "";

    return fliq_header_check(unit_str(name), unit_str(value), why);
}


static void
test_names(void **state)
{
    int          c;
    char         name[3];
    size_t       i;
    const char  *why;

    static const char *const  good[] = {
        "A", "content-type", "Content-Type", "User-Agent", "X-Request-ID",
        "Authorization", "Accept", "Cookie", "1", "!#$%&'*+-.^_`|~",
        "Connections", "Connectio", "X-Connection", "Hos", "Hosts", "X-Host",
        "T", "TEE", "Trailers", "Upgrades", "Expected", "Content-Lengt",
        "Content-Lengths", "Proxy", "Proxyish", "XProxy-A", "X-Fliq",
        "X-Fliqqed", "Y-X-Fliq-A", "Keep-Aliv", "Keep-Alive-2",
        "Transfer-Encoding2", "HTTP2-Setting", "-", "X-Fliq_Attempt"
    };

    static const char *const  reserved[] = {
        "Connection", "connection", "CONNECTION", "cOnNeCtIoN", "Keep-Alive",
        "keep-alive", "Proxy-Connection", "Proxy-Authorization", "proxy-",
        "PROXY-X", "TE", "te", "Te", "Trailer", "trailer",
        "Transfer-Encoding", "TRANSFER-ENCODING", "Upgrade", "upgrade",
        "HTTP2-Settings", "http2-settings", "Content-Length",
        "content-length", "Host", "HOST", "Expect", "expect",
        "X-Fliq-Signature", "x-fliq-attempt", "X-FLIQ-", "X-Fliq-Whatever"
    };

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        if (check(good[i], "v", &why) != 0) {
            unit_fail("\"%s\": %s", good[i], why);
        }
    }

    for (i = 0; i < unit_count(reserved); i++) {
        if (check(reserved[i], "v", &why) != -1) {
            unit_fail("\"%s\" is taken", reserved[i]);
        }

        assert_non_null(strstr(why, "must not set"));
    }

    assert_int_equal(check("", "v", &why), -1);
    assert_non_null(strstr(why, "names of"));

    /* each byte, first and last: RFC 9110's tchar and nothing else */

    for (c = 0; c < 256; c++) {
        int  want = c != 0
                    && strchr("!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ", c) != NULL;

        name[0] = (char) c;
        name[1] = 'q';
        name[2] = (char) c;

        if ((fliq_header_check(unit_bytes(name, 2), unit_str(""), &why) == 0)
            != want
            || (fliq_header_check(unit_bytes(name + 1, 2), unit_str(""), &why)
                == 0) != want)
        {
            unit_fail("byte %d", c);
        }
    }
}


static void
test_values(void **state)
{
    int          c, k, want;
    char         value[5];
    const char  *why;

    (void) state;

    assert_int_equal(check("A", "", &why), 0);
    assert_null(why);
    assert_int_equal(check("A", " a\tb; c=\"d\" ", &why), 0);
    assert_int_equal(check("A", "\xc3\xa9\xff\x80", &why), 0);
    assert_int_equal(check("A", "v\r\nB: c", &why), -1);
    assert_non_null(strstr(why, "control characters"));

    for (c = 0; c < 256; c++) {
        want = (c == '\t' || (c >= 0x20 && c != 0x7f)) ? 0 : -1;

        for (k = 0; k < 5; k++) {
            memset(value, 'a', sizeof(value));
            value[k] = (char) c;

            if (fliq_header_check(unit_str("A"), unit_bytes(value, 5), &why)
                != want)
            {
                unit_fail("byte %d at %d", c, k);
            }
        }
    }
}


static void
test_is(void **state)
{
    (void) state;

    assert_int_equal(fliq_header_is(unit_str("Content-Type"),
                                    "content-type"), 1);
    assert_int_equal(fliq_header_is(unit_str("CONTENT-TYPE"),
                                    "content-type"), 1);
    assert_int_equal(fliq_header_is(unit_str("content-typ"),
                                    "content-type"), 0);
    assert_int_equal(fliq_header_is(unit_str("content-types"),
                                    "content-type"), 0);
    assert_int_equal(fliq_header_is(unit_str("content_type"),
                                    "content-type"), 0);
    assert_int_equal(fliq_header_is(unit_str(""), "content-type"), 0);
    assert_int_equal(fliq_header_is(unit_str(""), ""), 1);
    assert_int_equal(fliq_header_is(unit_str("a"), ""), 0);

    /* "@" and "`" differ in the bit that letters' case is in */

    assert_int_equal(fliq_header_is(unit_str("@"), "`"), 0);
    assert_int_equal(fliq_header_is(unit_str("["), "{"), 0);
}


static void
test_methods(void **state)
{
    size_t       i;
    const char  *method;

    static const struct {
        const char    *text;
        const char    *method;
    } good[] = {
        { "GET", "GET" }, { "get", "GET" }, { "gEt", "GET" },
        { "POST", "POST" }, { "post", "POST" }, { "PUT", "PUT" },
        { "put", "PUT" }, { "PATCH", "PATCH" }, { "patch", "PATCH" },
        { "DELETE", "DELETE" }, { "delete", "DELETE" }, { "HEAD", "HEAD" },
        { "head", "HEAD" }, { "OPTIONS", "OPTIONS" },
        { "options", "OPTIONS" }
    };

    static const char *const  bad[] = {
        "", "G", "GE", "GETT", "XET", " GET", "GET ", "GET\n", "TRACE",
        "CONNECT", "PURGE", "PROPFIND", "POS", "POSTS", "PAT", "OPTION",
        "DELETED", "*"
    };

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        method = NULL;
        assert_int_equal(fliq_method_check(unit_str(good[i].text), &method),
                         0);
        assert_string_equal(method, good[i].method);
    }

    for (i = 0; i < unit_count(bad); i++) {
        if (fliq_method_check(unit_str(bad[i]), &method) != -1) {
            unit_fail("\"%s\" is taken", bad[i]);
        }
    }

    assert_int_equal(fliq_method_check(unit_bytes("GET\0", 4), &method), -1);
}


#define R  "\xef\xbf\xbd"


static void
test_scrub(void **state)
{
    size_t   i, len;
    uint8_t  buf[64];

    static const struct {
        const char    *text;
        const char    *want;
    } cases[] = {
        { "", "" },
        { "plain\r\n\t", "plain\r\n\t" },
        { "\x7f", "\x7f" },
        { "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf" },
        { "\xe0\xa0\x80\xed\x9f\xbf", "\xe0\xa0\x80\xed\x9f\xbf" },
        { "\xee\x80\x80\xef\xbf\xbf", "\xee\x80\x80\xef\xbf\xbf" },
        { "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
          "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
        { "a\xe2\x82\xac\xf0\x9f\x98\x80z", "a\xe2\x82\xac\xf0\x9f\x98\x80z" },

        { "\x80", R },                      /* nothing leads it */
        { "\xbf\xbf", R R },
        { "\xff\xfe", R R },
        { "\xc0\x80", R R },                /* overlong */
        { "\xc1\xbf", R R },
        { "\xe0\x9f\xbf", R R R },
        { "\xf0\x8f\xbf\xbf", R R R R },
        { "\xed\xa0\x80", R R R },          /* surrogates */
        { "\xed\xbf\xbf", R R R },
        { "\xf4\x90\x80\x80", R R R R },    /* above U+10FFFF */
        { "\xf5\x80\x80\x80", R R R R },
        { "\xc3", R },                      /* cut short */
        { "\xe2\x82", R },
        { "\xf0\x9f\x98", R },
        { "\xc3" "A", R "A" },
        { "\xe2\x82" "A", R "A" },
        { "\xf0\x9f\x98" "A", R "A" },
        { "\xe2\xc3\xa9", R "\xc3\xa9" },
        { "\xf0\x9f\xe2\x82\xac", R "\xe2\x82\xac" },
        { "a\xff" "b\xc3\xa9\x80", "a" R "b\xc3\xa9" R }
    };

    (void) state;

    for (i = 0; i < unit_count(cases); i++) {
        len = fliq_utf8_scrub(buf, sizeof(buf), unit_str(cases[i].text));

        if (len != strlen(cases[i].want)
            || memcmp(buf, cases[i].want, len) != 0)
        {
            unit_fail("case %zu: %zu bytes", i, len);
        }
    }

    len = fliq_utf8_scrub(buf, sizeof(buf), unit_bytes("a\0b", 3));
    assert_int_equal(len, 5);
    assert_memory_equal(buf, "a" R "b", 5);
}


/* A character that does not fit is left out, whole. */
static void
test_scrub_room(void **state)
{
    size_t       size, len;
    uint8_t     *buf;
    fliq_str_t   text;

    /* ends of: a, two bytes, three, four, the replacement, z */
    static const size_t  ends[] = { 1, 3, 6, 10, 13, 14 };

    (void) state;

    for (size = 0; size <= 16; size++) {
        size_t  i, want;

        for (i = 0, want = 0; i < unit_count(ends); i++) {
            if (ends[i] <= size) {
                want = ends[i];
            }
        }

        buf = malloc(size ? size : 1);
        assert_non_null(buf);
        text = unit_str("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xffz");

        len = fliq_utf8_scrub(buf, size, text);
        assert_int_equal(len, want);

        free(buf);
    }
}


/* Decode ${n} bytes as strict UTF-8 by code point; 0 when they are not. */
static int
valid(const uint8_t *p, size_t n)
{
    int       k, more;
    size_t    i;
    uint32_t  code;

    static const uint32_t  least[] = { 0, 0x80, 0x800, 0x10000 };

    for (i = 0; i < n; i += (size_t) more + 1) {
        more = (p[i] < 0x80) ? 0 : ((p[i] & 0xe0) == 0xc0) ? 1
               : ((p[i] & 0xf0) == 0xe0) ? 2 : ((p[i] & 0xf8) == 0xf0) ? 3
               : -1;

        if (more < 0 || i + (size_t) more >= n) {
            return 0;
        }

        code = more ? p[i] & (0x3fu >> more) : p[i];

        for (k = 1; k <= more; k++) {
            if ((p[i + (size_t) k] & 0xc0) != 0x80) {
                return 0;
            }

            code = code << 6 | (p[i + (size_t) k] & 0x3f);
        }

        if (code < least[more] || code > 0x10ffff || code == 0
            || (code >= 0xd800 && code <= 0xdfff))
        {
            return 0;
        }
    }

    return 1;
}


static void
test_noise(void **state)
{
    int           i;
    size_t        len;
    uint8_t       buf[64];
    fliq_str_t    text;
    const char   *why;

    (void) state;

    for (i = 0; i < 300000; i++) {
        text = unit_noise("a\x80\x9f\xbf\xc2\xe0\xe2\xed\xf0\xf4\x90", 24);
        len = fliq_utf8_scrub(buf, (size_t) unit_below(65), text);

        assert_true(valid(buf, len));

        /* what is valid already stays as it is */

        if (valid(text.data, text.len)) {
            len = fliq_utf8_scrub(buf, sizeof(buf), text);
            assert_int_equal(len, text.len);
            assert_memory_equal(buf, text.data, len);
        }

        (void) fliq_header_check(text, text, &why);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_is),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_scrub),
        cmocka_unit_test(test_scrub_room),
        cmocka_unit_test(test_noise)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
