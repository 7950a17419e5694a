// The pictures of the README, taken of its first minute and of a few devices more. Written anew by
//   SKYMOCK_PICTURES=update ./dev test --console tests/console/pictures.test.mjs

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';

import { device, openPage, picture, ROOT, startServer } from './lab.mjs';

// As the README has it: the values were signed without their names.
const LAMP = { username: 'device&pk', clientId: '12345|securemode=3,signmethod=hmacsha1,timestamp=789|',
  password: '6F2E85580829A91CCE65DF1CB2B1FE0FD44FA7B2' };
const SIZE = { width: 1180, height: 640 };

let server;

before(async () => {
  server = await startServer({ fixtures: `${ROOT}/fixtures` });
  const reversed = (text) => [...text].reverse().join('');
  const good = await device(server, 'aliyun/pk/device2');
  await device(server, 'enos/KV315idW/tPbZGCdmaE');
  await device(server, 'tencent/PROD123456/dev001');
  await device(server, 'enos/pK11111/dK987654', { change: { password: reversed } }).catch(() => {});
  for (const temp of [21, 22, 23])
    await good.publishAsync('/sys/pk/device2/thing/event/property/post',
      JSON.stringify({ id: String(temp), version: '1.0', params: { temp }, method: 'thing.event.property.post' }), { qos: 1 });
  await device(server, 'aliyun/pk/device', { change: LAMP }).catch(() => {});
  await server.event({ type: 'connack', code: 4 });
});

// Page, what shows that it is there, the choice to make before.
const PICTURES = {
  devices: ['/', (page) => page.getByText('failed').first()],
  refusals: ['/', (page) => page.locator('mark').first(), (page) => page.getByRole('link', { name: /^Refusals/ }).click()],
  timeline: ['/#/timeline', (page) => page.getByText('"temp": 23'),
    (page) => page.getByRole('option', { name: /up|publish/ }).filter({ hasText: '"temp":23' }).filter({ hasText: 'publish' }).first().click()],
  verdicts: ['/#/verdicts', (page) => page.getByRole('grid').getByText('ALI-SIGN-VALUES-ONLY').or(page.getByRole('grid').getByText('ALI-SIGN')).first()],
};

for (const [name, [path, there, choose]] of Object.entries(PICTURES)) {
  for (const locale of ['en-US', 'zh-CN']) {
    const language = locale.slice(0, 2);
    if (language === 'zh' && name !== 'refusals')
      continue;
    test(`a picture of ${name}, ${language}`, async (t) => {
      const page = await openPage(t, server, { path, locale, viewport: SIZE });
      if (choose && language === 'en')
        await choose(page);
      else if (choose)
        await page.goto(`${server.url}/#/refusals`);
      await there(page).waitFor();
      await picture(page, language === 'en' ? name : `${name}.${language}`, { kept: true });
    });
  }
}

test('the README shows these, and no others are kept', () => {
  const shown = ['README.md', 'README.zh.md', 'server/admin/console/README.md'].flatMap((file) =>
    [...readFileSync(`${ROOT}/${file}`, 'utf8').matchAll(/console\/pictures\/([\w.]+)\.png/g)].map(([, name]) => name));
  const kept = readdirSync(`${ROOT}/tests/console/pictures`).map((file) => file.replace('.png', ''));
  assert.deepEqual([...new Set(shown)].sort(), kept.sort());
});
