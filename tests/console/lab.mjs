// The test bench of the console: a server, devices, hostile peers and a browser. Every *.test.mjs
// beside it uses this and node:test of Node.js 18, which Debian 12 has (playwright-core 1.61 is the
// last for it), or newer. Nothing here waits by sleeping, and no port is fixed. Run all with
// `./dev test --console`, one with `./dev test --console FILE`.
//
//   const server = await startServer({options, fixtures, token, store});
//       The program $SKYMOCK_BUILD/skymock on free ports. options: more words of its command line;
//       fixtures: a file or several, null for none (default: tests/support/fixtures.json); token:
//       its --admin-token; store: true keeps everything over restart(). Whichever is still there
//       when the file's tests are over is stopped, so that a file need not. It has
//       url, ports               "http://127.0.0.1:PORT" of the admin listener; all by their names
//       api(method, path, body)  the answer, decoded where it is JSON; throws with .status from 400
//       request(method, path, {headers, body})    {status, headers, body}, whatever the status
//       event(expected, since)   the first event after seq `since` that has these fields, awaited
//       restart({samePorts, hard, meanwhile})  ends and starts it, by default on the same ports;
//                                hard: as by a power cut; meanwhile: awaited while nobody serves
//       stop(), kill()           end it as a user, as a power cut would; its pages close first
//
//   const client = await device(server, 'aliyun/pk/device', {change, ...options of mqtt.js});
//   const client = await device(server, {temporary: true, cloud, product}, ...);
//       An MQTT client (mqtt.js) that logged in, over plain MQTT, with what .../credentials says;
//       client.name is the device's. change: {username, password, clientId} to send instead, each a
//       value or a function of the right one. A refusal is thrown, with the CONNACK's code as
//       .code; .name of the device stands in the error's .device.
//
//   const peer = await raw(server, listener);
//       Bytes over TCP: peer.send(bytes), peer.connect({clientId, username, password, keepAlive})
//       (each text or a Buffer of any bytes), await peer.receive() → {type, flags, body} or null at
//       its end, peer.close().
//
//   const page = await openPage(t, server, {path, viewport, colorScheme, locale, token, allow});
//       A playwright page at `path` (default '/') in a context of its own, 1280 × 800, light, en-US.
//       token: this one is known already (sessionStorage). At the end of the test `t` it fails for
//       each error or warning on the console (violations of the Content-Security-Policy come there),
//       uncaught exception, failed request (but one that the page itself gave up) and request to
//       another origin. allow: patterns of lines that may come; ENDED is what comes when a server
//       ends. More options go to newContext(). A page of the console has its frame, or asks for the
//       token, when this returns. A test that waited in vain is told what the page showed then, and
//       which requests had no answer.
//   problems(page)               what has been gathered so far, lines; for tests of this bench
//   await axe(page, {include})   axe-core finds nothing serious or critical, in light of the page's
//                                own policy: it runs in a world of its own beside the page's scripts
//   await fits(page, message)    nothing makes the page wider than the window
//   await picture(page, name, {kept})    build/test/pictures/NAME.png; one that is kept, with
//                                SKYMOCK_PICTURES=update, as tests/console/pictures/NAME.png too

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const BUILD = path.resolve(ROOT, process.env.SKYMOCK_BUILD ?? 'build/debug');
const MODULES = path.join(ROOT, 'build/console'); // where ./dev puts the packages
const PICTURES = 'build/test/pictures';
const KEPT = 'tests/console/pictures'; // those of the README
const PATIENCE_MS = 60000; // for a machine under load; nothing here waits that long otherwise
const TOKEN_KEY = 'skymock-token'; // of sessionStorage, as client.js has it

const require = createRequire(path.join(MODULES, 'package.json'));

function need(name) {
  try {
    return require(name);
  } catch (error) {
    throw new Error(`no ${name} in ${MODULES}: run ./dev test --console once, which installs it`,
      { cause: error });
  }
}

// ---- the server ----

const servers = new Set();

process.on('exit', () => servers.forEach((server) => server.abandon()));

class Server {
  #options;
  #token;
  #process;
  #errors = '';
  #folder = mkdtempSync(path.join(os.tmpdir(), 'skymock-console-'));
  #ended;
  users = new Set(); // what is to be closed before it ends

  constructor({ options = [], fixtures, token, store = false }) {
    fixtures = [fixtures === undefined ? `${ROOT}/tests/support/fixtures.json` : fixtures ?? []];
    this.#token = token;
    this.#options = [
      ...fixtures.flat().flatMap((file) => ['--fixtures', file]),
      ...(token ? ['--admin-token', token] : []),
      ...(store ? ['--store', `${this.#folder}/skymock.db`] : []),
      ...options];
  }

  async start(ports) {
    const file = `${this.#folder}/ports.json`;
    const listen = ports ? Object.entries(ports).map(([name, port]) => `${name}=${port}`) : ['all=0'];
    const environment = Object.entries(process.env).filter(([key]) => !key.startsWith('SKYMOCK_'));
    this.#process = spawn(`${BUILD}/skymock`, ['serve', '--ports-file', file,
      ...listen.flatMap((each) => ['--listen', each]), ...this.#options],
    { env: Object.fromEntries(environment), stdio: ['ignore', 'pipe', 'pipe'] });
    servers.add(this);
    this.#process.stderr.on('data', (data) => { this.#errors += data; });
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('exit', (code, signal) => resolve(code ?? signal));
    });
    const ready = new Promise((resolve) => { this.#process.stdout.once('data', resolve); });
    await Promise.race([ready, this.#ended.then((how) => {
      throw new Error(`skymock did not start (${how}): ${this.#errors}`);
    })]);
    this.ports = JSON.parse(readFileSync(file, 'utf8'));
    this.url = `http://127.0.0.1:${this.ports.admin}`;
    return this;
  }

  async #end(signal) {
    this.#process.kill(signal);
    const how = await this.#ended;
    servers.delete(this);
    return how;
  }

  async #leave() {
    await Promise.all([...this.users].map((close) => close()));
    this.users.clear();
  }

  async stop() {
    if (!servers.has(this))
      return;
    await this.#leave();
    const how = await this.#end('SIGTERM');
    rmSync(this.#folder, { recursive: true });
    assert.equal(how, 0, `skymock ended with ${how}: ${this.#errors}`);
  }

  async kill() {
    if (!servers.has(this))
      return;
    await this.#leave();
    await this.#end('SIGKILL');
    rmSync(this.#folder, { recursive: true });
  }

  async restart({ samePorts = true, hard = false, meanwhile } = {}) {
    const how = await this.#end(hard ? 'SIGKILL' : 'SIGTERM');
    assert.ok(hard || how === 0, `skymock ended with ${how}: ${this.#errors}`);
    await meanwhile?.();
    return this.start(samePorts ? this.ports : undefined);
  }

  // Without waiting, for a test file that itself ends in a mishap: nothing may outlive it.
  abandon() {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  // Each over a connection of its own, so that none is left over from before a restart.
  request(method, target, { headers = {}, body } = {}) {
    if (this.#token && !('authorization' in headers))
      headers = { ...headers, authorization: `Bearer ${Buffer.from(this.#token).toString('latin1')}` };
    return new Promise((resolve, reject) => {
      const asked = http.request({ host: '127.0.0.1', port: this.ports.admin, path: target, method, headers,
        agent: false }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers,
          body: Buffer.concat(parts).toString() }));
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  async api(method, target, body) {
    const answer = await this.request(method, target, body === undefined ? {} :
      { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const json = (answer.headers['content-type'] ?? '').includes('json');
    if (answer.status >= 400)
      throw Object.assign(new Error(`${method} ${target}: ${answer.status} ${answer.body}`),
        { status: answer.status });
    return json ? JSON.parse(answer.body) : answer.body;
  }

  async event(expected, since = 0) {
    const until = Date.now() + PATIENCE_MS;
    const type = expected.type ? `&type=${encodeURIComponent(expected.type)}` : '';
    let seen = since;
    while (Date.now() < until) {
      const { events } = await this.api('GET',
        `/api/v1/events?since=${seen}&limit=1000&wait_ms=1000${type}`);
      const found = events.find((event) =>
        Object.entries(expected).every(([key, value]) => event[key] === value));
      if (found)
        return found;
      seen = events.at(-1)?.seq ?? seen;
    }
    throw new Error(`no event after ${since} has ${JSON.stringify(expected)}`);
  }
}

export function startServer(options = {}) {
  return new Server(options).start();
}

// ---- devices ----

export async function device(server, which, { change = {}, ...options } = {}) {
  let name = which;
  if (typeof which === 'object')
    ({ name } = await server.api('POST', '/api/v1/devices', { cloud: 'aliyun', product: 'pk', ...which }));
  const right = await server.api('GET', `/api/v1/devices/${name}/credentials`);
  const login = Object.fromEntries(['clientId', 'username', 'password'].map((key) => [key,
    typeof change[key] === 'function' ? change[key](right[key]) : change[key] ?? right[key]]));
  const port = server.ports[`${name.split('/')[0]}-mqtt`] ?? server.ports.mqtt;
  const client = need('mqtt').connect({ host: '127.0.0.1', port, protocol: 'mqtt', protocolVersion: 4,
    keepalive: 60, reconnectPeriod: 0, connectTimeout: PATIENCE_MS, ...login, ...options });
  const close = () => client.endAsync(true);
  server.users.add(close);
  await new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('error', reject);
    client.once('close', () => reject(new Error('closed before a CONNACK')));
  }).catch(async (error) => {
    server.users.delete(close);
    await close();
    throw Object.assign(error, { device: name });
  });
  client.on('error', () => {}); // a server that ends is no mishap of the test
  client.name = name;
  return client;
}

const CONNECT = 1;

// MQTT 3.1.1, 1.5.3 and 2.2: a string with its length, and a packet with its header.
function prefixed(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function packet(type, flags, body) {
  const header = [type << 4 | flags];
  let length = body.length;
  do {
    header.push((length & 127) | (length > 127 ? 128 : 0));
    length >>= 7;
  } while (length > 0);
  return Buffer.concat([Buffer.from(header), body]);
}

class Peer {
  #socket;
  #data = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (data) => { this.#data = Buffer.concat([this.#data, data]); this.#wake(); });
    socket.on('close', () => { this.#ended = true; this.#wake(); });
    socket.on('error', () => {}); // a reset is an end
  }

  send(bytes) {
    this.#socket.write(bytes);
  }

  // MQTT 3.1.1, 3.1: level 4, a clean session.
  connect({ clientId = '', username, password, keepAlive = 60 } = {}) {
    const flags = 2 | (username === undefined ? 0 : 128) | (password === undefined ? 0 : 64);
    this.send(packet(CONNECT, 0, Buffer.concat([prefixed('MQTT'),
      Buffer.from([4, flags, keepAlive >> 8, keepAlive & 255]), prefixed(clientId),
      ...[username, password].filter((each) => each !== undefined).map(prefixed)])));
  }

  #take() {
    let length = 0;
    for (let at = 1; at < this.#data.length && at < 5; at++) {
      length |= (this.#data[at] & 127) << (7 * (at - 1));
      if (this.#data[at] & 128)
        continue;
      if (this.#data.length < at + 1 + length)
        return null;
      const taken = { type: this.#data[0] >> 4, flags: this.#data[0] & 15,
        body: this.#data.subarray(at + 1, at + 1 + length) };
      this.#data = this.#data.subarray(at + 1 + length);
      return taken;
    }
    return null;
  }

  async receive() {
    for (;;) {
      const taken = this.#take();
      if (taken || this.#ended)
        return taken;
      await new Promise((resolve) => { this.#wake = resolve; });
    }
  }

  close() {
    this.#socket.destroy();
  }
}

export function raw(server, listener = 'mqtt') {
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.ports[listener], '127.0.0.1', () => {
      const peer = new Peer(socket);
      server.users.add(() => peer.close());
      resolve(peer);
    });
    socket.once('error', reject);
  });
}

// ---- the browser ----

export const ENDED = [
  /ERR_CONNECTION_REFUSED/, /ERR_CONNECTION_RESET/, /ERR_CONNECTION_CLOSED/, /ERR_EMPTY_RESPONSE/,
  /ERR_INCOMPLETE_CHUNKED_ENCODING/, /ERR_NETWORK_CHANGED/];

// Playwright's own flags already keep Chromium from updates, first-run pages and reports; the
// resolver knows one host, so that whatever asks for another reaches nobody.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--no-default-browser-check', '--no-pings', '--font-render-hinting=none', '--disable-lcd-text',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];

let launched;

function chromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = (process.env.PATH ?? '').split(':').flatMap((folder) =>
    names.map((name) => path.join(folder, name))).find(existsSync);
  if (!found)
    throw new Error('no Chromium here: apt-get install chromium, or ./dev test --console as root');
  return found;
}

function browser() {
  launched ??= need('playwright-core').chromium.launch({ executablePath: chromium(), args: FLAGS,
    timeout: PATIENCE_MS });
  return launched;
}

// Before the hooks of the test file, since this was there first.
after(async () => {
  try {
    for (const server of servers)
      await server.stop();
  } finally {
    if (launched)
      await (await launched).close();
  }
});

const gathered = new WeakMap(); // page: {lines, world}

export function problems(page) {
  return gathered.get(page).lines;
}

// Into `lines` whatever the page must not do; what it asks is `open` until it is answered.
function watch(page, origin, { lines, open }) {
  const foreign = (url) => !/^(data|blob|about):/.test(url) && new URL(url).origin !== origin &&
    new URL(url).origin !== origin.replace('http', 'ws');
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      lines.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => lines.push(`uncaught: ${error.stack ?? error}`));
  page.on('request', (request) => {
    if (foreign(request.url()))
      lines.push(`request to another origin: ${request.url()}`);
  });
  page.on('websocket', (socket) => {
    if (foreign(socket.url()))
      lines.push(`request to another origin: ${socket.url()}`);
  });
  page.on('request', (request) => open.add(request));
  page.on('requestfinished', (request) => open.delete(request));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    open.delete(request);
    if (why !== 'net::ERR_ABORTED') // the page's own doing: a stream given up, a page left
      lines.push(`request failed: ${why} ${request.method()} ${request.url()}`);
  });
}

export async function openPage(t, server, { path: target = '/', token, allow = [], ...options } = {}) {
  const context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 },
    colorScheme: 'light', locale: 'en-US', ...options });
  const lines = [];
  const open = new Set();
  const opened = Date.now();
  let closed;
  const close = () => {
    closed ??= (async () => {
      for (const page of context.pages()) {
        const text = await page.evaluate(() => document.body.innerText).catch(String); // what it did comes before this answer
        if (Date.now() - opened >= PATIENCE_MS)
          t.diagnostic(`the page showed: ${text}\n${lines.join('\n')}\nunanswered: ${[...open].map((each) => each.url()).join(' ')}`);
      }
      const until = lines.length;
      await context.close();
      lines.length = until; // the end of the page is no mishap of it
    })();
    return closed;
  };
  server.users.add(close);
  t.after(async () => {
    await close();
    const left = lines.filter((line) => !allow.some((each) =>
      each instanceof RegExp ? each.test(line) : line.includes(each)));
    const once = [...new Set(left)].join('\n  ');
    assert.ok(left.length === 0, `the page must not do this:\n  ${once}`);
  });
  context.setDefaultTimeout(PATIENCE_MS);
  if (token !== undefined)
    await context.addInitScript(([key, value]) => {
      if (location.protocol === 'http:') // what is before the first page has no storage
        sessionStorage.setItem(key, value);
    }, [TOKEN_KEY, token]);
  context.on('page', (page) => {
    gathered.set(page, { lines });
    watch(page, server.url, { lines, open });
  });
  const page = await context.newPage();
  await page.goto(target.startsWith('data:') ? target : server.url + target);
  if (/^\/(#|$)/.test(target))
    await page.locator('header, dialog[open]').first().waitFor();
  return page;
}

// ---- what is asked of a page ----

function readable(violation) {
  const nodes = violation.nodes.map((node) =>
    `    ${node.target.join(' ')}: ${node.html}\n      ` +
    (node.failureSummary ?? '').replaceAll('\n', '\n      '));
  return `  ${violation.id} (${violation.impact}): ${violation.help}\n${nodes.join('\n')}`;
}

// A world of its own sees the page's document and none of its scripts, and what the page's policy
// forbids its scripts is not forbidden there.
export async function axe(page, { include } = {}) {
  const session = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await session.send('Page.getFrameTree');
    const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld',
      { frameId: frameTree.frame.id, worldName: 'axe' });
    const run = async (expression) => {
      const { result, exceptionDetails } = await session.send('Runtime.evaluate',
        { expression, contextId, awaitPromise: true, returnByValue: true });
      assert.ok(!exceptionDetails, `axe: ${exceptionDetails?.exception?.description}`);
      return result.value;
    };
    const scope = include ? { include: [include].flat().map((each) => [each]) } : undefined;
    await run(`${need('axe-core').source}; undefined`);
    const { violations } = await run(`axe.run(${JSON.stringify(scope) ?? 'document'}, ` +
      "{ resultTypes: ['violations'] })");
    const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    assert.ok(grave.length === 0,
      `axe-core at ${page.url()}:\n${grave.map(readable).join('\n')}`);
  } finally {
    await session.detach();
  }
}

export async function fits(page, message) {
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), message);
}

export async function picture(page, name, { kept = false, ...options } = {}) {
  const folders = [PICTURES, ...(kept && process.env.SKYMOCK_PICTURES === 'update' ? [KEPT] : [])];
  for (const folder of folders) {
    mkdirSync(path.join(ROOT, folder), { recursive: true });
    await page.screenshot({ path: path.join(ROOT, folder, `${name}.png`), animations: 'disabled',
      ...options });
  }
}
