/*
 * What one thread can do with libcurl's multi-socket interface and nothing
 * else: no database, no signatures, no records.  Each easy handle is added
 * again as soon as it is done.
 *
 *     ceiling URL COUNT IN_FLIGHT
 *
 * Prints the requests a second.  Exits 1 if any was not answered with 2xx.
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>


#define EVENTS  256
#define BODY    256


static CURLM   *multi;
static int      ep;
static long     timeout = -1;
static long     to_start, to_finish, failed, flying;


static int
watch(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct epoll_event  event;

    (void) easy;
    (void) data;

    memset(&event, 0, sizeof(event));

    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(ep, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }

    event.data.fd = fd;
    event.events = ((what & CURL_POLL_IN) ? EPOLLIN : 0)
                   | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0);

    epoll_ctl(ep, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    curl_multi_assign(multi, fd, &multi);

    return 0;
}


static int
set_timeout(CURLM *m, long ms, void *data)
{
    (void) m;
    (void) data;

    timeout = ms;

    return 0;
}


static size_t
ignore(char *bytes, size_t size, size_t n, void *data)
{
    (void) bytes;
    (void) data;

    return size * n;
}


static void
start(CURL *easy)
{
    to_start--;
    flying++;
    curl_multi_add_handle(multi, easy);
}


static void
finish(void)
{
    int       left;
    long      status;
    CURL     *easy;
    CURLMsg  *msg;

    while ((msg = curl_multi_info_read(multi, &left)) != NULL) {

        easy = msg->easy_handle;
        status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);

        if (msg->data.result != CURLE_OK || status / 100 != 2) {
            failed++;
        }

        curl_multi_remove_handle(multi, easy);
        to_finish--;
        flying--;

        if (to_start > 0) {
            start(easy);
        }
    }
}


static void
run(void)
{
    int                 i, n, mask, running;
    struct epoll_event  events[EVENTS];

    while (to_finish > 0) {

        n = epoll_wait(ep, events, EVENTS, timeout < 0 ? 1000 : (int) timeout);

        if (n == 0) {
            timeout = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }

        for (i = 0; i < n; i++) {
            mask = ((events[i].events & EPOLLIN) ? CURL_CSELECT_IN : 0)
                   | ((events[i].events & EPOLLOUT) ? CURL_CSELECT_OUT : 0)
                   | ((events[i].events & (EPOLLERR|EPOLLHUP))
                      ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[i].data.fd, mask,
                                     &running);
        }

        finish();
    }
}


static CURL *
make(const char *url, struct curl_slist *headers, const char *body)
{
    CURL  *easy;

    easy = curl_easy_init();
    if (easy == NULL) {
        exit(1);
    }

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long) BODY);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);

    return easy;
}


int
main(int argc, char **argv)
{
    char                body[BODY];
    long                count, width;
    double              took;
    struct timespec     begun, ended;
    struct curl_slist  *headers = NULL;

    if (argc != 4) {
        fprintf(stderr, "usage: ceiling URL COUNT IN_FLIGHT\n");
        return 2;
    }

    count = strtol(argv[2], NULL, 10);
    width = strtol(argv[3], NULL, 10);

    memset(body, 'x', sizeof(body));
    headers = curl_slist_append(headers, "X-Tenant: shop-17");
    headers = curl_slist_append(headers, "X-Event: order.paid");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");

    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    ep = epoll_create1(EPOLL_CLOEXEC);

    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timeout);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, width);

    to_start = count;
    to_finish = count;

    clock_gettime(CLOCK_MONOTONIC, &begun);

    while (flying < width && to_start > 0) {
        start(make(argv[1], headers, body));
    }

    run();

    clock_gettime(CLOCK_MONOTONIC, &ended);

    took = (double) (ended.tv_sec - begun.tv_sec)
           + (double) (ended.tv_nsec - begun.tv_nsec) / 1e9;
    printf("%.1f\n", (double) count / took);

    return failed ? 1 : 0;
}
