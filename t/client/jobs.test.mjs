// Jobs: each method, what it sends and what it is answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BadRequestError, ConflictError, NotFoundError } from './client.mjs';
import { among, eachBase, ended, fire, inMs, otherBase, recorded, refusal, run,
         tomorrow } from './setup.mjs';
import { attempt, check, jobWebhook, list, page } from './shapes.mjs';

const KEY = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/;

eachBase(({ name, dialect, connect, fliq, receiver }) => {
    const waiting = (fields) => fliq.jobs.create({
        url: receiver.url('/200/never'), method: 'POST',
        scheduled_at: tomorrow(), ...fields });

    test('create: the whole job, as it was asked for', async () => {
        const input = {
            url: receiver.url('/200/whole?a=%20b'), method: 'PUT',
            scheduled_at: tomorrow(), headers: { 'X-One': 'a', B: '' },
            body: '{"n":"\u00e9\u0000"}', max_retries: 5,
            timeout_seconds: 7, backoff: 'linear',
            idempotency_key: `${name} \u00fc`,
            webhook_url: receiver.url('/200/hook'),
            webhook_headers: { Authorization: 'x' },
        };
        const job = await fliq.jobs.create(input);

        check(dialect.job, job);
        assert.deepEqual({ ...job, ...input, scheduled_at: job.scheduled_at },
                         job);
        assert.equal(Date.parse(job.scheduled_at),
                     Date.parse(input.scheduled_at));
        assert.equal(job.http_method, 'PUT');
        assert.equal(job.status, dialect.waiting);
        assert.equal(job.next_attempt_at, job.scheduled_at);
        assert.deepEqual([job.attempts, job.execution_count], [0, 0]);
        assert.deepEqual(await fliq.jobs.get(job.id), job);
    });

    test('create: what is not given has its default', async () => {
        const job = await waiting();

        check(dialect.job, job);
        assert.match(job.idempotency_key, KEY);
        assert.deepEqual(
            [job.headers, job.body, job.webhook_url, job.webhook_headers,
             job.replay_of, job.schedule_id, job.started_at,
             job.completed_at, job.last_status_code, job.last_error],
            Array(10).fill(null));
        assert.deepEqual([job.max_retries, job.timeout_seconds, job.backoff],
                         [0, 30, 'exponential']);
    });

    test('create: again after a lost answer is the same job', async () => {
        const { calls, fetch } = recorded();
        const losing = connect('main', {
            sleep: async () => {},
            fetch: async (url, init) => {
                const response = await fetch(url, init);

                if (calls.length === 1) {
                    throw new TypeError('fetch failed');
                }
                assert.equal(response.headers.get('idempotent-replayed'),
                             'true');
                return response;
            },
        });
        const url = receiver.url(`/200/lost/${name}`);
        const job = await losing.jobs.create({
            url, method: 'POST', scheduled_at: tomorrow() });

        assert.equal(calls.length, 2);
        assert.equal(calls[0].body, calls[1].body);

        const all = [];
        for await (const other of fliq.jobs.iterate({ limit: 100 })) {
            all.push(other);
        }
        assert.deepEqual(all.filter((other) => other.url === url), [job]);
    });

    test('create: the key again for another request', async () => {
        const { idempotency_key } = await waiting();

        await assert.rejects(waiting({ idempotency_key, body: 'other' }),
            refusal(dialect, ConflictError, 'idempotency_conflict'));
    });

    test('create: what is wrong is named', async () => {
        await assert.rejects(waiting({ scheduled_at: inMs(-1000) }),
            refusal(dialect, BadRequestError, 'invalid_scheduled_at'));
        await assert.rejects(waiting({ url: 'ftp://x/' }),
            refusal(dialect, BadRequestError, 'invalid_url'));
    });

    test('get: what succeeded', async () => {
        const job = await run(fliq, {
            url: receiver.url(`/200/get/${name}`), body: 'b' });

        check(dialect.job, job);
        assert.deepEqual(
            [job.status, job.attempts, job.execution_count,
             job.last_status_code, job.last_error, job.next_attempt_at],
            [dialect.succeeded, 1, 1, 200, null, null]);
        assert.ok(Date.parse(job.started_at) >= Date.parse(job.scheduled_at));
        assert.ok(Date.parse(job.completed_at) >= Date.parse(job.started_at));
    });

    test('get: what failed', async () => {
        const job = await run(fliq, { url: receiver.url('/404/get') });

        check(dialect.job, job);
        assert.deepEqual([job.status, job.attempts, job.last_status_code],
                         ['failed', 1, 404]);
        assert.equal(typeof job.last_error, 'string');
        assert.equal(typeof job.completed_at, 'string');
    });

    test('get: what is not there', async () => {
        const { id } = await waiting();

        for (const other of ['x', 'a/b', '../health', `${id}/attempts`,
                             `${id}x`, id.replace('job', 'sched'),
                             'job_01h00000000000000000000000']) {
            await assert.rejects(fliq.jobs.get(other),
                refusal(dialect, NotFoundError, 'not_found'), other);
        }
        await assert.rejects(connect('stranger').jobs.get(id),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('list: a page of jobs', async () => {
        await waiting();
        await waiting();
        const first = await fliq.jobs.list({ limit: 1 });

        check(page('jobs', dialect.job), first);
        assert.equal(first.jobs.length, 1);

        const second = await fliq.jobs.list({
            limit: 1, cursor: first.next_cursor });
        assert.equal(second.jobs.length, 1);
        assert.ok(second.jobs[0].id < first.jobs[0].id);
        check(page('jobs', dialect.job),
              await fliq.jobs.list({ limit: undefined, cursor: null }));
    });

    test('list: nothing', async () => {
        assert.deepEqual(await connect('stranger').jobs.list(),
                         { jobs: [], next_cursor: null });
    });

    test('list: each status', async () => {
        for (const status of ['scheduled', 'pending', 'running', 'success',
                              'completed', 'failed', 'cancelled']) {
            const all = await fliq.jobs.list({ status, limit: 100 });

            check(page('jobs', dialect.job), all);
        }

        const { id } = await waiting();
        for (const status of ['scheduled', 'pending']) {
            const { jobs } = await fliq.jobs.list({ status, limit: 100 });
            assert.ok(jobs.some((job) => job.id === id));
        }
        await assert.rejects(fliq.jobs.list({ status: 'active' }),
            refusal(dialect, BadRequestError, 'invalid_status'));
    });

    test('iterate: each of many once, the newest first', async () => {
        const ids = [];
        for (let i = 0; i < 7; i++) {
            ids.push((await waiting()).id);
        }
        ids.sort().reverse();

        assert.deepEqual(await among(fliq.jobs.iterate({ limit: 3 }), ids),
                         ids);
        assert.deepEqual(await among(fliq.jobs.iterate(), ids), ids);
    });

    test('iterate: each page is of the filter', async () => {
        const ids = [];
        for (let i = 0; i < 3; i++) {
            const { id } = await waiting();
            await fliq.jobs.cancel(id);
            ids.push(id);
        }
        ids.sort().reverse();

        const { calls, fetch } = recorded();
        const all = connect('main', { fetch }).jobs.iterate({
            status: 'cancelled', limit: 1 });

        assert.deepEqual(await among(all, ids), ids);
        assert.ok(calls.length >= 3);
        for (const { url } of calls) {
            assert.equal(url.searchParams.get('status'), 'cancelled');
            assert.equal(url.searchParams.get('limit'), '1');
        }
        assert.ok(calls.slice(1).every(({ url }) =>
            url.searchParams.get('cursor')));
    });

    test('cancel: its webhook says so, and it is no more', async () => {
        const hook = `/200/cancelled/${name}`;
        const { id } = await waiting({ webhook_url: receiver.url(hook) });

        assert.equal(await fliq.jobs.cancel(id), undefined);
        assert.equal((await fliq.jobs.get(id)).status, 'cancelled');

        const [told] = await receiver.to(hook);
        const body = JSON.parse(told.body);
        check(jobWebhook, body);
        assert.deepEqual([body.job_id, body.status], [id, 'cancelled']);

        await assert.rejects(fliq.jobs.cancel(id),
            refusal(dialect, ConflictError, 'job_already_executed'));
        await assert.rejects(fliq.jobs.cancel('job_x'),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('replay: a clone that starts anew', async () => {
        const path = `/500/replay/${name}`;
        const failed = await run(fliq, {
            url: receiver.url(path), method: 'PATCH', body: 'again',
            headers: { 'X-Kept': 'yes' }, max_retries: 1 });
        const clone = await fliq.jobs.replay(failed.id);

        check(dialect.job, clone);
        assert.deepEqual(
            [clone.status, clone.replay_of, clone.attempts,
             clone.idempotency_key, clone.method, clone.body,
             clone.max_retries],
            ['pending', failed.id, 0, null, 'PATCH', 'again', 1]);
        assert.ok(Date.parse(clone.scheduled_at) <= Date.now());

        assert.equal((await ended(fliq, clone)).attempts, 2);
        const calls = await receiver.to(path, 4);
        assert.deepEqual(calls.map((call) => call.headers['x-fliq-attempt']),
                         ['1', '2', '1', '2']);
        assert.equal(calls[3].headers['x-kept'], 'yes');
        assert.deepEqual(await fliq.jobs.get(failed.id), failed);
    });

    test('replay: of what has not failed', async () => {
        await assert.rejects(fliq.jobs.replay((await waiting()).id),
            refusal(dialect, ConflictError, 'job_not_failed'));
        await assert.rejects(fliq.jobs.replay('job_x'),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('listAttempts: the most recent first', async () => {
        const { id } = await run(fliq, {
            url: receiver.url('/503/attempts'), max_retries: 2 });
        const attempts = await fliq.jobs.listAttempts(id);

        check(list(attempt), attempts);
        assert.deepEqual(attempts.map((a) => a.attempt_num), [3, 2, 1]);
        for (const a of attempts) {
            assert.deepEqual([a.job_id, a.status_code], [id, 503]);
            assert.equal(typeof a.error, 'string');
            assert.equal(Date.parse(a.completed_at)
                         - Date.parse(a.started_at), a.duration_ms);
        }
        assert.deepEqual(await fliq.jobs.listAttempts(id), attempts);
    });

    test('listAttempts: without an answer, and without any', async () => {
        const { id } = await run(fliq, { url: 'http://127.0.0.1:1/' });
        const [refused] = await fliq.jobs.listAttempts(id);

        check(attempt, refused);
        assert.equal(refused.status_code, null);
        assert.deepEqual(
            await fliq.jobs.listAttempts((await waiting()).id), []);
        await assert.rejects(fliq.jobs.listAttempts('job_x'),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('a job is the same job at another base', async () => {
        const job = await fire(fliq, { url: receiver.url('/200/both') });
        const elsewhere = connect('main', { baseUrl: otherBase(name).url });
        const here = await ended(fliq, job);
        const there = await elsewhere.jobs.get(job.id);

        assert.deepEqual({ ...there, status: here.status }, here);
    });
});
