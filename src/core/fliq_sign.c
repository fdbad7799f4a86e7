/*
 * fliq_sign: signatures, tokens and secrets.  The contracts are in
 * fliq_sign.h.
 */

#include <stdio.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "fliq_sign.h"


#define FLIQ_SIGN_RANDOM    40      /* random characters of a secret */
#define FLIQ_TOKEN_RANDOM   34
#define FLIQ_TOKEN_SUM      6

#define FLIQ_SIGN_DIGIT_62  248     /* the largest multiple of 62 in a byte */


static const char  fliq_sign_base62[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";


int
fliq_sha256(uint8_t *digest, fliq_str_t data)
{
    return EVP_Digest(data.data, data.len, digest, NULL, EVP_sha256(), NULL)
           == 1 ? 0 : -1;
}


/*
 * The HMAC-SHA256 context of the process, which every signature keys anew:
 * looking the algorithms up costs as much as a signature does.
 */
static EVP_MAC_CTX  *fliq_sign_ctx;


static EVP_MAC_CTX *
fliq_sign_context(void)
{
    EVP_MAC      *mac;
    OSSL_PARAM    params[2];
    EVP_MAC_CTX  *ctx;

    if (fliq_sign_ctx != NULL) {
        return fliq_sign_ctx;
    }

    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (mac == NULL) {
        return NULL;
    }

    ctx = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 (char *) "SHA256", 0);
    params[1] = OSSL_PARAM_construct_end();

    if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }

    fliq_sign_ctx = ctx;

    return ctx;
}


void
fliq_sign_end(void)
{
    EVP_MAC_CTX_free(fliq_sign_ctx);
    fliq_sign_ctx = NULL;
}


/* Write the HMAC-SHA256 of ${n} ${parts}, one after the other. */
static int
fliq_sign_hmac(uint8_t *digest, fliq_str_t key, const fliq_str_t *parts,
    size_t n)
{
    size_t        i, len;
    EVP_MAC_CTX  *ctx;

    ctx = fliq_sign_context();

    /* without a key, the one before would stay */

    if (ctx == NULL
        || EVP_MAC_init(ctx, key.len ? key.data : (const uint8_t *) "",
                        key.len, NULL) != 1)
    {
        return -1;
    }

    for (i = 0; i < n; i++) {
        if (parts[i].len != 0
            && EVP_MAC_update(ctx, parts[i].data, parts[i].len) != 1)
        {
            return -1;
        }
    }

    return EVP_MAC_final(ctx, digest, &len, FLIQ_SHA256_SIZE) == 1 ? 0 : -1;
}


int
fliq_sign(char *out, fliq_str_t secret, int64_t timestamp, fliq_str_t method,
    fliq_str_t url, fliq_str_t body)
{
    int         i;
    char        stamp[24];
    uint8_t     digest[FLIQ_SHA256_SIZE];
    fliq_str_t  dot = fliq_str("."), parts[7];

    static const char  hex[] = "0123456789abcdef";

    parts[0].len = (size_t) snprintf(stamp, sizeof(stamp), "%lld",
                                     (long long) timestamp);
    parts[0].data = (uint8_t *) stamp;
    parts[1] = dot;
    parts[2] = method;
    parts[3] = dot;
    parts[4] = url;
    parts[5] = dot;
    parts[6] = body;

    if (fliq_sign_hmac(digest, secret, parts, 7) != 0) {
        return -1;
    }

    memcpy(out, "v1=", 3);
    out += 3;

    for (i = 0; i < FLIQ_SHA256_SIZE; i++) {
        *out++ = hex[digest[i] >> 4];
        *out++ = hex[digest[i] & 0x0f];
    }

    *out = '\0';

    return 0;
}


/* Write ${n} random characters, each as likely as any other. */
static int
fliq_sign_random(char *out, size_t n)
{
    int      rc;
    size_t   i;
    uint8_t  pool[64];

    rc = 0;

    while (n > 0 && rc == 0) {

        if (RAND_bytes(pool, sizeof(pool)) != 1) {
            rc = -1;
            break;
        }

        for (i = 0; i < sizeof(pool) && n > 0; i++) {
            if (pool[i] < FLIQ_SIGN_DIGIT_62) {
                *out++ = fliq_sign_base62[pool[i] % 62];
                n--;
            }
        }
    }

    OPENSSL_cleanse(pool, sizeof(pool));

    return rc;
}


/* The CRC-32 of IEEE 802.3, reflected, a bit at a time. */
static uint32_t
fliq_sign_crc32(const uint8_t *p, size_t n)
{
    int       bit;
    uint32_t  crc;

    crc = 0xffffffff;

    while (n-- > 0) {
        crc ^= *p++;

        for (bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }

    return ~crc;
}


/* Write the checksum of a token's random part. */
static void
fliq_token_sum(char *out, const uint8_t *random)
{
    int       i;
    uint32_t  crc;

    crc = fliq_sign_crc32(random, FLIQ_TOKEN_RANDOM);

    for (i = FLIQ_TOKEN_SUM - 1; i >= 0; i--) {
        out[i] = fliq_sign_base62[crc % 62];
        crc /= 62;
    }
}


int
fliq_token_make(char *out)
{
    size_t  skip;

    skip = sizeof(FLIQ_TOKEN_PREFIX) - 1;
    memcpy(out, FLIQ_TOKEN_PREFIX, skip);
    out += skip;

    if (fliq_sign_random(out, FLIQ_TOKEN_RANDOM) != 0) {
        return -1;
    }

    fliq_token_sum(out + FLIQ_TOKEN_RANDOM, (const uint8_t *) out);
    out[FLIQ_TOKEN_RANDOM + FLIQ_TOKEN_SUM] = '\0';

    return 0;
}


int
fliq_token_check(fliq_str_t token)
{
    char            sum[FLIQ_TOKEN_SUM];
    size_t          i, skip;
    const uint8_t  *random;

    skip = sizeof(FLIQ_TOKEN_PREFIX) - 1;

    if (token.len != FLIQ_TOKEN_LEN
        || memcmp(token.data, FLIQ_TOKEN_PREFIX, skip) != 0)
    {
        return 0;
    }

    random = token.data + skip;

    for (i = 0; i < FLIQ_TOKEN_RANDOM; i++) {
        if (memchr(fliq_sign_base62, random[i], 62) == NULL) {
            return 0;
        }
    }

    fliq_token_sum(sum, random);

    return memcmp(random + FLIQ_TOKEN_RANDOM, sum, FLIQ_TOKEN_SUM) == 0;
}


int
fliq_secret_make(char *out)
{
    size_t  skip;

    skip = sizeof(FLIQ_SECRET_PREFIX) - 1;
    memcpy(out, FLIQ_SECRET_PREFIX, skip);

    if (fliq_sign_random(out + skip, FLIQ_SIGN_RANDOM) != 0) {
        return -1;
    }

    out[FLIQ_SECRET_LEN] = '\0';

    return 0;
}
