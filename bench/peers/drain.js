'use strict';

// Fire jobs that are all due:
//     node drain.js QUEUE URL COUNT PROCESSES KEEP POSTGRES
// KEEP is "nothing", or "rows" for one row of bench.executions a job.
// Prints the jobs a second, and the seconds of CPU that the processes and
// PostgreSQL, whose number is given, took for all of them.

const { fork, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const pg = require('pg');
const { Agent, request } = require('undici');
const queues = require('./queues.js');

const [name, url, count, processes, keep, postgres] = process.argv.slice(2);

const job = {
  url, http_method: 'POST', max_retries: 3,
  headers: { 'X-Tenant': 'shop-17', 'X-Event': 'order.paid' },
  body: '{"order":"4711","customer":"c-0815","total":1999'.padEnd(256, 'x'),
};


async function fire(dispatcher, one) {
  const begun = Date.now();
  const answer = await request(one.url, {
    dispatcher, method: one.http_method, headers: one.headers, body: one.body,
  });
  await answer.body.dump();
  if (answer.statusCode !== 200) {
    throw new Error(`the target answered ${answer.statusCode}`);
  }
  return Date.now() - begun;
}


// Rows travel together: those of a few milliseconds in one commit.
function recorder() {
  const db = new pg.Pool({ max: 2 });
  let waiting = [];

  const flush = async () => {
    const rows = waiting;
    waiting = [];
    try {
      await db.query({
        name: 'record',
        text: `INSERT INTO bench.executions (duration_ms, status_code)
               SELECT duration, 200 FROM unnest($1::int[]) AS duration`,
        values: [rows.map((row) => row.duration)],
      });
      rows.forEach((row) => row.done());
    } catch (error) {
      rows.forEach((row) => row.fail(error));
    }
  };

  return {
    record: (duration) => new Promise((done, fail) => {
      if (waiting.push({ duration, done, fail }) === 1) {
        setTimeout(flush, 5);
      }
    }),
    close: () => db.end(),
  };
}


async function worker() {
  const queue = await queues[name].open();
  const dispatcher = new Agent({ connections: 64 });
  const rows = recorder();

  process.on('message', async (message) => {
    if (message === 'go') {
      await queue.work((jobs) => Promise.all(jobs.map(async (one) => {
        const duration = await fire(dispatcher, one);
        if (keep === 'rows') {
          await rows.record(duration);
        }
      })));
      return;
    }

    await queue.close();
    await rows.close();
    await dispatcher.close();
    process.exit(0);
  });

  process.on('disconnect', () => process.exit(1));
  process.send('ready');
}


// The seconds of CPU of processes, with their children and those that ended.
function cpu(pids) {
  const hz = +execFileSync('getconf', ['CLK_TCK']);
  const ticks = (pid, from) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/.*\) /, '').split(' ').slice(11, from)
    .reduce((sum, n) => sum + +n, 0);
  const children = (pid) => fs
    .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ').filter(Boolean);

  return pids.reduce((sum, pid) => sum + ticks(pid, 15)
    + children(pid).reduce((n, child) => n + ticks(child, 13), 0), 0) / hz;
}


function start() {
  return new Promise((ready, fail) => {
    const child = fork(__filename, [...process.argv.slice(2), 'worker']);
    child.once('message', () => ready(child));
    child.once('exit', (code) => {
      if (code !== 0) {
        fail(new Error('a worker failed'));
      }
    });
  });
}


async function main() {
  await queues[name].prepare();
  const queue = await queues[name].open();
  await queue.fill(+count, job);

  const children = await Promise.all(
    Array.from({ length: +processes }, start));

  const counted = [process.pid, postgres];
  const before = cpu(counted);
  const begun = process.hrtime.bigint();
  const end = Date.now() + 60000 + +count;
  children.forEach((child) => {
    child.on('exit', (code) => { if (code !== 0) { process.exit(1); } });
    child.send('go');
  });

  while (await queue.left()) {
    if (Date.now() > end) {
      throw new Error('the drain does not end');
    }
    await new Promise((done) => setTimeout(done, 20));
  }

  const took = Number(process.hrtime.bigint() - begun) / 1e9;
  console.log((+count / took).toFixed(1),
    (cpu(counted) - before).toFixed(2));

  await Promise.all(children.map((child) => new Promise((gone) => {
    child.on('exit', gone);
    child.send('stop');
  })));
  await queue.close();
}


(process.argv[8] === 'worker' ? worker() : main())
  .catch((error) => { console.error(error); process.exit(1); });
