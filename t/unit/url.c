/*
 * fliq_url: what is a URL to dial, and the lane it belongs to.
 */

#include "unit.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include "fliq_url.h"


static const struct {
    const char    *text;
    unsigned       https;
    const char    *host;
    uint16_t       port;
    int            literal;
} good[] = {
    { "http://example.com", 0, "example.com", 80, 0 },
    { "https://example.com", 1, "example.com", 443, 0 },
    { "HTTPS://Example.COM/", 1, "Example.COM", 443, 0 },
    { "hTtP://example.com/", 0, "example.com", 80, 0 },
    { "http://example.com:8080/a/b?c=d#e", 0, "example.com", 8080, 0 },
    { "http://example.com:1", 0, "example.com", 1, 0 },
    { "http://example.com:65535", 0, "example.com", 65535, 0 },
    { "http://example.com:00080/", 0, "example.com", 80, 0 },
    { "http://example.com?x=http://u:p@y/", 0, "example.com", 80, 0 },
    { "http://example.com#@[", 0, "example.com", 80, 0 },
    { "http://example.com/@:99999/%zz\\|<>\"{}^`", 0, "example.com", 80, 0 },
    { "http://example.com/\xc3\xa9?\xff", 0, "example.com", 80, 0 },
    { "http://example.com/a/../../b/./c", 0, "example.com", 80, 0 },
    { "http://example.com//", 0, "example.com", 80, 0 },
    { "http://example.com:9999/!", 0, "example.com", 9999, 0 },
    { "http://example.com./", 0, "example.com.", 80, 0 },
    { "http://a_b.example-c.com/", 0, "a_b.example-c.com", 80, 0 },
    { "http://_srv.example/", 0, "_srv.example", 80, 0 },
    { "http://localhost:3000/", 0, "localhost", 3000, 0 },
    { "http://xn--bcher-kva.example/", 0, "xn--bcher-kva.example", 80, 0 },
    { "http://1.2.3.4.example/", 0, "1.2.3.4.example", 80, 0 },
    { "http://foo.1/", 0, "foo.1", 80, 0 },
    { "http://8.8.8.8:80/", 0, "8.8.8.8", 80, 1 },
    { "http://127.1/", 0, "127.1", 80, 1 },
    { "http://2130706433", 0, "2130706433", 80, 1 },
    { "http://0x7f.0.0.1./", 0, "0x7f.0.0.1.", 80, 1 },
    { "https://[::1]/", 1, "::1", 443, 1 },
    { "https://[2001:db8::1]:8443?x", 1, "2001:db8::1", 8443, 1 },
    { "http://[::ffff:127.0.0.1]#", 0, "::ffff:127.0.0.1", 80, 1 }
};


static const struct {
    const char    *text;
    const char    *why;             /* a part of the reason */
} bad[] = {
    { "", "absolute http" },
    { "/", "absolute http" },
    { "//example.com/", "absolute http" },
    { "example.com", "absolute http" },
    { "example.com:80/", "absolute http" },
    { "http", "absolute http" },
    { "http:", "absolute http" },
    { "http:/", "absolute http" },
    { "http:example.com", "absolute http" },
    { "http:/127.0.0.1/", "absolute http" },
    { "https:/example.com/", "absolute http" },
    { "http:\\\\example.com/", "absolute http" },
    { "http:/\\example.com/", "absolute http" },
    { "httpx://example.com/", "absolute http" },
    { "httpss://example.com/", "absolute http" },
    { "ttp://example.com/", "absolute http" },
    { "xttp://example.com/", "absolute http" },
    { "http:/xexample.com/", "absolute http" },
    { "file:///etc/passwd", "absolute http" },
    { "ftp://example.com/", "absolute http" },
    { "gopher://example.com/", "absolute http" },
    { "javascript:alert(1)", "absolute http" },
    { "\xef\xbb\xbfhttp://example.com/", "absolute http" },

    { "http://", "a host after" },
    { "https://", "a host after" },
    { "http:///", "a host after" },
    { "http:////example.com/", "a host after" },
    { "http://?x", "a host after" },
    { "http://#x", "a host after" },
    { "http://:80/", "a host after" },
    { "http://[]/", "a host after" },

    { " http://example.com/", "spaces or control" },
    { "http://example.com/ ", "spaces or control" },
    { "http://example.com/a b", "spaces or control" },
    { "http://exa mple.com/", "spaces or control" },
    { "http://example.com/\t", "spaces or control" },
    { "\thttp://example.com/", "spaces or control" },
    { "ht\ttp://example.com/", "spaces or control" },
    { "http://exam\tple.com/", "spaces or control" },
    { "http://example.com/\r\nX: y", "spaces or control" },
    { "http://example.com\n", "spaces or control" },
    { "http://example.com/\x7f", "spaces or control" },
    { "http://example.com/\x01", "spaces or control" },
    { "http://example.com/#\x1f", "spaces or control" },

    { "http://user@example.com/", "user or a password" },
    { "http://user:pass@example.com/", "user or a password" },
    { "http://@example.com/", "user or a password" },
    { "http://:@example.com/", "user or a password" },
    { "http://example.com@127.0.0.1/", "user or a password" },
    { "http://example.com:80@127.0.0.1/", "user or a password" },
    { "http://example.com\\@127.0.0.1/", "user or a password" },
    { "http://a@b@c/", "user or a password" },

    { "http://example.com:/", "port of 1 to 65535" },
    { "http://example.com:", "port of 1 to 65535" },
    { "http://example.com:0/", "port of 1 to 65535" },
    { "http://example.com:65536/", "port of 1 to 65535" },
    { "http://example.com:99999/", "port of 1 to 65535" },
    { "http://example.com:000080/", "port of 1 to 65535" },
    { "http://example.com:4294967376/", "port of 1 to 65535" },
    { "http://example.com:-1/", "port of 1 to 65535" },
    { "http://example.com:+80/", "port of 1 to 65535" },
    { "http://example.com:8o/", "port of 1 to 65535" },
    { "http://example.com:80:80/", "port of 1 to 65535" },
    { "http://example.com:http/", "port of 1 to 65535" },
    { "http://[::1]80/", "port of 1 to 65535" },
    { "http://[::1]:/", "port of 1 to 65535" },
    { "http://[::1].example/", "port of 1 to 65535" },
    { "http://[::1]]/", "port of 1 to 65535" },
    { "http://::1/", "a host after" },
    { "http://a:b:80/", "port of 1 to 65535" },
    { "http://2001:db8::1/", "port of 1 to 65535" },

    { "http://b\xc3\xbc" "cher.example/", "in ASCII" },
    { "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "in ASCII" },
    { "http://127\343\200\2020.0.1/", "in ASCII" },
    { "http://example.com\xff/", "in ASCII" },
    { "http://example.com\x80/", "in ASCII" },

    { "http://%31%32%37.0.0.1/", "percent-encoded" },
    { "http://127.0.0.1%00.example.com/", "percent-encoded" },
    { "http://example%2ecom/", "percent-encoded" },
    { "http://%/", "percent-encoded" },
    { "http://[fe80::1%25eth0]/", "percent-encoded" },
    { "http://[fe80::1%eth0]/", "percent-encoded" },

    { "http://[::1/", "between the brackets" },
    { "http://[127.0.0.1]/", "between the brackets" },
    { "http://[example.com]/", "between the brackets" },
    { "http://[::g]/", "between the brackets" },
    { "http://[1:2:3:4:5:6:7:8:9]/", "between the brackets" },
    { "http://[v1.fe80::a]/", "between the brackets" },
    { "http://[[::1]]/", "between the brackets" },

    { "http://256.256.256.256/", "valid IP address" },
    { "http://1.2.3.4.5/", "valid IP address" },
    { "http://4294967296/", "valid IP address" },
    { "http://0x/", "valid IP address" },
    { "http://08.1/", "valid IP address" },
    { "http://./", "valid IP address" },
    { "http://1..2/", "valid IP address" },

    { "http://a..b/", "single dots" },
    { "http://.example.com/", "single dots" },
    { "http://example.com../", "single dots" },
    { "http://exa$mple.com/", "single dots" },
    { "http://exa|mple.com/", "single dots" },
    { "http://example.com\\/", "single dots" },
    { "http://example.com\\.evil/", "single dots" },
    { "http://::1]/", "a host after" },
    { "http://]/", "single dots" },
    { "http://a]/", "single dots" },
    { "http://a[::1]/", "single dots" },
    { "http://*.example.com/", "single dots" },
    { "http://exam;ple/", "single dots" },
    { "http://{a,b}.example/", "single dots" },
    { "http://[a-z].example/", "between the brackets" },
    { "http://'example'/", "single dots" }
};


static void
test_parse(void **state)
{
    size_t       i;
    fliq_str_t   text;
    fliq_url_t   url;
    const char  *why;

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        text = unit_str(good[i].text);

        if (fliq_url_parse(text, &url, &why) != 0) {
            unit_fail("\"%s\": %s", good[i].text, why);
        }

        assert_int_equal(url.https, good[i].https);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.literal, good[i].literal);
        assert_int_equal(url.host.len, strlen(good[i].host));
        assert_memory_equal(url.host.data, good[i].host, url.host.len);
        assert_true(url.host.data > text.data);
    }
}


static void
test_refuse(void **state)
{
    size_t       i;
    fliq_url_t   url;
    const char  *why;

    (void) state;

    for (i = 0; i < unit_count(bad); i++) {
        why = NULL;

        if (fliq_url_parse(unit_str(bad[i].text), &url, &why) != -1) {
            unit_fail("\"%s\" is taken", bad[i].text);
        }

        if (why == NULL || strstr(why, bad[i].why) == NULL) {
            unit_fail("\"%s\": %s", bad[i].text, why ? why : "(no reason)");
        }
    }

    assert_int_equal(fliq_url_parse(unit_bytes("http://example.com/\0a", 21),
                                    &url, &why), -1);
    assert_int_equal(fliq_url_parse(unit_bytes("http://a\0b/", 11), &url,
                                    &why), -1);
}


/* Parse "http://" and ${n} characters that ${pattern} repeats. */
static int
host_of(const char *pattern, int n, const char *end, const char **why)
{
    int         i, len;
    char        text[512];
    fliq_url_t  url;

    len = snprintf(text, sizeof(text), "http://");

    for (i = 0; i < n; i++) {
        text[len++] = pattern[(size_t) i % strlen(pattern)];
    }

    (void) snprintf(text + len, sizeof(text) - (size_t) len, "%s", end);

    return fliq_url_parse(unit_str(text), &url, why);
}


static void
test_lengths(void **state)
{
    char         text[FLIQ_URL_MAX + 2];
    fliq_url_t   url;
    const char  *why;

    (void) state;

    /* labels */

    assert_int_equal(host_of("a", 63, ".com", &why), 0);
    assert_int_equal(host_of("a", 64, ".com", &why), -1);
    assert_non_null(strstr(why, "63 between"));
    assert_int_equal(host_of("a", 63, ".", &why), 0);
    assert_int_equal(host_of("a", 64, ".", &why), -1);

    /* names */

    assert_int_equal(host_of("abcdefghi.", 250, "com", &why), 0);
    assert_int_equal(host_of("abcdefghi.", 250, "com.", &why), 0);
    assert_int_equal(host_of("abcdefghi.", 250, "info", &why), -1);
    assert_non_null(strstr(why, "253 bytes"));
    assert_int_equal(host_of("abcdefghi.", 250, "info.", &why), -1);

    /* all of it */

    memset(text, 'a', sizeof(text));
    memcpy(text, "http://h/", 9);

    assert_int_equal(fliq_url_parse(unit_bytes(text, FLIQ_URL_MAX), &url,
                                    &why), 0);
    assert_int_equal(fliq_url_parse(unit_bytes(text, FLIQ_URL_MAX + 1), &url,
                                    &why), -1);
    assert_non_null(strstr(why, "2048"));
}


/* Each byte within a name. */
static void
test_name_bytes(void **state)
{
    int          c, want;
    char         text[] = "http://x_x";
    fliq_url_t   url;
    const char  *why;

    (void) state;

    for (c = 0; c < 256; c++) {
        want = c != 0 && strchr("abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_./?#", c) != NULL;
        text[8] = (char) c;

        if ((fliq_url_parse(unit_bytes(text, 10), &url, &why) == 0) != want) {
            unit_fail("byte %d", c);
        }
    }
}


/* The address of a literal is there to be judged. */
static void
test_judge(void **state)
{
    size_t       i;
    fliq_url_t   url;
    const char  *why;

    static const char *const  inside[] = {
        "http://127.0.0.1/", "http://127.1/", "http://0x7f.1/",
        "http://2130706433/", "http://017700000001/", "http://0/",
        "http://127.0.0.1./", "http://169.254.169.254/latest",
        "http://[::1]/", "http://[::]/", "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
        "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://10.1/",
        "http://3232235777/", "http://0300.0250.1.1/"
    };

    (void) state;

    for (i = 0; i < unit_count(inside); i++) {
        assert_int_equal(fliq_url_parse(unit_str(inside[i]), &url, &why), 0);
        assert_int_equal(url.literal, 1);

        if (fliq_addr_allowed(NULL, &url.addr)) {
            unit_fail("\"%s\" may be dialled", inside[i]);
        }
    }

    assert_int_equal(fliq_url_parse(unit_str("http://134744072/"), &url,
                                    &why), 0);
    assert_int_equal(fliq_addr_allowed(NULL, &url.addr), 1);
}


static int32_t
lane(const char *text)
{
    fliq_url_t   url;
    const char  *why;

    if (fliq_url_parse(unit_str(text), &url, &why) != 0) {
        unit_fail("\"%s\": %s", text, why);
    }

    return fliq_url_lane(&url);
}


static void
test_lane(void **state)
{
    int       i;
    char      text[64];
    int32_t   one;
    uint32_t  seen;

    (void) state;

    one = lane("http://example.com/");

    assert_int_equal(lane("http://EXAMPLE.com:80/other?x#y"), one);
    assert_int_equal(lane("HTTP://example.com."), one);
    assert_int_not_equal(lane("https://example.com:80/"), one);
    assert_int_not_equal(lane("http://example.com:81/"), one);
    assert_int_not_equal(lane("http://example.com:336/"), one);
    assert_int_not_equal(lane("http://example.org/"), one);
    assert_int_not_equal(lane("http://a.example.com/"), one);

    one = lane("http://127.0.0.1/");

    assert_int_equal(lane("http://127.1/"), one);
    assert_int_equal(lane("http://0x7f000001./"), one);
    assert_int_equal(lane("http://[::ffff:127.0.0.1]/"), one);
    assert_int_not_equal(lane("http://127.0.0.2/"), one);
    assert_int_not_equal(lane("http://128.0.0.1/"), one);
    assert_int_not_equal(lane("http://[2001:db8::1]/"),
                         lane("http://[2001:db8::2]/"));
    assert_int_not_equal(lane("http://[::127.0.0.1]/"), one);
    assert_int_equal(lane("http://[::1]/"), lane("http://[0:0:0::0:1]/"));

    /* it is stored: it may not change from one release to the next */

    assert_int_equal(lane("https://example.com/"), 1024428805);

    /* 31 bits, all in use */

    for (i = 0, seen = 0; i < 200; i++) {
        (void) snprintf(text, sizeof(text), "http://h%d.example/", i);
        one = lane(text);
        assert_true(one >= 0);
        seen |= (uint32_t) one;
    }

    assert_int_equal(seen, 0x7fffffff);
}


/* Fail unless libcurl, which will dial ${text}, sees the same host in it. */
static void
same_as_curl(fliq_str_t text, const fliq_url_t *url)
{
    char         *host, *port, copy[256], want[256];
    CURLU        *handle;
    fliq_addr_t   a;

    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    handle = curl_url();
    assert_non_null(handle);

    if (curl_url_set(handle, CURLUPART_URL, copy, 0) != CURLUE_OK) {
        curl_url_cleanup(handle);
        return;
    }

    host = NULL;
    port = NULL;
    (void) curl_url_get(handle, CURLUPART_HOST, &host, 0);
    (void) curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);

    if (host == NULL || port == NULL || atoi(port) != url->port) {
        unit_fail("\"%s\": port %s of %s", copy, port, host);
    }

    if (url->literal) {
        if (fliq_addr_literal(unit_str(host), &a) != 1
            || memcmp(&a, &url->addr, sizeof(a)) != 0)
        {
            unit_fail("\"%s\": address %s", copy, host);
        }

    } else {
        memcpy(want, url->host.data, url->host.len);
        want[url->host.len] = '\0';

        if (strcasecmp(host, want) != 0
            || inet_pton(AF_INET, host, want) == 1)
        {
            unit_fail("\"%s\": host %s", copy, host);
        }
    }

    curl_free(host);
    curl_free(port);
    curl_url_cleanup(handle);
}


static void
test_as_curl(void **state)
{
    size_t       i;
    fliq_str_t   text;
    fliq_url_t   url;
    const char  *why;

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        text = unit_str(good[i].text);
        assert_int_equal(fliq_url_parse(text, &url, &why), 0);
        same_as_curl(text, &url);
    }
}


static void
test_noise(void **state)
{
    int           i, taken;
    uint8_t       buf[128];
    fliq_str_t    text;
    fliq_url_t    url;
    const char   *why;

    (void) state;

    taken = 0;

    for (i = 0; i < 300000; i++) {
        text = unit_noise("abx0179:..[]//?#@%-_", 30);

        memcpy(buf, "http://", 7);
        memcpy(buf + 7, text.data, text.len);
        text = unit_bytes(buf + (i % 8 == 0), text.len + 7 - (i % 8 == 0));
        why = NULL;

        if (fliq_url_parse(text, &url, &why) != 0) {
            assert_non_null(why);
            continue;
        }

        taken++;
        assert_true(url.host.len > 0);
        assert_true(url.host.data >= text.data + 7);
        assert_true(url.host.data + url.host.len <= text.data + text.len);
        assert_true(fliq_url_lane(&url) >= 0);
        same_as_curl(text, &url);
    }

    assert_true(taken > 1000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_name_bytes),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_lane),
        cmocka_unit_test(test_as_curl),
        cmocka_unit_test(test_noise)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
