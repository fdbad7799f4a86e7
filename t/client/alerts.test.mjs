// Alert channels: each method, what it sends and what it is answered, and
// what the channels are told.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BadRequestError, NotFoundError, verifyWebhook } from './client.mjs';
import { eachBase, refusal, run, secretOf } from './setup.mjs';
import { alert, channel, check, list } from './shapes.mjs';

eachBase(({ name, dialect, connect, receiver }) => {
    const fliq = connect('alerts');

    test('create: a channel', async () => {
        const target = receiver.url('/200/channel');
        const made = await fliq.alerts.create({
            type: 'slack', target, name: 'on-call' });

        check(channel, made);
        assert.deepEqual([made.type, made.target, made.name, made.enabled],
                         ['slack', target, 'on-call', true]);
        assert.deepEqual(await fliq.alerts.get(made.id), made);

        const unnamed = await fliq.alerts.create({ type: 'webhook', target });
        check(channel, unnamed);
        assert.equal(unnamed.name, '');

        for (const { id } of [made, unnamed]) {
            await fliq.alerts.delete(id);
        }
    });

    test('create: what is wrong is named', async () => {
        const target = receiver.url('/200/channel');

        await assert.rejects(fliq.alerts.create({ type: 'email', target }),
            refusal(dialect, BadRequestError, 'invalid_type'));
        await assert.rejects(
            fliq.alerts.create({ type: 'slack', target: 'me' }),
            refusal(dialect, BadRequestError, 'invalid_target'));
    });

    test('list: all of them, unwrapped', async () => {
        const made = await fliq.alerts.create({
            type: 'webhook', target: receiver.url('/200/listed') });
        const all = await fliq.alerts.list();

        check(list(channel), all);
        assert.deepEqual(all.filter(({ id }) => id === made.id), [made]);
        assert.deepEqual(await connect('stranger').alerts.list(), []);
        await fliq.alerts.delete(made.id);
    });

    test('setEnabled and delete', async () => {
        const { id } = await fliq.alerts.create({
            type: 'webhook', target: receiver.url('/200/toggled') });

        for (const enabled of [false, false, true]) {
            assert.equal(await fliq.alerts.setEnabled(id, enabled),
                         undefined);
            assert.equal((await fliq.alerts.get(id)).enabled, enabled);
        }
        assert.equal(await fliq.alerts.delete(id), undefined);
        await assert.rejects(fliq.alerts.get(id),
            refusal(dialect, NotFoundError, 'not_found'));
        await assert.rejects(fliq.alerts.setEnabled(id, true),
            refusal(dialect, NotFoundError, 'not_found'));
        await assert.rejects(fliq.alerts.delete(id),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('what channels are told when a job has failed', async () => {
        const paths = ['webhook', 'slack', 'off'].map(
            (what) => `/200/alert/${what}/${name}`);
        const channels = await Promise.all(paths.map((path, i) =>
            fliq.alerts.create({ type: i === 1 ? 'slack' : 'webhook',
                                 target: receiver.url(path) })));
        await fliq.alerts.setEnabled(channels[2].id, false);

        const job = await run(fliq, {
            url: receiver.url('/502/alert'), method: 'PUT', max_retries: 1 });
        const [told] = await receiver.to(paths[0]);
        const [slack] = await receiver.to(paths[1]);
        const body = JSON.parse(told.body);

        check(alert, body);
        assert.deepEqual(body, {
            event: 'failure', resource_type: 'job', resource_id: job.id,
            url: job.url, method: 'PUT', last_error: job.last_error,
            status_code: 502, attempts: 2, failed_at: job.completed_at });
        assert.ok(await verifyWebhook({
            body: told.body, url: channels[0].target,
            signature: told.headers['x-fliq-signature'],
            timestamp: told.headers['x-fliq-timestamp'],
            secret: await secretOf(fliq) }));

        check({ text: (text) => text.includes(job.id) },
              JSON.parse(slack.body));
        assert.deepEqual(
            receiver.requests.filter(({ path }) => path === paths[2]), []);

        for (const { id } of channels) {
            await fliq.alerts.delete(id);
        }
    });

    test('what a channel is told when an item has failed', async () => {
        const path = `/200/alert/item/${name}`;
        const { id } = await fliq.alerts.create({
            type: 'webhook', target: receiver.url(path) });
        const buffer = await fliq.buffers.create({
            name: 'alerting', url: receiver.url('/502/item'),
            rate_limit: 100, max_retries: 0 });
        const item = await fliq.buffers.pushItem(buffer.id);
        const body = JSON.parse((await receiver.to(path))[0].body);
        const failed = await fliq.buffers.getItem(buffer.id, item.id);

        check(alert, body);
        assert.deepEqual(body, {
            event: 'failure', resource_type: 'buffer_item',
            resource_id: item.id, buffer_id: buffer.id, url: buffer.url,
            method: 'POST', last_error: failed.last_error, status_code: 502,
            attempts: 1, failed_at: failed.completed_at });
        await fliq.alerts.delete(id);
    });
});
