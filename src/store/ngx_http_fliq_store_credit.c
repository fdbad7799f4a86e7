/*
 * Statements of credits: what an account that pays for its executions has.
 * The charge itself is part of the claim.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


static ngx_http_fliq_store_call_t *ngx_http_fliq_store_account(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_db_statement_t *statement, const fliq_id_t *account,
    ngx_http_fliq_store_decode_pt decode, ngx_http_fliq_store_done_pt done,
    void *data);
static void ngx_http_fliq_store_decode_gate(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
static void ngx_http_fliq_store_decode_balance(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_credits(
    ngx_http_fliq_store_call_t *call, const PGresult *res);


static ngx_http_fliq_store_call_t *
ngx_http_fliq_store_account(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_db_statement_t *statement, const fliq_id_t *account,
    ngx_http_fliq_store_decode_pt decode, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);

    return ngx_http_fliq_store_run(call, store->api, statement, decode);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_account_gate(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_account(store, pool, &fliq_sql_account_gate,
                                       account,
                                       ngx_http_fliq_store_decode_gate, done,
                                       data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_account_balance(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_account(store, pool, &fliq_sql_account_balance,
                                       account,
                                       ngx_http_fliq_store_decode_balance,
                                       done, data);
}


static void
ngx_http_fliq_store_decode_gate(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_gate_t  gate;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    gate.credits = ngx_http_fliq_get_int(res, 0, 0);
    gate.today = ngx_http_fliq_get_int(res, 0, 1);
    gate.seconds = ngx_http_fliq_get_int(res, 0, 2);

    call->done(call->data, NGX_OK, &gate);
}


static void
ngx_http_fliq_store_decode_balance(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_balance_t  balance;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    balance.balance = ngx_http_fliq_get_int(res, 0, 0);
    balance.plan = ngx_http_fliq_get_str(res, 0, 1);
    balance.daily_limit = PQgetisnull(res, 0, 2)
                          ? -1 : ngx_http_fliq_get_int(res, 0, 2);

    call->done(call->data, NGX_OK, &balance);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_credit_list(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *before,
    ngx_uint_t limit, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_page(call, account, before, limit);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_credit_list,
                                   ngx_http_fliq_store_decode_credits);
}


static void
ngx_http_fliq_store_decode_credits(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                      i;
    ngx_http_fliq_list_t     list;
    ngx_http_fliq_credit_t  *credits;

    list.n = PQntuples(res);

    credits = ngx_palloc(call->pool,
                         (list.n + 1) * sizeof(ngx_http_fliq_credit_t));
    if (credits == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_get_id(res, i, 0, &credits[i].id);
        credits[i].type = ngx_http_fliq_get_str(res, i, 1);
        credits[i].amount = ngx_http_fliq_get_int(res, i, 2);
        credits[i].description = ngx_http_fliq_get_str(res, i, 3);
        credits[i].created_at = ngx_http_fliq_get_time(res, i, 4);
    }

    list.records = credits;

    call->done(call->data, NGX_OK, &list);
}
