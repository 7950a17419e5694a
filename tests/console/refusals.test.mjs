// The page Refusals: whoever is turned away, and the picture of why, with only that marked which differs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import https from 'node:https';
import { test } from 'node:test';
import { axe, device, fits, openPage, picture, raw, startServer } from './lab.mjs';

const server = await startServer();
const ALI = 'aliyun/pk/device', TEN = 'tencent/PROD123456/dev001', ENOS = 'enos/KV315idW/tPbZGCdmaE';
const ENOS_SECRET = 'M3yy874uGY8INjEGddTR', TEN_PSK = 'MTIzNDU2Nzg5MGFiY2RlZg==';
const AFTER = '1548753362502';

const hmac = (digest, key, text) => createHmac(digest, key).update(text).digest('hex');
const hash = (digest, text) => createHash(digest).update(text).digest('hex');

// ---- devices that are turned away ----

async function last() {
  return (await server.api('GET', '/api/v1/events?limit=1')).last;
}

// The event of what was refused by it.
async function refused(act, type) {
  const before = await last();
  await act();
  const event = await server.event({ type }, before);
  assert.ok(event.refused, JSON.stringify(event));
  return event;
}

const connects = (listener, login) => async () => {
  const peer = await raw(server, listener);
  peer.connect(login);
  await peer.receive();
  peer.close();
};

const aliyun = (text, { key = 'secret', sign = hmac('sha1', key, text), method = 'hmacsha1', username = 'device&pk' } = {}) => connects('mqtt', {
  clientId: `12345|securemode=3,signmethod=${method},timestamp=${AFTER}|`, username, password: sign.toUpperCase() });

const ALI_DUE = `clientId12345deviceNamedeviceproductKeypktimestamp${AFTER}`;

const tencent = ({ expiry = 2147483647, key = Buffer.from(TEN_PSK, 'base64'), method = 'hmacsha256', name = 'PROD123456dev001' } = {}) => {
  const username = `${name};12010126;A1B2C;${expiry}`;
  return connects('mqtt', { clientId: name, username, password: `${hmac('sha256', key, username)};${method}` });
};

const ENOS_DUE = `clientId123456deviceKeytPbZGCdmaEproductKeyKV315idWtimestamp${AFTER}`;

const enos = (sign, { username = 'tPbZGCdmaE&KV315idW', method = 'sha256' } = {}) => connects('enos-mqtt', {
  clientId: `123456|securemode=2,signmethod=${method},timestamp=${AFTER}|`, username, password: sign.toUpperCase() });

const posts = (path, form) => () => new Promise((resolve, reject) => {
  const body = new URLSearchParams(form).toString();
  const asked = https.request({ host: '127.0.0.1', port: server.ports.https, path, method: 'POST', rejectUnauthorized: false,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length } },
  (answer) => answer.resume().on('end', resolve));
  asked.on('error', reject);
  asked.end(body);
});

// Node.js has no DTLS.
const shakes = (identity, key) => () => new Promise((resolve) => {
  const client = spawn('openssl', ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${server.ports.coaps}`, '-psk_identity', identity,
    '-psk', key, '-cipher', 'PSK-AES128-CCM8:@SECLEVEL=0', '-brief'], { stdio: ['ignore', 'ignore', 'ignore'] });
  client.once('exit', resolve);
});

// ---- what the page shows ----

const opened = (t, event, options) => openPage(t, server, { path: `/#/refusals?seq=${event.seq}`, ...options });
const article = (page) => page.locator('.explained');

// The parts that are marked, without the words for those who do not see the mark.
async function marks(page) {
  await article(page).locator('mark').first().waitFor();
  const of = (side) => article(page).locator(`code.${side} mark`).evaluateAll((all) => all.map((each) => {
    const words = [...each.querySelectorAll('.away')].map((word) => word.textContent);
    return each.textContent.slice(words[0].length, -words[1].length).trimEnd();
  }));
  return [await of('sent'), await of('due')];
}

// Whether what is the same in both stands in the same columns.
async function aligned(page) {
  return page.evaluate(() => [...document.querySelectorAll('.pair')].every((pair) => {
    const [above, below] = [...pair.querySelectorAll('code')].map((code) => {
      const copy = code.cloneNode(true);
      copy.querySelectorAll('.away').forEach((each) => each.remove());
      return copy.textContent;
    });
    const widths = [...pair.querySelectorAll('code')].map((code) => code.scrollWidth <= code.clientWidth + 1);
    return above.length === below.length && widths.every(Boolean);
  }));
}

// Row: what the device did, how, the event's type, what is marked in what was sent, and in what was due.
const PICTURES = [
  ['aliyun: the values without their names', aliyun(`12345devicepk${AFTER}`), 'connect', [], ['clientId', 'deviceName', 'productKey', 'timestamp']],
  ['aliyun: the whole client id', aliyun(`clientId12345|securemode=3,signmethod=hmacsha1,timestamp=${AFTER}|deviceNamedeviceproductKeypktimestamp${AFTER}`), 'connect',
    [`|securemode=3,signmethod=hmacsha1,timestamp=${AFTER}|`], []],
  ['aliyun: another order', aliyun(`productKeypkdeviceNamedeviceclientId12345timestamp${AFTER}`), 'connect', ['productKeypk', 'clientId12345'], ['clientId12345', 'productKeypk']],
  ['aliyun: a plain hash', aliyun('', { sign: hash('sha1', `${ALI_DUE}secret`) }), 'connect', ['{deviceSecret}'], []],
  ['aliyun: a method of its own', aliyun(ALI_DUE, { method: 'hmacsha7' }), 'connect', ['7'], ['1']],
  ['aliyun: HTTPS, with what is left out', posts('/auth/devicename', { productKey: 'pk', deviceName: 'device', clientId: '12345', timestamp: AFTER, version: 'default',
    signmethod: 'hmacsha1', sign: hmac('sha1', 'secret', `${ALI_DUE}versiondefault`) }), 'http-auth', ['versiondefault'], []],
  ['tencent: expired', tencent({ expiry: 1148753362 }), 'connect', [/^\d+$/], [/^\d+$/]],
  ['tencent: a method of its own', tencent({ method: 'hmacsha512', expiry: 'soon' }), 'connect', ['soon'], [/^\d+$/]],
  ['enos: a time that is not signed', enos(hash('sha256', `${ENOS_DUE.replace(/timestamp.*/, '')}${ENOS_SECRET}`)), 'connect', [], [`timestamp${AFTER}`]],
  ['enos: an HMAC', enos(hmac('sha256', ENOS_SECRET, ENOS_DUE)), 'connect', [], ['{deviceSecret}']],
  ['enos: names in small letters', enos(hash('sha256', `${ENOS_DUE.toLowerCase().replace('tpbzgcdmae', 'tPbZGCdmaE').replace('kv315idw', 'KV315idW')}${ENOS_SECRET}`)), 'connect',
    ['i', 'k', 'k'], ['I', 'K', 'K']],
  ['enos: the halves in the other order', enos('00', { username: 'KV315idW&tPbZGCdmaE' }), 'connect', ['KV315idW&'], ['&KV315idW']],
  ['enos: CoAP, an identity with blanks', shakes('KV315idW, tPbZGCdmaE,2,3600', '00'.repeat(16)), 'psk-handshake', [''], []],
];

for (const [name, act, type, sent, due] of PICTURES) {
  test(`only what differs is marked: ${name}`, async (t) => {
    const page = await opened(t, await refused(act, type));
    const found = await marks(page);
    for (const [i, wanted] of [sent, due].entries()) {
      assert.equal(found[i].length, wanted.length, JSON.stringify(found));
      wanted.forEach((each, k) => (each instanceof RegExp ? assert.match(found[i][k], each) : assert.equal(found[i][k], each)));
    }
    assert.ok(await aligned(page));
  });
}

// Row: what the device did, how, the event's type, the mistake in words.
const SAME_TEXT = [
  ['aliyun', aliyun(ALI_DUE, { key: 'another secret' }), /^other device .*another device/],
  ['aliyun', aliyun('', { sign: hmac('sha256', 'secret', ALI_DUE) }), /^other digest .*SHA-256/],
  ['tencent', tencent({ key: TEN_PSK }), /^key not decoded .*without decoding/],
  ['enos', enos(hash('sha256', `${ENOS_DUE}productSecret001`)), /^product secret .*product's secret/],
];

for (const [cloud, act, words] of SAME_TEXT) {
  test(`a text that is right is said to be, and the mistake marked: ${cloud}, ${words.source}`, async (t) => {
    const page = await opened(t, await refused(act, 'connect'));
    await page.getByText('the text is right').waitFor();
    assert.deepEqual(await marks(page), [[], []]);
    assert.match(await page.locator('.what').innerText(), words);
    assert.equal(await page.locator('.what mark').count(), 1);
  });
}

test('who is not registered is shown whom it may have meant', async (t) => {
  const event = await refused(aliyun(ALI_DUE, { username: 'devise&pk' }), 'connect');
  const page = await opened(t, event);
  await page.getByText('Registered under a similar name: device').waitFor();
  assert.deepEqual(await marks(page), [['s'], ['c']]);
  await page.getByText('No such device is registered.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Credentials that would work' }).count(), 0);
});

test('the byte that is wrong is marked in a packet', async (t) => {
  const page = await opened(t, await refused(async () => {
    const peer = await raw(server, 'mqtt');
    peer.send(Buffer.from('100d00044d5154540403003c000161', 'hex'));
    await peer.receive();
  }, 'malformed'));
  assert.equal(await article(page).locator('mark').innerText(), '03');
});

test('an act that was refused, its code, rule and source', async (t) => {
  const client = await device(server, ALI);
  const event = await refused(() => client.subscribeAsync('elsewhere').catch(() => {}), 'subscribe');
  await client.endAsync();
  const page = await opened(t, event);
  await page.locator('.what').getByText('ALI-').waitFor();
  assert.equal(await page.locator('.what mark').innerText(), 'elsewhere');
  await page.getByText('What the cloud did: suback').waitFor();
  await page.getByText('Source: ').first().waitFor();
});

test('two clicks at most from an empty page to the difference', async (t) => {
  await refused(aliyun(`12345devicepk${AFTER}`), 'connect');
  const page = await openPage(t, server);
  let clicks = 0;
  await page.exposeFunction('clicked', () => { clicks++; });
  await page.evaluate(() => addEventListener('click', () => window.clicked(), true));
  await page.getByRole('link', { name: /^Refusals/ }).click();
  assert.deepEqual(await marks(page), [[], ['clientId', 'deviceName', 'productKey', 'timestamp']]);
  assert.ok(await article(page).locator('mark').first().isVisible());
  assert.equal(clicks, 1);
});

test('a refusal comes in while the page is open, and the one that was chosen stays', async (t) => {
  const page = await openPage(t, server, { path: '/#/refusals' });
  await page.getByText('live').waitFor();
  await refused(tencent({ expiry: 1148753362 }), 'connect');
  await page.locator('.what').getByText('TEN-EXPIRED').waitFor();
  await page.locator('sky-list [aria-posinset="1"]').click();
  await refused(enos(hmac('sha256', ENOS_SECRET, ENOS_DUE)), 'connect');
  await page.locator('sky-list [aria-posinset="1"]').getByText('is hmac').waitFor();
  assert.match(await page.locator('.what').innerText(), /^TEN-EXPIRED/);
  await page.keyboard.press('k');
  await page.locator('.what').getByText('is hmac').waitFor();
  assert.equal(await page.locator('sky-list').getByRole('option', { selected: true }).getAttribute('aria-posinset'), '1');
  await page.keyboard.press('Escape');
  await page.waitForURL((url) => !url.hash.includes('seq'));
});

test('the filter is in the address', async (t) => {
  await refused(aliyun(ALI_DUE, { username: 'devise&pk' }), 'connect');
  await refused(tencent({ expiry: 1148753362 }), 'connect');
  const page = await openPage(t, server, { path: '/#/refusals?text=devise' });
  await page.locator('sky-list [aria-posinset="1"]').getByText('aliyun/pk/devise').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('TEN-NOTHING');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing was refused.').waitFor();
  assert.match(page.url(), /text=TEN-NOTHING/);
});

test('with the credentials shown the device gets in', async (t) => {
  const page = await opened(t, await refused(aliyun(`12345devicepk${AFTER}`), 'connect'));
  await page.getByRole('button', { name: 'Credentials that would work' }).click();
  const value = (name) => page.locator('aside tr', { has: page.getByRole('rowheader', { name, exact: true }) }).first().locator('.data').innerText();
  const change = { clientId: await value('clientId'), username: await value('username'), password: await value('password') };
  const client = await device(server, ALI, { change });
  await client.endAsync();
  await axe(page);
});

const RTL = '\u202egnp.\u2066';
const HOSTILE = [
  ['markup', '<script>window.ran = 1</script><img src=x onerror="window.ran = 1">'], ['direction', `abc${RTL}def`],
  ['controls', 'a\u0001\u001b[31mb\u0007\u007f'], ['length', 'x'.repeat(60000)]];

for (const [name, text] of HOSTILE) {
  test(`hostile names are text: ${name}`, async (t) => {
    for (const login of [{ clientId: text, username: text, password: 'x' }, { clientId: `${text}|securemode=3,signmethod=hmacsha1|`, username: 'device&pk', password: 'x' }]) {
      const page = await opened(t, await refused(connects('mqtt', login), 'connect'), { viewport: { width: 360, height: 740 } });
      await page.locator('.what').waitFor();
      assert.equal(await page.evaluate(() => window.ran), undefined);
      await fits(page);
      assert.ok(!/[\u0000-\u0008\u000e-\u001f\u202a-\u202e\u2066-\u2069]/.test(await page.locator('main').innerText()));
      await axe(page);
    }
  });
}

for (const [locale, colorScheme, width] of [['en-US', 'light', 1280], ['zh-CN', 'dark', 360], ['en-US', 'dark', 360], ['zh-CN', 'light', 1280]]) {
  test(`how it looks: ${locale}, ${colorScheme}, ${width} px`, async (t) => {
    const event = await refused(aliyun(`12345devicepk${AFTER}`), 'connect');
    const page = await opened(t, event, { locale, colorScheme, viewport: { width, height: 740 } });
    await marks(page);
    if (locale === 'zh-CN')
      await page.getByText('如何修改').waitFor();
    assert.ok(await aligned(page));
    await fits(page);
    await axe(page);
    await picture(page, `refusals-${colorScheme}-${width}`);
  });
}
