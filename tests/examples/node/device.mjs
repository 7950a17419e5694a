// The firmware's stand-in: mqtt.js, which logs in with what it is given and reports with QoS 1.
import { createRequire } from 'node:module';
import path from 'node:path';

// NODE_MODULES is where `npm install mqtt` was done, if that was not here.
const require = createRequire(path.resolve(process.env.NODE_MODULES ?? '.', 'package.json'));
const mqtt = require('mqtt');

export function connect(login, options) {
  return mqtt.connectAsync({ ...login, protocolVersion: 4, reconnectPeriod: 0, ...options }, false);
}

export function report(client, device, temp) {
  const topic = `/sys/${device.product}/${device.key}/thing/event/property/post`;
  return client.publishAsync(topic, JSON.stringify({ id: '7', version: '1.0', params: { temp } }),
    { qos: 1 });
}
