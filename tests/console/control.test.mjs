// The page Control: each panel does to a device what it says, and says what came of it.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';

import { axe, device, fits, openPage, picture, startServer } from './lab.mjs';

const run = promisify(execFile);
const PRODUCTS = { aliyun: 'pk', tencent: 'PROD123456', enos: 'KV315idW' };
const REFUSED = /Failed to load resource: the server responded with a status of 4/; // Chromium tells of each

let server;

before(async () => { server = await startServer(); });

const control = (t, name, options = {}) =>
  openPage(t, server, { path: `/#/control${name ? `?device=${encodeURIComponent(name)}` : ''}`, ...options });
const panel = (page, name) => page.getByRole('region', { name, exact: true });
const press = (where, name) => where.getByRole('button', { name, exact: true }).click();
const done = (page, what) => page.getByText(`${what}: done`, { exact: true }).waitFor();
const within = async (where, text) => where.getByText(text).first().waitFor();

async function made(cloud = 'aliyun') {
  const { name } = await server.api('POST', '/api/v1/devices', { cloud, product: PRODUCTS[cloud], temporary: true });
  return name;
}

const parts = (name) => name.split('/').slice(1);
const path = (name, rest = '') => `/api/v1/devices/${name.split('/').map(encodeURIComponent).join('/')}${rest}`;

async function choose(where, label, value) {
  await where.getByLabel(label, { exact: true }).selectOption(value);
}

async function write(where, label, value) {
  await where.getByLabel(label, { exact: true }).fill(value);
}

// ---- the clock ----

test('time is frozen, moved on, set and let go, and a keepalive runs out by it', async (t) => {
  const name = await made();
  const client = await device(server, name, { keepalive: 300 });
  const page = await control(t, name), clock = panel(page, 'Clock');
  await press(clock, 'Freeze');
  await done(page, 'Freeze');
  await within(clock, 'frozen');
  const began = (await server.api('GET', '/api/v1/clock')).unixMs;
  for (const [step, ms] of [['+1 s', 1000], ['+1 min', 60000]]) {
    await press(clock, step);
    await done(page, step);
    const { unixMs } = await server.api('GET', '/api/v1/clock');
    assert.ok(unixMs - began >= ms && unixMs - began < ms + 2000, `${step}: ${unixMs - began}`);
  }
  const gone = new Promise((resolve) => client.once('close', resolve));
  await press(clock, '+keepalive × 1.5');
  await gone;
  await server.event({ type: 'timeout', device: name });
  await write(clock, 'ms *', '2500');
  await press(clock, 'Advance');
  await done(page, 'Advance');
  const { unixMs } = await server.api('GET', '/api/v1/clock');
  assert.equal(unixMs, began + 1000 + 60000 + 450000 + 2500);
  await write(clock, 'time *', '2031-05-06T07:08:09');
  await press(clock, 'Set');
  await done(page, 'Set');
  const zone = await page.evaluate(() => new Date('2031-05-06T07:08:09').getTime());
  assert.equal((await server.api('GET', '/api/v1/clock')).unixMs, zone);
  await press(clock, 'Resume');
  await done(page, 'Resume');
  assert.equal((await server.api('GET', '/api/v1/clock')).frozen, false);
  await server.api('POST', '/api/v1/clock/set', { unixMs: Date.now() });
});

// ---- faults ----

test('a PUBACK is withheld by a fault of the form, and comes again when that is ended', async (t) => {
  const name = await made(), [product, key] = parts(name);
  const client = await device(server, name);
  const acknowledged = () => client.publishAsync(`/${product}/${key}/user/update`, '{}', { qos: 1 });
  const page = await control(t, name), faults = panel(page, 'Faults');
  await choose(faults, 'point', 'puback-down');
  await choose(faults, 'action', 'withhold');
  assert.equal(await faults.getByLabel('device', { exact: true }).inputValue(), name);
  await press(faults, 'Begin');
  await within(faults, '0×');
  let came = false;
  acknowledged().then(() => { came = true; }, () => {});
  await server.event({ type: 'publish', device: name });
  await within(faults, '1×');
  assert.equal(came, false);
  const events = new URLSearchParams((await faults.getByRole('link', { name: 'Timeline' }).getAttribute('href')).split('?')[1]);
  assert.equal((await server.api('GET', `/api/v1/events?${events}`)).events.length, 1);
  await faults.getByRole('button', { name: /^End \d+$/ }).click();
  await faults.getByText('1×').waitFor({ state: 'detached' });
  const again = await device(server, name);
  await again.publishAsync(`/${product}/${key}/user/update`, '{}', { qos: 1 });
  assert.equal(came, false);
});

test('the form of faults has what the point and the action take, and says why not', async (t) => {
  const page = await control(t, '', { allow: [REFUSED] }), faults = panel(page, 'Faults');
  await choose(faults, 'point', 'pingresp');
  const refused = await faults.getByLabel('action', { exact: true }).locator('option[disabled]').allTextContents();
  assert.deepEqual(refused, ['set: there are no fields in it', 'certificate: certificates are shown in handshakes only: put it at handshake']);
  await choose(faults, 'point', 'connack');
  await choose(faults, 'action', 'set');
  const names = await faults.locator('form [name]').evaluateAll((all) => all.map((each) => each.name));
  assert.deepEqual(names.filter((each) => ['code', 'sessionPresent', 'topic', 'ms', 'at'].includes(each)), ['code', 'sessionPresent']);
  await choose(faults, 'point', 'publish-down');
  await write(faults, 'topic', 'a/#');
  await press(faults, 'Begin');
  const topic = faults.getByLabel('topic', { exact: true });
  await within(faults, 'that is no topic name');
  assert.equal(await topic.getAttribute('aria-invalid'), 'true');
  const hint = await topic.evaluate((each) => document.getElementById(each.getAttribute('aria-describedby')).textContent);
  assert.match(hint, /wildcards/);
  assert.ok(await topic.evaluate((each) => each === document.activeElement));
  await choose(faults, 'action', 'withhold'); // what is folded opens for its error
  await faults.getByText('More').click();
  await write(faults, 'match', '{"type": ');
  await faults.getByText('More').click();
  await press(faults, 'Begin');
  await faults.getByLabel('match', { exact: true }).waitFor({ state: 'visible' });
  await write(faults, 'match', '{"service": "x"}');
  await press(faults, 'Begin');
  await faults.getByRole('alert').waitFor();
  await choose(faults, 'action', 'delay'); // the page itself asks for what must be there
  assert.equal(await faults.getByLabel('ms *').evaluate((each) => each.validity.valueMissing), true);
  await choose(faults, 'point', 'handshake');
  await choose(faults, 'action', 'certificate');
  await faults.getByLabel('kind *').selectOption('expired');
  await write(faults, 'match', '');
  await press(faults, 'Begin');
  await within(faults, 'certificate handshake');
  await press(faults, 'End all');
  await faults.getByText('certificate handshake').waitFor({ state: 'detached' });
});

// ---- a device ----

test('messages, commands and the shadow reach a device', async (t) => {
  const name = await made(), [product, key] = parts(name), topic = `/${product}/${key}/user/get`;
  const client = await device(server, name);
  await client.subscribeAsync([topic, `/sys/${product}/${key}/thing/service/property/set`, `/shadow/get/${product}/${key}`]);
  const got = [];
  client.on('message', (on, payload) => {
    got.push([on, payload.toString()]);
    if (on.endsWith('property/set')) {
      const { id } = JSON.parse(payload);
      client.publish(`${on}_reply`, JSON.stringify({ id, code: 200, data: {} }));
    }
  });
  const arrived = async (where) => {
    while (!got.some(([on]) => on === where))
      await new Promise((resolve) => { client.once('message', resolve); });
    return got.find(([on]) => on === where)[1];
  };
  const page = await control(t, name, { allow: [REFUSED, /status of 504/] });
  const message = panel(page, 'Message'), command = panel(page, 'Command'), shadow = panel(page, 'Shadow');
  await page.locator(`#topics option[value="${topic}"]`).waitFor({ state: 'attached' });
  await write(message, 'topic *', topic);
  await write(message, 'payload', 'hello <b>');
  await press(message, 'Send');
  await within(message, 'receivers');
  assert.equal(await arrived(topic), 'hello <b>');
  assert.match(await message.getByRole('link', { name: 'Timeline' }).getAttribute('href'), /^#\/timeline\?seq=\d+$/);
  await write(message, 'topic *', 'nobody/asks');
  await press(message, 'Send');
  await message.getByRole('alert').waitFor();
  await choose(command, 'kind *', 'property-set');
  await write(command, 'params', '{"on": 1}');
  await press(command, 'Send');
  await within(command, 'answered');
  await within(command, 'property/set_reply');
  await choose(command, 'kind *', 'service');
  await write(command, 'waitMs', '1');
  await press(command, 'Send');
  await command.getByRole('alert').waitFor();
  const again = page.waitForResponse((answer) => answer.url().endsWith('/commands'));
  await press(command, 'Send');
  await again;
  await command.locator('output[aria-busy=false]').waitFor(); // what stands below is where it was
  await write(shadow, 'desired *', '{"light": 7}');
  await press(shadow, 'Change');
  await within(shadow, /"light":7/);
  assert.match(await arrived(`/shadow/get/${product}/${key}`), /light/);
});

test('a device is sent away, taken over, disabled, enabled and deleted', async (t) => {
  const name = await made();
  const page = await control(t, name, { allow: [REFUSED] }), acts = panel(page, 'Device');
  for (const act of ['Disconnect', 'A twin takes over']) {
    const client = await device(server, name);
    const gone = new Promise((resolve) => client.once('close', resolve));
    await press(acts, act);
    await gone;
    await done(page, act);
  }
  await press(acts, 'Disconnect');
  await within(acts, 'the device is not connected');
  await press(acts, 'Disable');
  await acts.getByRole('button', { name: 'Enable', exact: true }).waitFor();
  assert.equal((await server.api('GET', path(name))).enabled, false);
  await press(acts, 'Enable');
  await acts.getByRole('button', { name: 'Disable', exact: true }).waitFor();
  await press(acts, 'Delete');
  await press(page, 'Leave it');
  assert.equal((await server.api('GET', path(name))).name, name);
  await press(acts, 'Delete');
  await press(page, 'Do it');
  await acts.waitFor({ state: 'hidden' });
  await assert.rejects(server.api('GET', path(name)), { status: 404 });
});

test('devices are proposed by a part of their name, and one chosen is in the address', async (t) => {
  const page = await control(t, ''), input = page.getByLabel('Device', { exact: true }).first();
  await panel(page, 'Faults').getByLabel('point').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('second');
  await page.locator('#devices option[value="aliyun/pk/second"]').waitFor({ state: 'attached' });
  await page.locator('#devices option[value="aliyun/pk/device"]').waitFor({ state: 'detached' });
  await input.fill('aliyun/pk/second');
  await input.press('Enter');
  await page.waitForURL(/device=aliyun%2Fpk%2Fsecond/);
  await panel(page, 'Message').waitFor();
});

// ---- what is made, and gone back to ----

const lineOf = (page, where, name) => where.getByLabel(name, { exact: true }).textContent();

async function accepted(name, since, act) {
  await act();
  const event = await server.event({ type: 'connect', device: name }, since);
  assert.ok(!event.refused, JSON.stringify(event));
  await server.event({ type: 'publish', device: name }, since);
}

for (const [cloud, product] of Object.entries(PRODUCTS)) {
  test(`a new device of ${cloud} logs in by the lines that are shown`, async (t) => {
    let page, panelNew, name;
    for (let zero = true; zero;) { // one key in sixteen cannot be given to coap-client, and that is said
      page = await control(t, '');
      panelNew = panel(page, 'New temporary device');
      await write(panelNew, 'product *', `${cloud}/${product}`);
      await press(panelNew, 'Make');
      name = await panelNew.locator('h3').filter({ hasText: `${cloud}/${product}/` }).textContent();
      await page.waitForURL((url) => url.hash.includes(encodeURIComponent(name)));
      const { pskKeyHex } = await server.api('GET', `/api/v1/devices/${name}/credentials`);
      zero = cloud === 'enos' && /^(..)*00/.test(pskKeyHex);
      if (zero)
        assert.match(await panelNew.getByLabel('coap-client', { exact: true }).textContent(), /zero byte/);
    }
    const last = async () => (await server.api('GET', '/api/v1/events?order=desc&limit=1')).last;
    const publish = await lineOf(page, panelNew, 'mosquitto_pub');
    await accepted(name, await last(), () => run('bash', ['-c', publish]));
    const paho = await lineOf(page, panelNew, 'paho');
    await accepted(name, await last(), () => run('/usr/bin/python3', ['-c', paho]));
    assert.match(await lineOf(page, panelNew, 'C'), /device_secret\[\] = ".+";/);
    const coap = panelNew.getByLabel('coap-client', { exact: true });
    assert.equal(await coap.count(), cloud === 'enos' ? 1 : 0);
    if (cloud === 'enos') {
      const since = await last();
      await run('bash', ['-c', await coap.textContent()]);
      const request = await server.event({ type: 'coap-request', device: name }, since);
      assert.ok(!request.refused, JSON.stringify(request));
    }
  });
}

test('a device that must show a certificate logs in by them, too, where a token is wanted', async (t) => {
  const token = 'sesame', name = 'enos/certified/meter', own = await startServer({ token });
  await own.api('POST', '/api/v1/products', { products: [{ cloud: 'enos', productKey: 'certified', productSecret: 's', requireCertificate: true,
    devices: [{ deviceKey: 'meter', deviceSecret: 'secret' }] }] });
  const folder = mkdtempSync(join(tmpdir(), 'skymock-console-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const page = await openPage(t, own, { path: `/#/control?device=${encodeURIComponent(name)}`, token }), acts = panel(page, 'Device');
  await press(acts, 'Credentials');
  const first = await lineOf(page, acts, 'mosquitto_pub'), second = await lineOf(page, acts, 'paho');
  for (const [line, ...command] of [[first, 'bash', '-c'], [second, '/usr/bin/python3', '-c']]) {
    const { last } = await own.api('GET', '/api/v1/events?order=desc&limit=1');
    await run(command[0], [command[1], line], { cwd: folder, env: { ...process.env, SKYMOCK_ADMIN_TOKEN: token } });
    const event = await own.event({ type: 'connect', device: name }, last);
    assert.ok(!event.refused, JSON.stringify(event));
  }
  const { last } = await own.api('GET', '/api/v1/events?order=desc&limit=1');
  await assert.rejects(device(own, name, { change: { password: 'wrong' } }));
  const { seq } = await own.event({ type: 'connect', device: name }, last);
  const refusals = await openPage(t, own, { path: `/#/refusals?seq=${seq}`, token });
  await press(refusals, 'Credentials that would work');
  assert.match(await lineOf(refusals, refusals, 'mosquitto_pub'), /--cert device\.crt/);
});

test('words of a shell, of C and of Python stay what they are, whatever is in them', async (t) => {
  const page = await control(t, '');
  const hostile = 'a\'b"c\\d$(exit 9)`e`??/\n\u202e\u0007 é 中 \u{1f600}<script>';
  const { requireCertificate } = await server.api('GET', '/api/v1/products/aliyun/pk');
  assert.equal(requireCertificate, false);
  const login = { clientId: hostile, username: hostile, password: hostile };
  await page.route(/devices\/aliyun\/pk\/device\?secrets/, (route) => route.fulfill({ json: { secret: hostile } }));
  await page.route(/devices\/aliyun\/pk\/device\/credentials/, (route) => route.fulfill({ json: { ...login, tls: login } }));
  const made = await page.evaluate(async () => {
    const { waysIn } = await import('/console/snippets.js');
    const element = await waysIn('aliyun/pk/device');
    return Object.fromEntries(Array.from(element.querySelectorAll('pre'), (each) => [each.getAttribute('aria-label'), each.textContent]));
  });
  const shell = made.mosquitto_pub.replace(/^mosquitto_pub/, 'printf "%s\\0"');
  const words = execFileSync('bash', ['-c', shell]).toString().split('\0');
  for (const option of ['-i', '-u', '-P'])
    assert.equal(words[words.indexOf(option) + 1], hostile);
  const python = made.paho.replace('from paho.mqtt import publish', 'class publish:\n  def single(*a, **k): print(k["client_id"], end="")');
  assert.equal(execFileSync('/usr/bin/python3', ['-c', python], { env: { ...process.env, PYTHONUTF8: '1' } }).toString(), hostile);
  const c = /client_id\[\] = "(.*)";/.exec(made.C)[1];
  assert.equal(Buffer.from(c.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8))), 'latin1').toString(), hostile);
});

test('a reset says what goes, and a snapshot is taken, gone back to and deleted', async (t) => {
  const page = await control(t, ''), snapshots = panel(page, 'Snapshots'), reset = panel(page, 'Reset');
  const name = 'aliyun/pk/second', enabled = async () => (await server.api('GET', path(name))).enabled;
  await server.api('PATCH', path(name), { enabled: false });
  await write(snapshots, 'name *', 'before');
  await press(snapshots, 'Take');
  await snapshots.getByRole('button', { name: 'Restore before' }).waitFor();
  await write(reset, 'device', name);
  await press(reset, 'Reset');
  await within(page.getByRole('dialog'), `Back to the beginning: ${name}`);
  await press(page, 'Leave it');
  assert.equal(await enabled(), false);
  await press(reset, 'Reset');
  await press(page, 'Do it');
  await done(page, 'Reset');
  assert.equal(await enabled(), true);
  await snapshots.getByRole('button', { name: 'Restore before' }).click();
  await press(page, 'Do it');
  await done(page, 'Restore');
  assert.equal(await enabled(), false);
  await snapshots.getByRole('button', { name: 'Delete before' }).click();
  await press(page, 'Do it');
  await snapshots.getByRole('button', { name: 'Delete before' }).waitFor({ state: 'detached' });
  await press(reset, 'Reload the fixtures');
  await within(reset, 'devicesChanged');
});

// ---- what it is like ----

test('what devices say is text', async (t) => {
  const name = await made(), client = await device(server, name), [product, key] = parts(name);
  const filter = `/${product}/${key}/user/get`;
  await client.subscribeAsync(filter);
  await server.api('POST', '/api/v1/faults', { point: 'pingreq', action: 'withhold', name: '<img src=x onerror=alert(1)>\u202e' });
  const page = await control(t, name), faults = panel(page, 'Faults');
  await within(faults, '<img src=x onerror=alert(1)>‹U+202E›');
  assert.equal(await faults.locator('img').count(), 0);
  await within(panel(page, 'Device'), filter);
  await server.api('DELETE', '/api/v1/faults');
});

for (const [how, options] of Object.entries({ 'in the light': {}, 'in the dark': { colorScheme: 'dark' }, 'at 360 px': { viewport: { width: 360, height: 740 } }, 'in Chinese': { locale: 'zh-CN' } })) {
  test(`it is readable ${how}`, async (t) => {
    const page = await control(t, 'enos/KV315idW/second', options);
    const chinese = options.locale === 'zh-CN';
    if (how === 'in the light') {
      await within(panel(page, 'Device'), 'subscriptions');
      await picture(page, 'control');
    }
    await press(page, chinese ? '凭证' : 'Credentials');
    await page.getByLabel('coap-client', { exact: true }).waitFor();
    await page.getByText(chinese ? '更多' : 'More', { exact: true }).click();
    await axe(page);
    await fits(page);
    if (chinese) {
      const text = await page.locator('sky-control h2, sky-control button').allTextContents();
      assert.deepEqual(text.filter((each) => /^[a-z. ]+$/i.test(each)), []);
    }
  });
}
