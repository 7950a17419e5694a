// A device made with one of the vendor's own SDKs: connects, posts properties, prints one JSON
// line for each thing that happens. vendor_device.js PACKAGE BROKER_URL PRODUCT DEVICE SECRET
'use strict';

const [name, brokerUrl, productKey, deviceName, deviceSecret, signAlgorithm] =
  process.argv.slice(2);
const iot = require(name);
const say = (what) => console.log(JSON.stringify(what));

const device = iot.device({ productKey, deviceName, deviceSecret, brokerUrl, signAlgorithm });

device.on('connect', () => {
  say({ event: 'connect' });
  device.postProps({ LightSwitch: 1 }, (answer) => {
    say({ event: 'answer', code: answer.code, id: answer.id });
    process.exit(0);
  });
});

device.on('error', (error) => {
  say({ event: 'error', message: String(error) });
  process.exit(1);
});
