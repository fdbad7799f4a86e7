/*
 * fliq_sign: digests and signatures known elsewhere, tokens and secrets.
 *
 * The source is included: the vectors of RFC 4231 fit no request.
 */

#include "unit.h"

#include "../../src/core/fliq_sign.c"


#define SECRET  "whsec_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd"


static void
expect_hex(const uint8_t *digest, const char *hex)
{
    int   i;
    char  text[2 * FLIQ_SHA256_SIZE + 1];

    for (i = 0; i < FLIQ_SHA256_SIZE; i++) {
        (void) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }

    assert_string_equal(text, hex);
}


/* The examples of FIPS 180. */
static void
test_sha256(void **state)
{
    char        *million;
    uint8_t      digest[FLIQ_SHA256_SIZE];
    fliq_str_t   none = { 0, NULL };

    (void) state;

    assert_int_equal(fliq_sha256(digest, unit_str("abc")), 0);
    expect_hex(digest, "ba7816bf8f01cfea414140de5dae2223"
                       "b00361a396177a9cb410ff61f20015ad");

    assert_int_equal(fliq_sha256(digest, none), 0);
    expect_hex(digest, "e3b0c44298fc1c149afbf4c8996fb924"
                       "27ae41e4649b934ca495991b7852b855");

    assert_int_equal(fliq_sha256(digest, unit_str(
                         "abcdbcdecdefdefgefghfghighijhijk"
                         "ijkljklmklmnlmnomnopnopq")), 0);
    expect_hex(digest, "248d6a61d20638b8e5c026930c3e6039"
                       "a33ce45964ff2167f6ecedd419db06c1");

    million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    assert_int_equal(fliq_sha256(digest, unit_bytes(million, 1000000)), 0);
    expect_hex(digest, "cdc76e5c9914fb9281a1c7e284d73e67"
                       "f1809a48a497200e046d39ccc7112cd0");
    free(million);
}


/* RFC 4231, each text cut in three at every place. */
static void
test_hmac(void **state)
{
    size_t      i, a, b;
    char        key[131], data[50];
    uint8_t     digest[FLIQ_SHA256_SIZE];
    fliq_str_t  text, parts[3];

    struct {
        const char    *key;
        size_t         klen;
        const char    *data;
        size_t         dlen;
        const char    *hex;
    } cases[] = {
        { "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
          "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20, "Hi There", 8,
          "b0344c61d8db38535ca8afceaf0bf12b"
          "881dc200c9833da726e9376c2e32cff7" },
        { "Jefe", 4, "what do ya want for nothing?", 28,
          "5bdcc146bf60754e6a042426089575c7"
          "5a003f089d2739839dec58b964ec3843" },
        { key, 20, data, 50,
          "773ea91e36800e46854db8ebd09181a7"
          "2959098b3ef8c122d9635514ced565fe" },
        { key, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
          54, "60e431591ee0b67f0d8a26aacbf5b77f"
              "8e0bc6213728c5140546040f0ee37f54" }
    };

    (void) state;

    memset(key, 0xaa, sizeof(key));
    memset(data, 0xdd, sizeof(data));

    for (i = 0; i < unit_count(cases); i++) {
        for (a = 0; a <= cases[i].dlen; a++) {
            for (b = a; b <= cases[i].dlen; b++) {
                text = unit_bytes(cases[i].data, cases[i].dlen);

                parts[0].data = text.data;
                parts[0].len = a;
                parts[1].data = text.data + a;
                parts[1].len = b - a;
                parts[2].data = text.data + b;
                parts[2].len = text.len - b;

                assert_int_equal(fliq_sign_hmac(digest,
                                     unit_bytes(cases[i].key, cases[i].klen),
                                     parts, 3), 0);
                expect_hex(digest, cases[i].hex);
            }
        }
    }
}


/* Worked out with Python's hmac. */
static void
test_sign(void **state)
{
    char        out[FLIQ_SIGNATURE_TEXT], *big;
    fliq_str_t  secret = fliq_str(SECRET), none = { 0, NULL };

    (void) state;

    assert_int_equal(fliq_sign(out, secret, 1769851800, unit_str("POST"),
                               unit_str("https://example.com/hook?a=1"),
                               unit_str("{\"n\":1}")), 0);
    assert_string_equal(out, "v1=4ee7d38e24966f43bd0109b95711515a"
                             "09c41db774069db11c0a9e272cbec31d");
    assert_int_equal(strlen(out) + 1, FLIQ_SIGNATURE_TEXT);

    assert_int_equal(fliq_sign(out, secret, 1769851800, unit_str("GET"),
                               unit_str("https://example.com/"), none), 0);
    assert_string_equal(out, "v1=4be0eb4338f262634d085da8391e64c0"
                             "4588c98b3c808baef147f322cdaca550");

    assert_int_equal(fliq_sign(out, secret, 0, unit_str("PUT"),
                               unit_str("http://a/"),
                               unit_bytes("\0\xff\n.", 4)), 0);
    assert_string_equal(out, "v1=019d99d1975ea5b3bbd79dd7efd9138b"
                             "0515dafeafeeb4241e122f24797346ac");

    assert_int_equal(fliq_sign(out, secret, -1, unit_str("PUT"),
                               unit_str("http://a/"), unit_str("x")), 0);
    assert_string_equal(out, "v1=d1821b11a6de42850fbc7d5b9c6e28da"
                             "2d473ed6ff6ac1cd95c66e0fba0caa80");

    /* an empty key is a key, not the one before */

    assert_int_equal(fliq_sign(out, none, 1, unit_str("POST"),
                               unit_str("http://a/"), unit_str("x")), 0);
    assert_string_equal(out, "v1=9231e6e2e4b5e6a691ea2ef35b4d4f07"
                             "8b1173615a5e9e5364e3ba865c3b540c");

    big = malloc(100000);
    assert_non_null(big);
    memset(big, 'K', 131);
    assert_int_equal(fliq_sign(out, unit_bytes(big, 131), 1,
                               unit_str("POST"), unit_str("http://a/"),
                               unit_str("x")), 0);
    assert_string_equal(out, "v1=274e859c4823b8d128aab85563fdd085"
                             "68e59f74f7048afd3368ce994e4c835f");

    memset(big, 'x', 100000);
    assert_int_equal(fliq_sign(out, unit_str(SECRET), INT64_MIN,
                               unit_str("POST"), unit_str("http://a/"),
                               unit_bytes(big, 100000)), 0);
    assert_string_equal(out, "v1=7cce2393c2ae3428ce85490c9205bdc5"
                             "e36a7ed1f1b9ccd5323d241e53f4ba13");
    free(big);
}


static void
test_crc32(void **state)
{
    (void) state;

    assert_int_equal(fliq_sign_crc32((const uint8_t *) "123456789", 9),
                     0xcbf43926);
    assert_int_equal(fliq_sign_crc32((const uint8_t *) "", 0), 0);
}


/* Worked out with Python's zlib; the third sum begins with zeros. */
static const char *const  tokens[] = {
    "fliq_sk_0123456789ABCDEFGHIJKLMNOPQRSTUVWX0TeJoD",
    "fliq_sk_00000000000000000000000000000000000iqUEf",
    "fliq_sk_ddxmdnIaKAhzxKxYadIFspCAvtI2981xR300FIhm",
    "fliq_sk_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz2Mm4wV"
};


static void
test_token_check(void **state)
{
    int     c;
    char    text[FLIQ_TOKEN_LEN + 2];
    size_t  i, k;

    (void) state;

    assert_int_equal(fliq_token_check(unit_str("")), 0);
    assert_int_equal(fliq_token_check(unit_str("fliq_sk_")), 0);

    for (i = 0; i < unit_count(tokens); i++) {
        assert_int_equal(strlen(tokens[i]), FLIQ_TOKEN_LEN);
        assert_int_equal(fliq_token_check(unit_str(tokens[i])), 1);

        /* each place, each other byte */

        for (k = 0; k < FLIQ_TOKEN_LEN; k++) {
            for (c = 0; c < 256; c++) {
                memcpy(text, tokens[i], FLIQ_TOKEN_LEN);
                text[k] = (char) c;

                if (text[k] != tokens[i][k]
                    && fliq_token_check(unit_bytes(text, FLIQ_TOKEN_LEN)))
                {
                    unit_fail("byte %d at %zu", c, k);
                }
            }
        }

        (void) snprintf(text, sizeof(text), "%s0", tokens[i]);
        assert_int_equal(fliq_token_check(unit_str(text)), 0);
        assert_int_equal(fliq_token_check(unit_bytes(text,
                                                     FLIQ_TOKEN_LEN - 1)), 0);
    }
}


/* A sum that is right does not make up for a letter that is none. */
static void
test_token_alphabet(void **state)
{
    int   c, k;
    char  text[FLIQ_TOKEN_LEN + 1];

    (void) state;

    for (k = 8; k < 42; k++) {
        for (c = 0; c < 256; c++) {
            memcpy(text, tokens[0], sizeof(text));
            text[k] = (char) c;
            fliq_token_sum(text + 42, (const uint8_t *) text + 8);

            if (fliq_token_check(unit_bytes(text, FLIQ_TOKEN_LEN))
                != (c != 0 && strchr(fliq_sign_base62, c) != NULL))
            {
                unit_fail("byte %d at %d", c, k);
            }
        }
    }
}


/* Random parts: of base62, all of it, evenly, never twice. */
static void
test_random(void **state)
{
    int          i, k;
    int          seen[256];
    char         token[FLIQ_TOKEN_LEN + 1], secret[FLIQ_SECRET_LEN + 1];
    char         last[FLIQ_SECRET_LEN + 1];
    const char  *p;

    (void) state;

    memset(seen, 0, sizeof(seen));
    last[0] = '\0';

    for (i = 0; i < 5000; i++) {
        memset(token, 'x', sizeof(token));
        memset(secret, 'x', sizeof(secret));

        assert_int_equal(fliq_token_make(token), 0);
        assert_int_equal(strlen(token), FLIQ_TOKEN_LEN);
        assert_int_equal(fliq_token_check(unit_str(token)), 1);

        assert_int_equal(fliq_secret_make(secret), 0);
        assert_int_equal(strlen(secret), FLIQ_SECRET_LEN);
        assert_memory_equal(secret, FLIQ_SECRET_PREFIX, 6);
        assert_string_not_equal(secret, last);
        memcpy(last, secret, sizeof(last));

        for (k = 0; k < 34; k++) {
            seen[(uint8_t) token[8 + k]]++;
        }

        for (k = 0; k < 40; k++) {
            seen[(uint8_t) secret[6 + k]]++;
        }
    }

    /* 370000 characters: 5968 of each, give or take 77 */

    for (k = 0, i = 0; k < 256; k++) {
        p = k ? strchr(fliq_sign_base62, k) : NULL;

        if (p == NULL) {
            assert_int_equal(seen[k], 0);
            continue;
        }

        assert_in_range(seen[k], 5968 - 600, 5968 + 600);
        i++;
    }

    assert_int_equal(i, 62);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_sign),
        cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_token_check),
        cmocka_unit_test(test_token_alphabet),
        cmocka_unit_test(test_random)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
