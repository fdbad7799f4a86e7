// The server's half of the transport: what every answer of it is like,
// whatever the route.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { AuthenticationError, BadRequestError, ConflictError, FliqError,
         NotFoundError, PermissionDeniedError } from './client.mjs';
import { eachBase, recorded, refusal, tomorrow } from './setup.mjs';
import { check, page } from './shapes.mjs';

eachBase(({ url: base, dialect, accounts, connect, fliq, receiver }) => {
    const create = () => fliq.jobs.create({
        url: receiver.url('/200/x'), method: 'POST',
        scheduled_at: tomorrow() });

    test('T2: POST without a body, in each way', async () => {
        const { id } = await create();
        const { host, hostname, port, pathname } = new URL(base);

        // undici sends Content-Length: 0; others send none at all.
        const line = `POST ${pathname.replace(/\/$/, '')}/jobs/${id}/replay`;
        const socket = net.connect(port, hostname);
        socket.write(`${line} HTTP/1.1\r\nHost: ${host}\r\n`
                   + `Authorization: Bearer ${accounts.main.token}\r\n`
                   + 'Connection: close\r\n\r\n');
        let text = '';
        for await (const chunk of socket) {
            text += chunk;
        }
        assert.match(text, /^HTTP\/1.1 409 .*job_not_failed/s);

        await assert.rejects(
            fliq.http.post(`/jobs/${id}/replay`, undefined, {
                headers: { 'Content-Type': 'application/json' } }),
            refusal(dialect, ConflictError, 'job_not_failed'));
    });

    test('T3: an encoded slash is no separator', async () => {
        const { id } = await create();

        for (const path of [`/jobs%2F${id}`, `/jobs/${id}%2Fattempts`,
                            '/jobs%2Fx', '/%2Fjobs']) {
            await assert.rejects(fliq.http.get(path),
                                 { name: 'NotFoundError' }, path);
        }
        assert.equal((await fliq.http.get(
            `/jobs/${id.replace('_', '%5f')}/`)).id, id);
    });

    test('T4: an empty value is as good as none', async () => {
        check(page('jobs', dialect.job), await fliq.http.get('/jobs', {
            query: { limit: '', cursor: '', status: '' } }));
    });

    test('T5: every answer is JSON and says so', async () => {
        const answers = [];
        const json = connect('main', {
            retries: 0,
            fetch: async (url, init) => {
                const response = await fetch(url, init);

                answers.push([response.status,
                              response.headers.get('content-type'),
                              response.headers.get('x-request-id')]);
                return response;
            },
        });
        const input = { url: receiver.url('/200/x'), method: 'POST',
                        scheduled_at: tomorrow() };
        const { id } = await json.jobs.create(input);

        await json.jobs.get(id);
        await json.jobs.cancel(id);
        for (const [method, path, options] of [
            ['GET', '/nowhere'], ['PUT', '/jobs'], ['GET', '/jobs/x'],
            ['POST', '/jobs', { body: {} }],
            ['POST', '/jobs', { body: { ...input,
                                        body: 'x'.repeat(2 ** 21) } }],
        ]) {
            await assert.rejects(json.http.request(method, path, options),
                                 (error) => {
                check(dialect.error, error.body);
                return true;
            });
        }

        assert.deepEqual(answers.map(([status]) => status),
                         [201, 200, 204, 404, 405, 404, 400, 413]);
        for (const [status, type, requestId] of answers) {
            assert.equal(type, status === 204 ? null : 'application/json');
            assert.match(requestId, /^[\w.-]{1,128}$/);
        }
    });

    test('T9: the request id is the one that was sent', async () => {
        for (const [sent, ours] of [['mine.1-2_3', true], ['a b', false],
                                    ['x'.repeat(129), false]]) {
            await assert.rejects(
                fliq.http.get('/jobs/x', { headers: {
                    'X-Request-ID': sent } }),
                ({ requestId }) => {
                    assert.equal(requestId === sent, ours);
                    assert.match(requestId, /^[\w.-]{1,128}$/);
                    return true;
                });
        }
    });

    test('T10: 401, whatever the route', async () => {
        for (const token of ['', 'x', `${accounts.main.token}x`,
                             accounts.main.token.toUpperCase()]) {
            const stranger = connect('main', { token });

            for (const call of [
                () => stranger.jobs.get('job_x'),
                () => stranger.schedules.create({}),
                () => stranger.alerts.delete('alt_x'),
                () => stranger.billing.getBalance(),
            ]) {
                await assert.rejects(call,
                    refusal(dialect, AuthenticationError, 'unauthorized'));
            }
        }
    });

    test('T10: 403 for a token that only reads', async () => {
        const reader = connect('main', { token: accounts.main.readToken });

        check(page('jobs', dialect.job), await reader.jobs.list());
        for (const call of [
            () => reader.jobs.create({}),
            () => reader.jobs.cancel('job_x'),
            () => reader.schedules.pause('sched_x'),
            () => reader.alerts.setEnabled('alt_x', true),
        ]) {
            await assert.rejects(call,
                refusal(dialect, PermissionDeniedError, 'forbidden'));
        }
    });

    test('T10: 404, 405 and 413', async () => {
        await assert.rejects(fliq.http.get('/nowhere'),
            refusal(dialect, NotFoundError, 'unknown_route'));
        await assert.rejects(fliq.http.request('PUT', '/jobs'),
            refusal(dialect, FliqError, 'method_not_allowed'));
        await assert.rejects(
            fliq.jobs.create({ url: receiver.url('/200/x'), method: 'POST',
                               scheduled_at: tomorrow(),
                               body: 'x'.repeat(2 ** 20 + 1) }),
            refusal(dialect, FliqError, 'body_too_large'));
    });

    test('T7: what is refused for good is asked for once', async () => {
        const { calls, fetch } = recorded();
        const once = connect('main', { fetch });

        await assert.rejects(once.http.get('/nowhere'));
        await assert.rejects(once.jobs.create({}));
        await assert.rejects(once.http.post('/jobs', [1]));
        await assert.rejects(once.billing.createCheckout(1));
        assert.equal(calls.length, 4);
    });

    test('T12: a cursor that is none', async () => {
        for (const list of [
            (query) => fliq.jobs.list(query),
            (query) => fliq.schedules.list(query),
            (query) => fliq.billing.listTransactions(query),
        ]) {
            await assert.rejects(list({ cursor: 'x' }),
                refusal(dialect, BadRequestError, 'invalid_cursor'));
            for (const limit of [0, 101, -1, '1x']) {
                await assert.rejects(list({ limit }),
                    refusal(dialect, BadRequestError, 'invalid_limit'));
            }
            await list({ limit: 100 });
        }
    });

    test('fields that nobody knows are ignored', async () => {
        const { id } = await fliq.jobs.create({
            url: receiver.url('/200/x'), method: 'POST', unheard_of: [{}],
            scheduled_at: tomorrow() });

        check(dialect.job, await fliq.jobs.get(id));
    });
});
