// A device made with the vendor's own SDK that upgrades itself as the manual says: it tells its
// version, downloads what it is told of, reports how far it is, and tells the new version. It prints
// one JSON line for each thing that happens, and ends when its standard input does.
// ota.js PACKAGE '{"productKey":..., as the SDK wants it}'
'use strict';

const crypto = require('crypto');
const http = require('http');
const https = require('https');

const [name, options] = process.argv.slice(2);
const config = JSON.parse(options);
const say = (event, rest) => console.log(JSON.stringify({ event, ...rest }));
const device = require(name).device(config);
const topic = (what) => `/ota/device/${what}/${config.productKey}/${config.deviceName}`;
let id = 0;

function publish(what, params) {
  id += 1;
  device.publish(topic(what), JSON.stringify({ id: String(id), params }), { qos: 1 });
}

function upgrade({ url, md5, size, version }) {
  publish('progress', { step: '0', desc: '' });
  (url.startsWith('https:') ? https : http).get(url, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => {
      const image = Buffer.concat(parts);
      const digest = crypto.createHash('md5').update(image).digest('hex');
      say('downloaded', { size: image.length === size, md5: digest === md5 });
      publish('progress', { step: '100', desc: '' });
      publish('inform', { version });
    });
  }).on('error', (error) => say('error', { message: String(error) }));
}

device.on('connect', () => {
  device.subscribe(topic('upgrade'), { qos: 1 }, () => {
    publish('inform', { version: '1.0' });
    say('ready');
  });
});
device.on('message', (where, payload) => {
  if (where !== topic('upgrade'))
    return;
  const { code, message, data } = JSON.parse(payload.toString());
  say('told', { code, message, version: data.version });
  upgrade(data);
});
device.on('error', (error) => {
  say('error', { message: String(error) });
  process.exit(1);
});
process.stdin.on('end', () => process.exit(0)).resume();
