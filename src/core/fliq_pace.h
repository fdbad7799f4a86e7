/*
 * fliq_pace: how a buffer keeps its rate (API.md, "Buffers").
 *
 * No two requests that are ${rate} apart in a buffer's order are on their way
 * within one second: a request starts at the earliest one second after the
 * request ${rate} before it was answered (or given up).  A request reaches
 * its target between its start and its end, so whatever the network does in
 * between, no window of a second sees more than ${rate} arrive.
 *
 * Above 64 a second, requests are counted in groups, so that what has to be
 * remembered stays small: a group of g = ceil(rate / 64) starts one second
 * after the end of the last request of the group floor(rate / g) before it.
 * The bound stays; the rate that is reached is lower by less than one group,
 * which is 2 % at most.
 *
 * The memory is a string of at most FLIQ_PACE_SIZE bytes, which whoever keeps
 * it need not understand.  It is independent of the machine's byte order.
 */

#ifndef FLIQ_PACE_H
#define FLIQ_PACE_H

#include "fliq_str.h"


#define FLIQ_PACE_SIZE  640

/*
 * fliq_pace_add(memory, rate, ended_at, out, len):
 * Note that a request ended at ${ended_at} (microseconds since 1970, or later
 * than that if the clock is not known better) in a buffer of ${rate} (1 to
 * 1000) requests a second.  ${memory} is what the last call made, or empty at
 * first; one that was not made by this function or was made for another rate
 * counts as empty, and then the next request waits a full second.  Write the
 * new memory to ${out}, of FLIQ_PACE_SIZE bytes, which may be where ${memory}
 * is, and its length to ${len}.  Returns when the next request may start: no
 * earlier than that, in microseconds since 1970; 0 when at once.
 *
 * A request that seems to have ended before the last one, because the clock
 * went back, counts as ended with it: no start is allowed earlier than it was
 * before.  Behind a clock that went back by more than 10 seconds the memory
 * counts as empty, as above, so that nobody waits for the old time to come.
 */
int64_t fliq_pace_add(fliq_str_t memory, unsigned rate, int64_t ended_at,
    unsigned char *out, size_t *len);


#endif /* FLIQ_PACE_H */
