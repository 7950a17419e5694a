// A gateway made with the vendor's own SDK. It prints one JSON line for each answer it gets, one
// after another, and ends when its standard input does.
// gateway.js PACKAGE '{"productKey":..., as the SDK wants it}' '{sub-device's productKey, ...}'
'use strict';

const [name, options, sub] = process.argv.slice(2);
const iot = require(name);
const say = (event, rest) => console.log(JSON.stringify({ event, ...rest }));
const gateway = iot.gateway(JSON.parse(options));
const triple = () => JSON.parse(sub);
const { productKey, deviceName } = triple();
const named = { productKey, deviceName };
let device;

// Each step waits for the callback of the one before it.
const steps = [
  ['addTopo', (done) => gateway.addTopo([triple()], done)],
  ['getTopo', (done) => gateway.getTopo(done)],
  ['register', (done) => gateway.regiestSubDevice([named], done)],
  ['login', (done) => {
    device = gateway.login(triple(), () => {});
    device.on('connect', () => done({ code: 200 }));
    device.on('error', done);
    device.onProps((request) => {
      say('set', { params: request.params });
      device.publish(`/sys/${productKey}/${deviceName}/thing/service/property/set_reply`,
        JSON.stringify({ id: request.id, code: 200, data: {} }), { qos: 1 });
    });
  }],
  ['postProps', (done) => device.postProps({ LightSwitch: 1 }, done)],
  ['postEvent', (done) => device.postEvent('lowVoltage', { Voltage: 3.1 }, done)],
  ['postTags', (done) => device.postTags([{ attrKey: 'room', attrValue: 'hall' }], done)],
  ['getConfig', (done) => device.getConfig(done)],
  ['wait', (done) => process.stdin.once('data', () => done({ code: 200 }))],
  ['logout', (done) => gateway.logout(named, done)],
  ['removeTopo', (done) => gateway.removeTopo([named], done)],
];

function next() {
  if (steps.length === 0) {
    say('ready');
    return;
  }
  const [step, run] = steps.shift();
  if (step === 'wait')
    say('waiting');
  run((answer) => {
    if (step !== 'wait')
      say('answer', { step, code: answer.code, data: answer.data });
    next();
  });
}

gateway.on('connect', next);
gateway.on('error', (error) => {
  say('error', { message: String(error) });
  process.exit(1);
});
process.stdin.on('end', () => process.exit(0)).resume();
