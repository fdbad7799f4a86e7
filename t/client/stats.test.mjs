// Statistics and billing: each method, and refusals for want of credit.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BadRequestError, InsufficientCreditsError, PermissionDeniedError,
         RateLimitError } from './client.mjs';
import { among, eachBase, ended, fire, recorded, refusal, run,
         tomorrow } from './setup.mjs';
import { balance, check, jobStats, page, transaction,
         usage } from './shapes.mjs';

const today = () => new Date().toISOString().slice(0, 10);

eachBase(({ dialect, connect, receiver }) => {
    const nobody = connect('stranger');

    test('stats.jobs and stats.usage: nothing is null', async () => {
        const jobs = await nobody.stats.jobs();
        const use = await nobody.stats.usage();

        check(jobStats, jobs);
        check(usage, use);
        assert.deepEqual(
            [jobs.total_executions, jobs.success_rate, jobs.avg_duration_ms,
             jobs.p95_duration_ms, jobs.since_days], [0, 0, 0, 0, 30]);
        assert.equal(use.buckets.length, 30);
        assert.equal(use.buckets.at(-1).date, today());
    });

    test('stats: days are sent only when they are given', async () => {
        const { calls, fetch } = recorded();
        const fliq = connect('stranger', { fetch });

        await fliq.stats.jobs();
        await fliq.stats.usage(undefined);
        assert.equal((await fliq.stats.jobs(7)).since_days, 7);
        assert.equal((await fliq.stats.usage(1000)).since_days, 365);
        assert.deepEqual(calls.map(({ url }) => url.search),
                         ['', '', '?days=7', '?days=1000']);
        await assert.rejects(fliq.stats.jobs('x'),
            refusal(dialect, BadRequestError, 'invalid_days'));
    });

    test('what is executed is counted, and paid for', async () => {
        const fliq = connect('counted');
        const before = await fliq.billing.getBalance();

        check(balance, before);
        assert.deepEqual([before.plan, before.balance], ['paid', 1000]);

        const jobs = [
            await fire(fliq, { url: receiver.url('/200/counted') }),
            await fire(fliq, { url: receiver.url('/200/counted') }),
            await fire(fliq, { url: receiver.url('/500/counted'),
                               max_retries: 1 }),
        ];
        for (const job of jobs) {
            await ended(fliq, job);
        }

        const stats = await fliq.stats.jobs(1);
        check(jobStats, stats);
        assert.deepEqual(
            [stats.total_executions, stats.succeeded, stats.failed,
             stats.success_rate], [4, 2, 2, 0.5]);
        assert.ok(stats.avg_duration_ms <= stats.p95_duration_ms * 1.01);

        const use = await fliq.stats.usage(1);
        check(usage, use);
        assert.deepEqual(use, {
            buckets: [{ date: today(), job_executions: 4,
                        buffer_executions: 0 }],
            total_job_executions: 4, total_buffer_executions: 0,
            balance: 996, plan: 'paid', since_days: 1 });
        assert.equal((await fliq.billing.getBalance()).balance, 996);
    });

    test('listTransactions and iterateTransactions', async () => {
        const fliq = connect('counted');
        const all = await fliq.billing.listTransactions();

        check(page('transactions', transaction), all);
        assert.deepEqual(
            all.transactions.map(({ type, amount }) => [type, amount]),
            [['job_execution', -4], ['grant', 1000]]);

        const ids = all.transactions.map(({ id }) => id);
        assert.deepEqual(await among(
            fliq.billing.iterateTransactions({ limit: 1 }), ids), ids);
        assert.deepEqual(await nobody.billing.listTransactions(),
                         { transactions: [], next_cursor: null });
    });

    test('createCheckout: there is nothing to buy', async () => {
        const { calls, fetch } = recorded();

        await assert.rejects(
            connect('counted', { fetch }).billing.createCheckout(1000),
            refusal(dialect, PermissionDeniedError, 'billing_disabled'));
        assert.deepEqual(calls.map(({ body }) => body),
                         ['{"credits":1000}']);
    });

    test('an account that has no limits has numbers', async () => {
        const mine = await connect().billing.getBalance();

        check(balance, mine);
        assert.deepEqual([mine.plan, mine.balance],
                         ['unlimited', Number.MAX_SAFE_INTEGER]);
    });

    test('without credits: 402', async () => {
        const fliq = connect('broke');
        const failed = await run(fliq, { url: receiver.url('/500/broke') });

        await assert.rejects(fire(fliq, { url: receiver.url('/200/broke') }),
            refusal(dialect, InsufficientCreditsError,
                    'insufficient_credits'));
        await assert.rejects(fliq.jobs.replay(failed.id),
            refusal(dialect, InsufficientCreditsError,
                    'insufficient_credits'));
    });

    test('behind the limit of a day: 429, until midnight', async () => {
        const waits = [];
        const fliq = connect('limited', { sleep: async (ms) => {
            waits.push(ms);
        } });
        const failed = await run(fliq, { url: receiver.url('/500/limit') });

        await assert.rejects(fliq.jobs.replay(failed.id),
            refusal(dialect, RateLimitError, 'daily_limit_reached'));
        await assert.rejects(fliq.jobs.create({
            url: receiver.url('/200/limit'), method: 'POST',
            scheduled_at: tomorrow() }),
            refusal(dialect, RateLimitError, 'daily_limit_reached'));
        assert.equal(waits.length, 4);
        assert.ok(waits.every((ms) => ms > 0 && ms <= 8000));
    });
});
