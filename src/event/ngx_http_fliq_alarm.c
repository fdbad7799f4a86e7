/*
 * Alarms: one-shot timers of the kernel's precision, and its clock.
 */

#include "ngx_http_fliq_fd.h"

#include <sys/timerfd.h>


struct ngx_http_fliq_alarm_s {
    ngx_http_fliq_fd_t      *watch;
    ngx_http_fliq_alarm_pt   handler;
    void                    *data;
    ngx_log_t               *log;
    int                      fd;
};


static void ngx_http_fliq_alarm_ready(void *data, ngx_uint_t ready);
static void ngx_http_fliq_alarm_arm(ngx_http_fliq_alarm_t *alarm,
    int64_t nsec);


ngx_http_fliq_alarm_t *
ngx_http_fliq_alarm_create(ngx_http_fliq_alarm_pt handler, void *data,
    ngx_log_t *log)
{
    ngx_http_fliq_alarm_t  *alarm;

    alarm = ngx_alloc(sizeof(ngx_http_fliq_alarm_t), log);
    if (alarm == NULL) {
        return NULL;
    }

    alarm->handler = handler;
    alarm->data = data;
    alarm->log = log;

    alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK|TFD_CLOEXEC);
    if (alarm->fd == -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "timerfd_create() failed");
        ngx_free(alarm);
        return NULL;
    }

    alarm->watch = ngx_http_fliq_fd_attach(alarm->fd, NGX_HTTP_FLIQ_FD_READ,
                                           ngx_http_fliq_alarm_ready, alarm,
                                           log);
    if (alarm->watch == NULL) {
        (void) close(alarm->fd);
        ngx_free(alarm);
        return NULL;
    }

    return alarm;
}


void
ngx_http_fliq_alarm_set(ngx_http_fliq_alarm_t *alarm, int64_t usec)
{
    /* a value of 0 would disarm it */

    ngx_http_fliq_alarm_arm(alarm, usec > 0 ? usec * 1000 : 1);
}


void
ngx_http_fliq_alarm_clear(ngx_http_fliq_alarm_t *alarm)
{
    ngx_http_fliq_alarm_arm(alarm, 0);
}


void
ngx_http_fliq_alarm_destroy(ngx_http_fliq_alarm_t *alarm)
{
    if (alarm == NULL) {
        return;
    }

    ngx_http_fliq_fd_detach(alarm->watch);
    (void) close(alarm->fd);
    ngx_free(alarm);
}


int64_t
ngx_http_fliq_monotonic(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
ngx_http_fliq_alarm_ready(void *data, ngx_uint_t ready)
{
    ngx_http_fliq_alarm_t *alarm = data;

    uint64_t  expired;

    if (!(ready & NGX_HTTP_FLIQ_FD_READ)) {
        return;
    }

    /* nothing to read: it was cleared or set anew in this pass of the loop */

    if (read(alarm->fd, &expired, sizeof(expired)) == sizeof(expired)) {
        alarm->handler(alarm->data);
    }
}


static void
ngx_http_fliq_alarm_arm(ngx_http_fliq_alarm_t *alarm, int64_t nsec)
{
    struct itimerspec  its;

    ngx_memzero(&its, sizeof(struct itimerspec));

    its.it_value.tv_sec = nsec / 1000000000;
    its.it_value.tv_nsec = nsec % 1000000000;

    if (timerfd_settime(alarm->fd, 0, &its, NULL) == -1) {
        ngx_log_error(NGX_LOG_ALERT, alarm->log, ngx_errno,
                      "timerfd_settime() failed");
    }
}
