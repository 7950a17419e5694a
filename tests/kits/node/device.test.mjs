// A device of the kit: its verbs, and what a test reads when something is not as it should be.
import assert from 'node:assert/strict';
import http from 'node:http';
import test, { after } from 'node:test';

import { connect, server as begin } from './bench.mjs';
import { ApiError, line } from './skymock.mjs';

const server = await begin();
after(() => server.stop());

const up = (device) => `/nodekit/${device.key}/user/both`;

for (const product of ['aliyun/nodekit', 'tencent/NODEKIT001', 'enos/nodekit'])
  test(`one of ${product} logs in and is passed`, server.withDevice(product, async (device) => {
    assert.equal(device.id, `${product}/${device.key}`);
    const client = await connect(device.mqtt);
    await client.endAsync();
    const [connack] = await device.wait({ type: 'connack', code: 0 });
    assert.equal(connack.device, device.id);
    await device.assertPassed();
    assert.equal((await device.verdict()).verdict, 'passed');
  }));

test('by TLS', server.withDevice(async (device) => {
  const { ca, ...login } = device.mqtts;
  const client = await connect({ ...login, ca, servername: 'localhost' });
  await client.endAsync();
  await device.verify({ event: { type: 'connack', code: 0, transport: 'tls' } });
}));

test('what came is verified, in the words of the API', server.withDevice(async (device) => {
  const client = await connect(device.mqtt);
  for (const temp of [19, 21])
    await client.publishAsync(up(device), JSON.stringify({ temp }), { qos: 1 });
  const publish = { type: 'publish', direction: 'up', topic: '/nodekit/+/user/both' };
  const warm = { ...publish, payload: { pointer: '/temp', min: 20 } };

  const events = await device.verify({ event: publish, count: 2 });
  assert.deepEqual(events.map((each) => each.json), [{ temp: 19 }, { temp: 21 }]);
  const sequence = await device.verify({ sequence: [{ type: 'connect' }, warm] });
  assert.deepEqual(sequence.map((each) => each.type), ['connect', 'publish']);
  assert.equal((await device.wait(publish, { count: 2 })).length, 2);
  await device.verify({ event: publish, since: events[0], count: 1 });
  await device.absent(publish, { since: events[1].seq });
  await device.absent({ type: 'publish', qos: 2 });
  assert.deepEqual(await device.verify({ absent: { type: 'disconnect' } }), []);
  assert.deepEqual((await device.events(publish, { order: 'desc', limit: 1 })).map((each) =>
    each.json.temp), [21]);
  await client.endAsync();

  const hot = { ...publish, payload: { pointer: '/temp', min: 30 } };
  await assert.rejects(device.verify({ event: hot }), (error) => {
      assert.equal(error.name, 'AssertionError');
      assert.equal(error.code, 'ERR_ASSERTION');
      const lines = error.message.split('\n');
      assert.match(lines[0], /2 publishes.*, none up with temp >= 30; nearest: seq \d+, temp is/);
      assert.match(lines[1], /^ {2}seq \d+: \/payload\/temp is (19|21), wanted/);
      assert.ok(lines.some((each) => /> publish topic=\/nodekit\/.*=\{"temp":21\}/.test(each)));
      assert.match(/^ +at .*/m.exec(error.stack)[0], /device\.test\.mjs/);
      return true;
    });
  await assert.rejects(device.verify({ event: publish, count: 3 }), { name: 'AssertionError' });
  await assert.rejects(device.absent(warm), { name: 'AssertionError' });
  await assert.rejects(device.verify({ event: { colour: 'red' } }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.pointer], [400, '/event/colour']);
    assert.match(error.message, /^POST verify: .*'colour'.* \(at \/event\/colour\)$/);
    return true;
  });
  await assert.rejects(device.verify({ event: { type: 'connack', topic: '/a/b' } }),
    /\/topic is nothing, wanted "\/a\/b"/);
}));

test('a slip of the pen is told of, not waited for', server.withDevice(async (device) => {
  const publish = { type: 'publish' };
  for (const [call, said] of [
    [() => device.wait(publish, { wait_ms: 300 }),
      /no 'wait_ms', but count, waitMs, since: wait\(pattern, /],
    [() => device.wait(publish, 300), /^300 is no object; it is wait\(pattern, \{count, /],
    [() => device.wait('publish'), /^publish is no object; it is wait\(/],
    [() => device.wait(), /^undefined is no object; it is wait\(/],
    [() => device.verify(), /^undefined is no object; it is verify\(/],
    [() => device.verify({ event: publish, wait: 3 }), /no 'wait', but event, sequence, absent, /],
    [() => device.verify(publish), /no 'type', but event, .*: verify\(\{event\}\), verify\(/],
    [() => device.verify(publish, publish), /^\{"type":"publish"\} is too much; .*sequence: \[/],
    [() => device.verify([publish]), /is no object; it is verify\(\{event\}\)/],
    [() => device.absent(publish, { wait: 1 }), /no 'wait', but waitMs, since: absent\(/],
    [() => device.events(publish, { count: 1 }), /no 'count', but since, before, limit, order, run/],
    [() => device.follow(publish, { count: 1 }).next(), /no 'count', but since, waitMs: follow\(/],
    [() => device.fault('puback-down', 'withhold'),
      /^puback-down is no object; it is fault\(\{point: 'puback-down', action: 'withhold', /],
    [() => device.fault({ point: 'connack', action: 'close' }, { count: 1 }), /is too much; it is fault/],
    [() => device.expect('ALI-SIGN'), /^ALI-SIGN is no object; it is expect\(\{rule: /],
    [() => device.expect({ rule: 'ALI-SIGN' }, 1), /^1 is too much; it is expect/],
    [() => device.assertPassed(true), /^true is no object; it is assertPassed\(\{strict: true\}\)/],
    [() => device.assertPassed({ Strict: true }), /no 'Strict', but strict/],
    [() => device.reset({ all: 1 }), /no 'all', but forget/],
    [() => device.message('/a', 'b', 1), /^1 is no object; it is message\(topic, payload, \{qos/],
    [() => device.command('property-set', 'on'), /^on is no object; it is command\('property-set', /],
    [() => device.shadow('desired'), /^desired is no object; it is shadow\(\{desired/],
    [() => server.device('nodekit'), /^nodekit is no product: give cloud\/product, as 'aliyun\/pk'/],
    [() => server.device({ product: 'nodekit' }), /^nodekit is no product/],
    [() => server.device(7), /^7 is no object; it is device\('aliyun\/pk'\)/],
    [async () => server.product('nodekit'), /^nodekit is no product/],
    [() => begin({ fixture: 'devices.json' }), /no 'fixture', but url, program, fixtures, /]])
    await assert.rejects(call(), (error) => {
      assert.equal(error.name, 'TypeError');
      assert.match(error.message, said);
      return true;
    });
}));

test('an event that comes later is waited for, and followed', server.withDevice(async (device) => {
  const client = await connect(device.mqtt);
  const waited = device.wait({ type: 'publish', direction: 'up' }, { waitMs: 60000 });
  const followed = (async () => {
    for await (const event of device.follow({ type: 'publish' }, { waitMs: 60000 }))
      return event;
  })();
  await client.publishAsync(up(device), 'late', { qos: 1 });
  assert.equal((await waited)[0].payload, 'late');
  assert.equal((await followed).payload, 'late');
  for await (const event of device.follow({ type: 'unsubscribe' }, { waitMs: 50 }))
    assert.fail(line(event));
  await assert.rejects(device.wait({ type: 'publish', qos: 2 }, { waitMs: 50 }),
    /none with qos = 2[^]*the last events:[^]*publish/);
  await client.endAsync();
}));

test('a refusal is explained', server.withDevice(async (device) => {
  const { password } = device.mqtt;
  await assert.rejects(connect({ ...device.mqtt, password: password.slice(0, 36) }), { code: 4 });
  const told = await device.report();
  assert.match(told, new RegExp(`^${device.id}\n`));
  assert.match(told, /was refused by ALI-SIGN: .*cut off at 36 characters of 40/);
  assert.match(told, /due: {4}clientId/);
  assert.match(told, /hint: {3}\S/);
  await assert.rejects(device.assertPassed(),
    /failed ALI-SIGN: aliyun.*\n {2}failed ALI-SIGN: [^]*found: .*36[^]*hint: {2}Sign/);
  await assert.rejects(device.wait({ type: 'connack', code: 0 }, { waitMs: 1 }),
    /cut off at 36 characters/);
}));

test('what is expected counts against nobody', server.withDevice(async (device) => {
  await device.expect({ rule: 'ALI-SIGN', count: 1 });
  await assert.rejects(connect({ ...device.mqtt, password: 'no' }), { code: 4 });
  assert.notEqual((await device.verdict()).verdict, 'failed');
}));

test('a device that did nothing has not passed', server.withDevice(async (device) => {
  await assert.rejects(device.assertPassed(), { message:
    `${device.id}: not exercised: nothing came that a rule is about` });
  assert.match(await device.report(), /\n {2}nothing came from it; from others, the last/);
}));

test('a fault, until it is removed or cleared', server.withDevice(async (device) => {
  const fault = await device.fault({ point: 'puback-down', action: 'withhold', count: 1 });
  assert.deepEqual((await device.faults()).map(({ id, device: whose }) => [id, whose]),
    [[fault.id, device.id]]);
  const client = await connect(device.mqtt);
  const sent = client.publishAsync(up(device), 'x', { qos: 1 }).catch(() => {});
  await device.wait({ type: 'fault' });
  assert.equal(await fault.fired(), 1);
  await client.endAsync(true);
  await sent;
  await fault.remove();
  assert.deepEqual(await device.faults(), []);
  await device.fault({ point: 'connect', action: 'close' });
  await device.clear();
  assert.deepEqual(await device.faults(), []);
  await assert.rejects(device.fault({ point: 'puback', action: 'withhold' }), /\(at \/point\)$/);
}));

test('from the cloud: messages, commands, shadow, disconnect', server.withDevice(async (device) => {
  const client = await connect(device.mqtt);
  const heard = [];
  client.on('message', (topic, payload) => {
    heard.push([topic, payload.toString()]);
    if (!topic.endsWith('/set'))
      return;
    const { id } = JSON.parse(payload);
    client.publish(`${topic}_reply`, JSON.stringify({ id, code: 200, data: {} }));
  });
  const set = `/sys/nodekit/${device.key}/thing/service/property/set`;
  await client.subscribeAsync([up(device), set]);
  await device.message(up(device), 'text');
  await device.message(up(device), Buffer.from('bytes'), { qos: 1 });
  await device.message(up(device), { on: true });
  const answer = await device.command('property-set', { params: { on: 1 } });
  assert.equal(answer.json.code, 200);
  assert.deepEqual(heard.slice(0, 3).map(([, payload]) => payload),
    ['text', 'bytes', '{"on":true}']);

  await device.shadow({ desired: { on: true } });
  assert.deepEqual((await device.shadow()).state.desired, { on: true });
  const gone = new Promise((resolve) => { client.once('close', resolve); });
  await device.disconnect();
  await gone;
}));

test('a reset begins a new chapter of the same device', server.withDevice(async (device) => {
  const before = device.mqtt;
  await (await connect(before)).endAsync();
  await device.reset();
  await device.absent({ type: 'connack' });
  const { secret } = await server.api('GET', `devices/${device.id}?secrets=true`);
  assert.ok(secret);
  await (await connect(before)).endAsync();
  await device.verify({ event: { type: 'connack', code: 0 }, count: 1 });
}));

test('one of the fixtures, which stays', async () => {
  const lamp = await server.device('aliyun/nodekit/lamp');
  await lamp.sign();
  await (await connect(lamp.mqtt)).endAsync();
  await lamp.verify({ event: { type: 'connack' } });
  await lamp.remove();
  await lamp.absent({ type: 'connack' });
  await lamp.reset();
  assert.equal((await lamp.api('GET')).device, 'lamp');
});

test('a device with fields of its own, and the context of the test', async (t) => {
  let device;
  await t.test('within', async (inner) => {
    device = await server.device({ device: 'ours', secret: 'known' }, inner);
    assert.equal(device.id, 'aliyun/nodekit/ours');
    assert.equal((await server.api('GET', `devices/${device.id}?secrets=true`)).secret, 'known');
    await device.fault({ point: 'connect', action: 'close' });
  });
  await assert.rejects(device.api('GET'), { status: 404 });
  await device.remove();
  assert.deepEqual((await server.faults()).filter((each) => each.device === device.id), []);
});

test('a product, and back to how it was', async () => {
  const product = server.product('tencent/NODEKIT001');
  const device = await product.device({ temporary: false });
  assert.equal(device.product, 'NODEKIT001');
  await device.reset();
  await device.shadow({ desired: { on: true } });
  await product.snapshot('node-kit');
  await device.shadow({ desired: { on: false } });
  await product.restore('node-kit');
  assert.deepEqual((await device.shadow()).state.desired, { on: true });
  await server.api('DELETE', 'snapshots/node-kit');
  await device.api('DELETE');
  await product.reset();
});

test('the clock', async () => {
  const { clock } = server;
  const frozen = await clock.freeze();
  assert.deepEqual(await clock.now(), frozen);
  assert.equal(await clock.advance(60000) - frozen, 60000);
  assert.equal((await clock.set(new Date('2027-01-01T00:00:00Z'))).getUTCFullYear(), 2027);
  await clock.resume();
  await clock.set(Date.now());
});

test('an admin API that refuses', async () => {
  await assert.rejects(server.device('aliyun/none'), { name: 'ApiError', status: 404,
    message: /^POST devices\S+: cloud aliyun has no product 'none'.* \(at \/product\)$/ });
  assert.throws(() => server.port('telnet'), /no listener 'telnet', but: mqtt,/);
  const gone = http.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { gone.once('listening', resolve); });
  const url = `http://127.0.0.1:${gone.address().port}`;
  await new Promise((resolve) => { gone.close(resolve); });
  await assert.rejects(begin({ url, patienceMs: 0 }), {
    message: new RegExp(`^no answer from skymock at ${url}: .*ECONNREFUSED`) });
});
