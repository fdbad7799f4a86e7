/*
 * Delays: never below zero, never above the maximum, whatever a target asks
 * for.
 */

#include "fuzz.h"
#include "fliq_backoff.h"


#define HOUR  3600000000LL


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t         delay, now;
    uint32_t        retry, random;
    fliq_str_t      text;
    fliq_backoff_t  conf;

    fuzz_take(&data, &size, &conf.base, sizeof(conf.base));
    fuzz_take(&data, &size, &conf.max, sizeof(conf.max));
    fuzz_take(&data, &size, &retry, sizeof(retry));
    fuzz_take(&data, &size, &random, sizeof(random));
    fuzz_take(&data, &size, &now, sizeof(now));

    conf.base = (conf.base & INT64_MAX) | 1;
    conf.max &= INT64_MAX;
    conf.jitter = random % 101;
    retry = (retry & 0xff) + 1;
    now %= 253402300800000000LL;

    delay = fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL, retry, random);
    fuzz_assert(delay >= 0 && delay <= conf.max);

    delay = fliq_backoff_delay(&conf, FLIQ_BACKOFF_LINEAR, retry, random);
    fuzz_assert(delay >= 0 && delay <= conf.max);

    text = fuzz_copy(data, size);
    delay = fliq_backoff_retry_after(text, now);
    fuzz_assert(delay >= -1 && delay <= HOUR);
    free(text.data);

    return 0;
}
