// What all pages of the console share: the files and how they are served, the frame, the token, the
// keyboard, both languages, light and dark, wide and narrow.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';

import { axe, device, ENDED, fits, openPage, ROOT, startServer } from './lab.mjs';

const FOLDER = `${ROOT}/server/admin/console`;
const FILES = readdirSync(FOLDER).filter((name) => !name.endsWith('.md'));
const PAGES = ['devices', 'timeline', 'refusals', 'verdicts', 'suites', 'control'];
const ALI = 'aliyun/pk/device';
const TOKEN = 'a secret';

let server, closed;

before(async () => {
  [server, closed] = await Promise.all([startServer(), startServer({ token: TOKEN })]);
  await device(server, ALI);
  await device(server, 'tencent/PROD123456/dev001', { change: { password: 'wrong' } }).catch(() => {});
});

// ---- files ----

const served = [['/', 'index.html'], ['/api', 'api.html'], ...FILES.map((name) => [`/console/${name}`, name])];

// Comments and spaces are for who reads the source.
const inProgram = (name) => {
  const source = readFileSync(`${FOLDER}/${name}`, 'utf8');
  if (!/js$|css$/.test(name))
    return source;
  const lines = source.replace(/ *\/\*[^]*?\*\//g, '').replace(/\n[\n ]+/g, '\n');
  return name.endsWith('css') ? lines.replace(/[ \n]*([{};:,>])[ \n]+/g, '$1').replaceAll(';}', '}') : lines;
};

test('every file is served, under a strict policy, without a token', async () => {
  let total = 0;
  for (const [path, name] of served) {
    const { status, headers, body } = await closed.request('GET', path, { headers: { authorization: '' } });
    assert.equal(status, 200, path);
    assert.equal(body, inProgram(name), path);
    total += path.startsWith('/console/') ? Buffer.byteLength(body) : 0; // the pages are there, too
    assert.equal(headers['cache-control'], 'no-cache');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    const policy = new Map(headers['content-security-policy'].split(';').map((each) => {
      const [directive, ...values] = each.trim().split(' ');
      return [directive, values.join(' ')];
    }));
    assert.equal(policy.get('default-src'), "'none'");
    assert.equal(policy.get('script-src'), "'self'");
    assert.equal(policy.get('require-trusted-types-for'), "'script'");
    assert.equal(policy.get('frame-ancestors'), "'none'");
    assert.doesNotMatch(headers['content-security-policy'], /unsafe|\*|https?:|data:/);
  }
  assert.ok(total <= 120000, `${total} bytes in all`);
});

test('types are those of the files', async () => {
  const types = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8',
    js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' };
  for (const [path, name] of served)
    assert.equal((await server.request('GET', path)).headers['content-type'], types[name.split('.').pop()]);
});

test('a file that the browser has is not sent again', async () => {
  for (const [path] of served) {
    const { headers: { etag } } = await server.request('GET', path);
    assert.match(etag, /^"[0-9a-f]+"$/);
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await server.request('GET', path, { headers: { 'if-none-match': tags } });
      assert.deepEqual([again.status, again.body, again.headers.etag], [304, '', etag], `${path} ${tags}`);
    }
    const other = await server.request('GET', path, { headers: { 'if-none-match': '"other"' } });
    assert.equal(other.status, 200);
  }
});

test('tags are those of the contents', async () => {
  const tags = await Promise.all(FILES.map(async (name) =>
    (await server.request('GET', `/console/${name}`)).headers.etag));
  assert.equal(new Set(tags).size, new Set(FILES.map((name) => readFileSync(`${FOLDER}/${name}`, 'utf8'))).size);
});

test('HEAD says the same without the file', async () => {
  for (const [path] of served) {
    const [whole, head] = await Promise.all(['GET', 'HEAD'].map((method) => server.request(method, path)));
    const { date: _, ...headers } = whole.headers;
    const { date: __, ...same } = head.headers;
    assert.deepEqual([head.status, head.body, same], [200, '', headers], path);
  }
});

test('what is no file is not found, and files take no query', async () => {
  for (const path of ['/console/nothing.js', '/console/main', '/console/..', '/console/../main.js', '/console/..%2Fmain.js', '/consol'])
    assert.equal((await server.request('GET', path)).status, 404, path);
  assert.equal((await server.request('GET', '/console/main.js?v=1')).status, 400);
  for (const name of FILES)
    assert.doesNotMatch(readFileSync(`${FOLDER}/${name}`, 'utf8'), /\.(?:js|css|svg|html)\?/, name);
  assert.equal((await server.request('POST', '/', { headers: { 'content-length': '0' } })).status, 405);
});

test('the policy holds in the page', async (t) => {
  const page = await openPage(t, server, { allow: [/TrustedHTML/, /Content Security Policy/, /TrustedScript/] });
  const held = await page.evaluate(() => {
    const tried = [() => { document.createElement('p').innerHTML = '<b>bold</b>'; }, () => setTimeout('1', 0)];
    const script = document.createElement('script');
    tried.push(() => { script.text = 'window.ran = true'; });
    const names = tried.map((attempt) => {
      try {
        attempt();
        return 'done';
      } catch (error) {
        return error.name;
      }
    });
    script.append('window.ran = true');
    document.body.append(script);
    return [...names, window.ran];
  });
  assert.deepEqual(held, ['TypeError', 'TypeError', 'TypeError', undefined]);
});

// ---- the frame ----

// Each with each other two by two.
const LOOKS = [
  ['light', 1280, 'en-US'], ['dark', 1280, 'zh-CN'], ['light', 360, 'zh-CN'], ['dark', 360, 'en-US']];

for (const [colorScheme, width, locale] of LOOKS) {
  test(`each page opens by its link: ${colorScheme}, ${width} px, ${locale}`, async (t) => {
    const page = await openPage(t, server, { colorScheme, locale, viewport: { width, height: 740 } });
    assert.equal(await page.locator('html').getAttribute('lang'), locale === 'zh-CN' ? 'zh-Hans' : 'en');
    for (const name of PAGES) {
      await page.locator(`nav a[href="#/${name}"]`).click();
      await page.locator(`main > sky-${name}`).waitFor({ state: 'attached' });
      assert.equal(new URL(page.url()).hash, `#/${name}`);
      assert.equal(await page.locator('nav a[aria-current=page]').getAttribute('href'), `#/${name}`);
      const title = (await page.locator(`nav a[href="#/${name}"]`).innerText()).replace(/\d+\+?$/, '').trim();
      assert.equal(await page.title(), `${title} · skymock`);
      await fits(page, `${name} is too wide`);
      await axe(page);
    }
  });
}

test('the page of the API opens from the menu', async (t) => {
  const page = await openPage(t, server);
  await page.locator('header details summary').click();
  await axe(page, { include: 'header' });
  await page.locator('a[href="/api"]').click();
  await page.waitForURL('**/api');
  await axe(page);
});

test('an address opens its page, and one that is none the first', async (t) => {
  const page = await openPage(t, server, { path: '/#/control' });
  await page.locator('main > sky-control').waitFor({ state: 'attached' });
  await page.goto(`${server.url}/#/nowhere`);
  await page.locator('main > sky-devices').waitFor({ state: 'attached' });
  await page.goto(`${server.url}/#/constructor`);
  await page.waitForFunction(() => document.title.startsWith('Devices'));
  await page.locator('main > sky-devices').waitFor({ state: 'attached' });
});

test('language, colours and times are chosen, and kept', async (t) => {
  const page = await openPage(t, server, { viewport: { width: 1280, height: 740 } });
  const choose = async (label, value) => {
    if (!await page.locator('header details').evaluate((menu) => menu.open))
      await page.locator('header details summary').click();
    await page.getByLabel(label, { exact: true }).selectOption(value);
  };
  await choose('Times', 'utc');
  assert.match(await page.locator('#clock').innerText(), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
  await choose('Colours', 'dark');
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await choose('Language', 'zh');
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-Hans');
  assert.match(await page.locator('nav').innerText(), /设备/);
  await page.reload();
  assert.match(await page.locator('nav').innerText(), /设备/);
  assert.equal(await ground(), dark);
  assert.match(await page.locator('#clock').innerText(), /UTC/);
  await choose('配色', 'light');
  assert.notEqual(await ground(), dark);
});

test('the clock is the one that devices live by', async (t) => {
  const own = await startServer();
  const page = await openPage(t, own, { locale: 'en-US', timezoneId: 'Asia/Shanghai' });
  await own.api('POST', '/api/v1/clock/freeze');
  await own.api('POST', '/api/v1/clock/set', { unixMs: Date.UTC(2031, 1, 3, 20, 5, 6) });
  await page.locator('#clock.frozen').waitFor();
  await page.locator('#clock', { hasText: /^2031-02-04 04:05:06/ }).waitFor();
  await own.stop();
});

test('how many were refused stands beside the link', async (t) => {
  const own = await startServer();
  const page = await openPage(t, own);
  await device(own, ALI, { change: { password: 'wrong' } }).catch(() => {});
  await page.locator('#refused', { hasText: /^1$/ }).waitFor();
  await own.stop();
});

test('that the server is away is said, and that it is back', async (t) => {
  const own = await startServer();
  const page = await openPage(t, own, { allow: ENDED });
  await page.locator('nav').waitFor();
  const away = page.getByText('The server does not answer').first();
  await own.restart({ meanwhile: () => away.waitFor() });
  await away.waitFor({ state: 'detached' });
  await own.stop();
});

// ---- the token ----

test('the token is asked for once, a wrong one is told, the right one is kept for the tab', async (t) => {
  const page = await openPage(t, closed, { allow: [/401/] });
  const dialog = page.locator('dialog[open]');
  await dialog.waitFor();
  assert.equal(await dialog.count(), 1);
  await axe(page);
  const asked = await dialog.innerText();
  await page.keyboard.press('Escape');
  assert.equal(await dialog.count(), 1, 'nothing can be seen without');
  await dialog.locator('input').fill('not the token');
  await page.keyboard.press('Enter');
  await page.waitForFunction((before) => {
    const text = document.querySelector('dialog[open]')?.innerText;
    return text && text !== before;
  }, asked);
  assert.match(await dialog.innerText(), /That was not the token/);
  await dialog.locator('input').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.locator('sky-devices [role=option]').first().waitFor();
  assert.equal(await dialog.count(), 0);
  for (const name of PAGES) {
    await page.locator(`nav a[href="#/${name}"]`).click();
    await page.locator(`main > sky-${name}`).waitFor({ state: 'attached' });
  }
  await page.reload();
  await page.locator('main > sky-control').waitFor({ state: 'attached' });
  assert.equal(await dialog.count(), 0);
  const kept = await page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]);
  assert.deepEqual(kept.map((each) => each.includes('a secret')), [true, false, false]);
});

test('a token that is known is not asked for', async (t) => {
  const page = await openPage(t, closed, { token: TOKEN });
  await page.locator('sky-devices [role=option]').first().waitFor();
  assert.equal(await page.locator('dialog').count(), 0);
});

test('a token may be of any letters', async (t) => {
  const own = await startServer({ token: '令牌' });
  const page = await openPage(t, own, { allow: [/401/] });
  const dialog = page.locator('dialog[open]');
  for (const [token, shown] of [['令', 'dialog[open]'], ['令牌', 'sky-devices [role=option]']]) {
    await dialog.locator('input').fill(token);
    await dialog.locator('input').press('Enter');
    await page.locator(shown).first().waitFor();
  }
  assert.equal(await dialog.count(), 0);
  await own.stop();
});

// ---- the keyboard ----

test('keys are told by ?, and lead to every page', async (t) => {
  const page = await openPage(t, server);
  await page.locator('main > sky-devices').waitFor({ state: 'attached' });
  await page.keyboard.press('?');
  const dialog = page.locator('dialog[open]');
  await dialog.waitFor();
  await axe(page);
  await page.keyboard.press('2');
  assert.equal(await page.locator('main > sky-devices').count(), 1, 'the dialog has the keyboard');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  for (const [index, name] of PAGES.entries()) {
    await page.keyboard.press(String(index + 1));
    await page.locator(`main > sky-${name}`).waitFor({ state: 'attached' });
  }
});

test('the filter has a key, and rows are gone through by j and k', async (t) => {
  const page = await openPage(t, server);
  const rows = page.locator('sky-devices [role=option]');
  const chosen = page.locator('sky-devices [role=option][aria-selected=true]');
  await rows.nth(2).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await chosen.and(page.locator('[aria-posinset="2"]')).waitFor();
  assert.equal(await chosen.count(), 1);
  await page.keyboard.press('k');
  await chosen.and(page.locator('[aria-posinset="1"]')).waitFor();
  await page.keyboard.press('/');
  const filter = page.locator('sky-devices [data-filter]');
  assert.ok(await filter.evaluate((each) => each === document.activeElement));
  await page.keyboard.type('jk?2');
  assert.equal(await filter.inputValue(), 'jk?2');
  assert.match(new URL(page.url()).hash, /^#\/devices\?text=jk/);
  await page.keyboard.press('Escape');
  assert.ok(!await filter.evaluate((each) => each === document.activeElement));
});

// Screen readers go by the document.
test('rows stand in the document in the order in which they are shown', async (t) => {
  const page = await openPage(t, server);
  await page.locator('sky-devices').waitFor({ state: 'attached' });
  await page.evaluate(async () => {
    const { List } = await import('/console/list.js');
    const list = new List(), names = Array.from({ length: 1000 }, (_, i) => `row ${i}`);
    list.ariaLabel = 'Rows';
    Object.assign(list, { count: 1000, at: (index) => names[index], render: (name, row) => { row.textContent = name; } });
    document.querySelector('main').replaceChildren(list);
    window.more = (count) => {
      names.unshift(...Array.from({ length: count }, (_, i) => `new ${i}`));
      list.count += count;
      list.update(count);
    };
  });
  const list = page.locator('sky-list'), row = (place) => list.locator(`[aria-posinset="${place}"]`);
  const inOrder = async () => {
    const rows = await list.getByRole('option').evaluateAll((all) => all.map((each) => [each.ariaPosInSet, each.getBoundingClientRect().top]));
    assert.ok(rows.length > 10);
    rows.forEach(([place, top], i) => i && assert.ok(Number(place) === Number(rows[i - 1][0]) + 1 && top > rows[i - 1][1], JSON.stringify(rows)));
  };
  await row(1).waitFor();
  await inOrder();
  for (const [key, place] of [['PageDown', 20], ['PageDown', 40], ['End', 1000], ['PageUp', 980], ['PageUp', 950], ['Home', 1], ['j', 2]]) {
    await list.press(key);
    await row(place).waitFor();
    await inOrder();
  }
  for (const scrolled of [0, 280]) {
    await list.evaluate((each, top) => { each.scrollTop = top; }, scrolled);
    await page.evaluate(() => window.more(3));
    await list.getByText('row 2', { exact: true }).and(row(6 + (scrolled ? 3 : 0))).waitFor();
    await inOrder();
  }
  await axe(page);
});

test('whoever tabs comes to the page past the links, and sees where', async (t) => {
  const page = await openPage(t, server);
  await page.locator('sky-devices [role=option]').first().waitFor();
  await page.keyboard.press('Tab');
  const skip = page.locator('a.skip');
  assert.ok(await skip.evaluate((each) => each === document.activeElement && each.getBoundingClientRect().left >= 0));
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement.closest('sky-devices') !== null &&
    getComputedStyle(document.activeElement).outlineStyle !== 'none'));
});

test('a tab that nobody looks at lets go of its stream, and catches up', async (t) => {
  const own = await startServer();
  const page = await openPage(t, own, { path: '/#/timeline', allow: [/ERR_ABORTED/] });
  const hide = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await page.getByText('live', { exact: true }).waitFor();
  await hide(true);
  await page.getByText('connection lost').waitFor();
  const client = await device(own, ALI);
  await client.publishAsync('/pk/device/user/update', '{}', { qos: 1 });
  await hide(false);
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('option').filter({ hasText: 'puback' }).first().waitFor();
});

test('menus close by Escape, and by a click elsewhere', async (t) => {
  const page = await openPage(t, server);
  const menu = page.locator('header details.menu');
  for (const close of [() => page.keyboard.press('Escape'), () => page.locator('main').click({ position: { x: 300, y: 300 } })]) {
    await menu.locator('summary').click();
    assert.ok(await menu.getAttribute('open') !== null);
    await close();
    assert.equal(await menu.getAttribute('open'), null);
  }
});
