/*
 * For t/faults/clock_step.t: a clock that is set while nginx runs.  What tells
 * the time of day is off by as many microseconds as the file says that
 * FLIQ_CLOCK names, an int64_t; the monotonic clock is nobody's to set.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


static const volatile int64_t  *offset;


__attribute__((constructor))
static void
map_offset(void)
{
    int          fd;
    void        *p;
    const char  *path;

    path = getenv("FLIQ_CLOCK");
    fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    offset = p == MAP_FAILED ? NULL : p;
    close(fd);
}


int
clock_gettime(clockid_t clock, struct timespec *ts)
{
    int      rc;
    int64_t  usec;

    rc = (int) syscall(SYS_clock_gettime, clock, ts);

    if (rc == 0 && offset != NULL
        && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    {
        usec = ts->tv_sec * INT64_C(1000000) + ts->tv_nsec / 1000 + *offset;

        ts->tv_sec = usec / 1000000;
        ts->tv_nsec = usec % 1000000 * 1000 + ts->tv_nsec % 1000;
    }

    return rc;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec  ts;

    (void) zone;
    (void) clock_gettime(CLOCK_REALTIME, &ts);

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *t)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    if (t) {
        *t = ts.tv_sec;
    }

    return ts.tv_sec;
}
