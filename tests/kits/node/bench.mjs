// What the tests of the kit share: a program, products that no fixture has, and a device by
// mqtt.js, from where ./dev puts the packages.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { start } from './skymock.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const BUILD = path.resolve(ROOT, process.env.SKYMOCK_BUILD ?? 'build/debug');
export const MODULES = ['build/node', 'build/console'].map((each) => path.join(ROOT, each))
  .find((each) => existsSync(path.join(each, 'node_modules/mqtt')));

export const PROGRAM = process.env.SKYMOCK ?? path.join(BUILD, 'skymock');

export const FIXTURES = { products: [
  { cloud: 'aliyun', productKey: 'nodekit',
    topics: [{ topic: '/${productKey}/${deviceName}/user/both', pub: true, sub: true }],
    devices: [{ deviceName: 'lamp', deviceSecret: 'secret' }] },
  { cloud: 'tencent', productId: 'NODEKIT001' },
  { cloud: 'enos', productKey: 'nodekit', productSecret: 'secret' }] };

export const mqtt = createRequire(path.join(MODULES ?? ROOT, 'package.json'))('mqtt');

// The server that is there, or one of these tests' own.
export function server(options) {
  const own = process.env.SKYMOCK_URL ? {} : { program: PROGRAM };
  return start({ ...own, fixtures: FIXTURES, product: 'aliyun/nodekit', ...options });
}

// Logged in, or refused by an error.
export function connect(options) {
  return mqtt.connectAsync({ protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 60000,
    ...options }, false);
}
