/*
 * Names of servers, off the loop: getaddrinfo() blocks, so it runs on a
 * thread.  A pool has one lookup at a time, for all names of its target.
 *
 * The thread may sit in the resolver longer than the pool lives.  What both
 * touch is the lookup, which belongs to whoever lets go of it last; the names
 * are copied into it, and it is made with malloc(), since nginx's own
 * allocators log.
 */

#include "ngx_http_fliq_db_private.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>


struct ngx_http_fliq_db_lookup_s {
    ngx_http_fliq_db_t   *db;           /* the loop's, not the thread's */
    ngx_http_fliq_fd_t   *watch;        /* the loop's */

    atomic_int            owners;
    int                   fd;           /* tells the loop of the end */

    size_t                n;
    char                **names;        /* NULL: nothing to look up */
    struct addrinfo     **answers;
};


static ngx_http_fliq_db_lookup_t *ngx_http_fliq_db_lookup_create(
    const ngx_http_fliq_db_target_t *target);
static ngx_int_t ngx_http_fliq_db_lookup_run(
    ngx_http_fliq_db_lookup_t *lookup, ngx_log_t *log);
static void *ngx_http_fliq_db_lookup_thread(void *data);
static void ngx_http_fliq_db_lookup_handler(void *data, ngx_uint_t ready);
static void ngx_http_fliq_db_lookup_use(ngx_http_fliq_db_lookup_t *lookup);
static void ngx_http_fliq_db_lookup_release(
    ngx_http_fliq_db_lookup_t *lookup);
static void ngx_http_fliq_db_lookup_free(ngx_http_fliq_db_lookup_t *lookup);


int
ngx_http_fliq_db_resolve(const char *name, struct addrinfo **answer)
{
    struct addrinfo  hints;

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;

    return getaddrinfo(name, NULL, &hints, answer);
}


ngx_int_t
ngx_http_fliq_db_lookup_start(ngx_http_fliq_db_t *db)
{
    ngx_http_fliq_db_lookup_t  *lookup;

    lookup = ngx_http_fliq_db_lookup_create(db->conf.target);
    if (lookup == NULL) {
        ngx_log_error(NGX_LOG_ALERT, db->log, ngx_errno,
                      "fliq could not prepare to resolve database hosts");
        return NGX_ERROR;
    }

    lookup->watch = ngx_http_fliq_fd_attach(lookup->fd,
                                            NGX_HTTP_FLIQ_FD_READ,
                                            ngx_http_fliq_db_lookup_handler,
                                            lookup, db->log);
    if (lookup->watch == NULL) {
        ngx_http_fliq_db_lookup_free(lookup);
        return NGX_ERROR;
    }

    if (ngx_http_fliq_db_lookup_run(lookup, db->log) != NGX_OK) {
        ngx_http_fliq_fd_detach(lookup->watch);
        ngx_http_fliq_db_lookup_free(lookup);
        return NGX_ERROR;
    }

    ngx_http_fliq_fd_idle(lookup->watch, 1);

    lookup->db = db;
    db->lookup = lookup;

    return NGX_OK;
}


void
ngx_http_fliq_db_lookup_drop(ngx_http_fliq_db_lookup_t *lookup)
{
    if (lookup == NULL) {
        return;
    }

    lookup->db->lookup = NULL;

    ngx_http_fliq_fd_detach(lookup->watch);
    ngx_http_fliq_db_lookup_release(lookup);
}


static ngx_http_fliq_db_lookup_t *
ngx_http_fliq_db_lookup_create(const ngx_http_fliq_db_target_t *target)
{
    size_t                      i;
    ngx_http_fliq_db_lookup_t  *lookup;

    lookup = calloc(1, sizeof(ngx_http_fliq_db_lookup_t));
    if (lookup == NULL) {
        return NULL;
    }

    atomic_init(&lookup->owners, 2);

    lookup->n = target->nhosts;
    lookup->fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);
    lookup->names = calloc(lookup->n, sizeof(char *));
    lookup->answers = calloc(lookup->n, sizeof(struct addrinfo *));

    if (lookup->fd == -1 || lookup->names == NULL || lookup->answers == NULL)
    {
        ngx_http_fliq_db_lookup_free(lookup);
        return NULL;
    }

    for (i = 0; i < lookup->n; i++) {

        if (!target->hosts[i].lookup) {
            continue;
        }

        lookup->names[i] = strdup(target->hosts[i].name);

        if (lookup->names[i] == NULL) {
            ngx_http_fliq_db_lookup_free(lookup);
            return NULL;
        }
    }

    return lookup;
}


static ngx_int_t
ngx_http_fliq_db_lookup_run(ngx_http_fliq_db_lookup_t *lookup,
    ngx_log_t *log)
{
    int             err;
    sigset_t        all, old;
    pthread_t       thread;
    pthread_attr_t  attr;

    err = pthread_attr_init(&attr);

    if (err == 0) {
        (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);

        /* nginx's signals are for the loop: the thread inherits the mask */

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_BLOCK, &all, &old);

        err = pthread_create(&thread, &attr, ngx_http_fliq_db_lookup_thread,
                             lookup);

        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        (void) pthread_attr_destroy(&attr);
    }

    if (err) {
        ngx_log_error(NGX_LOG_ALERT, log, err,
                      "fliq could not start a thread to resolve database "
                      "hosts");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void *
ngx_http_fliq_db_lookup_thread(void *data)
{
    ngx_http_fliq_db_lookup_t *lookup = data;

    size_t  i;

    for (i = 0; i < lookup->n; i++) {

        if (lookup->names[i]
            && ngx_http_fliq_db_resolve(lookup->names[i], &lookup->answers[i])
               != 0)
        {
            lookup->answers[i] = NULL;
        }
    }

    (void) eventfd_write(lookup->fd, 1);

    ngx_http_fliq_db_lookup_release(lookup);

    return NULL;
}


static void
ngx_http_fliq_db_lookup_handler(void *data, ngx_uint_t ready)
{
    ngx_http_fliq_db_lookup_t *lookup = data;

    ngx_uint_t           i;
    eventfd_t            value;
    ngx_http_fliq_db_t  *db;

    db = lookup->db;

    if (ready & NGX_HTTP_FLIQ_FD_CLOSE) {

        if (ngx_http_fliq_db_wanted(db)) {
            return;
        }

    } else if (eventfd_read(lookup->fd, &value) == 0) {
        ngx_http_fliq_db_lookup_use(lookup);

    } else {
        return;
    }

    ngx_http_fliq_db_lookup_drop(lookup);

    for (i = 0; i < db->conf.connections; i++) {
        ngx_http_fliq_db_connect_resolved(&db->conns[i]);
    }
}


static void
ngx_http_fliq_db_lookup_use(ngx_http_fliq_db_lookup_t *lookup)
{
    ngx_http_fliq_db_t            *db;
    ngx_http_fliq_db_endpoints_t   endpoints;

    db = lookup->db;

    /* a name that has no answer now keeps its old addresses */

    if (ngx_http_fliq_db_endpoint_list(db->conf.target, lookup->answers,
                                       &db->endpoints, &endpoints)
        != NGX_OK)
    {
        return;
    }

    ngx_free(db->endpoints.elts);

    db->endpoints = endpoints;
    db->resolved = ngx_current_msec;
}


static void
ngx_http_fliq_db_lookup_release(ngx_http_fliq_db_lookup_t *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) == 1) {
        ngx_http_fliq_db_lookup_free(lookup);
    }
}


static void
ngx_http_fliq_db_lookup_free(ngx_http_fliq_db_lookup_t *lookup)
{
    size_t  i;

    for (i = 0; i < lookup->n; i++) {

        if (lookup->names) {
            free(lookup->names[i]);
        }

        if (lookup->answers && lookup->answers[i]) {
            freeaddrinfo(lookup->answers[i]);
        }
    }

    if (lookup->fd != -1) {
        (void) close(lookup->fd);
    }

    free(lookup->names);
    free(lookup->answers);
    free(lookup);
}
