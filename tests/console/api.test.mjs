// The page of the API: every operation of /openapi.json, for people.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { axe, openPage, startServer } from './lab.mjs';

const TOKEN = 'a token';

let server, locked;

before(async () => {
  server = await startServer();
  locked = await startServer({ token: TOKEN });
});

const open = (t, hash = '', options = {}) => openPage(t, options.token ? locked : server, { path: `/api${hash}`, ...options });
const operation = (page, id) => page.locator(`[id="${id}"]`);
const line = (page, id) => operation(page, id).getByText(/^curl /).textContent();

test('every operation is there, by its group', async (t) => {
  const { paths } = await server.api('GET', '/openapi.json');
  const page = await open(t);
  await page.getByRole('heading', { name: 'devices', exact: true }).waitFor();
  const ids = await page.locator('details.operation').evaluateAll((all) => all.map((each) => each.id));
  assert.deepEqual(ids.toSorted(), Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()}-${path}`)).toSorted());
  for (const group of ['server', 'events', 'clock', 'suites', 'captures'])
    await page.getByRole('heading', { name: group, exact: true }).waitFor();
  await axe(page);
});

test('an operation tells its parameters, body and answers', async (t) => {
  const page = await open(t);
  const list = operation(page, 'GET-/api/v1/devices');
  await list.getByText('/api/v1/devices', { exact: true }).click();
  await list.getByRole('row', { name: /^limit .*devices in one answer.* integer 1\u20131000$/ }).waitFor();
  await list.getByRole('row', { name: /^400 / }).waitFor();
  const make = operation(page, 'POST-/api/v1/devices');
  await make.locator(':scope > summary').click();
  await make.getByRole('row', { name: /^cloud required name of the cloud string/ }).waitFor();
  await make.getByRole('row', { name: /^secret / }).waitFor();
  await make.getByRole('row', { name: /^201 / }).locator('summary').click();
  await make.getByRole('row', { name: /^lastSeen /}).first().waitFor();
  const stored = operation(page, 'PUT-/api/v1/products/{cloud}/{product}/config');
  await stored.locator(':scope > summary').click();
  await stored.getByRole('heading', { name: 'Body application/json' }).waitFor();
  await axe(page);
});

test('schemas open to any depth, each when it is wanted', async (t) => {
  const page = await open(t);
  const report = operation(page, 'GET-/api/v1/report.json');
  await report.locator(':scope > summary').click();
  for (const name of ['Report', 'list of ReportDevice', 'list of RuleVerdict', 'Explanation'])
    await report.locator('summary', { hasText: new RegExp(`^${name}$`) }).first().click();
  await report.getByRole('row', { name: /^signedText / }).first().waitFor();
});

test('an address names an operation, and keeps it', async (t) => {
  const id = 'PATCH-/api/v1/devices/{cloud}/{product}/{device}';
  const page = await open(t, `#${id}`);
  await operation(page, id).getByRole('heading', { name: 'Parameters' }).waitFor();
  assert.equal(await page.locator('details.operation[open]').count(), 1);
  const other = 'GET-/api/v1/clock';
  await operation(page, other).locator(':scope > summary').click();
  await page.waitForURL(`**/api#${other}`);
  await page.reload();
  await operation(page, other).getByRole('heading', { name: 'Answers' }).waitFor();
});

test('the filter is a key away and leaves what has all its words', async (t) => {
  const page = await open(t);
  await page.getByRole('heading', { name: 'devices', exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('post api/v1/clock');
  const left = () => page.locator('details.operation:not([hidden])').evaluateAll((all) => all.map((each) => each.id));
  const want = ['freeze', 'advance', 'set', 'resume'].map((name) => `POST-/api/v1/clock/${name}`);
  await page.waitForFunction((count) => document.querySelectorAll('details.operation:not([hidden])').length === count, want.length);
  assert.deepEqual((await left()).toSorted(), want.toSorted());
  await page.getByRole('heading', { name: 'devices', exact: true }).waitFor({ state: 'hidden' });
  await page.getByRole('searchbox').fill('');
  await page.getByRole('heading', { name: 'devices', exact: true }).waitFor();
});

test('a line to copy asks this server', async (t) => {
  const page = await open(t);
  for (const [id, want] of [
    ['GET-/api/v1/clock', `curl '${server.url}/api/v1/clock'`],
    ['POST-/api/v1/clock/advance', `curl '${server.url}/api/v1/clock/advance' --json '{"ms":0}'`],
    ['POST-/api/v1/clock/freeze', `curl -X POST '${server.url}/api/v1/clock/freeze'`],
    ['DELETE-/api/v1/devices/{cloud}/{product}/{device}',
      `curl -X DELETE '${server.url}/api/v1/devices/CLOUD/PRODUCT/DEVICE'`],
    ['POST-/api/v1/devices/{cloud}/{product}/{device}/messages',
      `curl '${server.url}/api/v1/devices/CLOUD/PRODUCT/DEVICE/messages' --json '{"topic":""}'`]]) {
    await operation(page, id).locator(':scope > summary').click();
    assert.equal(await line(page, id), want);
  }
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await operation(page, 'GET-/api/v1/clock').getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `curl '${server.url}/api/v1/clock'`);
});

test('with a token the line takes it from the environment', async (t) => {
  const page = await open(t, '', { token: TOKEN });
  const ask = operation(page, 'GET-/api/v1/clock'), health = operation(page, 'GET-/health');
  await ask.locator(':scope > summary').click();
  await health.locator(':scope > summary').click();
  assert.equal(await line(page, 'GET-/api/v1/clock'),
    `curl -H "Authorization: Bearer $SKYMOCK_ADMIN_TOKEN" '${locked.url}/api/v1/clock'`);
  assert.equal(await line(page, 'GET-/health'), `curl '${locked.url}/health'`);
  assert.ok(!(await page.content()).includes(TOKEN));
});

test('it asks for the token itself', async (t) => {
  const page = await openPage(t, locked, { path: '/api', allow: [/401/] });
  await page.getByRole('textbox', { name: 'Token' }).fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'devices', exact: true }).waitFor();
});

test('it looks as the console does: dark, narrow, Chinese, and a way back', async (t) => {
  const page = await open(t, '#POST-/api/v1/faults', { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 360, height: 740 } });
  await operation(page, 'POST-/api/v1/faults').getByRole('heading', { name: '响应' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-Hans');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360 && document.querySelector('main').scrollWidth <= 360));
  await axe(page);
  await page.getByRole('link', { name: 'skymock' }).click();
  await page.getByRole('navigation').getByRole('link', { name: '设备' }).waitFor();
});
