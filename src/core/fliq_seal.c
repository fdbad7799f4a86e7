/*
 * fliq_seal: values at rest.  The contracts are in fliq_seal.h.
 */

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "fliq_seal.h"


#define FLIQ_SEAL_VERSION   1
#define FLIQ_SEAL_MARK      "sealed:"       /* of texts, any version */
#define FLIQ_SEAL_TEXT      "sealed:1:"

#define FLIQ_SEAL_NONCE     24
#define FLIQ_SEAL_TAG       16
#define FLIQ_SEAL_BLOCK     16
#define FLIQ_SEAL_MAX       (1 << 30)

/* What stands before nonce, ciphertext and tag. */
#define FLIQ_SEAL_BODY_HEAD  (2 + FLIQ_SEAL_ID)
#define FLIQ_SEAL_TEXT_HEAD                                                   \
    (sizeof(FLIQ_SEAL_TEXT) - 1 + 2 * FLIQ_SEAL_ID + 1)


/*
 * The contexts of the process, keyed anew for each value: looking the ciphers
 * up costs more than using them.
 */
static EVP_CIPHER_CTX  *fliq_seal_ecb;
static EVP_CIPHER_CTX  *fliq_seal_gcm;

static const char  fliq_seal_hex[] = "0123456789abcdef";
static const char  fliq_seal_base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of each ASCII character as a digit of base64; 64: it is none. */
static const uint8_t  fliq_seal_digits[128] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
    64,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64
};


static EVP_CIPHER_CTX *
fliq_seal_context(EVP_CIPHER_CTX **ctx, const char *name)
{
    EVP_CIPHER  *cipher;

    if (*ctx != NULL) {
        return *ctx;
    }

    cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    *ctx = EVP_CIPHER_CTX_new();

    if (cipher == NULL || *ctx == NULL
        || EVP_CipherInit_ex2(*ctx, cipher, NULL, NULL, 1, NULL) != 1)
    {
        EVP_CIPHER_CTX_free(*ctx);
        *ctx = NULL;
    }

    EVP_CIPHER_free(cipher);

    return *ctx;
}


void
fliq_seal_end(void)
{
    EVP_CIPHER_CTX_free(fliq_seal_ecb);
    EVP_CIPHER_CTX_free(fliq_seal_gcm);
    fliq_seal_ecb = NULL;
    fliq_seal_gcm = NULL;
}


/* The key of one value: XAES-256-GCM, which is CMAC in the counter mode of
   SP 800-108 over the nonce's first half. */
static int
fliq_seal_derive(const uint8_t *key, const uint8_t *nonce, uint8_t *derived)
{
    int              i, n, carry;
    uint8_t          in[2 * FLIQ_SEAL_BLOCK], mask[FLIQ_SEAL_BLOCK];
    EVP_CIPHER_CTX  *ctx;

    ctx = fliq_seal_context(&fliq_seal_ecb, "AES-256-ECB");
    memset(in, 0, sizeof(in));

    if (ctx == NULL
        || EVP_CipherInit_ex2(ctx, NULL, key, NULL, 1, NULL) != 1
        || EVP_CIPHER_CTX_set_padding(ctx, 0) != 1
        || EVP_CipherUpdate(ctx, mask, &n, in, FLIQ_SEAL_BLOCK) != 1)
    {
        return -1;
    }

    carry = mask[0] >> 7;

    for (i = 0; i < FLIQ_SEAL_BLOCK - 1; i++) {
        mask[i] = (uint8_t) (mask[i] << 1 | mask[i + 1] >> 7);
    }

    mask[i] = (uint8_t) (mask[i] << 1 ^ (carry ? 0x87 : 0));

    in[1] = 1;
    in[2] = 'X';
    memcpy(in + 4, nonce, 12);
    memcpy(in + FLIQ_SEAL_BLOCK, in, FLIQ_SEAL_BLOCK);
    in[FLIQ_SEAL_BLOCK + 1] = 2;

    for (i = 0; i < 2 * FLIQ_SEAL_BLOCK; i++) {
        in[i] ^= mask[i % FLIQ_SEAL_BLOCK];
    }

    i = EVP_CipherUpdate(ctx, derived, &n, in, sizeof(in)) == 1 ? 0 : -1;

    OPENSSL_cleanse(mask, sizeof(mask));
    OPENSSL_cleanse(in, sizeof(in));

    return i;
}


/*
 * AES-256-GCM of ${in} to ${out}, which may be the same, with a nonce of 12
 * bytes; ${tag} is written (${enc} 1) or compared (0).
 */
static fliq_seal_rc_e
fliq_seal_crypt(int enc, const uint8_t *key, const uint8_t *iv,
    fliq_str_t aad, fliq_str_t in, uint8_t *out, uint8_t *tag)
{
    int              n;
    uint8_t          last[FLIQ_SEAL_BLOCK];
    EVP_CIPHER_CTX  *ctx;

    ctx = fliq_seal_context(&fliq_seal_gcm, "AES-256-GCM");

    if (ctx == NULL
        || EVP_CipherInit_ex2(ctx, NULL, key, iv, enc, NULL) != 1
        || (!enc && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
                                        FLIQ_SEAL_TAG, tag) != 1)
        || (aad.len != 0
            && EVP_CipherUpdate(ctx, NULL, &n, aad.data, (int) aad.len) != 1)
        || (in.len != 0
            && EVP_CipherUpdate(ctx, out, &n, in.data, (int) in.len) != 1))
    {
        return FLIQ_SEAL_FAILED;
    }

    if (EVP_CipherFinal_ex(ctx, last, &n) != 1) {
        return enc ? FLIQ_SEAL_FAILED : FLIQ_SEAL_BROKEN;
    }

    if (enc && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, FLIQ_SEAL_TAG,
                                   tag) != 1)
    {
        return FLIQ_SEAL_FAILED;
    }

    return FLIQ_SEAL_OPENED;
}


/* The same under a user's key, with a nonce of 24 bytes. */
static fliq_seal_rc_e
fliq_seal_xaes(int enc, const uint8_t *key, const uint8_t *nonce,
    fliq_str_t aad, fliq_str_t in, uint8_t *out, uint8_t *tag)
{
    uint8_t         derived[FLIQ_SEAL_KEY];
    fliq_seal_rc_e  rc;

    if (fliq_seal_derive(key, nonce, derived) != 0) {
        return FLIQ_SEAL_FAILED;
    }

    rc = fliq_seal_crypt(enc, derived, nonce + 12, aad, in, out, tag);

    OPENSSL_cleanse(derived, sizeof(derived));

    return rc;
}


/* What is authenticated besides the value. */
static void
fliq_seal_context_data(fliq_seal_kind_e kind, const fliq_id_t *account,
    uint8_t *data)
{
    data[0] = FLIQ_SEAL_VERSION;
    data[1] = (uint8_t) kind;
    memcpy(data + 2, account->bytes, FLIQ_ID_SIZE);
}


/* Write ${n} bytes as base64; return its length. */
static size_t
fliq_seal_encode(uint8_t *out, const uint8_t *in, size_t n)
{
    size_t     i;
    uint8_t   *p;
    uint32_t   bits;

    p = out;

    for (i = 0; i < n; i += 3) {
        bits = (uint32_t) in[i] << 16;
        bits |= i + 1 < n ? (uint32_t) in[i + 1] << 8 : 0;
        bits |= i + 2 < n ? in[i + 2] : 0;

        *p++ = fliq_seal_base64[bits >> 18];
        *p++ = fliq_seal_base64[bits >> 12 & 63];
        *p++ = i + 1 < n ? fliq_seal_base64[bits >> 6 & 63] : '=';
        *p++ = i + 2 < n ? fliq_seal_base64[bits & 63] : '=';
    }

    return (size_t) (p - out);
}


/*
 * Read base64, of which there is one for each text: no bit may be left over.
 * ${out} has room for as much.  Return the length, or -1.
 */
static int64_t
fliq_seal_decode(uint8_t *out, fliq_str_t text, int padded)
{
    size_t     i;
    uint8_t   *p;
    unsigned   have;
    uint32_t   bits, digit;

    if (padded && text.len % 4 != 0) {
        return -1;
    }

    for (i = text.len % 4 || text.len == 0 ? 0 : 2; i > 0; i--) {
        text.len -= text.data[text.len - 1] == '=';
    }

    if (text.len % 4 == 1) {
        return -1;
    }

    p = out;
    bits = 0;
    have = 0;

    for (i = 0; i < text.len; i++) {
        digit = text.data[i] < 128 ? fliq_seal_digits[text.data[i]] : 64;
        if (digit == 64) {
            return -1;
        }

        bits = bits << 6 | digit;
        have += 6;

        if (have >= 8) {
            have -= 8;
            *p++ = (uint8_t) (bits >> have);
            bits &= (1u << have) - 1;
        }
    }

    return bits == 0 ? p - out : -1;
}


/* Read lower- or upper-case hex.  Return 0, or -1 when it is anything else. */
static int
fliq_seal_unhex(uint8_t *out, const uint8_t *text, size_t n)
{
    int          c;
    size_t       i;
    const char  *digit;

    for (i = 0; i < 2 * n; i++) {
        c = text[i] >= 'A' && text[i] <= 'F' ? text[i] + 'a' - 'A' : text[i];
        digit = c ? strchr(fliq_seal_hex, c) : NULL;

        if (digit == NULL) {
            return -1;
        }

        out[i / 2] = (uint8_t) (out[i / 2] << 4 | (digit - fliq_seal_hex));
    }

    return 0;
}


static void
fliq_seal_to_hex(char *out, const uint8_t *in, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        *out++ = fliq_seal_hex[in[i] >> 4];
        *out++ = fliq_seal_hex[in[i] & 0x0f];
    }
}


static int
fliq_seal_key_id(fliq_seal_key_t *key)
{
    uint8_t  digest[EVP_MAX_MD_SIZE], text[sizeof("fliq key id") - 1
                                           + FLIQ_SEAL_KEY];
    int      rc;

    memcpy(text, "fliq key id", sizeof("fliq key id") - 1);
    memcpy(text + sizeof("fliq key id") - 1, key->key, FLIQ_SEAL_KEY);

    rc = EVP_Digest(text, sizeof(text), digest, NULL, EVP_sha256(), NULL);

    memcpy(key->id, digest, FLIQ_SEAL_ID);
    fliq_seal_to_hex(key->id_text, key->id, FLIQ_SEAL_ID);
    key->id_text[2 * FLIQ_SEAL_ID] = '\0';

    OPENSSL_cleanse(text, sizeof(text));

    return rc == 1 ? 0 : -1;
}


static int
fliq_seal_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


int
fliq_seal_key(fliq_seal_key_t *key, fliq_str_t text, const char **why)
{
    int64_t  n;
    uint8_t  bytes[FLIQ_SEAL_KEY + 1] = { 0 };

    while (text.len > 0 && fliq_seal_blank(text.data[0])) {
        text.data++;
        text.len--;
    }

    while (text.len > 0 && fliq_seal_blank(text.data[text.len - 1])) {
        text.len--;
    }

    if (text.len == 2 * FLIQ_SEAL_KEY) {
        n = fliq_seal_unhex(bytes, text.data, FLIQ_SEAL_KEY) == 0
            ? FLIQ_SEAL_KEY : -1;

    } else {
        n = text.len == 43 || text.len == 44
            ? fliq_seal_decode(bytes, text, 0) : -1;
    }

    if (n != FLIQ_SEAL_KEY) {
        *why = "is not 32 bytes in hex or base64 on one line";
        OPENSSL_cleanse(bytes, sizeof(bytes));
        return -1;
    }

    memcpy(key->key, bytes, FLIQ_SEAL_KEY);
    OPENSSL_cleanse(bytes, sizeof(bytes));

    if (fliq_seal_key_id(key) != 0) {
        *why = "cannot be hashed";
        return -1;
    }

    return 0;
}


/* A text is made of what is kept behind it in the same buffer. */
size_t
fliq_seal_size(fliq_seal_kind_e kind, size_t len)
{
    len += FLIQ_SEAL_NONCE + FLIQ_SEAL_TAG;

    if (kind == FLIQ_SEAL_BODY) {
        return FLIQ_SEAL_BODY_HEAD + len;
    }

    return FLIQ_SEAL_TEXT_HEAD + (len + 2) / 3 * 4 + len;
}


int
fliq_seal(const fliq_seal_key_t *key, fliq_seal_kind_e kind,
    const fliq_id_t *account, fliq_str_t plain, uint8_t *buf,
    fliq_str_t *sealed)
{
    size_t      len;
    uint8_t     data[2 + FLIQ_ID_SIZE], *p;
    fliq_str_t  aad = { sizeof(data), data };

    if (plain.len > FLIQ_SEAL_MAX) {
        return -1;
    }

    fliq_seal_context_data(kind, account, data);

    len = FLIQ_SEAL_NONCE + plain.len + FLIQ_SEAL_TAG;
    p = buf + fliq_seal_size(kind, plain.len) - len;

    if (RAND_bytes(p, FLIQ_SEAL_NONCE) != 1
        || fliq_seal_xaes(1, key->key, p, aad, plain, p + FLIQ_SEAL_NONCE,
                          p + FLIQ_SEAL_NONCE + plain.len)
           != FLIQ_SEAL_OPENED)
    {
        return -1;
    }

    sealed->data = buf;

    if (kind == FLIQ_SEAL_BODY) {
        buf[0] = 0xff;
        buf[1] = FLIQ_SEAL_VERSION;
        memcpy(buf + 2, key->id, FLIQ_SEAL_ID);
        sealed->len = FLIQ_SEAL_BODY_HEAD + len;
        return 0;
    }

    memcpy(buf, FLIQ_SEAL_TEXT, sizeof(FLIQ_SEAL_TEXT) - 1);
    memcpy(buf + sizeof(FLIQ_SEAL_TEXT) - 1, key->id_text, 2 * FLIQ_SEAL_ID);
    buf[FLIQ_SEAL_TEXT_HEAD - 1] = ':';

    sealed->len = FLIQ_SEAL_TEXT_HEAD
                  + fliq_seal_encode(buf + FLIQ_SEAL_TEXT_HEAD, p, len);
    return 0;
}


int
fliq_seal_is(fliq_seal_kind_e kind, fliq_str_t value)
{
    if (kind == FLIQ_SEAL_BODY) {
        return value.len > 0 && value.data[0] == 0xff;
    }

    return value.len >= sizeof(FLIQ_SEAL_MARK) - 1
           && memcmp(value.data, FLIQ_SEAL_MARK,
                     sizeof(FLIQ_SEAL_MARK) - 1) == 0;
}


/* Read what stands before the nonce.  Return 0, or -1. */
static int
fliq_seal_head(fliq_seal_kind_e kind, fliq_str_t sealed, uint8_t *id)
{
    const uint8_t  *p;

    p = sealed.data;

    if (kind == FLIQ_SEAL_BODY) {

        if (sealed.len < FLIQ_SEAL_BODY_HEAD || p[0] != 0xff
            || p[1] != FLIQ_SEAL_VERSION)
        {
            return -1;
        }

        memcpy(id, p + 2, FLIQ_SEAL_ID);
        return 0;
    }

    if (sealed.len < FLIQ_SEAL_TEXT_HEAD
        || memcmp(p, FLIQ_SEAL_TEXT, sizeof(FLIQ_SEAL_TEXT) - 1) != 0
        || p[FLIQ_SEAL_TEXT_HEAD - 1] != ':')
    {
        return -1;
    }

    return fliq_seal_unhex(id, p + sizeof(FLIQ_SEAL_TEXT) - 1, FLIQ_SEAL_ID);
}


fliq_seal_rc_e
fliq_seal_open(const fliq_seal_ring_t *ring, fliq_seal_kind_e kind,
    const fliq_id_t *account, fliq_str_t sealed, uint8_t *buf,
    fliq_str_t *plain)
{
    int64_t         n;
    uint8_t         data[2 + FLIQ_ID_SIZE], id[FLIQ_SEAL_ID] = { 0 };
    unsigned        i;
    fliq_str_t      aad = { sizeof(data), data }, in;
    fliq_seal_rc_e  rc;

    if (fliq_seal_head(kind, sealed, id) != 0) {
        return FLIQ_SEAL_BROKEN;
    }

    for (i = 0; i < ring->n; i++) {
        if (memcmp(ring->keys[i].id, id, FLIQ_SEAL_ID) == 0) {
            break;
        }
    }

    if (i == ring->n) {
        return FLIQ_SEAL_NO_KEY;
    }

    if (kind == FLIQ_SEAL_BODY) {
        n = (int64_t) (sealed.len - FLIQ_SEAL_BODY_HEAD);
        memcpy(buf, sealed.data + FLIQ_SEAL_BODY_HEAD, (size_t) n);

    } else {
        in.data = sealed.data + FLIQ_SEAL_TEXT_HEAD;
        in.len = sealed.len - FLIQ_SEAL_TEXT_HEAD;
        n = fliq_seal_decode(buf, in, 1);
    }

    if (n < FLIQ_SEAL_NONCE + FLIQ_SEAL_TAG
        || n > FLIQ_SEAL_NONCE + FLIQ_SEAL_MAX + FLIQ_SEAL_TAG)
    {
        return FLIQ_SEAL_BROKEN;
    }

    fliq_seal_context_data(kind, account, data);

    in.data = buf + FLIQ_SEAL_NONCE;
    in.len = (size_t) n - FLIQ_SEAL_NONCE - FLIQ_SEAL_TAG;

    rc = fliq_seal_xaes(0, ring->keys[i].key, buf, aad, in, in.data,
                        in.data + in.len);

    if (rc == FLIQ_SEAL_OPENED) {
        *plain = in;
    } else {
        OPENSSL_cleanse(buf, (size_t) n);
    }

    return rc;
}


void
fliq_seal_id(fliq_seal_kind_e kind, fliq_str_t sealed, char *text)
{
    uint8_t  id[FLIQ_SEAL_ID] = { 0 };

    if (fliq_seal_head(kind, sealed, id) != 0) {
        memcpy(text, "?", 2);
        return;
    }

    fliq_seal_to_hex(text, id, FLIQ_SEAL_ID);
    text[2 * FLIQ_SEAL_ID] = '\0';
}
