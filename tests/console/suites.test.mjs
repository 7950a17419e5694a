// The page of suites: runs begun there and elsewhere, how they go on, and why a case failed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { axe, ENDED, fits, openPage, picture, ROOT, startServer } from './lab.mjs';

const ALI = 'aliyun/pk/device', SECOND = 'aliyun/pk/second', DEV = 'tencent/PROD123456/dev001';
const FIXTURES = `${ROOT}/tests/support/fixtures.json`;
const BUILD = process.env.SKYMOCK_BUILD ?? `${ROOT}/build/debug`;
const HOSTILE = '<script>alert(1)</script>\u202egnp.exe\u0007';

let server;
const programs = new Set();

after(() => programs.forEach((each) => each.kill()));

function run(program, args, env) {
  const started = spawn(program, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  programs.add(started);
  started.said = '';
  started.stdout.on('data', (text) => { started.said += text; });
  started.over = new Promise((resolve) => { started.once('exit', resolve); });
  started.over.then(() => programs.delete(started));
  return started;
}

// A reference device of tests/devices, which comes back by itself.
async function play(on, name, ...options) {
  const { seq } = (await on.api('GET', '/api/v1/events?order=desc&limit=1')).events[0] ?? { seq: 0 };
  const player = run('/usr/bin/python3', [`${ROOT}/tests/devices/device.py`, name, '--fixtures', FIXTURES, ...options],
    { SKYMOCK_HOST: '127.0.0.1', SKYMOCK_PORT_MQTT: String(on.ports.mqtt) });
  await on.event({ type: 'connack', device: name, code: 0 }, seq);
  return player;
}

before(async () => {
  server = await startServer();
  await Promise.all([play(server, ALI), play(server, SECOND), play(server, DEV, '--break', 'server-disconnect')]);
});

const tick = (page, name) => page.getByRole('checkbox', { name }).check();
const start = (page) => page.getByRole('button', { name: 'Start' }).click();
const rows = (page) => page.getByRole('listbox', { name: 'Cases' }).getByRole('option');
const button = (page, name) => page.getByRole('button', { name, exact: true });
const told = (page, text) => page.getByText(text).first().waitFor();
const idOf = (page) => new URL(page.url().replace('#', '')).searchParams.get('run');

// A run of cases that wait for what never comes, until they are stopped.
const patient = (title = 'Waits for nothing') => ({ suite: 'patient', title, cases: [
  { id: 'first', title, source: title, timeoutMs: 60000, steps: [
    { expect: { event: { type: 'publish', topic: 'nothing' } }, title }] },
  { id: 'next', title: 'Comes after it', source: 'nobody', steps: [
    { expect: { event: { type: 'connack' } } }] }] });

const order = (on, suite, devices = [ALI], more = {}) =>
  on.api('POST', '/api/v1/suites/runs', { suites: [suite], devices, ...more });

async function until(on, id, wanted) {
  for (;;) {
    const found = await on.api('GET', `/api/v1/suites/runs/${id}`);
    if (wanted(found))
      return found;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

const stop = (on, id) => on.api('POST', `/api/v1/suites/runs/${id}/stop`).catch(() => {});

test('smoke of two devices is begun, goes by, and passes', async (t) => {
  const page = await openPage(t, server, { path: '/#/suites' });
  await page.getByRole('checkbox', { name: 'smoke' }).waitFor();
  assert.equal(await button(page, 'Start').isDisabled(), true);
  await page.keyboard.press('/');
  await page.keyboard.type('pk/sec');
  await page.getByRole('checkbox', { name: DEV }).waitFor({ state: 'detached' });
  await tick(page, SECOND);
  await page.getByLabel('Name contains').fill('');
  await tick(page, ALI);
  await tick(page, 'smoke');
  await told(page, `skymock suite run smoke --fixtures devices.json --device ${SECOND} --device ${ALI} -- COMMAND`);
  await axe(page);
  await start(page);
  await page.getByRole('heading', { name: /^Run \d+$/ }).waitFor();
  await told(page, 'running');
  await page.getByText(/8 of 8 .* 8 passed/).waitFor();
  assert.equal(await rows(page).count(), 8);
  assert.equal(await rows(page).filter({ hasText: 'passed' }).filter({ hasText: SECOND }).count(), 4);
  assert.equal(await button(page, 'Stop').isDisabled(), true);
  await axe(page);
  await page.getByRole('listbox', { name: 'Cases' }).focus();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary', { name: 'Case' });
  await detail.getByText('smoke/logs-in').waitFor();
  assert.match(await detail.getByRole('link', { name: /^#\d+$/ }).first().getAttribute('href'), /^#\/timeline\?seq=\d+$/);
  await page.keyboard.press('Escape');
  await detail.getByText('smoke/logs-in').waitFor({ state: 'detached' });
});

test('a case alone, of one device: why it failed', async (t) => {
  const page = await openPage(t, server, { path: `/#/suites?device=${DEV}` });
  await tick(page, /^reconnect/);
  await tick(page, /reconnect\/server-disconnect/);
  await start(page);
  await page.getByText(/1 of 1 .* 1 failed/).waitFor();
  const row = rows(page).first();
  assert.match(await row.innerText(), /failed[^]*constant: it came back after/);
  await row.click();
  const detail = page.getByRole('complementary', { name: 'Case' });
  await detail.getByRole('heading', { name: /failed/ }).first().waitFor();
  for (const text of [/wanted: exponential-jitter/, 'reconnect/server-disconnect', DEV, /step \d+:/, /reconnect-intervals/, /\d+(, \d+)+ ms/])
    await detail.getByText(text).first().waitFor();
  const since = await detail.getByRole('link', { name: 'timeline since this case' }).getAttribute('href');
  assert.match(since, /^#\/timeline\?device=tencent%2FPROD123456%2Fdev001&seq=\d+$/);
  await axe(page);
  await picture(page, 'suites');
  // what is open is in the address
  await page.reload();
  await detail.getByText(/wanted: exponential-jitter/).first().waitFor();
  const [saved] = await Promise.all([page.waitForEvent('download'), button(page, 'JSON').click()]);
  assert.equal(saved.suggestedFilename(), `run-${idOf(page)}.json`);
  assert.equal(JSON.parse(readFileSync(await saved.path(), 'utf8')).verdict, 'failed');
  await page.getByRole('link', { name: 'All runs' }).click();
  await page.getByRole('row', { name: /1 failed/ }).waitFor();
});

test('a run goes on over a reload, is stopped, and is forgotten', async (t) => {
  const page = await openPage(t, server, { path: '/#/suites' });
  const { id } = await order(server, patient());
  await page.getByRole('row').filter({ hasText: `Run ${id}` }).filter({ hasText: 'running' }).waitFor();
  await page.getByRole('link', { name: `Run ${id}`, exact: true }).click();
  await told(page, /running: Waits for nothing, step 1: Waits for nothing/);
  await page.getByText('live').waitFor();
  await page.reload();
  await page.getByText('live').waitFor();
  await page.getByText(/0 of 2 · \d+ s/).waitFor();
  await button(page, 'Stop').click();
  await told(page, 'the run was stopped');
  await rows(page).filter({ hasText: 'stopped' }).nth(1).waitFor();
  await axe(page);
  await button(page, 'Forget').click();
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  await page.getByRole('link', { name: `Run ${id}`, exact: true }).waitFor({ state: 'detached' });
});

test('what is wrong with a suite of one\'s own stands beside it, with its place', async (t) => {
  const page = await openPage(t, server, { path: `/#/suites?device=${ALI}`, allow: [/status of 400/] });
  const own = page.getByLabel('A suite of your own, as JSON');
  const wrong = page.getByRole('group', { name: 'A suite of your own' }).getByRole('alert');
  await own.fill('{');
  await start(page);
  await wrong.getByText(/JSON/).waitFor();
  const suite = patient();
  suite.cases[0].steps[0] = { do: 'nonsense' };
  await own.fill(JSON.stringify(suite));
  await start(page);
  await wrong.getByText('/cases/0/steps/0').waitFor();
  for (const odd of ['7', '[]', 'null', '{"cases":null,"suites":[7]}', '{"cases":[null]}']) {
    await own.fill(odd);
    await own.evaluate((area) => area.closest('fieldset').querySelector('[role=alert]').remove());
    await start(page);
    await wrong.waitFor();
  }
});

test('a file is a suite; what its titles say is text', async (t) => {
  const page = await openPage(t, server, { path: `/#/suites?device=${ALI}` });
  await page.getByLabel('Its file').setInputFiles({ name: 'own.json', mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(patient(HOSTILE))) });
  await page.getByRole('checkbox', { name: /patient\/first/ }).waitFor();
  await tick(page, /patient\/first/);
  const seen = '<script>alert(1)</script>\u2039U+202E\u203agnp.exe\u2407';
  await page.getByRole('group', { name: 'Only these cases' }).getByText(seen).waitFor();
  await start(page);
  await page.getByText(/0 of 1/).waitFor();
  await rows(page).first().filter({ hasText: seen }).click();
  await page.getByRole('complementary').getByRole('heading', { name: seen }).waitFor();
  assert.equal(await page.locator('main script').count(), 0);
  assert.doesNotMatch(await page.locator('main').innerText(), /[\u202e\u0007]/);
  await axe(page);
  await stop(server, idOf(page));
});

test('a run is gone after a restart, and so is one of the same number', async (t) => {
  const own = await startServer({});
  t.after(() => own.stop());
  const page = await openPage(t, own, { path: '/', allow: [...ENDED, /status of 404/] });
  const { id } = await order(own, patient());
  await page.goto(`${own.url}/#/suites?run=${id}`);
  await page.getByText('live').waitFor();
  await own.restart({ meanwhile: () => page.getByText('connection lost').first().waitFor() });
  await page.getByText('This run is there no more').waitFor();
  assert.equal(await button(page, 'Stop').isDisabled(), true);
  await own.restart();
  const { id: other } = await order(own, patient());
  await page.goto(`${own.url}/#/suites?run=${other}&case=0`);
  await page.reload();
  await page.getByText('live').waitFor();
  await own.restart({ meanwhile: () => page.getByText('connection lost').first().waitFor() });
  await order(own, patient());
  await page.getByText('This run is there no more').waitFor();
  await page.goto(`${own.url}/#/suites?run=999`);
  await page.getByRole('heading', { name: 'Run 999' }).waitFor();
  await page.getByText('This run is there no more').waitFor();
});

test('what happened while the stream was lost is there when it is found again', async (t) => {
  const sockets = new Set();
  const way = net.createServer((near) => {
    const far = net.connect(server.ports.admin, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => { sockets.delete(one); other.destroy(); }).pipe(other);
    }
  });
  const open = (port) => new Promise((resolve) => { way.listen(port, '127.0.0.1', resolve); });
  const shut = () => new Promise((resolve) => {
    way.close(resolve);
    sockets.forEach((each) => each.destroy());
  });
  t.after(shut);
  await open(0);
  const { port } = way.address();
  const { id } = await order(server, patient());
  const page = await openPage(t, { url: `http://127.0.0.1:${port}`, users: server.users }, { path: `/#/suites?run=${id}`, allow: ENDED });
  await page.getByText('live').waitFor();
  await told(page, /running: Waits for nothing/);
  await shut();
  await page.getByText('connection lost').first().waitFor();
  await stop(server, id);
  await open(port);
  await told(page, 'the run was stopped');
  await rows(page).filter({ hasText: 'stopped' }).nth(1).waitFor();
});

test('who watches a run of somebody else neither runs it nor stops it', async (t) => {
  const page = await openPage(t, server, { path: '/#/suites' });
  // ordered by a runner that has not come yet: it is not the page that it begins for
  const { id } = await order(server, patient(), [ALI], { runner: true });
  await page.goto(`${server.url}/#/suites?run=${id}`);
  await told(page, 'It begins when');
  await page.getByText('0 of 2').waitFor();
  await rows(page).filter({ hasText: 'waiting' }).nth(1).waitFor();
  const runner = run('curl', ['-sN', '-H', 'Accept: text/event-stream', `${server.url}/api/v1/suites/runs/${id}`]);
  await told(page, /running: Waits for nothing/);
  await page.getByText('live').waitFor();
  await page.goto('about:blank');
  assert.equal((await server.api('GET', `/api/v1/suites/runs/${id}`)).state, 'running');
  runner.kill();
  const ended = await until(server, id, (each) => each.state !== 'running');
  assert.equal(ended.interrupted, 'whoever ran it went away');
});

test('a run of the command line is watched, and goes on when the page is closed', async (t) => {
  const page = await openPage(t, server, { path: '/#/suites' });
  const { runs } = await server.api('GET', '/api/v1/suites/runs');
  const cli = run(`${BUILD}/skymock`, ['suite', 'run', 'smoke', '--url', server.url, '--device', SECOND]);
  const id = Math.max(0, ...runs.map((each) => Number(each.id))) + 1;
  await page.getByRole('link', { name: `Run ${id}`, exact: true }).click();
  await page.getByText(/\d of 4/).waitFor();
  await page.close();
  assert.equal(await cli.over, 0, cli.said);
  assert.match(cli.said, /passed: 4 passed/);
});

test('narrow, dark, in Chinese', async (t) => {
  const page = await openPage(t, server, { path: '/#/suites', locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 360, height: 740 } });
  await page.getByRole('heading', { name: '测试设备' }).waitFor();
  await page.getByRole('checkbox', { name: ALI }).check();
  await page.getByRole('checkbox', { name: 'smoke' }).check();
  await axe(page);
  await fits(page);
  await page.getByRole('button', { name: '开始' }).click();
  await page.getByText(/4 \/ 4 · .* · 4 通过/).waitFor();
  await page.locator('sky-list').getByRole('option').first().click();
  await page.getByText('timeline since').waitFor({ state: 'detached' });
  await page.getByText('自该用例起的时间线').waitFor();
  await axe(page);
  await fits(page);
});
