// The page of devices: who is there, what they did last, what came of it, how long they are silent.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { axe, device, ENDED, openPage, picture, raw, startServer } from './lab.mjs';

const ALI = 'aliyun/pk/device';
const TEN = 'tencent/PROD123456/dev001';

let server;

before(async () => { server = await startServer({ store: true }); });

const row = (page, name) => page.locator('sky-devices [role=option]').filter({ hasText: name }).first();

test('a device that comes, speaks and goes is seen to', async (t) => {
  const page = await openPage(t, server);
  await row(page, ALI).getByRole('img', { name: 'offline' }).waitFor();
  const client = await device(server, ALI, { keepalive: 60 });
  await row(page, ALI).getByRole('img', { name: 'online' }).waitFor();
  await row(page, ALI).getByLabel(/^\d+ of 90 s$/).first().waitFor(); // 1.5 times 60
  await client.publishAsync('/pk/device/user/both', 'hello', { qos: 1 });
  await row(page, ALI).getByText('publish /pk/device/user/both').waitFor();
  await row(page, ALI).getByText('passed').waitFor();
  await axe(page);
  await client.endAsync();
  await row(page, ALI).getByRole('img', { name: 'offline' }).waitFor();
});

test('a verdict changes while one looks', async (t) => {
  const page = await openPage(t, server);
  await row(page, TEN).getByText('not exercised').waitFor();
  await assert.rejects(device(server, TEN, { change: { password: 'wrong' } }));
  await row(page, TEN).getByText('failed').waitFor();
});

test('a device that is new appears', async (t) => {
  const page = await openPage(t, server);
  await row(page, ALI).waitFor();
  const client = await device(server, { temporary: true });
  await row(page, client.name).getByRole('img', { name: 'online' }).waitFor();
  await client.endAsync();
});

test('filters are kept in the address, and follow what happens', async (t) => {
  const page = await openPage(t, server, { path: '/#/devices?text=DEV00' });
  await row(page, TEN).waitFor();
  assert.equal(await row(page, ALI).count(), 0);
  const filter = page.locator('sky-devices [data-filter]');
  assert.equal(await filter.inputValue(), 'DEV00');
  await filter.fill('nothing is called so');
  await page.getByText('No device is like that.').waitFor();
  await row(page, TEN).waitFor({ state: 'detached' });
  await filter.fill('');
  await page.getByLabel('only online').check();
  await row(page, ALI).waitFor({ state: 'detached' });
  assert.match(new URL(page.url()).hash, /online=true/);
  const client = await device(server, ALI);
  await row(page, ALI).waitFor();
  await client.endAsync();
  await row(page, ALI).waitFor({ state: 'detached' });
});

test('a device opens to what is known of it, and leads on', async (t) => {
  const page = await openPage(t, server, { path: `/#/devices?device=${encodeURIComponent(ALI)}` });
  const detail = page.locator('sky-devices aside');
  await detail.getByRole('rowheader', { name: 'enabled' }).waitFor();
  assert.match(await detail.locator('h2').innerText(), new RegExp(ALI));
  for (const name of ['timeline', 'verdicts', 'control'])
    assert.equal(await detail.locator(`a[href="#/${name}?device=${encodeURIComponent(ALI)}"]`).count(), 1, name);
  await axe(page);
  await row(page, TEN).click();
  await page.keyboard.press('Enter');
  await detail.locator('h2').getByText(TEN).waitFor();
});

test('whoever is no device is listed as text, whatever it calls itself', async (t) => {
  const names = ['<img src=x onerror=alert(1)>', 'a\u202eb', 'tab\tbell\u0007', 'x'.repeat(200)];
  for (const name of names) {
    const peer = await raw(server);
    peer.connect({ clientId: `${name}|securemode=3,signmethod=hmacsha1|`, username: `${name}&pk`, password: 'x' });
    await peer.receive();
    peer.close();
  }
  const page = await openPage(t, server);
  await row(page, ALI).waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  const text = await page.locator('main').innerText();
  assert.doesNotMatch(text, /[\u202e\u0007]/);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

test('after a restart the page goes on by itself', async (t) => {
  const page = await openPage(t, server, { allow: ENDED });
  await page.getByText('live', { exact: true }).waitFor();
  await server.restart({ hard: true, meanwhile: () => page.getByText('connection lost').first().waitFor() });
  await page.getByText('live', { exact: true }).waitFor();
  const client = await device(server, ALI);
  await row(page, ALI).getByRole('img', { name: 'online' }).waitFor();
  await client.endAsync();
});

test('a page without a device says what to do', async (t) => {
  const own = await startServer({ fixtures: null });
  const page = await openPage(t, own);
  await page.getByText('No device yet.').waitFor();
  await axe(page);
  await own.stop();
});

test('thousands of devices are a list of a few rows', async (t) => {
  const own = await startServer();
  for (let i = 0; i < 2500; i += 50)
    await Promise.all(Array.from({ length: 50 }, (_, j) => own.api('POST', '/api/v1/devices',
      { cloud: 'aliyun', product: 'pk', device: `many${String(i + j).padStart(4, '0')}` })));
  const page = await openPage(t, own);
  await row(page, 'many0000').waitFor();
  assert.ok(await page.locator('sky-devices [role=option]').count() < 60);
  await page.locator('sky-list').focus();
  for (const last of ['many', 'many', 'static01'])
    await page.waitForFunction((part) => {
      const list = document.querySelector('sky-list');
      list.scrollTop = list.scrollHeight;
      return list.textContent.includes(part);
    }, last);
  await row(page, 'enos/static01/only').or(row(page, TEN)).first().waitFor();
  assert.ok(await page.locator('sky-devices [role=option]').count() < 60);
  await own.stop();
});

test('what it looks like', async (t) => {
  const client = await device(server, ALI);
  const page = await openPage(t, server, { path: `/#/devices?device=${encodeURIComponent(ALI)}` });
  await row(page, ALI).getByRole('img', { name: 'online' }).waitFor();
  await picture(page, 'devices');
  await client.endAsync();
});
