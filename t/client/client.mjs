// A small client of the whole API, by the rules of the client library that
// people use: what it sends, and what it needs of the answers.
//
//     const fliq = new Fliq({ token, baseUrl: 'http://127.0.0.1:8080' });
//     const job = await fliq.jobs.create({ url, method: 'POST', ... });
//     for await (const job of fliq.jobs.iterate({ status: 'failed' })) ...

import { webcrypto } from 'node:crypto';

import { Transport } from './transport.mjs';

export * from './transport.mjs';

export class Fliq {
    constructor(options) {
        const http = new Transport(options);

        Object.assign(this, {
            http,
            jobs: new Jobs(http),
            schedules: new Schedules(http),
            buffers: new Buffers(http),
            alerts: new Alerts(http),
            stats: new Stats(http),
            billing: new Billing(http),
            tokens: new Tokens(http),
        });
    }
}

// The members of all pages, as long as there is a cursor to the next one.
async function* paginate(list, member, params) {
    let cursor = params?.cursor;

    do {
        const page = await list({ ...params, cursor });

        yield* page[member];
        cursor = page.next_cursor;
    } while (cursor);
}

// A path of literal text and ids; an id is one segment, whatever it holds.
function path(strings, ...ids) {
    return String.raw({ raw: strings }, ...ids.map(encodeURIComponent));
}

function keyed(input) {
    return { ...input, idempotency_key: input.idempotency_key
                                        ?? webcrypto.randomUUID() };
}

class Resource {
    constructor(http) {
        this.http = http;
    }
}

class Jobs extends Resource {
    create(input, options) {
        return this.http.post('/jobs', keyed(input), options);
    }

    get(id) {
        return this.http.get(path`/jobs/${id}`);
    }

    list(query) {
        return this.http.get('/jobs', { query });
    }

    iterate(query) {
        return paginate((params) => this.list(params), 'jobs', query);
    }

    cancel(id) {
        return this.http.delete(path`/jobs/${id}`);
    }

    replay(id) {
        return this.http.post(path`/jobs/${id}/replay`);
    }

    listAttempts(id) {
        return this.http.get(path`/jobs/${id}/attempts`);
    }
}

class Schedules extends Resource {
    create(input) {
        return this.http.post('/schedules', input);
    }

    get(id) {
        return this.http.get(path`/schedules/${id}`);
    }

    list(query) {
        return this.http.get('/schedules', { query });
    }

    iterate(query) {
        return paginate((params) => this.list(params), 'schedules', query);
    }

    pause(id) {
        return this.http.post(path`/schedules/${id}/pause`);
    }

    resume(id) {
        return this.http.post(path`/schedules/${id}/resume`);
    }

    delete(id) {
        return this.http.delete(path`/schedules/${id}`);
    }

    listJobs(id, query) {
        return this.http.get(path`/schedules/${id}/jobs`, { query });
    }

    iterateJobs(id, query) {
        return paginate((params) => this.listJobs(id, params), 'jobs', query);
    }
}

class Buffers extends Resource {
    create(input) {
        return this.http.post('/buffers', input);
    }

    get(id) {
        return this.http.get(path`/buffers/${id}`);
    }

    list(query) {
        return this.http.get('/buffers', { query });
    }

    iterate(query) {
        return paginate((params) => this.list(params), 'buffers', query);
    }

    pause(id) {
        return this.http.post(path`/buffers/${id}/pause`);
    }

    resume(id) {
        return this.http.post(path`/buffers/${id}/resume`);
    }

    delete(id) {
        return this.http.delete(path`/buffers/${id}`);
    }

    stats(id) {
        return this.http.get(path`/buffers/${id}/stats`);
    }

    pushItem(id, input = {}) {
        return this.http.post(path`/buffers/${id}/items`, keyed(input));
    }

    listItems(id, query) {
        return this.http.get(path`/buffers/${id}/items`, { query });
    }

    iterateItems(id, query) {
        return paginate((params) => this.listItems(id, params), 'items',
                        query);
    }

    getItem(id, item) {
        return this.http.get(path`/buffers/${id}/items/${item}`);
    }

    replayItem(id, item) {
        return this.http.post(path`/buffers/${id}/items/${item}/replay`);
    }
}

class Alerts extends Resource {
    async list() {
        return (await this.http.get('/alerts')).channels;
    }

    get(id) {
        return this.http.get(path`/alerts/${id}`);
    }

    create(input) {
        return this.http.post('/alerts', input);
    }

    setEnabled(id, enabled) {
        return this.http.patch(path`/alerts/${id}`, { enabled });
    }

    delete(id) {
        return this.http.delete(path`/alerts/${id}`);
    }
}

class Stats extends Resource {
    jobs(days) {
        return this.http.get('/stats/jobs', { query: { days } });
    }

    usage(days) {
        return this.http.get('/stats/usage', { query: { days } });
    }
}

class Billing extends Resource {
    getBalance() {
        return this.http.get('/billing/balance');
    }

    createCheckout(credits) {
        return this.http.post('/billing/checkout', { credits });
    }

    listTransactions(query) {
        return this.http.get('/billing/transactions', { query });
    }

    iterateTransactions(query) {
        return paginate((params) => this.listTransactions(params),
                        'transactions', query);
    }
}

class Tokens extends Resource {
    list() {
        return this.http.get('/tokens');
    }

    create(name) {
        return this.http.post('/tokens', { name });
    }

    revoke(id) {
        return this.http.delete(path`/tokens/${id}`);
    }
}

// Whether a request that came in is one that the account's secret signed, for
// this URL, within the last or next tolerance seconds.  body is a string or
// bytes; signature and timestamp are the headers' values.
export async function verifyWebhook({ body, signature, timestamp, secret,
                                      url, method = 'POST',
                                      tolerance = 300 }) {
    const hex = /^v1=([0-9a-f]{64})$/.exec(signature)?.[1];

    if (!hex || !/^\d+$/.test(timestamp)
        || Math.abs(Date.now() / 1000 - timestamp) > tolerance) {
        return false;
    }

    const key = await webcrypto.subtle.importKey('raw', Buffer.from(secret),
        { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);

    return webcrypto.subtle.verify('HMAC', key, Buffer.from(hex, 'hex'),
        Buffer.concat([Buffer.from(`${timestamp}.${method}.${url}.`),
                       Buffer.from(body)]));
}
