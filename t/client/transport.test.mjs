// The client's own half: against a server that answers by a script, what it
// sends, how often and when it tries again, and what it makes of answers.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import * as api from './client.mjs';

let server, script, calls, waits;

before(async () => {
    server = http.createServer(async (request, response) => {
        const chunks = [];
        for await (const chunk of request) {
            chunks.push(chunk);
        }

        const { method, url, headers } = request;
        calls.push({ method, url, headers, body: `${Buffer.concat(chunks)}` });
        (script.shift() ?? answer(200, '{}'))(response);
    });
    await new Promise((listening) =>
        server.listen(0, '127.0.0.1', listening));
});

after(() => {
    server.closeAllConnections();
    server.close();
});

const answer = (status, body = '{"error":"because"}', headers = {}) =>
    (response) => response.writeHead(status, headers).end(body);
const hangUp = (response) => response.socket.destroy();
const nothing = () => {};

// A client of the server, which will answer this and then 200.
function client(answers = [], options = {}) {
    script = answers;
    calls = [];
    waits = [];

    return new api.Fliq({
        token: 'fliq_sk_x',
        baseUrl: `http://127.0.0.1:${server.address().port}/base//`,
        sleep: async (ms) => {
            waits.push(ms);
        },
        ...options,
    });
}

test('T1, T2: where it sends what', async () => {
    const fliq = client();
    await fliq.jobs.create({ url: 'u' });
    await fliq.jobs.replay('job_1');
    await fliq.jobs.list();

    assert.deepEqual(calls.map(({ method, url }) => [method, url]),
        [['POST', '/base/jobs'], ['POST', '/base/jobs/job_1/replay'],
         ['GET', '/base/jobs']]);
    for (const { headers } of calls) {
        assert.equal(headers.authorization, 'Bearer fliq_sk_x');
        assert.equal(headers.accept, 'application/json');
    }
    assert.deepEqual(calls.map(({ headers }) => headers['content-type']),
                     ['application/json', undefined, undefined]);
    assert.deepEqual(calls.map(({ headers }) => headers['content-length']),
                     [String(calls[0].body.length), '0', undefined]);
});

test('T1: its default base', () => {
    assert.equal(new api.Fliq({ token: 'x' }).http.base,
                 'https://api.fliq.sh');
});

test('T3: an id is one segment', async () => {
    await client().buffers.getItem('a/b', '../%2F?#');

    assert.equal(calls[0].url, '/base/buffers/a%2Fb/items/..%2F%252F%3F%23');
});

test('T4: a query is of what there is', async () => {
    await client().http.get('/x', { query: {
        a: undefined, b: null, c: 0, d: false, e: 'f g', h: '' } });

    assert.equal(calls[0].url, '/base/x?c=0&d=false&e=f+g&h=');
});

test('T5: what an answer is worth', async () => {
    for (const [status, body, value] of [
        [204, '', undefined], [200, '', undefined], [200, 'null', null],
        [201, '[1]', [1]],
    ]) {
        assert.deepEqual(await client([answer(status, body)]).http.get('/x'),
                         value);
    }

    await assert.rejects(
        client([answer(200, '<html>', { 'X-Request-ID': 'r' })])
            .http.get('/x'),
        { name: 'FliqError', status: 200, requestId: 'r',
          message: 'failed to parse response body as JSON' });
    assert.equal(calls.length, 1);
});

test('T6: what an error says', async () => {
    for (const [text, message, body] of [
        ['{"error":"m","code":"c"}', 'm', { error: 'm', code: 'c' }],
        ['{"error":{"code":"c","message":"m"}}', 'm',
         { error: { code: 'c', message: 'm' } }],
        ['<html>', '<html>', { error: '<html>' }],
        ['[1]', '[1]', { error: '[1]' }],
    ]) {
        await assert.rejects(client([answer(400, text)]).http.get('/x'),
                             { message, body, status: 400 });
    }
});

test('T7: what is tried again, whatever the method', async () => {
    for (const status of [408, 429, 500, 501, 502, 503, 504, 599]) {
        for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
            const fliq = client([answer(status), hangUp,
                                 answer(200, '"done"')]);

            assert.equal(await fliq.http.request(method, '/x', {
                body: method === 'GET' ? undefined : { a: 1 } }), 'done');
            assert.deepEqual(new Set(calls.map((c) => c.body)).size, 1);
            assert.equal(calls.length, 3);
        }
    }
    for (const status of [400, 401, 402, 403, 404, 405, 409, 413, 415, 422]) {
        await assert.rejects(client([answer(status)]).http.get('/x'),
                             { status });
        assert.equal(calls.length, 1);
    }
});

test('T7: three tries, then it gives up', async () => {
    await assert.rejects(
        client([answer(503), answer(502), answer(504, '{"error":"e"}')])
            .http.get('/x'),
        { name: 'InternalServerError', status: 504, message: 'e' });
    assert.equal(calls.length, 3);

    await assert.rejects(client([hangUp, hangUp, hangUp]).http.post('/x'),
        { name: 'FliqError', status: undefined });
    assert.equal(calls.length, 3);

    await assert.rejects(
        client([answer(503)], { retries: 0 }).http.get('/x'),
        { status: 503 });
    assert.equal(calls.length, 1);
});

test('T7: a key is made once for all tries', async () => {
    await client([answer(500), hangUp]).jobs.create({ url: 'u' });
    const keys = calls.map(({ body }) => JSON.parse(body).idempotency_key);

    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);

    await client().buffers.pushItem('b');
    assert.notEqual(JSON.parse(calls[0].body).idempotency_key, keys[0]);
    await client().buffers.pushItem('b', { idempotency_key: 'mine' });
    assert.equal(JSON.parse(calls[0].body).idempotency_key, 'mine');
});

test('T7: how long it waits in between', async () => {
    const between = (low, high) => assert.ok(
        waits[0] >= low && waits[0] <= high, `${waits[0]} ms`);

    for (const [value, low, high] of [
        ['0', 0, 0], ['3', 3000, 3000], ['8', 8000, 8000],
        ['3600', 8000, 8000], ['soon', 125, 250],
        [new Date(Date.now() + 5000).toUTCString(), 1, 5000],
        [new Date(Date.now() + 60_000).toUTCString(), 8000, 8000],
        [new Date(Date.now() - 5000).toUTCString(), 0, 0],
    ]) {
        await client([answer(429, '{}', { 'Retry-After': value })])
            .http.get('/x');
        between(low, high);
    }

    for (let i = 0; i < 20; i++) {
        await client(Array(8).fill(answer(500)), { retries: 8 })
            .http.get('/x');

        for (let n = 0; waits.length; n++) {
            const longest = Math.min(250 * 2 ** n, 8000);
            between(longest / 2, longest);
            waits.shift();
        }
    }
});

test('T8: a try has its time', async () => {
    await assert.rejects(
        client(Array(3).fill(nothing), { timeout: 50 }).http.get('/x'),
        { name: 'FliqError', message: 'no answer within 50 ms' });
    assert.equal(calls.length, 3);
    assert.equal(new api.Fliq({ token: 'x' }).http.timeout, 60_000);

    // A body that does not end is no answer either.
    const begun = (response) => response.writeHead(200).write('{');
    await client([begun], { timeout: 300 }).http.get('/x');
    assert.equal(calls.length, 2);
});

test('T8: whoever calls may end it', async () => {
    const caller = new AbortController();
    const { signal } = caller;
    const ended = { name: 'FliqError', status: undefined };

    await assert.rejects(
        client([() => caller.abort()]).http.get('/x', { signal }), ended);
    assert.equal(calls.length, 1);
    await assert.rejects(client().http.get('/x', { signal }), ended);
    assert.equal(calls.length, 0);

    // Not even the wait for the next try holds it.
    const waiting = new AbortController();
    const late = client([(response) => {
        answer(503, '{}', { 'Retry-After': '8' })(response);
        setTimeout(() => waiting.abort(), 20);
    }], { sleep: undefined });
    const began = Date.now();
    await assert.rejects(late.http.get('/x', { signal: waiting.signal }));
    assert.ok(Date.now() - began < 8000);
});

test('T9, T10: the class of a status, and the request id', async () => {
    for (const [status, name] of [
        [400, 'BadRequestError'], [401, 'AuthenticationError'],
        [402, 'InsufficientCreditsError'], [403, 'PermissionDeniedError'],
        [404, 'NotFoundError'], [409, 'ConflictError'],
        [429, 'RateLimitError'], [500, 'InternalServerError'],
        [503, 'InternalServerError'], [599, 'InternalServerError'],
        [405, 'FliqError'], [413, 'FliqError'], [415, 'FliqError'],
    ]) {
        await assert.rejects(
            client([answer(status, '{}', { 'X-Request-ID': `r${status}` })],
                   { retries: 0 }).http.get('/x'),
            (error) => {
                assert.ok(error instanceof api[name]);
                assert.ok(error instanceof api.FliqError);
                assert.deepEqual([error.name, error.requestId],
                                 [name, `r${status}`]);
                return true;
            });
    }
});

test('T11, T12: an iterator walks all pages', async () => {
    for (const end of ['null', '""', undefined]) {
        const page = (ids, next) => answer(200, `{"jobs":[${ids}]${
            next === undefined ? '' : `,"next_cursor":${next}`}}`);
        const fliq = client([page('1,2', '"a/b+c"'), page('', '"x"'),
                             page('3', end)]);
        const all = [];

        for await (const job of fliq.jobs.iterate({ status: 'failed',
                                                    limit: 2 })) {
            all.push(job);
        }

        assert.deepEqual(all, [1, 2, 3]);
        assert.deepEqual(
            calls.map(({ url }) => Object.fromEntries(
                new URL(url, 'http://x').searchParams)),
            [{ status: 'failed', limit: '2' },
             { status: 'failed', limit: '2', cursor: 'a/b+c' },
             { status: 'failed', limit: '2', cursor: 'x' }]);
    }
});
