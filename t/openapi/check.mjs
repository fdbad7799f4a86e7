// Holds real answers against the description of the API.
//
//   node check.mjs openapi.json < exchanges
//
// An exchange is a line of JSON: {method, route, status, headers, content,
// sent, dialect}; route is the path as the description has it, headers those
// of the answer by lower-case name, content its bytes as text, sent the object
// in the request or null.  With {webhook, headers, content} it is a request
// that was sent to a webhook of this name.  Prints one JSON object:
//
//   lint      what the linter says, and objects of answers that are not closed
//   wrong     for each exchange in its order the list of what is wrong with it
//   unseen    the answers that are described but did not come, as
//             "METHOD route status"

import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createConfig, lintFromString } from '@redocly/openapi-core';

const [path] = process.argv.slice(2);
const text = readFileSync(path, 'utf8');
const description = JSON.parse(text);

// What nginx, or the way a request came in, may say to any request.
const anywhere = new Set([404, 405, 408, 411, 412, 414, 500, 501, 502, 504]);

// Headers that HTTP itself needs no description for.
const plain = new Set(['server', 'date', 'connection', 'keep-alive',
    'content-type', 'content-length', 'transfer-encoding']);

const rules = {
    'info-license': 'off',
    'no-invalid-schema-examples': 'error',
    'no-unused-components': 'off',          // Methods, MethodNotAllowed
    'operation-2xx-response': 'off',        // createCheckout
    'operation-4xx-response': 'off',        // getDescription, webhooks
};


function resolve(node) {
    while (node?.$ref) {
        node = node.$ref.slice(2).split('/').reduce((at, key) =>
            at[key.replaceAll('~1', '/').replaceAll('~0', '~')], description);
    }

    return node;
}


function pointer(...keys) {
    return 'api#/' + keys.map(key => encodeURIComponent(
        String(key).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
}


// A validator of schemas by their place, in the words of one dialect.
function validator(dialect) {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    const own = structuredClone(description);
    const word = dialect === 'sdk' ? 'Sdk' : 'Reference';

    for (const name of ['Error', 'JobStatus']) {
        own.components.schemas[name] =
            { $ref: `#/components/schemas/${name}${word}` };
    }

    addFormats(ajv);
    ajv.addSchema(own, 'api');

    return (schema, value) => {
        const validate = ajv.getSchema(schema);

        return validate(value) ? [] : validate.errors.map(error =>
            `${error.instancePath || '/'} ${error.message} `
            + JSON.stringify(error.params));
    };
}


const validators = {
    reference: validator('reference'), sdk: validator('sdk'),
};

const methods = ['get', 'post', 'put', 'patch', 'delete'];
const seen = new Set();


// place(exchange): {response, keys, operation} that describe the answer, keys
// being where that stands; or a sentence.
function place({ method, route, status }) {
    const shared = name => ({
        response: description.components.responses[name],
        keys: ['components', 'responses', name],
    });

    const item = description.paths[route];
    if (!item) {
        return status === 404 ? shared('Failure') : `no path ${route}`;
    }

    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    if (verb === 'options') {
        return shared('Methods');
    }

    const operation = item[verb];
    if (!operation) {
        return status === 405 ? shared('MethodNotAllowed')
                              : `no ${verb} ${route}`;
    }

    seen.add(`${verb.toUpperCase()} ${route} ${status}`);

    let response = operation.responses[status];
    let keys = ['paths', route, verb, 'responses', status];

    if (!response) {
        if (!anywhere.has(status)) {
            return `status ${status} is not described`;
        }
        response = operation.responses.default;
        keys[4] = 'default';
    }

    if (response.$ref) {
        keys = response.$ref.slice(2).split('/');
        response = resolve(response);
    }

    return { response, keys, operation, item };
}


function checkHeaders(response, headers, check) {
    const wrong = [];
    const described = Object.entries(response.headers ?? {});
    const names = new Set(described.map(([name]) => name.toLowerCase()));

    for (const [name, header] of described) {
        const value = headers[name.toLowerCase()];

        if (value === undefined) {
            if (resolve(header).required) {
                wrong.push(`the header ${name} is missing`);
            }
            continue;
        }

        const at = pointer('components', 'headers', name, 'schema');
        wrong.push(...check(at, value).map(why => `${name}: ${why}`));
    }

    for (const name of Object.keys(headers)) {
        // What waits may be told how long by any error.
        if (!names.has(name) && !plain.has(name)
            && !(name === 'retry-after' && headers[name]))
        {
            wrong.push(`the header ${name} is not described`);
        }
    }

    return wrong;
}


// The codes that a 400 of an operation can have: of its parameters, of the
// members of its body, and of the body itself.
function fieldCodes({ operation, item }) {
    const codes = new Set(['bad_request']);

    for (const parameter of [...item.parameters ?? [],
                             ...operation.parameters ?? []])
    {
        const { name } = resolve(parameter);
        codes.add('invalid_' + name.toLowerCase().replaceAll('-', '_'));
    }

    if (operation.requestBody) {
        const { schema } = operation.requestBody.content['application/json'];

        codes.add('invalid_json');
        for (const name of Object.keys(resolve(schema).properties)) {
            codes.add(`invalid_${name}`);
        }
    }

    return codes;
}


function checkBody(found, exchange, check) {
    const { response, keys } = found;
    const { content, headers, method, status } = exchange;
    const type = headers['content-type'];

    if (!response.content || method === 'HEAD') {
        return content === '' ? [] : ['a body where none is described'];
    }

    if (type !== 'application/json') {
        return [`the content type is ${type}`];
    }

    let value;
    try {
        value = JSON.parse(content);
    } catch (error) {
        return [`the body is no JSON: ${error.message}`];
    }

    const at = pointer(...keys, 'content', 'application/json', 'schema');
    const wrong = check(at, value);
    const code = value.error?.code ?? value.code;

    if (response['x-codes'] && !response['x-codes'].includes(code)) {
        wrong.push(`the code ${code} is not described for ${status}`);
    }

    if (status === 400 && found.operation && !fieldCodes(found).has(code)) {
        wrong.push(`${code} names nothing that the request can have`);
    }

    return wrong;
}


// What was taken must be what is described.
function checkSent({ operation }, { route, method, status, sent }, check) {
    if (status >= 300 || !sent || !operation?.requestBody) {
        return [];
    }

    const at = pointer('paths', route, method.toLowerCase(), 'requestBody',
                       'content', 'application/json', 'schema');

    return check(at, sent).map(why => `the request: ${why}`);
}


function checkWebhook({ webhook, headers, content }, check) {
    const { parameters, requestBody } = description.webhooks[webhook].post;
    const wrong = parameters.flatMap(({ $ref }) => {
        const { name } = resolve({ $ref });
        const at = pointer(...$ref.slice(2).split('/'), 'schema');

        return check(at, headers[name.toLowerCase()])
            .map(why => `${name}: ${why}`);
    });
    const at = pointer('webhooks', webhook, 'post', 'requestBody', 'content',
                       'application/json', 'schema');

    return [...wrong, ...check(at, JSON.parse(content))];
}


function checkExchange(exchange) {
    const check = validators[exchange.dialect];

    if (exchange.webhook) {
        return checkWebhook(exchange, check);
    }

    const found = place(exchange);

    if (typeof found === 'string') {
        return [found];
    }

    return [
        ...checkHeaders(found.response, exchange.headers, check),
        ...checkBody(found, exchange, check),
        ...checkSent(found, exchange, check),
    ];
}


function* described() {
    for (const [route, item] of Object.entries(description.paths)) {
        for (const verb of methods.filter(verb => item[verb])) {
            for (const status of Object.keys(item[verb].responses)) {
                if (status !== 'default') {
                    yield `${verb.toUpperCase()} ${route} ${status}`;
                }
            }
        }
    }
}


// The objects with members that answers are made of must be closed.
function openObjects(node, at, known = new Set()) {
    node = resolve(node);
    if (typeof node !== 'object' || node === null || known.has(node)) {
        return [];
    }
    known.add(node);

    const own = node.properties && node.additionalProperties !== false
        ? [`${at} is not closed`] : [];

    return own.concat(Object.entries(node).flatMap(([key, value]) =>
        openObjects(value, `${at}/${key}`, known)));
}


async function lint() {
    const config = await createConfig({ extends: ['recommended'], rules });
    const problems = await lintFromString({ source: text, config,
                                            absoluteRef: path });
    const answers = Object.entries(description.paths).flatMap(
        ([route, item]) => methods.filter(verb => item[verb]).flatMap(
            verb => openObjects(item[verb].responses, `${verb} ${route}`)));

    return [
        ...problems.map(({ ruleId, message, location }) =>
            `${ruleId}: ${message} (${location[0].pointer})`),
        ...answers,
        ...openObjects(description.components.responses, 'responses'),
    ];
}


const exchanges = readFileSync(0, 'utf8').split('\n').filter(line => line)
    .map(line => JSON.parse(line));
const wrong = exchanges.map(checkExchange);

console.log(JSON.stringify({
    lint: await lint(), wrong,
    unseen: [...described()].filter(answer => !seen.has(answer)),
}));
