/*
 * Watches: foreign descriptors on nginx's events.
 */

#include "ngx_http_fliq_fd.h"

#include <sys/stat.h>


struct ngx_http_fliq_fd_s {
    ngx_connection_t     *connection;
    ngx_http_fliq_fd_pt   handler;
    void                 *data;
    ino_t                 inode;    /* of what fd was when it was attached */
};


static void ngx_http_fliq_fd_read_handler(ngx_event_t *rev);
static void ngx_http_fliq_fd_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_http_fliq_fd_apply(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t wanted);
static void ngx_http_fliq_fd_forget(ngx_connection_t *c);
static ino_t ngx_http_fliq_fd_inode(ngx_socket_t fd);


ngx_http_fliq_fd_t *
ngx_http_fliq_fd_attach(ngx_socket_t fd, ngx_uint_t want,
    ngx_http_fliq_fd_pt handler, void *data, ngx_log_t *log)
{
    ngx_connection_t    *c;
    ngx_http_fliq_fd_t  *watch;

    watch = ngx_alloc(sizeof(ngx_http_fliq_fd_t), log);
    if (watch == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, log);
    if (c == NULL) {
        ngx_free(watch);
        return NULL;
    }

    watch->connection = c;
    watch->handler = handler;
    watch->data = data;
    watch->inode = ngx_http_fliq_fd_inode(fd);

    c->data = watch;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    /* nginx calls the read handler of any connection at a shutdown */

    c->read->handler = ngx_http_fliq_fd_read_handler;
    c->read->log = log;

    c->write->handler = ngx_http_fliq_fd_write_handler;
    c->write->log = log;

    if (ngx_http_fliq_fd_want(watch, want) != NGX_OK) {
        ngx_http_fliq_fd_detach(watch);
        return NULL;
    }

    return watch;
}


ngx_int_t
ngx_http_fliq_fd_want(ngx_http_fliq_fd_t *watch, ngx_uint_t want)
{
    ino_t              inode;
    ngx_connection_t  *c;

    c = watch->connection;

    /*
     * A library may have closed its socket and got the same number for the
     * next one: the kernel has dropped the events of the old one then.
     */

    inode = ngx_http_fliq_fd_inode(c->fd);

    if (inode != watch->inode) {
        ngx_http_fliq_fd_forget(c);
        watch->inode = inode;
    }

    if (ngx_http_fliq_fd_apply(c->read, NGX_READ_EVENT,
                               want & NGX_HTTP_FLIQ_FD_READ)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_fliq_fd_apply(c->write, NGX_WRITE_EVENT,
                                  want & NGX_HTTP_FLIQ_FD_WRITE);
}


void
ngx_http_fliq_fd_idle(ngx_http_fliq_fd_t *watch, ngx_uint_t idle)
{
    watch->connection->idle = idle ? 1 : 0;
}


void
ngx_http_fliq_fd_detach(ngx_http_fliq_fd_t *watch)
{
    ngx_connection_t  *c;

    if (watch == NULL) {
        return;
    }

    c = watch->connection;

    if (ngx_http_fliq_fd_inode(c->fd) != watch->inode) {
        ngx_http_fliq_fd_forget(c);
    }

    (void) ngx_http_fliq_fd_apply(c->read, NGX_READ_EVENT, 0);
    (void) ngx_http_fliq_fd_apply(c->write, NGX_WRITE_EVENT, 0);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    ngx_free_connection(c);

    /* what tells the exit check, and events already fetched, that it's gone */

    c->fd = (ngx_socket_t) -1;

    ngx_free(watch);
}


ngx_uint_t
ngx_http_fliq_fd_free(void)
{
    ngx_uint_t  reserve;

    reserve = ngx_cycle->connection_n / 16;

    if (ngx_cycle->free_connection_n <= reserve) {
        return 0;
    }

    return ngx_cycle->free_connection_n - reserve;
}


static void
ngx_http_fliq_fd_read_handler(ngx_event_t *rev)
{
    ngx_uint_t           ready;
    ngx_connection_t    *c;
    ngx_http_fliq_fd_t  *watch;

    c = rev->data;
    watch = c->data;

    if (c->close) {

        /* asked once: what still arrives is read as before */

        c->close = 0;
        watch->handler(watch->data, NGX_HTTP_FLIQ_FD_CLOSE);
        return;
    }

    ready = NGX_HTTP_FLIQ_FD_READ;

    if (rev->error || rev->eof) {
        ready |= NGX_HTTP_FLIQ_FD_ERROR;
    }

    watch->handler(watch->data, ready);
}


static void
ngx_http_fliq_fd_write_handler(ngx_event_t *wev)
{
    ngx_uint_t           ready;
    ngx_connection_t    *c;
    ngx_http_fliq_fd_t  *watch;

    c = wev->data;
    watch = c->data;

    ready = NGX_HTTP_FLIQ_FD_WRITE;

    if (wev->error || wev->eof) {
        ready |= NGX_HTTP_FLIQ_FD_ERROR;
    }

    watch->handler(watch->data, ready);
}


/* Level-triggered: edges would be lost on a library that reads in part. */

static ngx_int_t
ngx_http_fliq_fd_apply(ngx_event_t *ev, ngx_int_t event, ngx_uint_t wanted)
{
    if (wanted && !ev->active) {
        return ngx_add_event(ev, event, NGX_LEVEL_EVENT);
    }

    if (!wanted && ev->active) {
        return ngx_del_event(ev, event, 0);
    }

    return NGX_OK;
}


/* Drop the events of a descriptor that was closed before its watch. */

static void
ngx_http_fliq_fd_forget(ngx_connection_t *c)
{
    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
    }
}


/* What tells one socket from the next under the same number; 0: closed. */

static ino_t
ngx_http_fliq_fd_inode(ngx_socket_t fd)
{
    struct stat  sb;

    if (fstat(fd, &sb) == -1) {
        return 0;
    }

    return sb.st_ino;
}
