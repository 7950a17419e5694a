// A device made with one of the vendor's own SDKs, as their manuals have it, for `skymock suite run`:
// it says something every second, answers what it is asked, and leaves reconnecting to the SDK.
// suite.js PACKAGE PRODUCT DEVICE SECRET
'use strict';

const [name, productKey, deviceName, deviceSecret] = process.argv.slice(2);
const { SKYMOCK_HOST = '127.0.0.1', SKYMOCK_PORT_MQTT } = process.env;
const device = require(name).device({
  productKey, deviceName, deviceSecret,
  brokerUrl: `mqtt://${SKYMOCK_HOST}:${SKYMOCK_PORT_MQTT}`,
});
const service = `/sys/${productKey}/${deviceName}/thing/service`;
let talk = null;

function answer(topic, request, data) {
  device.publish(topic, JSON.stringify({ id: request.id, code: 200, data }));
}

function listen() {
  const answerSet = (request) => answer(`${service}/property/set_reply`, request, {});
  if (device.onProps) {
    device.onProps(answerSet);
  } else {
    device.subscribe(`${service}/property/set`);
    device.onService('set', answerSet);
  }
  device.onService('skymockProbe', (request, reply) => {
    if (reply)
      reply({ id: request.id, code: 200, data: {} });
    else
      answer(`${service}/skymockProbe_reply`, request, {});
  });
}

device.on('connect', () => {
  if (talk)
    return;
  listen();
  let count = 0;
  talk = setInterval(() => device.postProps({ temperature: 20 + count++ % 10 }, () => {}), 1000);
});
device.on('error', (error) => console.error(String(error)));
