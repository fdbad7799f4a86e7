'use strict';

// POST /jobs over a queue:  node front.js QUEUE PORT PROCESSES

const cluster = require('node:cluster');
const fastify = require('fastify');
const queues = require('./queues.js');

const [name, port, processes] = process.argv.slice(2);

const schema = {
  body: {
    type: 'object',
    required: ['url', 'scheduled_at'],
    properties: {
      url: { type: 'string', maxLength: 2048 },
      http_method: { type: 'string', default: 'POST' },
      scheduled_at: { type: 'string', format: 'date-time' },
      max_retries: { type: 'integer', minimum: 0, maximum: 20, default: 0 },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      body: { type: 'string', maxLength: 1048576 },
    },
  },
};


async function serve() {
  const queue = await queues[name].open();
  const tokens = new Map([[process.env.TOKEN, 'account']]);
  const app = fastify();

  app.get('/health', async () => ({ status: 'ok' }));

  app.post('/jobs', { schema }, async (request, reply) => {
    const token = (request.headers.authorization ?? '').slice(7);
    if (!tokens.has(token)) {
      return reply.code(401).send({ error: { code: 'unauthorized' } });
    }

    const job = request.body;
    const made = await queue.add(job);

    return reply.code(201).send({
      id: made?.id ?? made?.rows?.[0].id ?? made, status: 'scheduled', ...job,
    });
  });

  await app.listen({ host: '127.0.0.1', port: +port });
}


async function main() {
  if (cluster.isWorker) {
    return serve();
  }

  await queues[name].prepare();

  for (let n = 0; n < +processes; n++) {
    cluster.fork();
  }

  const stop = () => {
    cluster.removeAllListeners('exit');
    Object.values(cluster.workers).forEach((worker) => worker.kill());
  };

  cluster.on('exit', () => { stop(); process.exitCode = 1; });
  process.on('SIGTERM', stop);
}


main().catch((error) => { console.error(error); process.exit(1); });
