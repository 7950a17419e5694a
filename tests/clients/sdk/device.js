// A device made with one of the vendor's own SDKs. It prints one JSON line for each thing that
// happens, answers what the cloud asks of it, and ends when its standard input does.
// device.js PACKAGE '{"productKey":..., "deviceName":..., ... as the SDK wants it}'
'use strict';

const [name, options] = process.argv.slice(2);
const iot = require(name);
const say = (event, rest) => console.log(JSON.stringify({ event, ...rest }));
const config = JSON.parse(options);
const device = iot.device(config);
const service = `/sys/${config.productKey}/${config.deviceName}/thing/service`;

// Each post waits for the callback of the one before it.
const posts = [
  ['postProps', { LightSwitch: 1, Temperature: { value: 21.5, time: 1548753362502 } }],
  ['postEvent', 'lowVoltage', { Voltage: 3.1 }],
  ['postTags', [{ attrKey: 'room', attrValue: 'kitchen' }, { attrKey: 'floor', attrValue: '2' }]],
  ['deleteTags', ['floor']],
];

function postNext() {
  if (posts.length === 0) {
    say('ready');
    return;
  }
  const [method, ...content] = posts.shift();
  device[method](...content, (answer) => {
    say('answer', { method, code: answer.code, id: answer.id });
    postNext();
  });
}

function publish(topic, id, data) {
  device.publish(topic, JSON.stringify({ id, code: 200, data }), { qos: 1 });
}

// Only the newer SDK listens to properties and has a way to answer a service by itself.
function listen() {
  const answerSet = (request) => {
    say('set', { params: request.params });
    publish(`${service}/property/set_reply`, request.id, {});
  };
  if (device.onProps) {
    device.onProps(answerSet);
  } else {
    device.subscribe(`${service}/property/set`);
    device.onService('set', answerSet);
  }
  device.onService('blink', (request, reply) => {
    const data = { blinked: request.params.times };
    say('service', { params: request.params });
    if (reply)
      reply({ id: request.id, code: 200, data });
    else
      publish(`${service}/blink_reply`, request.id, data);
  });
}

device.on('connect', () => {
  say('connect');
  listen();
  postNext();
});

device.on('error', (error) => {
  say('error', { message: String(error) });
  process.exit(1);
});

process.stdin.on('end', () => process.exit(0)).resume();
