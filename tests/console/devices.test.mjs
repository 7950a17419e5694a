// The page Devices: who is there, what they do, and what came of it, as it happens.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { axe, device, ENDED, fits, openPage, picture, raw, startServer } from './lab.mjs';

const ALI = 'aliyun/pk/device';
const SECOND = 'enos/KV315idW/second';
const TENCENT = 'tencent/PROD123456/dev001';
const MANY = 5000;

const folder = mkdtempSync(path.join(os.tmpdir(), 'skymock-devices-'));
let server;

before(async () => { server = await startServer(); });
after(() => rmSync(folder, { recursive: true }));

const at = (params) => `/#/devices?${new URLSearchParams(params)}`;
const open = (t, params = {}, options = {}) => openPage(t, options.server ?? server, { path: at(params), ...options });
const row = (page, name) => page.getByRole('option').filter({ has: page.getByText(name, { exact: true }) });
const count = (page) => page.getByRole('listbox', { name: 'Devices' }).getByRole('option').count();
const beside = (page) => page.getByRole('complementary', { name: 'Device' });

async function claim(on, clientId) {
  const peer = await raw(on);
  peer.connect({ clientId, username: 'x', password: 'y' });
  while (await peer.receive()) { /* until it is sent away */ }
}

function fixtures(name, products) {
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify({ products }));
  return file;
}

test('a device comes, acts, breaks a rule and goes', async (t) => {
  const page = await open(t);
  const one = row(page, TENCENT);
  await one.getByRole('img', { name: 'offline' }).waitFor();
  await one.getByText('never seen').waitFor();
  await one.getByText('not exercised').waitFor();
  const client = await device(server, TENCENT);
  await one.getByRole('img', { name: 'online' }).waitFor();
  await client.publishAsync('PROD123456/dev001/data', 'hello', { qos: 1 });
  await one.getByText('publish PROD123456/dev001/data').waitFor();
  await one.getByText('passed').waitFor();
  await client.publishAsync('PROD123456/dev002/data', 'of another').catch(() => {});
  await one.getByText(/failed|warned/).waitFor();
  await client.endAsync(true);
  await one.getByRole('img', { name: 'offline' }).waitFor();
  await axe(page);
});

test('the keepalive has a clock, which stands still and jumps as time does', async (t) => {
  const own = await startServer();
  await own.api('POST', '/api/v1/clock/freeze');
  const client = await device(own, ALI, { keepalive: 100, reschedulePings: false });
  const page = await open(t, {}, { server: own });
  const one = row(page, ALI);
  await one.getByText('0 of 150 s').waitFor();
  assert.equal(await one.locator('meter').getAttribute('max'), '150');
  await own.api('POST', '/api/v1/clock/advance', { ms: 60000 });
  await one.getByText('60 of 150 s').waitFor();
  await own.api('POST', '/api/v1/clock/advance', { ms: 85000 });
  await one.getByText('145 of 150 s').waitFor();
  await client.publishAsync('/pk/device/user/both', 'a sign of life');
  await one.getByText('0 of 150 s').waitFor();
  await own.api('POST', '/api/v1/clock/advance', { ms: 151000 });
  await one.getByRole('img', { name: 'offline' }).waitFor();
  await one.getByText(/ of 150 s/).first().waitFor({ state: 'detached' });
});

test('only those online, as they come and go; the filters stand in the address', async (t) => {
  const page = await open(t);
  await row(page, ALI).waitFor();
  await page.getByLabel('only online').check();
  await page.getByText('No device is like that.').waitFor();
  assert.match(page.url(), /online=true/);
  const client = await device(server, SECOND);
  await row(page, SECOND).waitFor();
  assert.equal(await count(page), 1);
  await client.endAsync(true);
  await row(page, SECOND).waitFor({ state: 'detached' });
  await page.getByLabel('only online').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.keyboard.type('KV315IDW/SEC');
  await row(page, ALI).waitFor({ state: 'detached' });
  await row(page, SECOND).waitFor();
  assert.match(page.url(), /text=KV315IDW%2FSEC/);
  await page.reload();
  await row(page, SECOND).waitFor();
  assert.equal(await page.getByRole('searchbox').inputValue(), 'KV315IDW/SEC');
  assert.equal(await count(page), 1);
});

test('new ones stand where they belong, and deleted ones go', async (t) => {
  const own = await startServer();
  const page = await open(t, {}, { server: own });
  await row(page, ALI).waitFor();
  await own.api('POST', '/api/v1/devices', { cloud: 'aliyun', product: 'pk', device: 'newcomer' });
  await row(page, 'aliyun/pk/newcomer').waitFor();
  assert.equal(await row(page, 'aliyun/pk/newcomer').getAttribute('aria-posinset'), '3');
  await own.api('DELETE', '/api/v1/devices/aliyun/pk/newcomer');
  await row(page, 'aliyun/pk/newcomer').waitFor({ state: 'detached' });
  await own.api('POST', '/api/v1/products', { products: [{ cloud: 'aliyun', productKey: 'more', devices: [{ deviceName: 'loaded', deviceSecret: 'secret' }] }] });
  await row(page, 'aliyun/more/loaded').waitFor();
  await own.api('POST', '/api/v1/devices', { cloud: 'aliyun', product: 'pk', device: 'fleeting', temporary: true });
  await row(page, 'aliyun/pk/fleeting').waitFor();
  await own.api('POST', '/api/v1/reset', {});
  await row(page, 'aliyun/pk/fleeting').waitFor({ state: 'detached' });
});

test('one device beside the list, by a link and by the keys', async (t) => {
  const page = await open(t, { device: SECOND });
  await beside(page).getByRole('row', { name: 'product KV315idW' }).waitFor();
  assert.equal(await row(page, SECOND).getAttribute('aria-selected'), 'true');
  assert.equal(await beside(page).getByRole('link', { name: 'Timeline' }).getAttribute('href'), '#/timeline?device=enos%2FKV315idW%2Fsecond');
  await axe(page);
  await page.keyboard.press('Escape');
  await beside(page).waitFor({ state: 'hidden' });
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await beside(page).getByRole('row', { name: 'device disabled' }).waitFor();
  assert.match(page.url(), /device=enos%2FKV315idW%2Fdisabled/);
  await row(page, ALI).click();
  await beside(page).getByRole('heading', { name: ALI }).waitFor();
});

test('names are text, whoever says them', async (t) => {
  const long = 'x'.repeat(64);
  const own = await startServer({ fixtures: fixtures('hostile.json', [{ cloud: 'aliyun', productKey: 'pk', devices:
    ['a.b:c-d_e@f', long].map((deviceName) => ({ deviceName, deviceSecret: 'secret' })) }]) });
  const claimed = ['<script>alert(1)', '\u202etxt.exe', 'tab\there', '" onclick="alert(1)', '\u{1f4a9}', 'y'.repeat(3000)];
  for (const each of claimed) await claim(own, each);
  const page = await open(t, {}, { server: own });
  await row(page, `aliyun/pk/${long}`).waitFor();
  await row(page, 'aliyun/pk/a.b:c-d_e@f').waitFor();
  await row(page, 'client id <script>alert(1)').waitFor();
  await row(page, 'client id \u2039U+202E\u203atxt.exe').waitFor();
  await row(page, 'client id " onclick="alert(1)').waitFor();
  await page.getByRole('option').filter({ hasText: 'not registered' }).nth(claimed.length - 1).waitFor();
  await row(page, 'client id <script>alert(1)').click();
  await beside(page).getByText('not registered').waitFor();
  assert.equal(await page.locator('script, [onclick]').count(), 1, 'the one of index.html');
  await fits(page);
  await axe(page);
  await claim(own, 'who came later');
  await row(page, 'client id who came later').waitFor();
});

test('thousands scroll to the last one, and are found by name', async (t) => {
  const name = (n) => `device${String(n).padStart(5, '0')}`;
  const own = await startServer({ fixtures: fixtures('many.json', [{ cloud: 'aliyun', productKey: 'pk', devices:
    Array.from({ length: MANY }, (_, n) => ({ deviceName: name(n), deviceSecret: 'secret' })) }]) });
  const page = await open(t, {}, { server: own });
  await row(page, `aliyun/pk/${name(0)}`).waitFor();
  const list = page.getByRole('listbox', { name: 'Devices' });
  for (let loaded = 1000; loaded <= MANY; loaded += 1000) {
    await page.waitForFunction((count) => document.querySelector('sky-list').count >= count, loaded);
    await list.press('End');
  }
  await row(page, `aliyun/pk/${name(MANY - 1)}`).waitFor();
  assert.equal(await page.evaluate(() => document.querySelector('sky-list').count), MANY);
  assert.ok(await count(page) < 100);
  const client = await device(own, `aliyun/pk/${name(MANY - 1)}`);
  await row(page, `aliyun/pk/${name(MANY - 1)}`).getByRole('img', { name: 'online' }).waitFor();
  await client.endAsync();
  await page.getByRole('searchbox').fill(name(1234));
  await row(page, `aliyun/pk/${name(1234)}`).waitFor();
  assert.equal(await count(page), 1);
  await page.getByRole('searchbox').fill('');
  await row(page, `aliyun/pk/${name(0)}`).waitFor();
});

test('after a restart the page goes on by itself', async (t) => {
  const own = await startServer({ store: true });
  const page = await open(t, {}, { server: own, allow: ENDED });
  await page.getByText('live', { exact: true }).waitFor();
  await own.restart({ hard: true, meanwhile: () => page.getByText('connection lost').first().waitFor() });
  await page.getByText('live', { exact: true }).waitFor();
  const client = await device(own, ALI);
  await row(page, ALI).getByRole('img', { name: 'online' }).waitFor();
  await client.endAsync();
});

test('a server with nothing says what to do', async (t) => {
  const page = await open(t, {}, { server: await startServer({ fixtures: null }) });
  await page.getByText(/^No device yet\./).waitFor();
  await axe(page);
});

test('dark, narrow, Chinese', async (t) => {
  const page = await open(t, { device: ALI }, { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 360, height: 740 } });
  await page.getByRole('complementary', { name: '设备' }).getByRole('row', { name: 'device device' }).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360));
  await axe(page);
});

test('what it looks like', async (t) => {
  const client = await device(server, ALI);
  const page = await open(t, { device: ALI });
  await row(page, ALI).getByRole('img', { name: 'online' }).waitFor();
  await picture(page, 'devices');
  await client.endAsync();
});
