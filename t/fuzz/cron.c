/*
 * Cron: the next run against a walk over every minute that asks the calendar
 * of the C library.
 */

#include "fuzz.h"
#include "fliq_cron.h"
#include "fliq_time.h"

#include <time.h>


#define MINUTE  (60 * FLIQ_TIME_SECOND)
#define WALK    (400 * 1440)            /* minutes; a year and more */


static int
matches(const fliq_cron_t *cron, time_t minute)
{
    int        day, weekday;
    time_t     seconds;
    struct tm  tm;

    seconds = minute * 60;

    fuzz_assert(gmtime_r(&seconds, &tm) != NULL);

    day = (cron->days >> tm.tm_mday) & 1;
    weekday = (cron->weekdays >> tm.tm_wday) & 1;

    return ((cron->minutes >> tm.tm_min) & 1)
           && ((cron->hours >> tm.tm_hour) & 1)
           && ((cron->months >> (tm.tm_mon + 1)) & 1)
           && (cron->either ? day || weekday : day && weekday);
}


/* Whole days that cannot match are passed over at once. */
static int64_t
walk(const fliq_cron_t *cron, int64_t after)
{
    int          midnight;
    time_t       minute, end;
    fliq_cron_t  day;

    day = *cron;
    day.minutes = UINT64_MAX;
    day.hours = UINT32_MAX;

    minute = (after >= 0 ? after : after - MINUTE + 1) / MINUTE + 1;
    end = minute + WALK;

    while (minute < end) {
        midnight = minute % 1440 == 0;

        if (midnight && !matches(&day, minute)) {
            minute += 1440;
            continue;
        }

        if (matches(cron, minute)) {
            return minute * MINUTE;
        }

        minute++;
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         why[160];
    int64_t      after, next, found;
    uint32_t     seconds;
    fliq_str_t   text;
    fliq_cron_t  cron;

    fuzz_take(&data, &size, &seconds, sizeof(seconds));

    text = fuzz_copy(data, size);
    memset(why, 0xff, sizeof(why));

    if (fliq_cron_parse(text, &cron, why, sizeof(why)) != 0) {
        fuzz_assert(memchr(why, '\0', sizeof(why)) != NULL && why[0]);
        free(text.data);
        return 0;
    }

    free(text.data);

    /* 1970 to 2106, on and between the minutes */

    after = (int64_t) seconds * FLIQ_TIME_SECOND + seconds % 3;

    next = fliq_cron_next(&cron, after);
    found = walk(&cron, after);

    fuzz_assert(next > after && next % MINUTE == 0);
    fuzz_assert(found ? next == found : next > after + WALK * MINUTE - MINUTE);
    fuzz_assert(matches(&cron, next / MINUTE));

    return 0;
}
