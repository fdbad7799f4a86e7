// H1: what arrives at a target, as a job or as a webhook, is signed so that
// verifyWebhook() believes it, and nothing else.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, test } from 'node:test';

import { verifyWebhook } from './client.mjs';
import { eachBase, run, secretOf } from './setup.mjs';
import { check, jobWebhook } from './shapes.mjs';

eachBase(({ name, fliq, receiver }) => {
    let secret;

    before(async () => {
        secret = await secretOf(fliq);
    });

    // What verifyWebhook() wants of a request that has arrived.
    const signed = ({ method, path, headers, body }) => ({
        method, url: receiver.url(path), body, secret,
        signature: headers['x-fliq-signature'],
        timestamp: headers['x-fliq-timestamp'],
    });

    test('jobs: every method, with a body or without', async () => {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE',
                              'OPTIONS', 'HEAD']) {
            for (const body of [undefined, 'h\u00e9 \u0000 {"a":1}\r\n']) {
                const path = `/200/${method}/${name}/${body?.length ?? 0}`
                             + '?q=%2f%41&r=a+b';
                const job = await run(fliq, {
                    url: receiver.url(path), method, body });
                const [request] = await receiver.to(path);

                assert.equal(request.method, method);
                assert.equal(`${request.body}`, body ?? '');
                assert.equal(request.headers['x-fliq-delivery-id'], job.id);
                assert.ok(await verifyWebhook(signed(request)), path);
            }
        }
    });

    test('jobs: an attempt has a time and a signature of its own',
         async () => {
        const path = `/500/signed/${name}`;
        await run(fliq, { url: receiver.url(path), max_retries: 1 });

        for (const request of await receiver.to(path, 2)) {
            assert.ok(await verifyWebhook(signed(request)));
        }
    });

    test('webhooks: of success and failure', async () => {
        for (const [status, told] of [[200, 'completed'], [500, 'failed']]) {
            const path = `/200/hook/${status}/${name}`;
            const job = await run(fliq, {
                url: receiver.url(`/${status}/hooked`),
                webhook_url: receiver.url(path) });
            const [request] = await receiver.to(path);
            const body = JSON.parse(request.body);

            check(jobWebhook, body);
            assert.deepEqual(body, {
                job_id: job.id, status: told, status_code: status,
                last_error: job.last_error, completed_at: job.completed_at,
                attempt_num: 1 });
            assert.equal(request.headers['content-type'],
                         'application/json');
            assert.ok(await verifyWebhook(signed(request)));
        }
    });

    test('what was not signed is not believed', async () => {
        const path = `/200/forged/${name}`;
        await run(fliq, { url: receiver.url(path), body: 'genuine' });
        const genuine = signed((await receiver.to(path))[0]);
        const { signature, timestamp } = genuine;

        assert.match(signature, /^v1=[0-9a-f]{64}$/);
        assert.match(timestamp, /^\d{10}$/);
        assert.ok(await verifyWebhook({ ...genuine, body: 'genuine' }));

        for (const change of [
            { body: 'genuine ' }, { body: '' }, { method: 'PUT' },
            { url: `${genuine.url}/` }, { url: genuine.url.slice(0, -1) },
            { timestamp: String(timestamp - 1) }, { timestamp: '' },
            { timestamp: undefined }, { secret: `${secret}x` },
            { secret: secret.slice('whsec_'.length) },
            { signature: signature.slice(0, -1) },
            { signature: `${signature}0` }, { signature: undefined },
            { signature: signature.slice(3) },
            { signature: signature.toUpperCase() },
            { signature: signature.replace('v1', 'v2') },
            { signature: `${signature},${signature}` },
        ]) {
            assert.equal(await verifyWebhook({ ...genuine, ...change }),
                         false, JSON.stringify(change));
        }
    });

    test('what is genuine but old is not believed', async () => {
        const url = receiver.url('/old');

        for (const [age, believed] of [[0, true], [290, true], [-290, true],
                                       [310, false], [-310, false]]) {
            const timestamp = String(Math.floor(Date.now() / 1000) - age);
            const signature = 'v1=' + createHmac('sha256', secret)
                .update(`${timestamp}.POST.${url}.b`).digest('hex');

            assert.equal(await verifyWebhook({
                body: 'b', signature, timestamp, secret, url }), believed);
        }
    });
});
