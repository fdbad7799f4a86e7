/*
 * fliq_sign: the signature of outbound requests (API.md, "Firing") and the
 * tokens of the API (API.md, "Tokens").  Hashes and random bytes are
 * libcrypto's.
 */

#ifndef FLIQ_SIGN_H
#define FLIQ_SIGN_H

#include "fliq_str.h"


#define FLIQ_SHA256_SIZE      32
#define FLIQ_SIGNATURE_TEXT   (3 + 64 + 1)    /* "v1=", hex, NUL */

#define FLIQ_TOKEN_PREFIX     "fliq_sk_"
#define FLIQ_TOKEN_LEN        48              /* prefix and 40 characters */
#define FLIQ_SECRET_PREFIX    "whsec_"
#define FLIQ_SECRET_LEN       46              /* prefix and 40 characters */


/*
 * fliq_sha256(digest, data):
 * Write the SHA-256 of ${data} to ${digest} (32 bytes).  Return 0 or -1.
 */
int fliq_sha256(uint8_t *digest, fliq_str_t data);

/*
 * fliq_sign(out, secret, timestamp, method, url, body):
 * Write "v1=" and the lower-case hex of HMAC-SHA256(${secret},
 * "${timestamp}.${method}.${url}.${body}") with a NUL into ${out}
 * (FLIQ_SIGNATURE_TEXT bytes).  ${secret} is the whole whsec_... string;
 * ${timestamp} is Unix seconds.  Return 0 or -1.
 */
int fliq_sign(char *out, fliq_str_t secret, int64_t timestamp,
    fliq_str_t method, fliq_str_t url, fliq_str_t body);

/*
 * fliq_sign_end():
 * Free what fliq_sign() keeps for the next call; it may be called again.
 */
void fliq_sign_end(void);

/*
 * fliq_token_make(out):
 * Write a new token and a NUL into ${out} (FLIQ_TOKEN_LEN + 1 bytes): the
 * prefix, 34 random base62 characters (0-9A-Za-z), and 6 that are their
 * checksum: the CRC-32 (IEEE) of the 34 characters in base62, padded with
 * "0" on the left.  Return 0 or -1.
 */
int fliq_token_make(char *out);

/*
 * fliq_token_check(token):
 * Return 1 when ${token} has the prefix, the length, the alphabet and the
 * checksum of a token, else 0.
 */
int fliq_token_check(fliq_str_t token);

/*
 * fliq_secret_make(out):
 * Write a new signing secret, "whsec_" and 40 random base62 characters, and
 * a NUL into ${out} (FLIQ_SECRET_LEN + 1 bytes).  Return 0 or -1.
 */
int fliq_secret_make(char *out);


#endif /* FLIQ_SIGN_H */
