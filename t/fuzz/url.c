/*
 * URLs: what is taken, libcurl takes too, and would connect to the same host
 * and port; and no spelling of a literal address is read as a name.
 */

#include "fuzz.h"
#include "fliq_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>


static void
compare_host(const fliq_url_t *url, CURLU *curl)
{
    char        *host, *start;
    size_t       len;
    fliq_str_t   seen;
    fliq_addr_t  addr;

    fuzz_assert(curl_url_get(curl, CURLUPART_HOST, &host, 0) == CURLUE_OK);

    start = host;
    len = strlen(host);

    if (*start == '[') {
        fuzz_assert(len > 2 && host[len - 1] == ']');
        start++;
        len -= 2;
    }

    /* libcurl may have written an address in another way */

    if (url->literal) {
        seen.data = (uint8_t *) start;
        seen.len = len;

        fuzz_assert(fliq_addr_literal(seen, &addr) == 1);
        fuzz_assert(addr.family == url->addr.family);
        fuzz_assert(memcmp(addr.bytes, url->addr.bytes,
                           addr.family == AF_INET ? 4 : 16) == 0);

    } else {
        fuzz_assert(len == url->host.len);
        fuzz_assert(memcmp(start, url->host.data, len) == 0);
    }

    curl_free(host);
}


static void
compare(fliq_str_t text, const fliq_url_t *url)
{
    char   *copy, *part;
    CURLU  *curl;

    copy = malloc(text.len + 1);
    curl = curl_url();

    fuzz_assert(copy != NULL && curl != NULL);

    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    fuzz_assert(strlen(copy) == text.len);
    fuzz_assert(curl_url_set(curl, CURLUPART_URL, copy, 0) == CURLUE_OK);

    compare_host(url, curl);

    fuzz_assert(curl_url_get(curl, CURLUPART_PORT, &part, CURLU_DEFAULT_PORT)
                == CURLUE_OK);
    fuzz_assert(atoi(part) == url->port);
    curl_free(part);

    fuzz_assert(curl_url_get(curl, CURLUPART_SCHEME, &part, 0) == CURLUE_OK);
    fuzz_assert(strcmp(part, url->https ? "https" : "http") == 0);
    curl_free(part);

    fuzz_assert(curl_url_get(curl, CURLUPART_USER, &part, 0)
                == CURLUE_NO_USER);

    curl_url_cleanup(curl);
    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fliq_url_t   url;
    fliq_str_t   text;
    const char  *why;

    text = fuzz_copy(data, size);
    why = NULL;

    if (fliq_url_parse(text, &url, &why) == 0) {
        fuzz_assert(text.len <= FLIQ_URL_MAX);
        fuzz_assert(url.port != 0 && fliq_url_lane(&url) >= 0);
        compare(text, &url);

    } else {
        fuzz_assert(why != NULL);
    }

    free(text.data);

    return 0;
}
