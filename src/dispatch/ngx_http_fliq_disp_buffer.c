/*
 * When to claim the next items of buffers.
 */

#include "ngx_http_fliq_disp_private.h"


void
ngx_http_fliq_disp_buffer_init(ngx_http_fliq_disp_t *disp)
{
    disp->buffer.due_at = NGX_HTTP_FLIQ_DISP_NEVER;
}


void
ngx_http_fliq_disp_buffer_hint(void *data)
{
    ngx_http_fliq_disp_t *disp = data;

    ngx_http_fliq_disp_buffer_at(disp,
                                 ngx_http_fliq_disp_clock_now(&disp->clock));
}


void
ngx_http_fliq_disp_buffer_at(ngx_http_fliq_disp_t *disp, int64_t due_at)
{
    disp->buffer.due_at = ngx_min(disp->buffer.due_at, due_at);
}
