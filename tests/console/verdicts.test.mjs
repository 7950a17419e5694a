// The page Verdicts: the matrix, one device beside it, the reports to take along.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';

import { axe, device, fits, openPage, picture, raw, startServer } from './lab.mjs';

const ALI = 'aliyun/pk/device';
const TENCENT = 'tencent/PROD123456/dev001';
const TOKEN = 'a token';

let server;

const refuse = (on, which) => assert.rejects(device(on, which, { change: { password: 'wrong' } }));

async function claim(on, clientId) {
  const peer = await raw(on);
  peer.connect({ clientId, username: 'x', password: 'y' });
  while (await peer.receive()) { /* until it is sent away */ }
}

before(async () => {
  server = await startServer();
  const good = await device(server, TENCENT);
  await good.publishAsync('PROD123456/dev001/data', 'hello', { qos: 1 });
  await refuse(server, ALI);
  await refuse(server, 'enos/KV315idW/second');
  await claim(server, '<img src=x onerror=alert(1)>\u202eevil');
});

const at = (params) => `/#/verdicts?${new URLSearchParams(params)}`;
const open = (t, params = {}, options = {}) => openPage(t, options.server ?? server, { path: at(params), ...options });
const cell = (page, verdict, rule, name) => page.getByRole('grid').getByRole('link', { name: `${verdict}: ${rule}, ${name}`, exact: true });
const column = (page, name) => page.getByRole('columnheader', { name });
const beside = (page) => page.getByRole('complementary', { name: 'Device' });
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);

test('rules that were broken, by all that were seen', async (t) => {
  const page = await open(t);
  await cell(page, 'failed', 'ALI-SIGN', ALI).waitFor();
  await cell(page, 'failed', 'ENOS-SIGN-STATIC', 'enos/KV315idW/second').waitFor();
  for (const owner of ['aliyun', 'enos']) await page.getByRole('rowheader', { name: owner, exact: true }).waitFor();
  await column(page, TENCENT).waitFor();
  await page.getByRole('rowheader', { name: /^ALI-SIGN broken by 1/ }).waitFor();
  assert.equal(await page.getByRole('rowheader', { name: /^MQTT-1.5.3-1 / }).count(), 0);
  await picture(page, 'verdicts');
  await page.getByLabel('all rules').check();
  await cell(page, 'passed', 'MQTT-1.5.3-1', TENCENT).waitFor();
  await cell(page, 'not exercised', 'MQTT-1.5.3-1', ALI).waitFor();
  assert.match(page.url(), /all=true/);
  await axe(page);
});

test('who is no device stands there by what it said, as text', async (t) => {
  const page = await open(t);
  const stranger = column(page, /^client id <img.*U\+202E.*not registered/);
  await stranger.getByRole('link').click();
  await beside(page).getByText('not registered').waitFor();
  await beside(page).getByRole('heading', { name: /^failed · 1$/ }).waitFor();
  assert.equal(await page.locator('sky-verdicts img').count(), 0);
});

test('a cell opens the rule of that device, and Esc goes back to the cell', async (t) => {
  const page = await open(t);
  await cell(page, 'failed', 'ALI-SIGN', ALI).click();
  const rule = beside(page).locator('details[open]');
  await rule.getByText(/The signature is not hexadecimal/).waitFor();
  await rule.getByText(/clientIddevicedeviceNamedeviceproductKeypk/).waitFor();
  await rule.getByText(/^What to change: Sign exactly the text shown/).waitFor();
  await rule.getByText(/^error · Aliyun/).waitFor();
  assert.match(await focused(page), /^✕ ALI-SIGN /);
  assert.match(page.url(), /device=aliyun%2Fpk%2Fdevice&rule=ALI-SIGN/);
  await axe(page);
  const { events } = (await server.api('GET', `/api/v1/verdicts?device=${ALI}`)).devices[0].rules.find(({ id }) => id === 'ALI-SIGN');
  assert.equal(await beside(page).getByRole('link', { name: `#${events[0]}` }).getAttribute('href'), `#/timeline?seq=${events[0]}`);
  await page.keyboard.press('Escape');
  await beside(page).waitFor({ state: 'hidden' });
  assert.equal(await focused(page), `failed: ALI-SIGN, ${ALI}`);
});

test('the keys go from mark to mark', async (t) => {
  const page = await open(t, { all: 'true' });
  await cell(page, 'not exercised', 'MQTT-1.5.3-1', ALI).focus();
  for (const [key, want] of [['ArrowRight', `not exercised: MQTT-1.5.3-1, enos/KV315idW/second`], ['ArrowDown', `not exercised: MQTT-1.5.3-2, enos/KV315idW/second`],
    ['ArrowLeft', `not exercised: MQTT-1.5.3-2, ${ALI}`], ['ArrowUp', `not exercised: MQTT-1.5.3-1, ${ALI}`], ['ArrowUp', ALI], ['ArrowUp', ALI]]) {
    await page.keyboard.press(key);
    assert.equal(await focused(page), want, key);
  }
  assert.equal(await page.locator('[role=grid] [tabindex="0"]').count(), 1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await beside(page).locator('details[open]', { hasText: 'MQTT-1.5.3-1' }).waitFor();
});

test('one device: its rules by verdict, and its profile', async (t) => {
  const page = await open(t, { device: TENCENT });
  await beside(page).getByRole('heading', { name: /^passed · \d+$/ }).waitFor();
  await beside(page).getByRole('heading', { name: /^not exercised · \d+$/ }).waitFor();
  await beside(page).getByText(/^Profile/).click();
  const row = (name) => beside(page).getByRole('row', { name }).waitFor();
  await row('connects count 1, refused 0, clean 1, kept 0');
  await row(/^keepAlive asked 60, longestSilenceMs \d+, late 0, missed 0$/);
  await row('topics topic PROD123456/dev001/data, up (messages 1, bytes 5), down (messages 0, bytes 0)');
  await axe(page);
});

test('names, products and the whole run', async (t) => {
  const own = await startServer();
  await refuse(own, ALI);
  await refuse(own, 'enos/KV315idW/second');
  const page = await open(t, {}, { server: own });
  await column(page, ALI).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('ENOS');
  await column(page, ALI).waitFor({ state: 'hidden' });
  await column(page, 'enos/KV315idW/second').waitFor();
  assert.match(page.url(), /text=ENOS/);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('nobody');
  await page.getByText('No name contains this.').waitFor();
  await page.getByRole('searchbox').fill('');
  await page.getByLabel('Product').selectOption('aliyun/pk');
  await column(page, 'enos/KV315idW/second').waitFor({ state: 'hidden' });
  await column(page, ALI).waitFor();
  await own.api('POST', '/api/v1/reset', {});
  await page.getByText('Nobody has done anything yet.').waitFor();
  await page.getByLabel('Since when').selectOption('true');
  await cell(page, 'failed', 'ALI-SIGN', ALI).waitFor();
});

test('what changes is seen, and nobody is thrown out for it', async (t) => {
  const own = await startServer();
  await refuse(own, ALI);
  const page = await open(t, { device: ALI, rule: 'ALI-SIGN' }, { server: own });
  const open_ = beside(page).locator('details[open]', { hasText: 'ALI-SIGN' });
  await open_.getByText('Evidence, of 1 times:').waitFor();
  await page.locator('aside').evaluate((aside) => { aside.scrollTop = 40; });
  await refuse(own, ALI);
  await open_.getByText('Evidence, of 2 times:').waitFor();
  assert.match(await focused(page), /^✕ ALI-SIGN /);
  assert.equal(await page.locator('aside').evaluate((aside) => aside.scrollTop), 40);
  await cell(page, 'failed', 'ALI-SIGN', ALI).focus();
  const good = await device(own, TENCENT);
  await good.publishAsync('PROD123456/dev001/data', 'hello', { qos: 1 });
  await refuse(own, 'enos/KV315idW/second');
  await cell(page, 'failed', 'ENOS-SIGN-STATIC', 'enos/KV315idW/second').waitFor();
  assert.equal(await focused(page), `failed: ALI-SIGN, ${ALI}`);
  await own.api('POST', '/api/v1/expected', { rule: 'ALI-SIGN', device: ALI, count: { min: 1, max: 5 } });
  await page.getByText(`Expected: ALI-SIGN, ${ALI}: 1–5 times, came 2`).waitFor();
  await refuse(own, ALI);
  await page.getByText(`Expected: ALI-SIGN, ${ALI}: 1–5 times, came 3`).waitFor();
});

test('reports are saved as they are shown, with the token', async (t) => {
  const own = await startServer({ token: TOKEN });
  await refuse(own, ALI);
  await refuse(own, 'enos/KV315idW/second');
  const page = await open(t, {}, { server: own, token: TOKEN });
  const save = async (name) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: `Download the report: ${name}` }).click()]);
    return [file.suggestedFilename(), readFileSync(await file.path(), 'utf8')];
  };
  await column(page, ALI).waitFor();
  const [xml, junit] = await save('JUnit');
  assert.equal(xml, 'skymock-report.xml');
  assert.match(junit, /<testsuites[\s\S]*aliyun\/pk\/device[\s\S]*enos\/KV315idW\/second/);
  assert.match((await save('HTML'))[1], /^<!doctype html>/i);
  await page.getByLabel('Product').selectOption('aliyun/pk');
  await column(page, 'enos/KV315idW/second').waitFor({ state: 'hidden' });
  const scope = async () => JSON.parse((await save('JSON'))[1]);
  let report = await scope();
  assert.deepEqual([report.run.scope, report.run.whole], ['aliyun/pk', false]);
  await column(page, ALI).getByRole('link').click();
  await page.getByLabel('Since when').selectOption('true');
  await beside(page).getByRole('heading', { name: /^failed · 1$/ }).waitFor();
  report = await scope();
  assert.deepEqual([report.run.scope, report.run.whole], [ALI, true]);
});

test('of thousands the worst are shown, with a word about the rest', async (t) => {
  const own = await startServer({ options: ['--journal-bytes', '67108864'] });
  await refuse(own, ALI);
  for (let n = 0; n < 60; n++) await claim(own, `stranger ${String(n).padStart(2, '0')}`);
  const page = await open(t, {}, { server: own });
  await page.getByText('50 of 61, the worst first').waitFor();
  assert.equal(await page.getByRole('columnheader').count(), 51);
  await page.getByRole('searchbox').fill('stranger 59');
  await column(page, /stranger 59/).waitFor();
  assert.equal(await page.getByRole('columnheader').count(), 2);
  await page.getByRole('searchbox').fill('');
  const matrix = page.locator('.matrix');
  await page.waitForFunction(() => document.querySelectorAll('th[scope=col]').length === 51);
  await matrix.evaluate((each) => { each.scrollLeft = 200; });
  const [first, head] = await Promise.all([page.getByRole('rowheader').last().boundingBox(), column(page, 'Rule').boundingBox()]);
  assert.equal(first.x, 0);
  assert.equal(head.x, 0);
  await fits(page);
});

test('dark, narrow, Chinese', async (t) => {
  const page = await open(t, { device: ALI, rule: 'ALI-SIGN' }, { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 360, height: 740 } });
  await page.getByText(/^共 1 次，证据：/).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360 && document.querySelector('aside').scrollWidth <= 360));
  await axe(page);
});
