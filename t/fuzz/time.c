/*
 * Timestamps: whatever is taken is within the years 0001 to 9999, and what is
 * written of it reads as the same instant.
 */

#include "fuzz.h"
#include "fliq_time.h"


#define FIRST  (-62135596800LL * FLIQ_TIME_SECOND)
#define LAST   (253402300800LL * FLIQ_TIME_SECOND)


static void
read_http_date(fliq_str_t text)
{
    int64_t  usec;

    if (fliq_time_http_date(text, &usec) == 0) {
        fuzz_assert(usec >= FIRST && usec < LAST);
        fuzz_assert(usec % FLIQ_TIME_SECOND == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         out[FLIQ_TIME_TEXT];
    int64_t      usec, again;
    fliq_str_t   text, written;
    const char  *why;

    text = fuzz_copy(data, size);
    why = NULL;

    read_http_date(text);

    if (fliq_time_parse(text, &usec, &why) != 0) {
        fuzz_assert(why != NULL && *why != '\0');
        free(text.data);
        return 0;
    }

    free(text.data);

    fuzz_assert(usec >= FIRST && usec < LAST);

    written.len = fliq_time_format(out, usec);
    written.data = (uint8_t *) out;

    fuzz_assert(written.len < sizeof(out) && out[written.len] == '\0');
    fuzz_assert(fliq_time_parse(written, &again, &why) == 0);
    fuzz_assert(again == usec);

    return 0;
}
