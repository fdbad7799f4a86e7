// Buffers and their items: each method, what it sends and what it is
// answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BadRequestError, ConflictError, NotFoundError,
         verifyWebhook } from './client.mjs';
import { among, eachBase, recorded, refusal, secretOf,
         until } from './setup.mjs';
import { buffer, bufferStats, check, item, itemWebhook,
         page } from './shapes.mjs';

eachBase(({ name, dialect, connect, fliq, receiver }) => {
    let made = 0;
    const create = (fields) => fliq.buffers.create({
        name: `${name} ${++made}`, url: receiver.url('/200/buffer'),
        rate_limit: 1000, ...fields });
    const paused = async (fields) => {
        const { id } = await create(fields);

        await fliq.buffers.pause(id);
        return id;
    };
    const ended = (id, { id: which }) => until(async () => {
        const now = await fliq.buffers.getItem(id, which);
        return now.completed_at && now;
    }, `${which} has ended`);

    test('create: the whole buffer, as it was asked for', async () => {
        const input = {
            name: `whole ${name}`, url: receiver.url('/200/whole'),
            method: 'PUT', headers: { 'X-One': '1' }, timeout_seconds: 7,
            rate_limit: 25, max_retries: 5, backoff: 'linear',
            webhook_url: receiver.url('/200/hook'),
            webhook_headers: { 'X-Two': '2' },
        };
        const whole = await fliq.buffers.create(input);

        check(buffer, whole);
        assert.deepEqual({ ...whole, ...input }, whole);
        assert.deepEqual([whole.http_method, whole.paused], ['PUT', false]);
        assert.deepEqual(await fliq.buffers.get(whole.id), whole);
    });

    test('create: what is not given has its default', async () => {
        const few = await create({ rate_limit: undefined });

        check(buffer, few);
        assert.deepEqual(
            [few.method, few.headers, few.timeout_seconds, few.rate_limit,
             few.max_retries, few.backoff, few.webhook_url,
             few.webhook_headers],
            ['POST', null, 30, 10, 3, 'exponential', null, null]);
    });

    test('create: what is wrong is named', async () => {
        const taken = await create();

        await assert.rejects(create({ name: taken.name }),
            refusal(dialect, ConflictError, 'name_taken'));
        for (const [field, value] of [
            ['name', ''], ['name', 'n'.repeat(257)], ['url', 'x'],
            ['rate_limit', 0], ['rate_limit', 1001], ['max_retries', 21],
        ]) {
            await assert.rejects(create({ [field]: value }),
                refusal(dialect, BadRequestError, `invalid_${field}`));
        }
    });

    test('get: what is not there', async () => {
        const { id } = await create();

        for (const other of ['x', `${id}/stats`]) {
            await assert.rejects(fliq.buffers.get(other),
                refusal(dialect, NotFoundError, 'not_found'));
        }
        await assert.rejects(connect('stranger').buffers.get(id),
            refusal(dialect, NotFoundError, 'not_found'));
        for (const method of ['pause', 'resume', 'delete', 'stats',
                              'pushItem', 'listItems']) {
            await assert.rejects(connect('stranger').buffers[method](id),
                refusal(dialect, NotFoundError, 'not_found'), method);
        }
    });

    test('list and iterate: each of many once', async () => {
        const ids = [];
        for (let i = 0; i < 5; i++) {
            ids.push((await create()).id);
        }
        ids.sort().reverse();

        check(page('buffers', buffer), await fliq.buffers.list({ limit: 2 }));
        assert.deepEqual(
            await among(fliq.buffers.iterate({ limit: 2 }), ids), ids);
        assert.deepEqual(await connect('stranger').buffers.list(),
                         { buffers: [], next_cursor: null });
    });

    test('pause and resume: whether or not they change it', async () => {
        const { id } = await create();

        for (const method of ['pause', 'pause', 'resume', 'resume']) {
            assert.equal(await fliq.buffers[method](id), undefined);
            assert.equal((await fliq.buffers.get(id)).paused,
                         method === 'pause');
        }
    });

    test('delete: it is gone, and its items', async () => {
        const id = await paused();
        const { id: pushed } = await fliq.buffers.pushItem(id);

        assert.equal(await fliq.buffers.delete(id), undefined);
        await assert.rejects(fliq.buffers.delete(id),
            refusal(dialect, NotFoundError, 'not_found'));
        await assert.rejects(fliq.buffers.getItem(id, pushed),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('pushItem: a paused buffer takes it', async () => {
        const id = await paused({ max_retries: 2 });
        const pushed = await fliq.buffers.pushItem(id, {
            body: 'b', headers: { 'X-Mine': '1' } });

        check(item, pushed);
        assert.deepEqual(
            [pushed.buffer_id, pushed.status, pushed.status_code,
             pushed.retry_count, pushed.max_retries, pushed.last_error,
             pushed.replay_of, pushed.completed_at],
            [id, 'pending', null, 0, 2, null, null, null]);
        assert.deepEqual(await fliq.buffers.getItem(id, pushed.id), pushed);
        check(item, await fliq.buffers.pushItem(id));
        assert.deepEqual(await fliq.buffers.stats(id), {
            pending: 2, running: 0, completed: 0, failed: 0, total: 2,
            success_rate: 0 });
    });

    test('pushItem: again after a lost answer is the same', async () => {
        const id = await paused();
        const { calls, fetch } = recorded();
        const losing = connect('main', {
            sleep: async () => {},
            fetch: async (url, init) => {
                const response = await fetch(url, init);

                if (calls.length === 1) {
                    throw new TypeError('fetch failed');
                }
                return response;
            },
        });
        const pushed = await losing.buffers.pushItem(id, { body: 'b' });

        assert.equal(calls.length, 2);
        assert.deepEqual((await fliq.buffers.listItems(id)).items, [pushed]);
    });

    test('items: in order, with what they were given', async () => {
        const path = `/200/items/${name}`;
        const hook = `/200/items-hook/${name}`;
        const id = await paused({
            url: receiver.url(path), headers: { 'X-A': 'a', 'X-B': 'b' },
            webhook_url: receiver.url(hook) });
        const items = [];
        for (const body of ['1', '2', '3']) {
            items.push(await fliq.buffers.pushItem(id, {
                body, headers: { 'X-B': body } }));
        }

        await fliq.buffers.resume(id);
        const calls = await receiver.to(path, 3);
        assert.deepEqual(calls.map(({ body }) => `${body}`),
                         ['1', '2', '3']);
        assert.deepEqual(
            calls.map(({ headers }) => [headers['x-a'], headers['x-b'],
                                        headers['x-fliq-delivery-id']]),
            items.map((pushed, i) => ['a', `${i + 1}`, pushed.id]));

        const last = await ended(id, items[2]);
        check(item, last);
        assert.deepEqual([last.status, last.status_code, last.last_error],
                         ['completed', 200, null]);

        const secret = await secretOf(fliq);
        const told = await receiver.to(hook, 3);
        for (const [path, { body, headers }] of [
            ...calls.map((call) => [call.path, call]),
            ...told.map((call) => [call.path, call]),
        ]) {
            assert.ok(await verifyWebhook({
                url: receiver.url(path), body, secret,
                signature: headers['x-fliq-signature'],
                timestamp: headers['x-fliq-timestamp'] }));
        }

        const webhooks = told.map(({ body }) => JSON.parse(body));
        for (const webhook of webhooks) {
            check(itemWebhook, webhook);
            assert.deepEqual([webhook.buffer_id, webhook.job_id],
                             [id, webhook.item_id]);
        }
        assert.deepEqual(
            webhooks.find(({ item_id }) => item_id === last.id), {
                job_id: last.id, buffer_id: id, item_id: last.id,
                status: 'completed', status_code: 200, last_error: null,
                completed_at: last.completed_at, attempt_num: 1 });
    });

    test('listItems and iterateItems: with a filter, too', async () => {
        const id = await paused();
        const ids = [];
        for (let i = 0; i < 5; i++) {
            ids.push((await fliq.buffers.pushItem(id)).id);
        }
        ids.sort().reverse();

        check(page('items', item),
              await fliq.buffers.listItems(id, { limit: 2 }));
        assert.deepEqual(await among(
            fliq.buffers.iterateItems(id, { limit: 2 }), ids), ids);
        assert.deepEqual(await among(
            fliq.buffers.iterateItems(id, { limit: 2, status: 'pending' }),
            ids), ids);
        for (const status of ['running', 'completed', 'failed']) {
            assert.deepEqual(await fliq.buffers.listItems(id, { status }),
                             { items: [], next_cursor: null });
        }
        await assert.rejects(fliq.buffers.listItems(id, { status: 'x' }),
            refusal(dialect, BadRequestError, 'invalid_status'));
    });

    test('getItem: what is not there', async () => {
        const id = await paused();
        const other = await paused();
        const pushed = await fliq.buffers.pushItem(id);

        for (const [where, what] of [[id, 'x'], [other, pushed.id],
                                     ['x', pushed.id], [pushed.id, id]]) {
            await assert.rejects(fliq.buffers.getItem(where, what),
                refusal(dialect, NotFoundError, 'not_found'));
            await assert.rejects(fliq.buffers.replayItem(where, what),
                refusal(dialect, NotFoundError, 'not_found'));
        }
    });

    test('replayItem: a clone at the tail', async () => {
        const path = `/500/items/${name}`;
        const { id } = await create({ url: receiver.url(path),
                                      max_retries: 1 });
        const pushed = await fliq.buffers.pushItem(id, { body: 'again' });
        const failed = await ended(id, pushed);

        check(item, failed);
        assert.deepEqual(
            [failed.status, failed.status_code, failed.retry_count],
            ['failed', 500, 1]);
        assert.equal(typeof failed.last_error, 'string');

        const clone = await fliq.buffers.replayItem(id, pushed.id);
        check(item, clone);
        assert.deepEqual(
            [clone.status, clone.replay_of, clone.retry_count],
            ['pending', pushed.id, 0]);
        await ended(id, clone);
        assert.deepEqual(
            (await receiver.to(path, 4)).map(({ body }) => `${body}`),
            Array(4).fill('again'));

        const stats = await fliq.buffers.stats(id);
        check(bufferStats, stats);
        assert.deepEqual([stats.failed, stats.total, stats.success_rate],
                         [2, 2, 0]);
    });

    test('replayItem: of what has not failed', async () => {
        const id = await paused();
        const { id: pushed } = await fliq.buffers.pushItem(id);

        await assert.rejects(fliq.buffers.replayItem(id, pushed),
            refusal(dialect, ConflictError, 'item_not_failed'));
    });
});
