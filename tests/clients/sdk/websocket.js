// A device made with npm's mqtt over WebSocket. It prints one JSON line for each thing that
// happens, and ends after one message of its own has come back.
// websocket.js URL TOPIC '{"clientId":..., "username":..., "password":...}'
'use strict';

const [url, topic, login] = process.argv.slice(2);
const mqtt = require('mqtt');
const say = (event, rest) => console.log(JSON.stringify({ event, ...rest }));
const client = mqtt.connect(url, { ...JSON.parse(login), keepalive: 60, reconnectPeriod: 0 });

client.on('error', (error) => say('error', { message: String(error) }));
client.on('close', () => say('close'));
client.on('message', (name, payload) => {
  say('message', { topic: name, length: payload.length });
  // Once its acknowledgement is on its way.
  setImmediate(() => client.end());
});
client.on('connect', () => {
  say('connect');
  client.subscribe(topic, { qos: 1 }, (error, granted) => {
    say('subscribed', { qos: granted[0].qos });
    client.publish(topic, 'x'.repeat(5000), { qos: 1 }, () => say('acknowledged'));
  });
});
