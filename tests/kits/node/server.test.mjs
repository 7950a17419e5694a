// Servers of the kit: how one is found, what a test process is told of it, and that none is left.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync,
  writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { FIXTURES, MODULES, PROGRAM } from './bench.mjs';
import { start } from './skymock.mjs';

const KIT = new URL('skymock.mjs', import.meta.url).href;
const skip = existsSync(PROGRAM) ? false : `there is no ${PROGRAM}`;

function folder(t) {
  const made = mkdtempSync(path.join(os.tmpdir(), 'skymock-kit-test-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

// Another process with such an environment, and nothing else of SKYMOCK in it.
function environment(more) {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([key]) =>
    !/^SKYMOCK|^NODE_TEST/.test(key))), ...more };
}

function run(script, more = { SKYMOCK: PROGRAM }) {
  const words = ['--input-type=module', '-e', `import { start } from '${KIT}';\n${script}`];
  return spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 60000,
    env: environment(more) });
}

// Resolves once nobody listens there any more.
async function silent(port) {
  for (;;) {
    const answered = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (!answered)
      return;
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}

test('one is started, told of, and stopped', { skip }, async (t) => {
  const file = path.join(folder(t), 'devices.json');
  writeFileSync(file, JSON.stringify(FIXTURES));
  const server = await start({ program: PROGRAM, fixtures: file });
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(server.host, '127.0.0.1');
  assert.equal(server.port('admin'), Number(new URL(server.url).port));
  assert.match(server.ca, /BEGIN CERTIFICATE/);
  assert.equal(readFileSync(server.caFile, 'utf8'), server.ca);
  const told = server.environment;
  assert.equal(told.SKYMOCK_URL, server.url);
  assert.equal(told.SKYMOCK_PORT_ENOS_MQTTS, `${server.port('enos-mqtts')}`);
  await server.device('aliyun/nodekit/lamp');
  await server.stop();
  await silent(server.port('mqtt'));
  await assert.rejects(server.api('GET', '/version'), /no answer from skymock .*it has ended/);
});

test('one that is there is used, and left alone', { skip }, async (t) => {
  const first = await start({ program: PROGRAM, token: 'word' });
  t.after(() => first.stop());
  await assert.rejects(first.device(), /no product to make a device of: start\(\{fixtures\}\)/);
  const fixtures = folder(t);
  writeFileSync(path.join(fixtures, 'devices.json'), JSON.stringify(FIXTURES));
  const script = `
    const server = await start({ fixtures: ${JSON.stringify(fixtures)} });
    await server.device({ device: 'other', temporary: false }); // of the first product
    console.log(JSON.stringify([server.url, server.host, server.ports, server.caFile]));
    await server.stop();`;
  const { stdout, stderr, status } = run(script, first.environment);
  assert.equal(status, 0, stderr);
  const [url, host, ports, caFile] = JSON.parse(stdout);
  assert.deepEqual([url, host, ports], [first.url, first.host, first.ports]);
  assert.ok(!existsSync(caFile), 'the copy of the certificate goes with its process');
  await first.device('aliyun/nodekit/other');

  const elsewhere = run(script.replace("device: 'other', ", ''), { ...first.environment,
    SKYMOCK_HOST: 'bench', SKYMOCK_PORT_MQTT: '9' });
  const [, where, mapped] = JSON.parse(elsewhere.stdout);
  assert.deepEqual([where, mapped.mqtt], ['bench', 9]);
  const { stderr: refused } = run(script, { ...first.environment, SKYMOCK_ADMIN_TOKEN: 'other' });
  assert.match(refused, /ApiError: GET \/version: /);
});

test('one that is just starting is waited for', { skip }, async (t) => {
  const port = await new Promise((resolve) => {
    const taken = net.createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = taken.address();
      taken.close(() => resolve(free));
    });
  });
  const connected = start({ url: `http://127.0.0.1:${port}/`, patienceMs: 60000 });
  await new Promise((resolve) => { setTimeout(resolve, 150); }); // it has met nobody
  const late = await start({ program: PROGRAM, options: ['--listen', `admin=${port}`] });
  t.after(() => late.stop());
  assert.deepEqual((await connected).ports, late.ports);
});

test('a test that forgets stop() ends, and its server too', { skip }, async () => {
  const { stdout, status } = run('console.log((await start()).port("mqtt"));');
  assert.equal(status, 0);
  await silent(Number(stdout));
});

for (const signal of ['SIGKILL', 'SIGTERM'])
  test(`a test that is ended by ${signal} leaves none behind`, { skip }, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', `
      import { start } from '${KIT}';
      console.log((await start()).port('mqtt'));
      setInterval(() => {}, 1000);`], { env: environment({ SKYMOCK: PROGRAM }) });
    const port = await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', () => reject(new Error('it has ended by itself')));
    });
    child.kill(signal);
    await silent(Number(port));
  });

test('one that cannot be started says why', { skip }, async (t) => {
  await assert.rejects(start({ program: '/no/skymock' }),
    /did not start: there is no program \/no\/skymock; SKYMOCK says where it is/);
  await assert.rejects(start({ program: PROGRAM, options: ['--seed', 'x'] }),
    /did not start: exit 2\nskymock: .*seed/);
  await assert.rejects(start({ program: PROGRAM, fixtures: '/no/devices.json' }),
    /did not start: exit \d\n.*\/no\/devices\.json/);
  const bad = path.join(folder(t), 'bad.json');
  writeFileSync(bad, '{"products": [{"cloud": "aliyun"}, {"cloud": "no"}]}');
  await assert.rejects(start({ program: PROGRAM, fixtures: bad }),
    /"productKey" is missing \(skymock check \S+\/bad\.json has all 2 errors\)\n$/);
});

// ---- what a failed test leaves ----

const failing = `
import test from 'node:test';
import { start } from '${KIT}';
const server = await start({ fixtures: ${JSON.stringify(FIXTURES)}, product: 'aliyun/nodekit' });
test('fails', server.withDevice(async (device) => {
  await device.verify({ event: { type: 'connack' } });
}));
test('fails otherwise', server.withDevice(async () => {
  throw new Error('no');
}));
test('with a context', async (t) => {
  await server.device({ device: 'context' }, t);
  throw new Error('no');
});
test('passes', server.withDevice(async () => {}));`;

test('the report of a failed test is printed, and kept as a page', { skip }, (t) => {
  const made = folder(t);
  writeFileSync(path.join(made, 'x.test.mjs'), failing);
  const { stdout, stderr, status } = spawnSync(process.execPath, [path.join(made, 'x.test.mjs')], {
    encoding: 'utf8', timeout: 60000,
    env: environment({ SKYMOCK: PROGRAM, SKYMOCK_REPORT: path.join(made, 'pages') }) });
  assert.equal(status, 1);
  assert.match(stdout, /: no connack/);
  const told = stderr.match(/^skymock: aliyun\/nodekit\/.*$/mg);
  const contexts = 'passed' in t ? 1 : 0; // of failed tests tell: not in Node.js 18
  assert.equal(told.length, 1 + contexts, stderr); // of the first it is in the error
  const pages = readdirSync(path.join(made, 'pages'));
  assert.equal(pages.length, 2 + contexts);
  assert.match(pages[0], /^aliyun_nodekit_.*\.html$/);
  assert.match(readFileSync(path.join(made, 'pages', pages[0]), 'utf8'), /<html/);
});

for (const [what, change, status, says] of [
  ['hold', (example) => example, 0, /# pass 3/],
  ['end when they fail', (example) => example.replace(/min: 20 } }/, "min: 30 } }, { waitMs: 50 }")
    .replace(/test\('it sends[^]*/, ''), 1, /none with temp >= 30/]])
  test(`the examples of the README ${what}`, { skip }, (t) => {
    const made = folder(t);
    const readme = readFileSync(fileURLToPath(new URL('README.md', import.meta.url)), 'utf8');
    const [first, , faults] = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, each]) => each);
    writeFileSync(path.join(made, 'x.test.mjs'), change(first + faults));
    writeFileSync(path.join(made, 'devices.json'),
      JSON.stringify({ products: [{ cloud: 'aliyun', productKey: 'pk' }] }));
    copyFileSync(fileURLToPath(KIT), path.join(made, 'skymock.mjs'));
    symlinkSync(path.join(MODULES, 'node_modules'), path.join(made, 'node_modules'));
    const done = spawnSync(process.execPath, ['x.test.mjs'], { cwd: made, encoding: 'utf8',
      timeout: 60000, env: environment({ SKYMOCK: PROGRAM }) });
    assert.equal(done.status, status, done.stdout + done.stderr);
    assert.match(done.stdout, says);
  });

// ---- types ----

// What an object has, its own and by its classes, without those that `base` has.
function members(object, base = []) {
  const names = new Set(Object.keys(object));
  for (let each = Object.getPrototypeOf(object); each !== Object.prototype;
    each = Object.getPrototypeOf(each))
    Object.getOwnPropertyNames(each).forEach((name) => names.add(name));
  names.delete('constructor');
  return [...names].filter((name) => !base.includes(name)).sort();
}

test('skymock.d.mts declares what there is', { skip }, async (t) => {
  const types = readFileSync(fileURLToPath(new URL('skymock.d.mts', import.meta.url)), 'utf8');
  const exported = [...types.matchAll(/^export (?:class|function) (\w+)/mg)];
  assert.deepEqual(exported.map(([, name]) => name).sort(), Object.keys(await import(KIT)).sort());

  const declared = (name) => {
    const [, block] = new RegExp(`^export interface ${name} .*{\n([^]*?)^}`, 'm').exec(types);
    const names = block.matchAll(/^ {2}(?:readonly )?(\w+)/mg);
    return [...new Set([...names].map(([, each]) => each))].sort();
  };
  const server = await start({ program: PROGRAM, fixtures: FIXTURES });
  t.after(() => server.stop());
  const device = await server.device('aliyun/nodekit/lamp');
  const product = server.product('aliyun/nodekit');
  const scope = declared('Scope');
  assert.deepEqual(members(device, scope), declared('Device'));
  assert.deepEqual(members(product), [...scope, ...declared('Product')].sort());
  assert.deepEqual(members(server, members(product)), declared('Server'));
  assert.deepEqual(members(server.clock), declared('Clock'));
});
