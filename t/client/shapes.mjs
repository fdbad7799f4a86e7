// What the API answers, as tables: the members of each object and what each
// may be.  All are there, but for those that are optional, and no others.
//
//     check(job, answer);

import assert from 'node:assert/strict';

const string = (v) => typeof v === 'string';
const boolean = (v) => typeof v === 'boolean';
const integer = Number.isSafeInteger;
const number = Number.isFinite;
const count = (v) => integer(v) && v >= 0;
const rate = (v) => number(v) && v >= 0 && v <= 1;
const nothing = (v) => v === null;

const like = (regex) => (v) => string(v) && regex.test(v);
const oneOf = (...values) => (v) => values.includes(v);
const or = (a, b) => (v) => a(v) || b(v);
const nullable = (type) => or(nothing, type);
const optional = (type) => Object.assign((v) => type(v), { optional: true });
const listOf = (shape) => (v, where) => Array.isArray(v)
    && v.every((x, i) => check(shape, x, `${where}[${i}]`));
const strings = (v) => typeof v === 'object' && !Array.isArray(v)
    && Object.values(v).every(string);

const id = (prefix) =>
    like(new RegExp(`^${prefix}_[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}$`));
const time =
    like(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/);
const url = like(/^https?:\/\//);
const method = oneOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD',
                     'OPTIONS');
const code = (v) => integer(v) && v >= 100 && v <= 999;
const cursor = nullable(like(/^[\w.~-]+$/));

// Asserts that value has this shape; returns true.
export function check(shape, value, where = 'it') {
    if (typeof shape === 'function') {
        assert.ok(shape(value, where),
                  `${where} is ${JSON.stringify(value)}`);
        return true;
    }

    assert.ok(typeof value === 'object' && value !== null
              && !Array.isArray(value), `${where} is no object: ${value}`);

    for (const [name, type] of Object.entries(shape)) {
        assert.ok(name in value || type.optional,
                  `${where} has no ${name}`);
        if (name in value) {
            check(type, value[name], `${where}.${name}`);
        }
    }
    for (const name of Object.keys(value)) {
        assert.ok(name in shape, `${where} has ${name}, too`);
    }

    return true;
}

// What jobs, schedules and buffers have in common.
const target = {
    url, http_method: method, method, headers: nullable(strings),
    max_retries: (v) => count(v) && v <= 20,
    timeout_seconds: (v) => integer(v) && v >= 1 && v <= 3600,
    backoff: oneOf('exponential', 'linear'),
    webhook_url: nullable(url), webhook_headers: nullable(strings),
};

// Jobs and errors, in the words of each dialect.
const jobIn = (...words) => ({
    ...target, id: id('job'), user_id: id('acct'), body: nullable(string),
    status: oneOf('running', 'failed', 'cancelled', 'pending', ...words),
    scheduled_at: time, idempotency_key: nullable(string),
    replay_of: nullable(id('job')), schedule_id: nullable(id('sched')),
    execution_count: count, attempts: count, started_at: nullable(time),
    completed_at: nullable(time), next_attempt_at: nullable(time),
    last_status_code: nullable(code), last_error: nullable(string),
    created_at: time, updated_at: time,
});

const word = like(/^[a-z][a-z_]+$/);
const message = like(/\w+ \w+/);

export const dialects = {
    reference: {
        job: jobIn('scheduled', 'success'),
        error: { error: (v, where) => check({ code: word, message }, v,
                                            where) },
        codeOf: (body) => body.error.code,
        waiting: 'scheduled', succeeded: 'success',
    },
    sdk: {
        job: jobIn('completed'),
        error: { error: message, code: word },
        codeOf: (body) => body.code,
        waiting: 'pending', succeeded: 'completed',
    },
};

export const attempt = {
    id: id('exec'), job_id: id('job'), attempt_num: (v) => count(v) && v > 0,
    worker_id: string, started_at: time, completed_at: nullable(time),
    status_code: nullable(code), error: nullable(string), duration_ms: count,
};

export const schedule = {
    ...target, id: id('sched'), user_id: id('acct'), name: string,
    cron: string, cron_expr: string, body: nullable(string),
    status: oneOf('active', 'paused'), paused: boolean,
    next_run_at: nullable(time), last_run_at: nullable(time),
    created_at: time, updated_at: time,
};

export const buffer = {
    ...target, id: id('buf'), name: string,
    rate_limit: (v) => integer(v) && v >= 1 && v <= 1000, paused: boolean,
    user_id: optional(id('acct')), created_at: time, updated_at: time,
};

export const bufferStats = {
    pending: count, running: count, completed: count, failed: count,
    total: count, success_rate: rate,
};

export const item = {
    id: id('item'), buffer_id: id('buf'),
    status: oneOf('pending', 'running', 'completed', 'failed'),
    status_code: nullable(code), retry_count: count,
    max_retries: (v) => count(v) && v <= 20, last_error: nullable(string),
    replay_of: nullable(id('item')), created_at: time,
    completed_at: nullable(time), user_id: optional(id('acct')),
    attempts: optional(count), headers: optional(nullable(strings)),
    body: optional(nullable(string)),
    idempotency_key: optional(nullable(string)),
};

export const channel = {
    id: id('alt'), type: oneOf('webhook', 'slack'), target: url,
    name: string, enabled: boolean, created_at: time, updated_at: time,
};

export const jobStats = {
    total_executions: count, succeeded: count, failed: count,
    success_rate: rate, avg_duration_ms: number, p95_duration_ms: number,
    since_days: count,
};

const plan = oneOf('free', 'paid', 'unlimited');

export const usage = {
    buckets: listOf({
        date: like(/^\d{4}-\d\d-\d\d$/), job_executions: count,
        buffer_executions: count,
    }),
    total_job_executions: count, total_buffer_executions: count,
    balance: integer, plan, since_days: count,
};

export const balance = {
    balance: integer, plan, daily_limit: count,
    credits_per_dollar: (v) => number(v) && v > 0,
};

export const transaction = {
    id: id('txn'), amount: integer,
    type: oneOf('job_execution', 'buffer_execution', 'grant'),
    job_id: nullable(id('job')), stripe_payment_intent_id: nullable(string),
    description: nullable(string), created_at: time,
};

export const token = {
    id: id('tok'), name: string, prefix: like(/^fliq_sk_\w+$/),
    scope: oneOf('read', 'write'), last_used_at: nullable(time),
    created_at: time,
};

export const newToken = { ...token, token: like(/^fliq_sk_\w{40}$/) };

export const secret = { secret: like(/^whsec_\w+$/), created_at: time };

// A page of a list, and what has no page.
export const page = (plural, shape) =>
    ({ [plural]: listOf(shape), next_cursor: cursor });
export const list = listOf;

// What webhooks and alerts are told.
const ended = {
    job_id: id('job'), status: oneOf('completed', 'failed', 'cancelled'),
    status_code: nullable(code), last_error: nullable(string),
    completed_at: time, attempt_num: count,
};

export const jobWebhook = ended;
export const itemWebhook = {
    ...ended, job_id: id('item'), buffer_id: id('buf'), item_id: id('item'),
};

export const alert = {
    event: oneOf('failure'), resource_type: oneOf('job', 'buffer_item'),
    resource_id: or(id('job'), id('item')),
    buffer_id: optional(id('buf')), schedule_id: optional(id('sched')),
    url, method, last_error: nullable(string), status_code: nullable(code),
    attempts: count, failed_at: time,
};
