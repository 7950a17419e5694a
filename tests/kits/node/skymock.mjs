// A cloud for the tests of IoT firmware: skymock, for node:test, Jest and Vitest. Copy this file;
// it needs Node.js 18 and nothing else.
//
//   import test from 'node:test';
//   import { start } from './skymock.mjs';
//
//   const server = await start({ fixtures: 'devices.json' });
//
//   test('it says how warm it is', server.withDevice('aliyun/pk', async (device) => {
//     firmware.connect(device.mqtt); // host, port, clientId, username, password, keepalive
//     await device.wait({ type: 'publish', topic: '/pk/+/user/update' });
//     await device.assertPassed();
//   }));
//
// withDevice() gives each test a device of its own, takes it away again, and when the test fails
// prints what the cloud made of it; what it returns is a test's function for any runner.
//
// start() connects to the server that SKYMOCK_URL names. Without that it starts one, on free ports:
// the program that SKYMOCK names, or skymock on the path. That one ends with the process that
// started it, however that ends. The words of patterns, claims and faults are those of the API.

import { AssertionError } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync }
  from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

const WAIT_MS = 5000;
const LAST = 10; // events that a report ends with
const SHOWN = 120; // characters of a text in a line
const PAGE = 1000; // events that the API gives at once, at the most
const KEEPALIVE_S = 60; // that every cloud takes
const KEPT = 65536; // characters of what a server of our own says

// What the API refuses, in its words.
export class ApiError extends Error {
  constructor(asked, status, problem) {
    super(`${asked}: ${problem.message}${problem.pointer ? ` (at ${problem.pointer})` : ''}`);
    Object.assign(this, { name: 'ApiError', status, code: problem.code, pointer: problem.pointer });
  }
}

// ---- how a failure reads ----

const complete = new WeakSet(); // errors whose message has the report

// An assertion that fails where the test called `method`, which is some awaits ago.
function assertion(method) {
  const here = {};
  Error.captureStackTrace(here, method);
  return (message) => {
    const error = new AssertionError({ message, operator: 'fail' });
    const frames = here.stack.split('\n').filter((each) => /^\s+at /.test(each));
    error.stack = [`AssertionError [${error.code}]: ${message}`, ...frames].join('\n');
    return error;
  };
}

function shown(value) {
  const text = typeof value === 'string' ? value : `${JSON.stringify(value)}`;
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}... (${text.length} characters)` : text;
}

const UNTOLD = new Set(['seq', 'time', 'realTime', 'type', 'direction', 'transport', 'connection',
  'device', 'peer', 'cloud', 'product', 'deviceKey', 'json', 'explanation', 'findings', 'refused']);

// An event in a line, as `skymock events` has it.
export function line(event) {
  const way = { up: '>', down: '<' }[event.direction] ?? '-';
  const told = Object.entries(event).filter(([key, value]) => !UNTOLD.has(key) && value !== false)
    .map(([key, value]) => (value === true ? key : `${key}=${shown(value)}`));
  const broken = (event.findings ?? []).map(({ rule, detail }) =>
    `| ${rule === event.refused ? 'refused by ' : ''}${rule}: ${detail}`);
  return [`${event.seq}`.padStart(6), event.time.slice(11, 23), way, event.type,
    ...(event.device ? [event.device] : []), ...told, ...broken].join(' ');
}

function miss({ seq, differs }) {
  const json = (value) => (value === 'nothing' ? value : shown(JSON.stringify(value)));
  return `  seq ${seq}: ${differs.map(({ pointer, found, wanted }) =>
    `${pointer} is ${json(found)}, wanted ${json(wanted)}`).join('; ')}`;
}

function refusal(event) {
  const { rule, what, hint, signedText, sentText } = event.explanation ?? {};
  return [`  seq ${event.seq} was refused by ${event.refused}${rule && rule !== event.refused ?
    `, ${rule}` : ''}: ${what ?? event.findings?.[0]?.detail ?? ''}`,
  ...(signedText ? [`    due:    ${signedText}`] : []),
  ...(sentText ? [`    signed: ${sentText}`] : []),
  ...(hint ?? event.findings?.[0]?.hint ? [`    hint:   ${hint ?? event.findings[0].hint}`] : [])];
}

function broken({ device, verdict, rules }) {
  const names = rules.filter((rule) => rule.verdict === verdict).map(({ id }) => id);
  return [`${verdict} ${names.join(', ')}: ${device}`,
    ...rules.filter((rule) => /failed|warned/.test(rule.verdict)).flatMap((rule) =>
      [`  ${rule.verdict} ${rule.id}: ${rule.statement}`,
        `    found: ${rule.what ?? rule.detail}`, `    hint:  ${rule.hint}`,
        `    events: ${(rule.events ?? []).join(' ')}`])];
}

// ---- what a call takes: a slip of the pen is not waited for ----

// `given` is an object of some of these words, or of the API's, which checks them.
function object(form, given, words) {
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    throw new TypeError(`${shown(given)} is no object; it is ${form}`);
  for (const word of words ? Object.keys(given) : [])
    if (!words.includes(word))
      throw new TypeError(`there is no '${word}', but ${words.join(', ')}: ${form}`);
}

// Nothing is left over.
function nothing(form, [more]) {
  if (more !== undefined)
    throw new TypeError(`${shown(more)} is too much; it is ${form}`);
}

const CLAIM = 'verify({event}), verify({absent}) or, for several in this order, ' +
  'verify({sequence: [a, b]})';
const CLAIMS = ['event', 'sequence', 'absent', 'count', 'since', 'waitMs', 'withinMs', 'device',
  'product'];
const FAULT = "fault({point: 'puback-down', action: 'withhold', ...})";
const EXPECTED = "expect({rule: 'ALI-SIGN'}) or expect({event, count})";

// As it was given, if it is one.
function named(product) {
  if (!/^[^/]+\/[^/]+$/.test(product))
    throw new TypeError(`${shown(product)} is no product: give cloud/product, as 'aliyun/pk'`);
  return product;
}

// ---- verbs that everything has: a device, a product, the server ----

// An event may stand for its seq, and a number for as many exactly.
const seq = (since) => since?.seq ?? since;
const bounds = (count) => (Number.isInteger(count) ? { min: count, max: count } : count);

class Scope {
  // limit: {device}, {product} or {}: whose events, faults and verdicts are meant
  constructor(server, limit) {
    this.server = server ?? this;
    this.limit = limit;
  }

  #query() {
    return `?${new URLSearchParams(this.limit)}`;
  }

  #about() {
    return Object.values(this.limit)[0] ?? 'all devices';
  }

  async #search({ event, since, ...more }) {
    return this.server.api('POST', 'events/search',
      { event: { ...this.limit, ...event }, since: seq(since), ...more });
  }

  // Those that match, the oldest first. order: 'desc': the newest first.
  async events(event = {}, options = {}) {
    object('events(pattern, {since, ...})', event);
    object('events(pattern, {since, ...})', options, ['since', 'before', 'limit', 'order', 'run']);
    const { since, before, limit = PAGE, order, run } = options;
    return (await this.#search({ event, since, before, limit, order, run })).events;
  }

  // for await (const event of device.follow({type: 'publish'})): each as it comes, until none has
  // come for waitMs. Begins with the chapter, or behind `since`.
  async* follow(event = {}, options = {}) {
    object('follow(pattern, {since, waitMs})', event);
    object('follow(pattern, {since, waitMs})', options, ['since', 'waitMs']);
    let { since } = options;
    const { waitMs = WAIT_MS } = options;
    for (;;) {
      const page = await this.#search({ event, since, waitMs });
      if (page.events.length === 0)
        return;
      yield* page.events;
      since = page.next;
    }
  }

  // One of event, with a count; sequence; absent. Of what comes behind `since`; by default, of the
  // chapter.
  async #claim({ count, since: behind, ...claim }, fail) {
    const answer = await this.server.ask('POST', 'verify',
      { ...this.limit, ...claim, since: seq(behind), count: bounds(count) });
    if (answer.status === 406) {
      const { why, nearest = [] } = answer.body;
      const error = fail([why, ...nearest.map(miss), ...await this.#told()].join('\n'));
      complete.add(error);
      throw error;
    }
    const { events } = this.server.checked(answer);
    const wanted = new Set(events), found = [];
    let since = events[0] - 1;
    while (found.length < events.length) {
      const page = await this.#search({ since, before: events.at(-1) + 1, limit: PAGE, run: true });
      if (page.events.length === 0)
        break; // the journal has no room for them any more
      found.push(...page.events.filter((each) => wanted.has(each.seq)));
      since = page.next;
    }
    return found;
  }

  // verify({event | sequence | absent, count, since, waitMs, withinMs}) → the events that show it
  async verify(claim, ...more) {
    nothing(CLAIM, more);
    object(CLAIM, claim, CLAIMS);
    return this.#claim(claim, assertion(this.verify));
  }

  // Until so many have come → those events
  async wait(event, options = {}) {
    object('wait(pattern, {count, waitMs, since})', event);
    object('wait(pattern, {count, waitMs, since})', options, ['count', 'waitMs', 'since']);
    const { count = 1, waitMs = WAIT_MS, since } = options;
    return this.#claim({ event, count: { min: count }, waitMs, since }, assertion(this.wait));
  }

  // None has come, nor does in waitMs.
  async absent(event, options = {}) {
    object('absent(pattern, {waitMs, since})', event);
    object('absent(pattern, {waitMs, since})', options, ['waitMs', 'since']);
    const { waitMs, since } = options;
    await this.#claim({ absent: event, waitMs, since }, assertion(this.absent));
  }

  async verdict() {
    return this.server.api('GET', `verdicts${this.#query()}`);
  }

  // No rule is broken; strict: none that only warns either.
  async assertPassed(options = {}) {
    object('assertPassed({strict: true})', options, ['strict']);
    const { strict = false } = options;
    const fail = assertion(this.assertPassed);
    const { verdict, devices } = await this.server.api('GET', `verdicts${this.#query()}`);
    if (verdict === 'passed' || (verdict === 'warned' && !strict))
      return;
    throw fail(verdict === 'not exercised' ?
      `${this.#about()}: not exercised: nothing came that a rule is about` :
      devices.flatMap(broken).join('\n'));
  }

  async #made(kind, what) {
    const { id } = await this.server.api('POST', kind, { ...this.limit, ...what });
    return { id, remove: () => this.server.api('DELETE', `${kind}/${id}`) };
  }

  // fault({point: 'puback-down', action: 'withhold', count: 2}) → {id, fired(), remove()}
  async fault(what, ...more) {
    object(FAULT, what);
    nothing(FAULT, more);
    const made = await this.#made('faults', what);
    const fired = async () => (await this.faults()).find(({ id }) => id === made.id)?.fired;
    return { ...made, fired };
  }

  async faults() {
    return (await this.server.api('GET', `faults${this.#query()}`)).faults;
  }

  // expect({rule: 'ALI-SIGN'}), expect({event, count}): counts against nobody → {id, remove()}
  async expect(expected, ...more) {
    object(EXPECTED, expected);
    nothing(EXPECTED, more);
    const { count, ...what } = expected;
    return this.#made('expected', { ...what, count: bounds(count) });
  }

  // Breaks nothing and expects nothing any more.
  async clear() {
    await this.server.api('DELETE', `faults${this.#query()}`);
    await this.server.api('DELETE', `expected${this.#query()}`);
  }

  // As the fixtures have it, and a new chapter of events and verdicts.
  async reset(more = {}) {
    object('reset({forget: true})', more, ['forget']);
    await this.server.api('POST', 'reset', { ...this.limit, ...more });
  }

  async #told() {
    const refused = await this.events({ refused: true }, { limit: 3, order: 'desc' });
    const own = await this.events({}, { limit: LAST, order: 'desc' });
    const spoke = own.some(({ direction }) => direction === 'up');
    const last = spoke ? own :
      await this.server.events({ direction: 'up' }, { limit: LAST, order: 'desc' });
    return [...refused.reverse().flatMap(refusal),
      spoke ? '  the last events:' : '  nothing came from it; from others, the last events:',
      ...last.reverse().map((each) => `  ${line({ ...each, device: !spoke && each.device })}`)];
  }

  // What was refused and why, and the last events, to read.
  async report() {
    return [this.#about(), ...await this.#told()].join('\n');
  }

  // After a failure: the report goes to standard error, if it does not stand in that error already,
  // and as a page to `folder`.
  async tell({ error, folder = this.server.reportFolder } = {}) {
    if (!complete.has(error))
      process.stderr.write(`\nskymock: ${await this.report()}\n`);
    if (!folder)
      return;
    const file = path.join(folder, `${this.#about().replace(/[^\w.-]+/g, '_')}.html`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, await this.server.api('GET', `report.html${this.#query()}`));
    process.stderr.write(`  ${file}\n\n`);
  }
}

// ---- a device ----

class Device extends Scope {
  #fields; // to make it again with, when a reset has taken it; undefined: none does

  constructor(server, id, credentials, fields) {
    super(server, { device: id });
    this.id = id; // cloud/product/key
    [this.cloud, this.product] = id.split('/');
    this.key = id.split('/').slice(2).join('/');
    this.credentials = credentials;
    this.#fields = fields;
  }

  static async make(server, product, fields) {
    const [cloud, key] = product.split('/');
    const { name, secret, credentials } = await server.api('POST', 'devices?secrets=true',
      { cloud, product: key, temporary: true, ...fields });
    const device = name.split('/').slice(2).join('/');
    return new Device(server, name, credentials,
      fields.temporary === false ? undefined : { ...fields, device, secret });
  }

  static async find(server, id) {
    const device = new Device(server, id);
    await device.sign();
    return device;
  }

  #login(listener, { clientId, username, password }) {
    const port = this.server.ports[`${this.cloud}-${listener}`] ?? this.server.port(listener);
    return { protocol: listener, host: this.server.host, port, clientId, username, password,
      keepalive: KEEPALIVE_S };
  }

  // What a correct device connects with: options of mqtt.js, too.
  get mqtt() {
    return this.#login('mqtt', this.credentials);
  }

  // The same by TLS, without a client certificate.
  get mqtts() {
    return { ...this.#login('mqtts', this.credentials.tls ?? this.credentials),
      port: this.server.port('mqtts'), ca: this.server.ca };
  }

  // Signs the logins anew: time has passed.
  async sign() {
    this.credentials = await this.api('GET', 'credentials');
  }

  api(method, target = '', body) {
    const id = this.id.split('/').map(encodeURIComponent).join('/');
    return this.server.api(method, `devices/${id}${target && `/${target}`}`, body);
  }

  async verdict() {
    return (await super.verdict()).devices[0];
  }

  // From the cloud to the device. payload: text, bytes, or what is sent as JSON
  async message(topic, payload = '', options = {}) {
    object('message(topic, payload, {qos: 1})', options, ['qos']);
    const { qos } = options;
    const content = payload instanceof Uint8Array ?
      { payloadBase64: Buffer.from(payload).toString('base64') } :
      { payload: typeof payload === 'string' ? payload : JSON.stringify(payload) };
    return this.api('POST', 'messages', { topic, ...content, qos });
  }

  // command('property-set', {params}) → the device's answer; also name, payload, waitMs, ttlS.
  async command(kind, more = {}) {
    object("command('property-set', {params, ...})", more);
    return this.api('POST', 'commands', { kind, ...more });
  }

  // Reads it; shadow({desired}) changes it.
  async shadow(change) {
    if (change !== undefined)
      object('shadow({desired: {...}})', change);
    return this.api(change ? 'PATCH' : 'GET', 'shadow', change);
  }

  async disconnect() {
    await this.api('POST', 'disconnect');
  }

  // One that was made for the test is there again, with its key and secret.
  async reset(more = {}) {
    await super.reset(more);
    if (this.#fields)
      await Device.make(this.server, `${this.cloud}/${this.product}`, this.#fields);
  }

  // It goes, with its faults, expectations and events. One that is not temporary is reset.
  async remove() {
    const answer = await this.server.ask('POST', 'reset', this.limit);
    if (answer.status !== 404) // a reset or restore may have taken it already
      this.server.checked(answer);
  }
}

// ---- a product, and the server ----

class Product extends Scope {
  #usual; // product of devices

  constructor(server, usual, limit = { product: usual }) {
    super(server, limit);
    this.#usual = usual;
  }

  // device('aliyun/pk') makes one for the test, device({product, device, secret, ...}) with these
  // fields; device('aliyun/pk/thermostat') is one of the fixtures. With the context of the test, of
  // node:test or Vitest, it is removed when that ends; elsewhere, afterEach(() => device.remove()).
  async device(what = {}, context) {
    if (typeof what !== 'string')
      object("device('aliyun/pk') or device({product: 'aliyun/pk', ...})", what);
    const { product = this.#usual ?? await this.#first(), ...fields } =
      typeof what === 'string' ? { product: what } : what;
    const device = `${product}`.split('/').length > 2 ? await Device.find(this.server, product) :
      await Device.make(this.server, named(product), fields);
    const atTheEnd = context?.after ?? context?.onTestFinished;
    atTheEnd?.call(context, async () => {
      const failed = context.passed === false || context.task?.result?.state === 'fail';
      if (failed) // Node.js 18 does not know: withDevice() does
        await device.tell();
      await device.remove();
    });
    return device;
  }

  async #first() {
    const { products: [first] } = await this.server.api('GET', 'products');
    if (!first)
      throw new Error('there is no product to make a device of: start({fixtures}) names some');
    return `${first.cloud}/${first.product}`;
  }

  // A test's function: makes a device for `body`, whose further arguments are the runner's.
  withDevice(what, body) {
    if (typeof what === 'function')
      [what, body] = [undefined, what];
    return async (...given) => {
      const device = await this.device(what);
      try {
        await body(device, ...given);
      } catch (error) {
        await device.tell({ error }).catch(() => {}); // of a server that is gone the error speaks
        await device.remove().catch(() => {});
        throw error;
      }
      await device.remove();
    };
  }

  // What is kept, and gone back to, is all there is, or all of the product.
  async snapshot(name) {
    await this.server.api('POST', 'snapshots', { name, ...this.limit });
  }

  async restore(name) {
    await this.server.api('POST', `snapshots/${name}/restore`, { ...this.limit });
  }
}

class Clock {
  #server;

  constructor(server) {
    this.#server = server;
  }

  async #act(what, body) {
    return new Date((await this.#server.api('POST', `clock/${what}`, body)).unixMs);
  }

  async now() {
    return new Date((await this.#server.api('GET', 'clock')).unixMs);
  }

  freeze() {
    return this.#act('freeze');
  }

  advance(ms) {
    return this.#act('advance', { ms });
  }

  // A Date, or milliseconds since 1970.
  set(time) {
    return this.#act('set', { unixMs: Number(time) });
  }

  resume() {
    return this.#act('resume');
  }
}

class Server extends Product {
  #token;
  #child; // undefined: it is not ours
  #folder; // of our copy of the certificate

  constructor({ url, product, report, token, child }) {
    super(undefined, product, {});
    this.url = url.replace(/\/$/, '');
    this.reportFolder = report;
    this.clock = new Clock(this);
    this.#token = token;
    this.#child = child;
  }

  // near: what `skymock exec` sets, or who maps the ports of a container, goes before what it says.
  static async connect({ patienceMs, ...options }, near = {}) {
    const server = new Server(options);
    const { listeners } = await server.#patiently('/version', Date.now() + patienceMs);
    server.host = near.SKYMOCK_HOST ?? new URL(server.url).hostname.replace(/^\[|\]$/g, '');
    server.ports = Object.fromEntries(Object.entries(listeners).map(([name, port]) =>
      [name, Number(near[portName(name)] ?? port)]));
    server.ca = await server.api('GET', '/ca.crt');
    return server;
  }

  // From a server that may just be starting.
  async #patiently(target, until) {
    for (;;) {
      try {
        return await this.api('GET', target);
      } catch (error) {
        if (error instanceof ApiError || this.#child || Date.now() > until)
          throw error;
        await new Promise((resolve) => { setTimeout(resolve, 100); });
      }
    }
  }

  // What a fixture has: a file, a folder, or {products: [...]}
  async add(fixture) {
    if (fixture.products)
      await this.api('POST', 'products', fixture);
    else if (statSync(fixture).isDirectory())
      for (const name of readdirSync(fixture).filter((each) => each.endsWith('.json')).sort())
        await this.add(path.join(`${fixture}`, name));
    else
      await this.add(JSON.parse(readFileSync(fixture, 'utf8')));
  }

  port(name) {
    if (!(name in this.ports))
      throw new Error(`there is no listener '${name}', but: ${Object.keys(this.ports).join(', ')}`);
    return this.ports[name];
  }

  // The certificate to trust as a file, for firmware that wants one.
  get caFile() {
    if (!this.#folder) {
      const folder = this.#folder = mkdtempSync(path.join(os.tmpdir(), 'skymock-kit-'));
      writeFileSync(path.join(folder, 'ca.crt'), this.ca);
      process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    }
    return path.join(this.#folder, 'ca.crt');
  }

  // As `skymock exec` sets it, for firmware that is started by the test; also for test processes
  // that are to use this server: Object.assign(process.env, server.environment).
  get environment() {
    const ports = Object.entries(this.ports).map(([name, port]) => [portName(name), `${port}`]);
    return { SKYMOCK_URL: this.url, SKYMOCK_HOST: this.host, SKYMOCK_CA: this.caFile,
      ...(this.#token ? { SKYMOCK_ADMIN_TOKEN: this.#token } : {}), ...Object.fromEntries(ports) };
  }

  // One of its products, with the verbs of the server limited to that.
  product(name) {
    return new Product(this, named(name));
  }

  // {asked, status, body}, whatever the status. A path without / in front is below /api/v1/.
  ask(method, target, body) {
    const url = this.url + (target.startsWith('/') ? target : `/api/v1/${target}`);
    const headers = { ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const data = body === undefined ? '' : JSON.stringify(body);
    if (method !== 'GET')
      headers['content-length'] = Buffer.byteLength(data);
    return new Promise((resolve, reject) => {
      const failed = (error) => reject(new Error(
        `no answer from skymock at ${this.url}: ${error.message}${this.#child?.told() ?? ''}`));
      const request = http.request(url, { method, headers, agent: false }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', failed);
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const json = (answer.headers['content-type'] ?? '').includes('json');
          resolve({ asked: `${method} ${target}`, status: answer.statusCode,
            body: json && text ? JSON.parse(text) : text });
        });
      });
      request.on('error', failed);
      request.end(data);
    });
  }

  // The answer's body; ApiError when that is a refusal.
  checked({ asked, status, body }) {
    if (status >= 400)
      throw new ApiError(asked, status, body.error ?? { message: `${status} ${body}` });
    return body;
  }

  async api(method, target, body) {
    return this.checked(await this.ask(method, target, body));
  }

  // Ends it, if start() started it.
  async stop() {
    await this.#child?.stop();
  }
}

function portName(listener) {
  return `SKYMOCK_PORT_${listener.toUpperCase().replaceAll('-', '_')}`;
}

// ---- a server of our own ----

// `skymock exec` serves for as long as its command runs, and that ends with its standard input,
// which ends with this process, even if that is killed.
class Child {
  #process;
  #said = '';
  #errors = '';
  #ended;

  constructor(program, options, environment) {
    this.#process = spawn(program, ['exec', '--store', ':memory:', '--host', '127.0.0.1',
      ...options, '--', 'sh', '-c', 'echo "url $SKYMOCK_URL"; exec cat'],
    { env: environment, detached: true }); // Ctrl-C is for the tests
    this.#process.stdin.on('error', () => {}); // it has ended
    this.#process.stderr.on('data', (data) => {
      this.#errors = (this.#errors + data).slice(-KEPT);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(error.code === 'ENOENT' ?
        `there is no program ${program}; SKYMOCK says where it is, SKYMOCK_URL where one runs` :
        error.message));
      this.#process.once('close', (code, signal) => resolve(`exit ${code ?? signal}`));
    });
  }

  async url() {
    const said = new Promise((resolve) => {
      this.#process.stdout.on('data', (data) => {
        this.#said = (this.#said + data).slice(-KEPT);
        const [, url] = /^url (.*)\n/m.exec(this.#said) ?? [];
        if (url)
          resolve(url);
      });
    });
    const url = await Promise.race([said, this.#ended.then((how) => {
      throw new Error(`skymock did not start: ${how}\n${this.#errors}`);
    })]);
    this.#hold('unref'); // a test that forgets stop() ends all the same
    return url;
  }

  #hold(how) {
    for (const each of [this.#process, ...this.#process.stdio])
      each[how]();
  }

  told() {
    return this.#process.exitCode === null && this.#process.signalCode === null ? '' :
      `; it has ended (${this.#process.exitCode ?? this.#process.signalCode})\n${this.#errors}`;
  }

  // Its exit status is that of the verdict, which is not asked for here.
  async stop() {
    this.#hold('ref');
    this.#process.stdin.end();
    const how = await this.#ended;
    if (!/^verdict: /m.test(this.#said))
      throw new Error(`skymock did not end well: ${how}\n${this.#errors}`);
  }
}

// url: of a server that runs, before SKYMOCK_URL. program: one to start, before SKYMOCK and the
// path. fixtures: what products there are: files, folders, {products: [...]}; without, as a server
// that is started finds them by SKYMOCK_FIXTURES. product: of devices for which nothing else is
// said; without, the first that there is. token: of the API, before SKYMOCK_ADMIN_TOKEN. report: a
// folder for pages of what failed, before SKYMOCK_REPORT. patienceMs: with one that is just
// starting. options: more of `skymock exec`.
export async function start(given = {}) {
  object('start({fixtures, ...})', given, ['url', 'program', 'fixtures', 'product', 'token',
    'report', 'patienceMs', 'options']);
  const { url, program, fixtures = [], product, token, report, patienceMs = 10000,
    options = [] } = given;
  const { SKYMOCK_URL, SKYMOCK, SKYMOCK_REPORT, SKYMOCK_ADMIN_TOKEN, ...environment } = process.env;
  const common = { product, report: report ?? SKYMOCK_REPORT, patienceMs,
    token: token ?? SKYMOCK_ADMIN_TOKEN };
  const there = url ?? (program ? undefined : SKYMOCK_URL);
  let added = [fixtures].flat(), server;
  if (there) {
    server = await Server.connect({ url: there, ...common },
      there === SKYMOCK_URL ? environment : {}); // which is of that one
  } else {
    const files = added.filter((each) => !each.products).map((each) => `${each}`);
    added = added.filter((each) => each.products);
    if (common.token)
      environment.SKYMOCK_ADMIN_TOKEN = common.token;
    if (files.length > 0)
      delete environment.SKYMOCK_FIXTURES;
    const child = new Child(program ?? SKYMOCK ?? 'skymock',
      [...files.flatMap((file) => ['--fixtures', file]), ...options], environment);
    server = await Server.connect({ url: await child.url(), child, ...common });
  }
  for (const each of added)
    await server.add(each);
  return server;
}
