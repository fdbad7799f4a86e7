/*
 * What clang's analyzer is told of nginx's queues, and nobody else: an empty
 * queue is seen by the one pointer of its head and its first element is read
 * from the other, and the analyzer does not know that the two go together.
 * Of a loop that empties a queue it says that the element is met again after
 * it was freed.  So the first element is any, each time anew.
 */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_queue_t *fliq_tidy_queue_head(const ngx_queue_t *queue)
    __attribute__((pure));


#undef ngx_queue_head

#define ngx_queue_head(h)  fliq_tidy_queue_head(h)
