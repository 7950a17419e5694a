// node:test, with the kit for Node.js: ./run.sh
import assert from 'node:assert/strict';
import test, { after } from 'node:test';

import { connect, report } from './device.mjs';

const { start } = await import(process.env.SKYMOCK_KIT ?? './skymock.mjs');
const server = await start({ fixtures: '../devices.json' });
after(() => server.stop());

test('it reports how warm it is', server.withDevice('aliyun/a1Example', async (device) => {
  const client = await connect(device.mqtt);
  try {
    await report(client, device, 21.5);
    const [event] = await device.wait({ type: 'publish', direction: 'up',
      payload: { pointer: '/params/temp', min: 20 } });
    assert.equal(event.qos, 1);
    await device.assertPassed({ strict: true });
  } finally {
    await client.endAsync(true); // or it goes on when the test has failed
  }
}));

test('it notices that its report was lost', server.withDevice('aliyun/a1Example', async (device) => {
  await device.fault({ point: 'puback-down', action: 'close', count: 1 });
  const client = await connect(device.mqtt);
  try {
    const closed = new Promise((resolve) => { client.once('close', resolve); });
    report(client, device, 22).catch(() => {});
    await closed;
    await device.verify({ sequence: [{ type: 'publish', direction: 'up' }, { type: 'fault' }] });
  } finally {
    await client.endAsync(true);
  }
}));
