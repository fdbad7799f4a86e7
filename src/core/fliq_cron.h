/*
 * fliq_cron: five-field cron expressions in UTC (API.md, "Schedules").
 *
 * A field is "*", a number, a range, a list of those, each with an optional
 * step ("5/15" is from 5 to the end); months and week days may be named in
 * any case; 0 and 7 are Sunday.  When neither day field starts with "*" a day
 * matches when either does.  @hourly, @daily, @midnight, @weekly, @monthly,
 * @yearly and @annually are short forms.
 */

#ifndef FLIQ_CRON_H
#define FLIQ_CRON_H

#include "fliq_str.h"


typedef struct {
    uint64_t    minutes;        /* bit n: minute n matches */
    uint32_t    hours;
    uint32_t    days;           /* bits 1 to 31 */
    uint16_t    months;         /* bits 1 to 12 */
    uint8_t     weekdays;       /* bits 0 (Sunday) to 6 */
    uint8_t     either;         /* both day fields are restricted */
} fliq_cron_t;


/*
 * fliq_cron_parse(text, cron, why, size):
 * Read ${text} into ${cron}.  Return 0; or -1 with a sentence in ${why}
 * (${size} bytes, 160 are enough, NUL-terminated) that names the field and
 * what is wrong with it.  An expression that never matches (31 February) is
 * refused like one that is malformed.
 */
int fliq_cron_parse(fliq_str_t text, fliq_cron_t *cron, char *why,
    size_t size);

/*
 * fliq_cron_next(cron, after):
 * The first instant after ${after} (microseconds since 1970; strictly) that
 * ${cron} matches, found by arithmetic on the fields.  -1 when it lies behind
 * the year 9999.
 */
int64_t fliq_cron_next(const fliq_cron_t *cron, int64_t after);


#endif /* FLIQ_CRON_H */
