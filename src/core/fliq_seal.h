/*
 * fliq_seal: values at rest, encrypted and authenticated.
 *
 * A value is sealed with AES-256 in GCM (NIST SP 800-38D) under a key and a
 * 96-bit nonce that are its own: both come from 192 random bits and the
 * user's key, as XAES-256-GCM (C2SP) takes them.  With random nonces of 96
 * bits one key must not seal more than 2^32 values; with these it may seal
 * 2^80, so nobody has to count.
 *
 * What is authenticated besides the value: the format's version, the kind of
 * value and the account that it belongs to.  So a value opens as no other
 * kind and for no other account.  It is not bound to its row: the database
 * itself copies values from row to row (docs/encryption.md).
 *
 * Two forms, of which no plain value can be one:
 *   bodies     0xff 0x01, the key's id (8 bytes), nonce (24), ciphertext, tag
 *              (16); a plain body is UTF-8, which never has 0xff
 *   the rest   "sealed:1:", the key's id (16 hex digits), ":", and the base64
 *              (RFC 4648, section 4) of nonce, ciphertext and tag; plain ones
 *              begin with "{" or "whsec_"
 *
 * Cipher and random bytes are libcrypto's.  Not for more than one thread.
 */

#ifndef FLIQ_SEAL_H
#define FLIQ_SEAL_H

#include "fliq_id.h"
#include "fliq_str.h"


#define FLIQ_SEAL_KEY      32       /* bytes of a key */
#define FLIQ_SEAL_KEYS     2        /* in a ring */
#define FLIQ_SEAL_ID       8        /* bytes of a key's id */
#define FLIQ_SEAL_ID_TEXT  (2 * FLIQ_SEAL_ID + 1)


/* What a value is; part of what is authenticated, so never to be changed. */
typedef enum {
    FLIQ_SEAL_HEADERS = 'h',
    FLIQ_SEAL_WEBHOOK_HEADERS = 'w',
    FLIQ_SEAL_BODY = 'b',
    FLIQ_SEAL_SECRET = 's'
} fliq_seal_kind_e;

typedef enum {
    FLIQ_SEAL_OPENED = 0,
    FLIQ_SEAL_NO_KEY,           /* its key is not in the ring */
    FLIQ_SEAL_BROKEN,           /* it is not what was sealed, or not as this
                                   kind or for this account */
    FLIQ_SEAL_FAILED            /* libcrypto did not do its part */
} fliq_seal_rc_e;

typedef struct {
    uint8_t     key[FLIQ_SEAL_KEY];
    uint8_t     id[FLIQ_SEAL_ID];
    char        id_text[FLIQ_SEAL_ID_TEXT];
} fliq_seal_key_t;

/* The first key seals, all of them open. */
typedef struct {
    unsigned           n;
    unsigned           plain;   /* 1: none seals; for whoever does it */
    fliq_seal_key_t    keys[FLIQ_SEAL_KEYS];
} fliq_seal_ring_t;


/*
 * fliq_seal_key(key, text, why):
 * Read a key from ${text}: 32 bytes as 64 hex digits or as base64 with or
 * without its "=", blanks and line ends around them.  Its id is the first 8
 * bytes of SHA-256("fliq key id" and the key), which tells nothing of it.
 * Return 0, or -1 with ${*why} saying what is wrong.
 */
int fliq_seal_key(fliq_seal_key_t *key, fliq_str_t text, const char **why);

/*
 * fliq_seal_size(kind, len):
 * Return how many bytes fliq_seal() needs for a value of ${len} bytes.
 */
size_t fliq_seal_size(fliq_seal_kind_e kind, size_t len);

/*
 * fliq_seal(key, kind, account, plain, buf, sealed):
 * Seal ${plain} (at most 1 GiB) in ${buf} (fliq_seal_size() bytes), to
 * which ${sealed} points afterwards.  Return 0 or -1.
 */
int fliq_seal(const fliq_seal_key_t *key, fliq_seal_kind_e kind,
    const fliq_id_t *account, fliq_str_t plain, uint8_t *buf,
    fliq_str_t *sealed);

/*
 * fliq_seal_is(kind, value):
 * Return 1 when ${value} has the form of a sealed value, 0 when it is plain.
 */
int fliq_seal_is(fliq_seal_kind_e kind, fliq_str_t value);

/*
 * fliq_seal_open(ring, kind, account, sealed, buf, plain):
 * Open ${sealed} in ${buf} (as many bytes as ${sealed} has); with
 * FLIQ_SEAL_OPENED ${plain} points into it.  Nothing of a value that does not
 * open is left in ${buf}.
 */
fliq_seal_rc_e fliq_seal_open(const fliq_seal_ring_t *ring,
    fliq_seal_kind_e kind, const fliq_id_t *account, fliq_str_t sealed,
    uint8_t *buf, fliq_str_t *plain);

/*
 * fliq_seal_id(kind, sealed, text):
 * Write the id of the key that ${sealed} names, in hex with a NUL, to ${text}
 * (FLIQ_SEAL_ID_TEXT bytes): "?" when it names none.
 */
void fliq_seal_id(fliq_seal_kind_e kind, fliq_str_t sealed, char *text);

/*
 * fliq_seal_end():
 * Free what sealing keeps for the next call; it may be called again.
 */
void fliq_seal_end(void);


#endif /* FLIQ_SEAL_H */
