// Tokens and the signing secret: each method, what it sends and what it is
// answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AuthenticationError, BadRequestError, NotFoundError,
         verifyWebhook } from './client.mjs';
import { eachBase, refusal, run, until } from './setup.mjs';
import { check, list, newToken, secret, token } from './shapes.mjs';

eachBase(({ name, dialect, connect, receiver }) => {
    const fliq = connect('keys');

    test('create: a token that is shown once, and works', async () => {
        const made = await fliq.tokens.create(`ci ${name}`);

        check(newToken, made);
        assert.deepEqual([made.name, made.scope, made.last_used_at],
                         [`ci ${name}`, 'write', null]);
        assert.ok(made.token.startsWith(made.prefix));

        const { token: text, ...rest } = made;
        const mine = connect('keys', { token: text });
        const listed = (await mine.tokens.list())
            .find(({ id }) => id === made.id);
        assert.deepEqual({ ...listed, last_used_at: null }, rest);

        await assert.rejects(fliq.tokens.create('n'.repeat(257)),
            refusal(dialect, BadRequestError, 'invalid_name'));
        await assert.rejects(fliq.tokens.create(7),
            refusal(dialect, BadRequestError, 'invalid_name'));
    });

    test('list: a bare array', async () => {
        const all = await fliq.tokens.list();

        check(list(token), all);
        assert.ok(all.length > 0);
        assert.ok(!JSON.stringify(all).includes(fliq.http.token));
    });

    test('revoke: it works no more', async () => {
        const made = await fliq.tokens.create('short-lived');
        const gone = connect('keys', { token: made.token });
        await gone.tokens.list();

        await assert.rejects(connect('stranger').tokens.revoke(made.id),
            refusal(dialect, NotFoundError, 'not_found'));
        assert.equal(await fliq.tokens.revoke(made.id), undefined);
        await until(() => gone.tokens.list().then(() => false,
            refusal(dialect, AuthenticationError, 'unauthorized')),
            'the token is refused');
        assert.ok(!(await fliq.tokens.list())
            .some(({ id }) => id === made.id));
        await assert.rejects(fliq.tokens.revoke(made.id),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('the signing secret: read, rotated, and in use', async () => {
        const old = await fliq.http.get('/signing-secret');
        const made = await fliq.http.post('/signing-secret/rotate');

        check(secret, old);
        check(secret, made);
        assert.notEqual(made.secret, old.secret);
        assert.deepEqual(await fliq.http.get('/signing-secret'), made);

        await until(async () => {
            const path = `/200/rotated/${name}/${Math.random()}`;
            await run(fliq, { url: receiver.url(path) });
            const [{ headers, body }] = await receiver.to(path);

            return verifyWebhook({
                url: receiver.url(path), body, secret: made.secret,
                signature: headers['x-fliq-signature'],
                timestamp: headers['x-fliq-timestamp'] });
        }, 'the new secret signs');
    });
});
