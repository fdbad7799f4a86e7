/*
 * fliq_seal: the cipher's known answers, keys in each form, and that nothing
 * but what was sealed opens.
 *
 * The source is included: the known answers have nonces of their own.
 */

#include "unit.h"

#include "../../src/core/fliq_seal.c"


#define HEX_KEY  "000102030405060708090a0b0c0d0e0f"                          \
                 "101112131415161718191a1b1c1d1e1f"
#define OTHER_KEY  "ff0102030405060708090a0b0c0d0e0f"                        \
                   "101112131415161718191a1b1c1d1e1f"
#define B64_KEY  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


static const fliq_id_t  alice = { { 1, 2, 3 } };
static const fliq_id_t  bob = { { 1, 2, 4 } };

static const fliq_seal_kind_e  kinds[] = {
    FLIQ_SEAL_HEADERS, FLIQ_SEAL_WEBHOOK_HEADERS, FLIQ_SEAL_BODY,
    FLIQ_SEAL_SECRET
};


/* The bytes of some hex, in a view as unit_bytes() makes it. */
static fliq_str_t
from_hex(const char *hex)
{
    size_t      n;
    uint8_t    *bytes;
    fliq_str_t  view;

    n = strlen(hex) / 2;
    bytes = calloc(1, n + 1);
    assert_non_null(bytes);
    assert_int_equal(fliq_seal_unhex(bytes, (const uint8_t *) hex, n), 0);
    view = unit_bytes(bytes, n);
    free(bytes);

    return view;
}


static void
expect_bytes(const uint8_t *bytes, const char *hex)
{
    fliq_str_t  wanted;

    wanted = from_hex(hex);
    assert_memory_equal(bytes, wanted.data, wanted.len);
}


static fliq_seal_ring_t
ring_of(const char *one, const char *other)
{
    const char        *why;
    fliq_seal_ring_t   ring;

    memset(&ring, 0, sizeof(ring));
    assert_int_equal(fliq_seal_key(&ring.keys[0], unit_str(one), &why), 0);
    ring.n = 1;

    if (other) {
        assert_int_equal(fliq_seal_key(&ring.keys[1], unit_str(other), &why),
                         0);
        ring.n = 2;
    }

    return ring;
}


/* Test cases 13 to 16 of the GCM specification given to NIST. */
static void
test_gcm(void **state)
{
    size_t      i;
    uint8_t     out[64], back[64], tag[FLIQ_SEAL_TAG];
    fliq_str_t  key, iv, aad, plain, sealed;

#define KEY   "feffe9928665731c6d6a8f9467308308"
#define ZERO  "00000000000000000000000000000000"
#define TEXT  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d"      \
              "8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"      \
              "ba637b39"
#define DATA  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd"      \
              "2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"      \
              "bcc9f662"

    static const struct {
        const char  *key, *iv, *aad, *plain, *sealed, *tag;
    } cases[] = {
        { ZERO ZERO, "000000000000000000000000", "", "", "",
          "530f8afbc74536b9a963b4f1c4cb738b" },
        { ZERO ZERO, "000000000000000000000000", "", ZERO,
          "cea7403d4d606b6e074ec5d3baf39d18",
          "d0d1c8a799996bf0265b98b5d48ab919" },
        { KEY KEY, "cafebabefacedbaddecaf888", "", TEXT "1aafd255",
          DATA "898015ad", "b094dac5d93471bdec1a502270e3cc6c" },
        { KEY KEY, "cafebabefacedbaddecaf888",
          "feedfacedeadbeeffeedfacedeadbeefabaddad2", TEXT, DATA,
          "76fc6ece0f4e1768cddf8853bb2d551b" }
    };

    (void) state;

    for (i = 0; i < unit_count(cases); i++) {
        key = from_hex(cases[i].key);
        iv = from_hex(cases[i].iv);
        aad = from_hex(cases[i].aad);
        plain = from_hex(cases[i].plain);

        assert_int_equal(fliq_seal_crypt(1, key.data, iv.data, aad, plain,
                                         out, tag), FLIQ_SEAL_OPENED);
        expect_bytes(out, cases[i].sealed);
        expect_bytes(tag, cases[i].tag);

        sealed.data = out;
        sealed.len = plain.len;
        assert_int_equal(fliq_seal_crypt(0, key.data, iv.data, aad, sealed,
                                         back, tag), FLIQ_SEAL_OPENED);
        assert_memory_equal(back, plain.data, plain.len);

        tag[15] ^= 1;
        assert_int_equal(fliq_seal_crypt(0, key.data, iv.data, aad, sealed,
                                         back, tag), FLIQ_SEAL_BROKEN);
    }
}


/* The examples of the specification of XAES-256-GCM: one whose mask carries
   and one whose does not. */
static void
test_xaes(void **state)
{
    uint8_t     key[FLIQ_SEAL_KEY], out[12], tag[FLIQ_SEAL_TAG];
    fliq_str_t  nonce, plain, none = { 0, NULL };

    (void) state;

    nonce = unit_str("ABCDEFGHIJKLMNOPQRSTUVWX");
    plain = unit_str("XAES-256-GCM");

    memset(key, 1, sizeof(key));
    assert_int_equal(fliq_seal_xaes(1, key, nonce.data, none, plain, out,
                                    tag), FLIQ_SEAL_OPENED);
    expect_bytes(out, "ce546ef63c9cc60765923609");
    expect_bytes(tag, "b33a9a1974e96e52daf2fcf7075e2271");

    memset(key, 3, sizeof(key));
    assert_int_equal(fliq_seal_xaes(1, key, nonce.data,
                                    unit_str("c2sp.org/XAES-256-GCM"), plain,
                                    out, tag), FLIQ_SEAL_OPENED);
    expect_bytes(out, "986ec1832593df5443a17943");
    expect_bytes(tag, "7fd083bf3fdb41abd740a21f71eb769d");
}


/* RFC 4648, section 10, and texts that stand for nothing. */
static void
test_base64(void **state)
{
    size_t   i, n;
    uint8_t  out[16];

    static const char *const  pairs[][2] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" }, { "\xfb\xff", "+/8=" }
    };

    static const char *const  wrong[] = {
        "Z", "Zg", "Zg=", "Zm8", "Zh==", "Zm9=", "Zg===", "Z===", "====",
        "Zm=v", "Zm9v\n", " Zm9v", "Zm9-", "Zm9_", "Zm 9v", "Zm8=Zm8="
    };

    (void) state;

    for (i = 0; i < unit_count(pairs); i++) {
        n = fliq_seal_encode(out, unit_str(pairs[i][0]).data,
                             strlen(pairs[i][0]));
        assert_int_equal(n, strlen(pairs[i][1]));
        assert_memory_equal(out, pairs[i][1], n);

        assert_int_equal(fliq_seal_decode(out, unit_str(pairs[i][1]), 1),
                         strlen(pairs[i][0]));
        assert_memory_equal(out, pairs[i][0], strlen(pairs[i][0]));
    }

    for (i = 0; i < unit_count(wrong); i++) {
        assert_int_equal(fliq_seal_decode(out, unit_str(wrong[i]), 1), -1);
    }
}


/* The id was worked out with sha256sum. */
static void
test_key(void **state)
{
    size_t            i;
    const char       *why;
    fliq_seal_key_t   key;

    static const char *const  good[] = {
        HEX_KEY, HEX_KEY "\n", " \t" HEX_KEY "\r\n\n", B64_KEY, B64_KEY "\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
    };

    static const char *const  bad[] = {
        "", "\n", "0", HEX_KEY "0", HEX_KEY "00", HEX_KEY " " HEX_KEY,
        "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH-8="
    };

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        memset(&key, 0xee, sizeof(key));
        assert_int_equal(fliq_seal_key(&key, unit_str(good[i]), &why), 0);
        expect_bytes(key.key, HEX_KEY);
        assert_string_equal(key.id_text, "09f9226592129af5");
    }

    for (i = 0; i < unit_count(bad); i++) {
        assert_int_equal(fliq_seal_key(&key, unit_str(bad[i]), &why), -1);
        assert_string_equal(why, "is not 32 bytes in hex or base64 on one "
                                 "line");
    }

    assert_int_equal(fliq_seal_key(&key, unit_bytes("\0", 1), &why), -1);
}


/* What is sealed opens, in buffers of no more than the promised sizes. */
static void
test_round(void **state)
{
    size_t             i, n;
    uint8_t           *buf, *back;
    fliq_str_t         plain, sealed, opened;
    fliq_seal_ring_t   ring, turned;
    char               text[400], id[FLIQ_SEAL_ID_TEXT];

    (void) state;

    ring = ring_of(HEX_KEY, NULL);
    turned = ring_of(OTHER_KEY, HEX_KEY);
    memset(text, 'x', sizeof(text));

    for (i = 0; i < unit_count(kinds); i++) {
        for (n = 0; n < sizeof(text); n++) {
            plain = unit_bytes(text, n);
            buf = malloc(fliq_seal_size(kinds[i], n));
            assert_non_null(buf);

            assert_int_equal(fliq_seal(&ring.keys[0], kinds[i], &alice, plain,
                                       buf, &sealed), 0);
            assert_true(sealed.len <= fliq_seal_size(kinds[i], n));
            assert_int_equal(fliq_seal_is(kinds[i], sealed), 1);

            fliq_seal_id(kinds[i], sealed, id);
            assert_string_equal(id, ring.keys[0].id_text);

            sealed = unit_bytes(sealed.data, sealed.len);
            back = malloc(sealed.len);
            assert_non_null(back);

            assert_int_equal(fliq_seal_open(n % 2 ? &ring : &turned, kinds[i],
                                            &alice, sealed, back, &opened),
                             FLIQ_SEAL_OPENED);
            assert_int_equal(opened.len, n);
            assert_memory_equal(opened.data, text, n);

            free(back);
            free(buf);
        }
    }
}


/* No two are alike, and what is plain never looks sealed. */
static void
test_forms(void **state)
{
    size_t             i;
    uint8_t            one[400], two[400];
    fliq_str_t         first, second;
    fliq_seal_ring_t   ring;
    char               id[FLIQ_SEAL_ID_TEXT];

    (void) state;

    ring = ring_of(B64_KEY, NULL);

    for (i = 0; i < unit_count(kinds); i++) {
        assert_int_equal(fliq_seal(&ring.keys[0], kinds[i], &alice,
                                   unit_str("{}"), one, &first), 0);
        assert_int_equal(fliq_seal(&ring.keys[0], kinds[i], &alice,
                                   unit_str("{}"), two, &second), 0);
        assert_int_equal(first.len, second.len);
        assert_memory_not_equal(first.data, second.data, first.len);

        if (kinds[i] != FLIQ_SEAL_BODY) {
            assert_memory_equal(first.data, "sealed:1:", 9);
            assert_memory_equal(first.data + 9, ring.keys[0].id_text, 16);
        }
    }

    assert_int_equal(fliq_seal_is(FLIQ_SEAL_HEADERS, unit_str("{}")), 0);
    assert_int_equal(fliq_seal_is(FLIQ_SEAL_HEADERS, unit_str("sealed")), 0);
    assert_int_equal(fliq_seal_is(FLIQ_SEAL_HEADERS, unit_str("sealed:2:")),
                     1);
    assert_int_equal(fliq_seal_is(FLIQ_SEAL_BODY, unit_str("")), 0);
    assert_int_equal(fliq_seal_is(FLIQ_SEAL_BODY, unit_str("sealed:1:")), 0);
    assert_int_equal(fliq_seal_is(FLIQ_SEAL_BODY, unit_str("\xff")), 1);

    fliq_seal_id(FLIQ_SEAL_HEADERS, unit_str("sealed:2:00"), id);
    assert_string_equal(id, "?");
    fliq_seal_id(FLIQ_SEAL_BODY, unit_str("\xff\x02 eight by"), id);
    assert_string_equal(id, "?");
}


/* open_sealed(...): what comes of it; nothing may be left of what did not. */
static fliq_seal_rc_e
open_sealed(const fliq_seal_ring_t *ring, fliq_seal_kind_e kind,
    const fliq_id_t *account, fliq_str_t sealed)
{
    uint8_t         *buf;
    fliq_str_t       plain = { 0, NULL };
    fliq_seal_rc_e   rc;

    buf = calloc(1, sealed.len ? sealed.len : 1);
    assert_non_null(buf);

    rc = fliq_seal_open(ring, kind, account, sealed, buf, &plain);

    if (rc != FLIQ_SEAL_OPENED) {
        assert_null(plain.data);
        assert_null(memmem(buf, sealed.len, "canary", 6));
    }

    free(buf);

    return rc;
}


/* Another account, kind or key; each bit flipped; each length cut to. */
static void
test_tampered(void **state)
{
    size_t             i, k, n;
    uint8_t            buf[400];
    fliq_str_t         sealed, copy;
    fliq_seal_rc_e     rc;
    fliq_seal_ring_t   ring, other, none = { 0, 0, { { { 0 }, { 0 }, "" } } };

    (void) state;

    ring = ring_of(HEX_KEY, NULL);
    other = ring_of(OTHER_KEY, NULL);

    for (i = 0; i < unit_count(kinds); i++) {
        assert_int_equal(fliq_seal(&ring.keys[0], kinds[i], &alice,
                                   unit_str("{\"a\":\"canary\"}"), buf,
                                   &sealed), 0);

        assert_int_equal(open_sealed(&ring, kinds[i], &alice, sealed),
                         FLIQ_SEAL_OPENED);
        assert_int_equal(open_sealed(&ring, kinds[i], &bob, sealed),
                         FLIQ_SEAL_BROKEN);
        assert_int_equal(open_sealed(&other, kinds[i], &alice, sealed),
                         FLIQ_SEAL_NO_KEY);
        assert_int_equal(open_sealed(&none, kinds[i], &alice, sealed),
                         FLIQ_SEAL_NO_KEY);

        for (k = 0; k < unit_count(kinds); k++) {
            if (k != i) {
                assert_int_equal(open_sealed(&ring, kinds[k], &alice, sealed),
                                 FLIQ_SEAL_BROKEN);
            }
        }

        for (n = 0; n < 8 * sealed.len; n++) {
            copy = unit_bytes(sealed.data, sealed.len);
            copy.data[n / 8] ^= (uint8_t) (1 << n % 8);
            rc = open_sealed(&ring, kinds[i], &alice, copy);

            if (rc != FLIQ_SEAL_BROKEN && rc != FLIQ_SEAL_NO_KEY) {
                /* the case of a hex digit of the key's id is nobody's */
                assert_true(kinds[i] != FLIQ_SEAL_BODY && n % 8 == 5
                            && n / 8 >= 9 && n / 8 < 25);
            }
        }

        for (n = 0; n < sealed.len; n++) {
            assert_int_equal(open_sealed(&ring, kinds[i], &alice,
                                         unit_bytes(sealed.data, n)),
                             FLIQ_SEAL_BROKEN);
        }
    }
}


/* A value that is too long, and keys of one id, which only a key can tell. */
static void
test_limits(void **state)
{
    uint8_t            buf[400];
    fliq_str_t         sealed, big = { (1ul << 30) + 1, NULL };
    fliq_seal_ring_t   ring, twin;

    (void) state;

    ring = ring_of(HEX_KEY, NULL);
    assert_int_equal(fliq_seal(&ring.keys[0], FLIQ_SEAL_BODY, &alice, big,
                               buf, &sealed), -1);

    twin = ring;
    twin.keys[0].key[0] ^= 1;
    assert_int_equal(fliq_seal(&ring.keys[0], FLIQ_SEAL_BODY, &alice,
                               unit_str("x"), buf, &sealed), 0);
    assert_int_equal(open_sealed(&twin, FLIQ_SEAL_BODY, &alice, sealed),
                     FLIQ_SEAL_BROKEN);

    fliq_seal_end();
    assert_int_equal(open_sealed(&ring, FLIQ_SEAL_BODY, &alice, sealed),
                     FLIQ_SEAL_OPENED);
    fliq_seal_end();
    fliq_seal_end();
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_gcm),
        cmocka_unit_test(test_xaes),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_limits)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
