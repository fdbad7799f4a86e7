// How a client speaks HTTP with the API: headers, time-outs, retries, and
// answers that become values or errors.

const STATUS = {};

// What the API, or the way there, said no with.  status is undefined when
// there was no answer; body is what the answer held, as an object.
export class FliqError extends Error {
    constructor(message, { status, body, requestId, cause } = {}) {
        super(message, { cause });
        Object.assign(this, { name: this.constructor.name, status, body,
                              requestId });
    }
}

function errorOf(status, name) {
    STATUS[status] = { [name]: class extends FliqError {} }[name];
    return STATUS[status];
}

export const BadRequestError = errorOf(400, 'BadRequestError');
export const AuthenticationError = errorOf(401, 'AuthenticationError');
export const InsufficientCreditsError =
    errorOf(402, 'InsufficientCreditsError');
export const PermissionDeniedError = errorOf(403, 'PermissionDeniedError');
export const NotFoundError = errorOf(404, 'NotFoundError');
export const ConflictError = errorOf(409, 'ConflictError');
export const RateLimitError = errorOf(429, 'RateLimitError');
export const InternalServerError = errorOf(500, 'InternalServerError');

const WAIT_FIRST = 250;
const WAIT_MAX = 8000;

export class Transport {
    // token: of the API.  baseUrl: where its location is.  timeout: ms for
    // one try.  retries: tries after the first one.  fetch and sleep (of ms)
    // are what a test replaces.
    constructor({ token, baseUrl = 'https://api.fliq.sh', timeout = 60_000,
                  retries = 2, fetch = globalThis.fetch, sleep = wait }) {
        this.base = baseUrl.replace(/\/+$/, '');
        Object.assign(this, { token, timeout, retries, fetch, sleep });
    }

    get(path, options) {
        return this.request('GET', path, options);
    }

    post(path, body, options) {
        return this.request('POST', path, { ...options, body });
    }

    patch(path, body, options) {
        return this.request('PATCH', path, { ...options, body });
    }

    delete(path, options) {
        return this.request('DELETE', path, options);
    }

    // One call: its value, or an error thrown.  query: values by name; what
    // is undefined or null is left out.  body: sent as JSON.  headers: more
    // of them.  signal: ends it early.
    async request(method, path, { query, body, headers, signal } = {}) {
        const url = this.base + path + queryText(query);
        const init = {
            method,
            headers: {
                Authorization: `Bearer ${this.token}`,
                Accept: 'application/json',
                ...(body === undefined
                    ? {} : { 'Content-Type': 'application/json' }),
                ...headers,
            },
            body: body === undefined ? undefined : JSON.stringify(body),
        };

        for (let n = 0; ; n++) {
            const answer = await this.#attempt(url, init, signal);
            const last = n >= this.retries || signal?.aborted;

            if (answer.error && (last || !isTransient(answer.status))) {
                throw answer.error;
            }
            if (!answer.error) {
                return answer.value;
            }

            await this.sleep(answer.wait ?? backoff(n), signal);
        }
    }

    // One try: { value } or { error, status, wait }.
    async #attempt(url, init, signal) {
        const late = AbortSignal.timeout(this.timeout);
        let response, text;

        try {
            response = await this.fetch(url,
                { ...init, signal: signal ? either(signal, late) : late });
            text = await response.text();
        } catch (cause) {
            const why = late.aborted
                ? `no answer within ${this.timeout} ms` : cause.message;
            return { error: new FliqError(why, { cause }) };
        }

        return answerOf(response, text);
    }
}

function answerOf(response, text) {
    const { status, headers } = response;
    const about = { status, requestId: headers.get('x-request-id') };
    const json = parse(text);

    if (!response.ok) {
        const body = isObject(json) ? json : { error: text };
        const Class = STATUS[Math.min(status, 500)] ?? FliqError;

        return {
            error: new Class(messageOf(body), { ...about, body }), status,
            wait: retryAfter(headers.get('retry-after')),
        };
    }
    if (status !== 204 && text !== '' && json === undefined) {
        return { error: new FliqError(
            'failed to parse response body as JSON', about), status };
    }

    return { value: status === 204 ? undefined : json };
}

// The library's dialect has the message there; the reference's an object.
function messageOf({ error }) {
    return isObject(error) ? error.message : error;
}

function isTransient(status) {
    return status === undefined || status === 408 || status === 429
           || status >= 500;
}

// Milliseconds that a Retry-After asks for: seconds or a date.
function retryAfter(value) {
    if (value === null) {
        return undefined;
    }

    const ms = /^\d+$/.test(value) ? value * 1000
                                   : Date.parse(value) - Date.now();
    return Number.isNaN(ms) ? undefined
                            : Math.min(Math.max(ms, 0), WAIT_MAX);
}

function backoff(n) {
    return Math.min(WAIT_FIRST * 2 ** n, WAIT_MAX)
           * (0.5 + Math.random() / 2);
}

function wait(ms, signal) {
    return new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);

        signal?.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
        }, { once: true });
    });
}

// AbortSignal.any() is younger than Node 18.
function either(...signals) {
    const controller = new AbortController();

    for (const signal of signals) {
        if (signal.aborted) {
            controller.abort(signal.reason);
        }
        signal.addEventListener('abort',
            () => controller.abort(signal.reason),
            { signal: controller.signal });
    }

    return controller.signal;
}

function queryText(query = {}) {
    const pairs = Object.entries(query)
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => [name, String(value)]);

    return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
}

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function isObject(value) {
    return typeof value === 'object' && value !== null
           && !Array.isArray(value);
}
