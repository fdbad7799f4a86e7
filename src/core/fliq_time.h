/*
 * fliq_time: timestamps of the API (API.md, "Common").
 *
 * A time is an int64_t of microseconds since 1970-01-01T00:00:00Z, leap
 * seconds not counted, for the years 0001 to 9999.
 */

#ifndef FLIQ_TIME_H
#define FLIQ_TIME_H

#include "fliq_str.h"


#define FLIQ_TIME_TEXT    32            /* bytes that fit any formatted time */
#define FLIQ_TIME_SECOND  1000000LL
#define FLIQ_TIME_DAY     (86400 * FLIQ_TIME_SECOND)


/*
 * fliq_time_parse(text, usec, why):
 * Read the RFC 3339 timestamp ${text} ("T", "t" or one space between date and
 * time; "Z", "z" or a numeric offset, which is required; up to 9 fraction
 * digits, cut to microseconds) into ${usec}.  A leap second (":60") is taken
 * as the first second of the next minute.
 * Return 0; or -1, with ${why} a constant sentence that says what would be
 * right ("must carry a time zone: Z or an offset such as +02:00").
 */
int fliq_time_parse(fliq_str_t text, int64_t *usec, const char **why);

/*
 * fliq_time_format(buf, usec):
 * Write ${usec} into ${buf} (FLIQ_TIME_TEXT bytes) as YYYY-MM-DDTHH:MM:SSZ,
 * with a fraction only where it is not zero and without trailing zeros, and
 * a terminating NUL.  Return the length without the NUL.
 */
size_t fliq_time_format(char *buf, int64_t usec);

/*
 * fliq_time_date(buf, day):
 * Write the day ${day}, counted from 1970-01-01, as YYYY-MM-DD and a NUL
 * into ${buf} (at least 11 bytes).
 */
void fliq_time_date(char *buf, int32_t day);

/*
 * fliq_time_http_date(text, usec):
 * Read an HTTP-date in its preferred form (RFC 9110, section 5.6.7:
 * "Sun, 06 Nov 1994 08:49:37 GMT") into ${usec}.  Return 0 or -1.
 */
int fliq_time_http_date(fliq_str_t text, int64_t *usec);

/*
 * fliq_time_civil(day, year, month, mday), fliq_time_day(year, month, mday):
 * Turn a day counted from 1970-01-01 into the proleptic Gregorian date and
 * back; ${month} is 1 to 12, ${mday} 1 to 31.
 */
void fliq_time_civil(int32_t day, int *year, int *month, int *mday);
int32_t fliq_time_day(int year, int month, int mday);


#endif /* FLIQ_TIME_H */
