// A server for jobs, items, webhooks and alerts to be sent to.  It records
// every request, and answers with the status that a path like /500/... asks
// for, else with 200.

import http from 'node:http';

export class Receiver {
    requests = [];
    #waiting = [];

    async start() {
        this.server = http.createServer((request, response) =>
            this.#take(request, response));
        await new Promise((listening) =>
            this.server.listen(0, '127.0.0.1', listening));
        this.base = `http://127.0.0.1:${this.server.address().port}`;
    }

    url(path) {
        return this.base + path;
    }

    async #take(request, response) {
        const chunks = [];

        for await (const chunk of request) {
            chunks.push(chunk);
        }

        const { method, url, headers } = request;
        const taken = { method, path: url, headers,
                        body: Buffer.concat(chunks) };

        response.writeHead(/^\/\d{3}\//.test(url) ? url.slice(1, 4) : 200);
        response.end('received');

        this.requests.push(taken);
        this.#waiting = this.#waiting.filter((look) => !look());
    }

    // The requests to a path, once there are n of them.
    to(path, n = 1, patience = 20_000) {
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(
                new Error(`${path} was not called ${n} times`)), patience);

            const look = () => {
                const found = this.requests.filter((r) => r.path === path);

                if (found.length < n) {
                    return false;
                }
                clearTimeout(timer);
                resolve(found);
                return true;
            };

            if (!look()) {
                this.#waiting.push(look);
            }
        });
    }

    stop() {
        this.server.closeAllConnections();
        this.server.close();
    }
}
