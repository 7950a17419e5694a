// The timeline: what comes live, what filters leave, what an event says and what belongs to it.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { axe, device, ENDED, openPage, picture, raw, startServer } from './lab.mjs';

const NAME = 'aliyun/pk/device';
const OTHER = 'tencent/PROD123456/dev001';
const POST = '/sys/pk/device/thing/event/property/post';
const UPDATE = '/pk/device/user/update';
const HOSTILE = '<script>alert(1)</script> \u202Eevil\u0007';

let server, client;

before(async () => {
  server = await startServer();
  client = await device(server, NAME);
  await client.subscribeAsync('/sys/pk/device/thing/service/property/set');
  await client.publishAsync(POST, '{"id":"7","version":"1.0","params":{"temp":21.5},"method":"thing.event.property.post"}', { qos: 1 });
  await client.publishAsync(UPDATE, Buffer.from([0, 65, 255, 254]), { qos: 1 });
  await client.publishAsync(UPDATE, HOSTILE, { qos: 1 });
  await client.publishAsync('/sys/pk/another/thing/event/property/post', 'not yours', { qos: 1 });
  await device(server, OTHER);
  await device(server, NAME, { change: { password: 'ABCDEF' }, clientId: undefined }).catch(() => {});
});

const timeline = (t, params = '', options = {}) => openPage(t, options.server ?? server,
  { path: `/#/timeline?${params}`, ...options });
const list = (page) => page.getByRole('listbox', { name: 'Timeline' });
const rows = (page, text) => list(page).getByRole('option').filter({ hasText: text });
const detail = (page) => page.getByRole('complementary', { name: 'Event' });

async function until(act, what, patience = 30000) {
  const end = Date.now() + patience;
  for (let last; ; ) {
    try {
      last = await act();
      if (last)
        return last;
    } catch (error) {
      last = error;
    }
    assert.ok(Date.now() < end, `${what}: ${last}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

// What the rows in sight are: their texts.
const texts = (page) => list(page).getByRole('option').allTextContents();
const allAre = (page, fits, what) => until(async () => {
  const seen = (await texts(page)).filter((each) => /\d\d:\d\d:\d\d/.test(each));
  return seen.length > 0 && seen.every(fits);
}, what);
const only = (page, type) => allAre(page, (each) => each.includes(type), `only ${type}`);

async function seqOf(expected) {
  return (await server.event(expected)).seq;
}

async function twice(page, look) {
  await look();
  await page.reload();
  await look();
}

// ---- filters ----

test('the filter by text is kept in the address and done by the server', async (t) => {
  const page = await timeline(t);
  await rows(page, 'connack').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('NOT yours');
  await until(() => page.url().includes('text='), 'the address has the text');
  await twice(page, () => allAre(page, (each) => each.includes('not yours'), 'only this text'));
  assert.equal(await page.getByRole('searchbox', { name: 'Text in the event' }).inputValue(), 'NOT yours');
});

for (const [label, value, fits] of [
  ['Device', OTHER, (each) => each.includes(OTHER)],
  ['Topic filter', '/sys/+/+/thing/event/#', (each) => each.includes('/thing/event/')],
  ['Rule', 'ALI-TOPIC-PUB', (each) => each.includes('ALI-TOPIC-PUB')],
]) {
  test(`the filter ${label} is kept in the address`, async (t) => {
    const page = await timeline(t);
    const input = page.getByLabel(label, { exact: true });
    await input.fill(value);
    await input.press('Enter');
    await until(() => page.url().includes(encodeURIComponent(value).slice(0, 8)), 'the address');
    await twice(page, () => allAre(page, fits, `only ${value}`));
    assert.equal(await input.inputValue(), value);
  });
}

test('the filter by connection, which an event links to', async (t) => {
  const { seq, connection } = await server.event({ type: 'subscribe' });
  const page = await timeline(t, `seq=${seq}`);
  await detail(page).getByRole('link', { name: String(connection), exact: true }).click();
  await until(() => page.url().includes(`connection=${connection}`), 'the address');
  await until(async () => await rows(page, OTHER).count() === 0, 'others are gone');
  assert.equal(await page.getByLabel('Connection').inputValue(), String(connection));
});

test('several types are chosen', async (t) => {
  const page = await timeline(t);
  await page.getByText('Types: *').click();
  await page.getByRole('checkbox', { name: 'subscribe', exact: true }).check();
  await page.getByRole('checkbox', { name: 'suback', exact: true }).check();
  await twice(page, () => allAre(page, (each) => /subscribe|suback/.test(each), 'two types'));
  assert.match(page.url(), /type=subscribe%2Csuback/);
  await page.getByText('Types: subscribe, suback').click();
  assert.ok(await page.getByRole('checkbox', { name: 'suback', exact: true }).isChecked());
});

test('only what was refused', async (t) => {
  const page = await timeline(t);
  await page.getByRole('checkbox', { name: 'refused' }).check();
  await twice(page, () => allAre(page, (each) => each.includes('refused'), 'only refused'));
  await page.getByRole('button', { name: 'No filters' }).click();
  await until(() => !page.url().includes('refused'), 'no filters');
});

test('rules and devices are offered', async (t) => {
  const page = await timeline(t);
  await until(() => page.locator('#all-rule option').count(), 'rules');
  await until(async () => await page.locator(`#all-device option[value="${NAME}"]`).count() === 1, 'devices');
});

test('what the server does not take as a filter is said', async (t) => {
  const page = await timeline(t, 'topic=a%23b', { allow: [/400/] });
  await page.getByRole('alert').waitFor();
  await page.getByRole('button', { name: 'No filters' }).click();
  await rows(page, /\d:\d\d/).first().waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});

test('filters that nothing passes say so', async (t) => {
  const page = await timeline(t, 'text=nobody-said-this');
  await page.getByText('No event passes the filters').waitFor();
});

test('a server without events says so', async (t) => {
  const empty = await startServer();
  const page = await timeline(t, '', { server: empty });
  await page.getByText('No events yet').waitFor();
  await device(empty, OTHER);
  await rows(page, 'connack').waitFor();
});

// ---- live ----

test('events come by themselves, newest first or last', async (t) => {
  const page = await timeline(t, 'type=publish');
  await rows(page, /\d:\d\d/).first().waitFor();
  await client.publishAsync(UPDATE, 'first words', { qos: 1 });
  await rows(page, 'first words').waitFor();
  // A row that is just being drawn anew is nowhere.
  const place = async (text) => (await rows(page, text).boundingBox())?.y;
  await until(async () => await place('first words') < await place('not yours'), 'above');
  await page.getByLabel('Order').selectOption('newest last');
  await rows(page, 'first words').waitFor();
  await until(async () => await place('first words') > await place('not yours'), 'below');
  await client.publishAsync(UPDATE, 'later words', { qos: 1 });
  await rows(page, 'later words').waitFor();
  await until(async () => await place('later words') > await place('first words'), 'below');
});

test('paused it stands still, counts, and goes on without a loss', async (t) => {
  const page = await timeline(t, `topic=${UPDATE}&type=publish`);
  await rows(page, 'evil').waitFor();
  await page.keyboard.press('p');
  await page.getByRole('button', { name: 'Go on (0 new)' }).waitFor();
  for (let i = 0; i < 5; i++)
    await client.publishAsync(UPDATE, `paused ${i}`, { qos: 1 });
  await page.getByRole('button', { name: 'Go on (5 new)' }).waitFor();
  assert.equal(await rows(page, 'paused').count(), 0);
  await page.keyboard.press('p');
  await until(async () => await rows(page, 'paused').count() === 5, 'all five are there');
  await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
});

test('resets are a line between chapters, and hide nothing', async (t) => {
  const other = await startServer();
  await device(other, OTHER);
  await other.api('POST', '/api/v1/reset');
  const page = await timeline(t, '', { server: other });
  await rows(page, 'reset').waitFor();
  assert.match(await rows(page, 'reset').getAttribute('class'), /chapter/);
  await rows(page, 'connack').waitFor();
});

test('findings are marks with rule and severity, and a refusal is one', async (t) => {
  const page = await timeline(t, 'text=not+yours');
  const row = rows(page, 'not yours');
  await row.getByText('refused').waitFor();
  await row.getByText('MQTT-TOPIC-OTHER-DEVICE').waitFor();
  assert.match(await row.textContent(), /from the device.*error/);
});

test('the keyboard alone: j, k, Enter, Esc', async (t) => {
  const page = await timeline(t);
  await rows(page, /\d:\d\d/).first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await detail(page).getByRole('heading', { level: 2 }).waitFor();
  const first = page.url();
  await page.keyboard.press('j');
  await until(() => page.url() !== first, 'the detail goes along');
  await page.keyboard.press('Escape');
  await until(async () => !page.url().includes('seq=') && await detail(page).count() === 0,
              'closed');
});

// ---- an event in full ----

test('a payload of JSON: indented, as text, as bytes; fields in their order', async (t) => {
  const page = await timeline(t, `seq=${await seqOf({ type: 'publish', topic: POST })}`);
  await detail(page).getByText('"temp": 21.5').waitFor();
  await detail(page).getByText('Bytes', { exact: true }).click();
  await detail(page).getByText(/000000 {2}7b 22 69 64 22 3a 22 37 22 2c .* \{"id":"7",/).waitFor();
  await detail(page).getByText('Text', { exact: true }).click();
  await detail(page).getByText('{"id":"7","version":"1.0"').first().waitFor();
  const fields = await detail(page).locator('table').last().getByRole('rowheader').allTextContents();
  assert.deepEqual(fields.slice(0, 5), ['seq', 'time', 'realTime', 'type', 'direction']);
  await axe(page);
  await picture(page, 'timeline');
});

test('a payload of bytes', async (t) => {
  const { seq } = (await server.api('GET', `/api/v1/events?type=publish&topic=${UPDATE}&limit=1`)).events[0];
  const page = await timeline(t, `seq=${seq}`);
  await detail(page).getByText(/000000 {2}00 41 ff fe .*\.A\.\./).waitFor();
});

test('findings are told with statement, hint and source', async (t) => {
  const page = await timeline(t, `seq=${(await server.api('GET', '/api/v1/events?rule=ALI-TOPIC-PUB')).events[0].seq}`);
  for (const word of ['hint', 'source', 'action', 'detail'])
    await detail(page).getByRole('rowheader', { name: word }).first().waitFor();
});

test('hostile payloads and topics are text', async (t) => {
  const page = await timeline(t, 'text=evil');
  await rows(page, '<script>alert(1)</script> \u2039U+202E\u203aevil\u2407').click();
  await detail(page).getByText('<script>alert(1)</script> \u2039U+202E\u203aevil\u2407').first().waitFor();
  assert.equal(await page.locator('main script').count(), 0);
});

test('hostile client identifiers are text', async (t) => {
  const peer = await raw(server);
  peer.connect({ clientId: '<img src=x>\u202E\u0001|a=b', username: '<b>&x', password: 'p' });
  await peer.receive();
  const page = await timeline(t, 'text=%3Cimg');
  await rows(page, '<img src=x>').first().click();
  await detail(page).getByText('<img src=x>').first().waitFor();
  assert.equal(await page.locator('main img').count(), 0);
});

test('a payload of 200 KB is shown in pieces, and one of 1 MB is what the server made of it', async (t) => {
  const big = await device(server, { temporary: true, cloud: 'aliyun', product: 'pk' });
  const [, , name] = big.name.split('/');
  await big.publishAsync(`/pk/${name}/user/update`, 'x'.repeat(200000) + 'end', { qos: 0 }).catch(() => {});
  const { seq } = await server.event({ type: 'publish', device: big.name });
  const page = await timeline(t, `seq=${seq}`);
  await detail(page).getByText('Bytes', { exact: true }).click();
  const took = await work(page, async () => {
    const buttons = detail(page).getByRole('button', { name: 'Show all (200003)' });
    for (let left = 2; left > 0; left--) {
      await buttons.nth(left - 1).waitFor();
      await buttons.first().click();
    }
    await detail(page).getByText(/xend/).first().waitFor();
  });
  t.diagnostic(`all of 200,003 bytes, as text and as bytes: ${took} ms of work`);
  assert.ok(took < 1500, `the page worked for ${took} ms`);
  big.publish(`/pk/${name}/user/update`, 'x'.repeat(1 << 20));
  await rows(page, 'MQTT-PACKET-SIZE').click();
  await detail(page).getByRole('heading', { level: 2, name: /malformed/ }).waitFor();
  await detail(page).getByText(/000000 {2}30 /).waitFor();
});

// How long the page's main thread worked while something was done: its own time, whatever else the
// machine does.
async function work(page, act) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const ms = async () => 1000 * (await session.send('Performance.getMetrics')).metrics
    .find(({ name }) => name === 'TaskDuration').value;
  const began = await ms();
  await act();
  const took = Math.round(await ms() - began);
  await session.detach();
  return took;
}

// The longest time between two frames while something is done.
async function gaps(page, act) {
  await page.evaluate(() => {
    window.longest = 0;
    let last = performance.now();
    const frame = (now) => {
      window.longest = Math.max(window.longest, now - last);
      last = now;
      if (window.longest >= 0)
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await act();
  return page.evaluate(() => {
    const { longest } = window;
    window.longest = -1;
    return longest;
  });
}

// ---- jumps ----

async function jump(t, expected, link) {
  const page = await timeline(t, `seq=${await seqOf(expected)}`);
  await detail(page).getByRole('listitem').filter({ hasText: link }).first().waitFor();
  return page;
}

for (const [from, link] of [
  [{ type: 'connect', device: NAME }, /\u2192 answered by #\d+ connack/],
  [{ type: 'connack', device: NAME }, /\u2190 caused by #\d+ connect/],
  [{ type: 'subscribe' }, /\u2192 answered by #\d+ suback/],
  [{ type: 'suback' }, /\u2190 caused by #\d+ subscribe/],
  [{ type: 'publish', topic: POST }, /\u2192 answered by #\d+ puback/],
  [{ type: 'publish', topic: POST }, /\u2192 led to #\d+ document/],
  [{ type: 'puback' }, /\u2190 caused by #\d+ publish/],
  [{ type: 'document' }, /\u2190 caused by #\d+ publish/],
  [{ type: 'close', reason: 'the login was refused' }, /\u2190 connection begun by #\d+ connect/],
])
  test(`${from.type} has a link ${link}`, (t) => jump(t, from, link));

test('a command leads to its message, its answer and back', async (t) => {
  client.once('message', (topic, payload) => client.publish(`${topic}_reply`,
    JSON.stringify({ id: JSON.parse(payload).id, code: 200, data: {} })));
  await server.api('POST', `/api/v1/devices/${NAME}/commands`, { kind: 'property-set', params: { temp: 3 } });
  const page = await jump(t, { type: 'command' }, /led to #\d+ publish/);
  await detail(page).getByRole('link', { name: /publish/ }).first().click();
  await detail(page).getByRole('listitem').filter({ hasText: /caused by #\d+ command/ }).waitFor();
  await detail(page).getByRole('link', { name: /publish .*property.set_reply/ }).click();
  await detail(page).getByRole('listitem').filter({ hasText: /caused by #\d+ publish/ }).first().waitFor();
});

test('a fault leads to what it hit', async (t) => {
  await server.api('POST', '/api/v1/faults', { name: 'late', point: 'puback-down', action: 'withhold' });
  client.publish(UPDATE, 'never acknowledged', { qos: 1 });
  await jump(t, { type: 'fault' }, /caused by #\d+ publish/);
  await server.api('DELETE', '/api/v1/faults');
});

test('an event that the filters hide is shown, with a word', async (t) => {
  const page = await timeline(t, `type=connect&seq=${await seqOf({ type: 'suback' })}`);
  await detail(page).getByText('The filters hide this event in the list').waitFor();
  await detail(page).getByRole('heading', { level: 2, name: /suback/ }).waitFor();
});

test('an event that there never was', async (t) => {
  const page = await timeline(t, 'seq=123456789');
  await detail(page).getByText('There is no event 123456789').waitFor();
});

// ---- many ----

// As many events as that, as fast as they are taken.
async function flood(which, count, rate = Infinity) {
  const began = Date.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, rate === Infinity ? sent + 500 : Math.ceil((Date.now() - began) * rate / 1000));
    for (; sent < due; sent++)
      which.publish(UPDATE, `flood ${sent}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
  await which.publishAsync(UPDATE, 'the flood is over', { qos: 1 });
}

test('history beyond 2,000 events, a jump into it, and the way between', async (t) => {
  const many = await startServer();
  const sender = await device(many, NAME);
  await flood(sender, 3500);
  const { seq } = await many.event({ payload: 'the flood is over' });
  const page = await timeline(t, '', { server: many });
  await rows(page, 'the flood is over').waitFor();
  await list(page).focus();
  await until(async () => {
    await page.keyboard.press('End');
    return rows(page, 'Nothing came before').isVisible();
  }, 'the beginning');
  await rows(page, 'connack').waitFor();
  assert.equal(Number(await rows(page, 'connack').getAttribute('aria-setsize')), seq + 2);

  await page.goto(`${many.url}/#/devices`);
  await page.goto(`${many.url}/#/timeline?seq=500`);
  await until(async () => /\bflood 496\b/.test(await list(page).locator('[aria-selected=true]').textContent()), 'its row');
  await page.keyboard.press('Escape');
  await detail(page).waitFor({ state: 'hidden' });
  await until(async () => {
    await page.keyboard.press('Home');
    return rows(page, 'the flood is over').isVisible();
  }, 'the newest');
  await list(page).evaluate((element) => { element.scrollTop = 990 * 28; });
  const between = rows(page, 'Events not shown');
  await between.click();
  await until(async () => Number(await list(page).getByRole('option').first().getAttribute('aria-setsize')) > 2100, 'a page of it');
});

test('2,000 events a second do not freeze the page, and none is lost', async (t) => {
  const many = await startServer();
  const sender = await device(many, NAME);
  const page = await timeline(t, 'type=publish', { server: many });
  await page.getByText('live', { exact: true }).waitFor();
  const sum = () => list(page).evaluate((element) => [...Array(element.count).keys()]
    .map((index) => element.at(index)).reduce((all, row) => all + (row.count ?? (row.type ? 1 : 0)), 0));
  let slow;
  const began = Date.now();
  const idle = await gaps(page, () => page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 500); })));
  const took = await work(page, async () => {
    slow = await gaps(page, async () => {
      await flood(sender, 10000, 2000);
      await until(async () => await sum() === 10001, 'all are there, or counted', 60000);
    });
  });
  t.diagnostic(`longest time between two frames: ${Math.round(slow)} ms, without events ${Math.round(idle)} ms; ` +
    `${took} ms of work in ${Date.now() - began} ms`);
  assert.ok(took < 3000, `the page worked for ${took} ms`);
  const place = await list(page).evaluate((element) => {
    const at = [...Array(element.count).keys()].find((index) => element.at(index).count);
    if (at !== undefined)
      element.scrollTop = at * element.height;
    return { at, count: at === undefined ? 0 : element.at(at).count };
  });
  assert.ok(place.count > 0, 'something was sampled');
  // by its place: rows stand in the document in the order in which they were drawn
  const skipped = list(page).locator(`[aria-posinset="${place.at + 1}"]`);
  await skipped.filter({ hasText: /\d+ events not shown: they came too fast/ }).click();
  await until(() => list(page).evaluate((element, at) => element.at(at).title !== undefined, place.at), 'it is opened');
  assert.equal(await sum(), 10001);
});

test('what the journal had no room for is told at the end', async (t) => {
  const small = await startServer({ options: ['--journal-events', '1000'] });
  await flood(await device(small, NAME), 3000);
  const { lost } = await small.api('GET', '/api/v1/events?limit=1');
  assert.ok(lost > 1000, `${lost} are lost`);
  const page = await timeline(t, '', { server: small });
  await rows(page, 'the flood is over').waitFor();
  await list(page).focus();
  await until(async () => {
    await page.keyboard.press('End');
    return rows(page, `${lost} older events are lost`).isVisible();
  }, 'the end');
});

test('there are no more rows than a cap, and its end says so', async (t) => {
  const many = await startServer();
  const sender = await device(many, NAME);
  await flood(sender, 2500);
  const page = await timeline(t, '', { server: many });
  await page.route('**/console/timeline.js', async (route) => {
    const answer = await route.fetch();
    const text = await answer.text();
    assert.match(text, /ROWS_MAX = 100000;\n.*SLACK = 1000;/);
    await route.fulfill({ response: answer, body: text.replace('ROWS_MAX = 100000', 'ROWS_MAX = 1500').replace('SLACK = 1000', 'SLACK = 50') });
  });
  await page.reload();
  const count = () => list(page).evaluate((element) => element.count);
  const end = async (place, text) => until(async () => {
    await page.keyboard.press(place);
    return rows(page, text).isVisible();
  }, text);
  await rows(page, 'the flood is over').waitFor();
  await list(page).focus();
  await end('End', 'No more than 1500 rows');
  await end('Home', 'the flood is over');
  await flood(sender, 100);
  await until(async () => await count() <= 1551, 'the oldest go');
  await end('End', 'No more than 1500 rows');
});

test('100,000 rows scroll: a jump is drawn at once, and only what is seen exists', async (t) => {
  const page = await timeline(t);
  await rows(page, /\d:\d\d/).first().waitFor();
  const jumps = () => list(page).evaluate(async (element) => {
    const one = element.at(0);
    element.at = () => one;
    element.count = 100000;
    element.refresh();
    for (let i = 1; i <= 20; i++) {
      element.scrollTop = i * 130000;
      await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
    }
  });
  const took = await work(page, jumps);
  t.diagnostic(`a jump: ${took / 20} ms of work`);
  assert.ok(took / 20 < 100, `${took / 20} ms`);
  assert.ok(await list(page).getByRole('option').count() < 60);
});

// ---- the server goes and comes ----

for (const store of [false, true]) {
  test(`a restart ${store ? 'with' : 'without'} a store`, async (t) => {
    const mortal = await startServer({ store });
    await (await device(mortal, NAME)).publishAsync(UPDATE, 'before the end', { qos: 1 });
    const page = await timeline(t, '', { server: mortal, allow: ENDED });
    await rows(page, 'before the end').waitFor();
    await mortal.restart();
    const again = await device(mortal, NAME);
    await again.publishAsync(UPDATE, 'after the end', { qos: 1 });
    await rows(page, 'after the end').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    assert.equal(await rows(page, 'before the end').count(), store ? 1 : 0);
  });
}

test('on a narrow screen nothing is wider than it, in Chinese', async (t) => {
  const page = await timeline(t, `seq=${await seqOf({ type: 'suback' })}`, { viewport: { width: 360, height: 740 }, locale: 'zh-CN' });
  await page.getByRole('button', { name: '\u6682\u505c' }).waitFor();
  await page.getByText('\u5b57\u6bb5').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await axe(page);
});
