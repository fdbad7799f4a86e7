// Schedules: each method, what it sends and what it is answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BadRequestError, ConflictError, NotFoundError } from './client.mjs';
import { among, eachBase, refusal, sql, until } from './setup.mjs';
import { check, page, schedule } from './shapes.mjs';

eachBase(({ name, dialect, connect, fliq, receiver }) => {
    let made = 0;
    const create = (fields) => fliq.schedules.create({
        name: `${name} ${++made}`, cron_expr: '0 0 1 1 *',
        url: receiver.url('/200/schedule'), ...fields });

    test('create: the whole schedule, as it was asked for', async () => {
        const input = {
            name: `whole ${name}`, cron_expr: '*/15 8-18 * * mon-fri',
            url: receiver.url('/200/whole'), method: 'GET',
            headers: { 'X-One': '1' }, body: 'b', max_retries: 4,
            timeout_seconds: 9, backoff: 'linear',
            webhook_url: receiver.url('/200/hook'),
            webhook_headers: { 'X-Two': '2' },
        };
        const made = await fliq.schedules.create(input);

        check(schedule, made);
        assert.deepEqual({ ...made, ...input }, made);
        assert.deepEqual(
            [made.cron, made.http_method, made.status, made.paused,
             made.last_run_at],
            [input.cron_expr, 'GET', 'active', false, null]);
        assert.ok(Date.parse(made.next_run_at) > Date.now());
        assert.equal(Date.parse(made.next_run_at) % (15 * 60_000), 0);
        assert.deepEqual(await fliq.schedules.get(made.id), made);
    });

    test('create: what is not given has its default', async () => {
        const made = await fliq.schedules.create({
            cron_expr: '@daily', url: receiver.url('/200/few') });

        check(schedule, made);
        assert.deepEqual(
            [made.name, made.method, made.headers, made.body,
             made.webhook_url, made.webhook_headers, made.max_retries,
             made.timeout_seconds, made.backoff],
            ['', 'POST', null, null, null, null, 0, 30, 'exponential']);
    });

    test('create: what is wrong is named', async () => {
        const taken = await create();

        await assert.rejects(create({ name: taken.name }),
            refusal(dialect, ConflictError, 'name_taken'));
        for (const cron_expr of ['', '* * * *', '0 0 30 2 *', '61 * * * *']) {
            await assert.rejects(create({ cron_expr }),
                refusal(dialect, BadRequestError, 'invalid_cron'));
        }
    });

    test('get: what is not there', async () => {
        const { id } = await create();

        for (const other of ['x', `${id}/jobs`, 'preview/']) {
            await assert.rejects(fliq.schedules.get(other),
                refusal(dialect, NotFoundError, 'not_found'), other);
        }
        await assert.rejects(connect('stranger').schedules.get(id),
            refusal(dialect, NotFoundError, 'not_found'));
    });

    test('list and iterate: each of many once', async () => {
        const ids = [];
        for (let i = 0; i < 5; i++) {
            ids.push((await create()).id);
        }
        ids.sort().reverse();

        check(page('schedules', schedule),
              await fliq.schedules.list({ limit: 2 }));
        assert.deepEqual(
            await among(fliq.schedules.iterate({ limit: 2 }), ids), ids);
        assert.deepEqual(await connect('stranger').schedules.list(),
                         { schedules: [], next_cursor: null });
    });

    test('pause and resume: whether or not they change it', async () => {
        const { id, next_run_at } = await create();

        for (let i = 0; i < 2; i++) {
            assert.equal(await fliq.schedules.pause(id), undefined);
            const paused = await fliq.schedules.get(id);

            check(schedule, paused);
            assert.deepEqual(
                [paused.paused, paused.status, paused.next_run_at],
                [true, 'paused', null]);
        }
        for (let i = 0; i < 2; i++) {
            assert.equal(await fliq.schedules.resume(id), undefined);
            const active = await fliq.schedules.get(id);

            assert.deepEqual(
                [active.paused, active.status, active.next_run_at],
                [false, 'active', next_run_at]);
        }
        for (const method of ['pause', 'resume', 'delete']) {
            await assert.rejects(fliq.schedules[method]('sched_x'),
                refusal(dialect, NotFoundError, 'not_found'));
        }
    });

    test('delete: it is gone', async () => {
        const { id } = await create();

        assert.equal(await fliq.schedules.delete(id), undefined);
        for (const method of ['get', 'delete', 'pause']) {
            await assert.rejects(fliq.schedules[method](id),
                refusal(dialect, NotFoundError, 'not_found'));
        }
    });

    test('listJobs and iterateJobs: what it has spawned', async () => {
        const path = `/200/spawned/${name}`;
        const made = await create({ url: receiver.url(path),
                                    headers: { 'X-Kept': 'yes' } });

        assert.deepEqual(await fliq.schedules.listJobs(made.id),
                         { jobs: [], next_cursor: null });

        for (let run = 1; run <= 3; run++) {
            await sql(`UPDATE fliq.schedules SET next_run_at = now()
                        WHERE url = '${made.url}'`);
            await receiver.to(path, run);
        }
        const { jobs } = await until(async () => {
            const done = await fliq.schedules.listJobs(made.id,
                { status: 'completed', limit: 10 });
            return done.jobs.length === 3 && done;
        }, 'three jobs of the schedule');

        check(page('jobs', dialect.job), { jobs, next_cursor: null });
        for (const job of jobs) {
            assert.deepEqual([job.schedule_id, job.headers, job.status],
                             [made.id, made.headers, dialect.succeeded]);
        }

        const ids = jobs.map(({ id }) => id);
        assert.deepEqual(await among(
            fliq.schedules.iterateJobs(made.id, { limit: 1 }), ids), ids);
        assert.deepEqual(await fliq.schedules.listJobs(made.id,
            { status: 'failed' }), { jobs: [], next_cursor: null });

        const now = await fliq.schedules.get(made.id);
        check(schedule, now);
        assert.equal(now.last_run_at, jobs[0].scheduled_at);
        await assert.rejects(fliq.schedules.listJobs('sched_x'),
            refusal(dialect, NotFoundError, 'not_found'));
    });
});
