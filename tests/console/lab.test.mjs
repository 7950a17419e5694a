// The bench itself: a page that does what it must not fails its test, and nothing else does.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { before, test } from 'node:test';

import { axe, device, ENDED, openPage, picture, problems, raw, ROOT, startServer } from './lab.mjs';

const ALI = 'aliyun/pk/device';
const DEVICES = [ALI, 'tencent/PROD123456/dev001', 'enos/KV315idW/tPbZGCdmaE'];

let server;

before(async () => { server = await startServer(); });

const html = (body, head = '') => 'data:text/html,' + encodeURIComponent(
  `<!doctype html><html lang="en"><head><title>A page</title>${head}</head><body>${body}</body></html>`);
const BLANK = html('<main><h1>Nothing</h1></main>');

// A test whose end is asked for by hand.
function pretended() {
  const ends = [];
  return { after: (end) => ends.push(end), end: async () => { for (const end of ends) await end(); } };
}

async function failing(pattern, act, options = {}) {
  const t = pretended();
  const page = await openPage(t, server, { path: BLANK, ...options });
  await act?.(page);
  await assert.rejects(t.end(), pattern);
}

test('a page that does nothing passes, and so does what a test allows', async () => {
  const t = pretended();
  await openPage(t, server, { path: BLANK });
  const page = await openPage(t, server, { path: '/openapi.json',
    allow: [/the odd word/, 'favicon'] });
  await page.evaluate(() => console.error('the odd word'));
  await t.end();
  assert.ok(problems(page).some((line) => line.startsWith('console error: the odd word')));
});

test('a console error fails', () =>
  failing(/console error: odd/, (page) => page.evaluate(() => console.error('odd'))));

test('a console warning fails', () =>
  failing(/console warning: odd/, (page) => page.evaluate(() => console.warn('odd'))));

test('an uncaught exception fails', () =>
  failing(/uncaught: Error: odd/, (page) =>
    page.evaluate(() => new Promise((resolve) => {
      addEventListener('error', resolve);
      setTimeout(() => { throw new Error('odd'); });
    }).then(() => null))));

test('a rejection that nobody takes fails', () =>
  failing(/uncaught: Error: odd/, (page) =>
    page.evaluate(() => new Promise((resolve) => {
      addEventListener('unhandledrejection', resolve);
      Promise.reject(new Error('odd'));
    }).then(() => null))));

test('a request to another origin fails', () =>
  failing(/request to another origin: http:\/\/elsewhere\.example\//, (page) =>
    page.evaluate(() => fetch('http://elsewhere.example/').catch(() => null))));

test('an answer with an error fails', () =>
  failing(/console error: .* 404/, (page) => page.evaluate(() => fetch('/nothing').then(() => null)),
    { path: '/openapi.json' }));

test('a broken policy fails', () =>
  failing(/console error: .*Content Security Policy/, undefined, { path: html('<p>Text</p>',
    '<meta http-equiv="Content-Security-Policy" content="script-src \'self\'">' +
    '<script>console.log(1)</script>') }));

test('markup made of text fails where a policy forbids it', () =>
  failing(/TrustedHTML/, (page) => page.evaluate(() =>
    new Promise((resolve) => {
      addEventListener('error', resolve);
      setTimeout(() => { document.body.innerHTML = '<b>bold</b>'; });
    }).then(() => null)), { path: html('<p>Text</p>', '<meta http-equiv="Content-Security-Policy" ' +
      'content="require-trusted-types-for \'script\'">') }));

test('what a server that ends does to a page can be allowed', async () => {
  const own = await startServer({ store: true });
  const t = pretended();
  const page = await openPage(t, own, { path: '/openapi.json',
    allow: [...ENDED, 'favicon'] });
  await own.api('PATCH', `/api/v1/devices/${ALI}`, { enabled: false });
  await own.restart({ hard: true });
  assert.equal(new URL(page.url()).port, String(own.ports.admin));
  assert.equal(await page.evaluate(() => fetch('/health').then((answer) => answer.status)), 200);
  assert.equal((await own.api('GET', `/api/v1/devices/${ALI}`)).enabled, false);
  await own.kill();
  await t.end();
});

const STRICT = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; ' +
  'style-src \'unsafe-inline\'; require-trusted-types-for \'script\'; trusted-types">';

test('axe finds what is planted, through a strict policy', async (t) => {
  const page = await openPage(t, server, { path: html('<main><h1>Form</h1><input id="planted">' +
    '<p style="color:#aaa;background:#fff">pale</p><p id="well">well</p></main>', STRICT) });
  await assert.rejects(axe(page), (error) => {
    assert.match(error.message, /label \(critical\): .*\n {4}#planted: <input id="planted">/);
    assert.match(error.message, /color-contrast \(serious\)/);
    return true;
  });
  await axe(page, { include: '#well' });
});

test('axe has nothing to say about a good page', async (t) => {
  await axe(await openPage(t, server, { path: BLANK, colorScheme: 'dark',
    viewport: { width: 360, height: 640 } }));
});

test('a picture is kept', async (t) => {
  const page = await openPage(t, server, { path: BLANK });
  const file = `${ROOT}/build/test/pictures/lab.png`;
  rmSync(file, { force: true });
  await picture(page, 'lab');
  assert.equal(readFileSync(file).subarray(1, 4).toString(), 'PNG');
});

test('a token is known to the page and to the calls', async (t) => {
  const own = await startServer({ token: 'a secret' });
  t.after(() => own.stop());
  assert.equal((await own.request('GET', '/version', { headers: { authorization: '' } })).status, 401);
  assert.ok((await own.api('GET', '/version')).clouds.length > 0);
});

for (const name of DEVICES) {
  test(`${name} logs in, and is refused with another password`, async () => {
    const client = await device(server, name);
    assert.equal(client.connected, true);
    await server.event({ type: 'connect', device: name });
    await client.endAsync();
    await assert.rejects(device(server, name, { change: { password: (right) => `${right}x` } }),
      (error) => error.device === name && error.code >= 4);
  });
}

test('a temporary device logs in', async () => {
  const client = await device(server, { temporary: true });
  assert.match(client.name, /^aliyun\/pk\//);
  assert.equal((await server.api('GET', `/api/v1/devices/${client.name}`)).temporary, true);
});

test('a raw peer says what no library would', async () => {
  const peer = await raw(server);
  peer.connect({ clientId: Buffer.from([0x61, 0x01, 0xff, 0x62]), username: '<script>', password: 'x' });
  assert.equal(await peer.receive(), null);
  const again = await raw(server);
  again.connect({ clientId: '<b>\u202e\u0001', username: '<script>', password: 'x' });
  const answer = await again.receive();
  assert.ok(answer === null || answer.body[1] > 0);
});
