'use strict';

/*
 * The queues under test.  Each is {prepare, open}: prepare() makes its tables;
 * open() connects and gives
 *
 *   add(job)             one job as a client sends it, durable
 *   fill(count, job)     that many that are due now
 *   work(handle)         fire all there is: handle(jobs) for each batch
 *   left()               whether jobs are left
 *   close()
 */

const pg = require('pg');

// What PGHOST, PGPORT, PGUSER and PGDATABASE say is pg's to read.
function pool(max) {
  const fail = (error) => { throw error; };
  const db = new pg.Pool({ max });
  db.on('error', fail);
  db.on('connect', (client) => client.on('error', fail));
  return db;
}


// graphile-worker: jobs in batches through its local queue, ended in batches.
const graphile = {
  async prepare() {
    const { runMigrations } = require('graphile-worker');
    const db = pool(1);
    await runMigrations({ pgPool: db });
    await db.end();
  },

  async open() {
    const { makeWorkerUtils, run } = require('graphile-worker');
    const db = pool(12);
    const utils = await makeWorkerUtils({ pgPool: db });
    let runner;

    return {
      add: (job) => utils.addJob('call', job, {
        runAt: new Date(job.scheduled_at), maxAttempts: job.max_retries + 1,
      }),

      fill: (count, job) => db.query(
        `SELECT count(graphile_worker.add_job('call', $1::json))
           FROM generate_series(1, $2::int)`, [JSON.stringify(job), count]),

      async work(handle) {
        runner = await run({
          pgPool: db,
          noHandleSignals: true,
          logger: new (require('graphile-worker').Logger)(() => () => {}),
          taskList: { call: (job) => handle([job]) },
          preset: {
            worker: {
              concurrentJobs: 64,
              localQueue: { size: 500 },
              completeJobBatchDelay: 5,
              failJobBatchDelay: 5,
              pollInterval: 500,
            },
          },
        });
      },

      left: async () => (await db.query(
        `SELECT EXISTS (SELECT FROM graphile_worker._private_jobs
                         WHERE run_at <= now()) AS left`
      )).rows[0].left,

      async close() {
        if (runner) {
          await runner.stop();
        }
        await utils.release();
        await db.end();
      },
    };
  },
};


// pg-boss: several loops, each fetching and completing whole batches.
const boss = {
  async prepare() {
    const queue = await this.connect();
    await queue.createQueue('call');
    await queue.stop({ graceful: false });
  },

  async connect() {
    const PgBoss = require('pg-boss');
    const queue = new PgBoss({
      host: process.env.PGHOST, port: +process.env.PGPORT,
      user: process.env.PGUSER, database: process.env.PGDATABASE,
      max: 12, supervise: false, schedule: false,
    });
    queue.on('error', (error) => { throw error; });
    await queue.start();
    return queue;
  },

  async open() {
    const db = pool(2);
    const queue = await this.connect();
    let ending = false;

    const loop = async (handle) => {
      while (!ending) {
        const jobs = await queue.fetch('call', { batchSize: 128 });
        if (jobs.length) {
          await handle(jobs.map((job) => job.data));
          await queue.complete('call', jobs.map((job) => job.id));
        } else {
          await new Promise((done) => setTimeout(done, 50));
        }
      }
    };
    let loops = [];

    return {
      add: (job) => queue.send('call', job, {
        startAfter: new Date(job.scheduled_at), retryLimit: job.max_retries,
      }),

      async fill(count, job) {
        for (let n = 0; n < count; n += 1000) {
          await queue.insert(Array.from(
            { length: Math.min(1000, count - n) },
            () => ({ name: 'call', data: job })));
        }
      },

      async work(handle) {
        loops = [1, 2, 3, 4].map(() => loop(handle));
      },

      left: async () => (await db.query(
        `SELECT EXISTS (SELECT FROM pgboss.job
                         WHERE name = 'call' AND state < 'completed'
                           AND start_after <= now()) AS left`
      )).rows[0].left,

      async close() {
        ending = true;
        await Promise.all(loops);
        await queue.stop({ graceful: false });
        await db.end();
      },
    };
  },
};


// No queue: one INSERT into the table that parts/create has for pgbench.
const plain = {
  async prepare() {},

  async open() {
    const db = pool(12);

    return {
      add: (job) => db.query({
        name: 'add',
        text: `INSERT INTO bench.jobs (account_id, scheduled_at, max_retries,
                                       method, url, headers, body)
               VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
        values: ['01800000-0000-7000-8000-000000000001', job.scheduled_at,
          job.max_retries, job.http_method, job.url, job.headers, job.body],
      }),
      close: () => db.end(),
    };
  },
};


module.exports = { graphile, boss, plain };
