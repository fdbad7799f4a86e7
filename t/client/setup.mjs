// What the tests share: the places that t/client.t has made for them, and
// waiting for what the server does by itself.
//
// FLIQ_CLIENT is JSON: { dsn, bases: [{ name, dialect, url, accounts }] };
// an account is { token }, and main has a readToken besides.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe } from 'node:test';
import { promisify } from 'node:util';

import { Fliq } from './client.mjs';
import { Receiver } from './receiver.mjs';
import * as shapes from './shapes.mjs';

const { dsn, bases } = JSON.parse(process.env.FLIQ_CLIENT);
const PATIENCE = 20_000;

// Run a suite for each base: a location of the API and a dialect.  It is
// given the base with dialect being its words and shapes, the client of its
// main account, connect() and the receiver.
export function eachBase(suite) {
    const receiver = new Receiver();

    before(() => receiver.start());
    after(() => receiver.stop());

    for (const base of bases) {
        const connect = (account = 'main', options) => new Fliq({
            baseUrl: base.url, token: base.accounts[account].token,
            ...options,
        });

        describe(base.name, () => suite({
            ...base, dialect: shapes.dialects[base.dialect], receiver,
            connect, fliq: connect(),
        }));
    }
}

export const otherBase = (base) => bases.find(({ name }) => name !== base);

// An RFC 3339 timestamp that many ms from now.
export function inMs(ms) {
    return new Date(Date.now() + ms).toISOString();
}

export const tomorrow = () => inMs(86_400_000);

// Create a job that fires at once; a busy machine may take some attempts to
// be ahead of its time.
export async function fire(fliq, fields) {
    for (let soon = 50; ; soon *= 2) {
        try {
            return await fliq.jobs.create({
                method: 'POST', scheduled_at: inMs(soon), ...fields });
        } catch (error) {
            if (soon > 2000 || !/in the future/.test(error.message)) {
                throw error;
            }
        }
    }
}

// What an account's webhooks are signed with.
export async function secretOf(fliq) {
    return (await fliq.http.get('/signing-secret')).secret;
}

// Ask until look() returns what is true, and return that.
export async function until(look, what = look.toString()) {
    const end = Date.now() + PATIENCE;

    for (;;) {
        const value = await look();

        if (value) {
            return value;
        }
        assert.ok(Date.now() < end, `in vain: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

// A job when it has ended.
export function ended(fliq, { id }) {
    return until(async () => {
        const job = await fliq.jobs.get(id);
        return job.completed_at && job;
    }, `${id} has ended`);
}

// Fire a job and wait for its end.
export async function run(fliq, fields) {
    return ended(fliq, await fire(fliq, fields));
}

// The ids, of these, that an iterator yields, in its order.  Ids sort by time.
export async function among(iterator, ids) {
    const found = [];

    for await (const { id } of iterator) {
        if (ids.includes(id)) {
            found.push(id);
        }
    }

    return found;
}

// A fetch that notes the requests: method, URL and what they hold.
export function recorded() {
    const calls = [];

    return {
        calls,
        fetch: (url, init) => {
            calls.push({ url: new URL(url), ...init });
            return fetch(url, init);
        },
    };
}

// For assert.rejects: an error of a class, with a code in the dialect's
// shape, and a request id.
export function refusal(dialect, Class, code) {
    return (error) => {
        assert.equal(error.constructor, Class, error.stack);
        shapes.check(dialect.error, error.body);
        assert.equal(dialect.codeOf(error.body), code);
        assert.match(error.requestId, /^[\w.-]{1,128}$/);
        return true;
    };
}

// Run SQL on the database behind.
export async function sql(query) {
    const { stdout } = await promisify(execFile)('psql',
        ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', dsn, '-c', query]);

    return stdout.trim();
}
