// Asks the vendor's dynamic registration for a device's secret, with the SDK's own call, and
// prints the answer. register.js PACKAGE '{"productKey":..., "productSecret":..., ...}'
'use strict';

const [name, options] = process.argv.slice(2);
require(name).register(JSON.parse(options), (answer) => {
  const { code, data, message } = answer;
  console.log(JSON.stringify({ code, data, message: message || String(answer) }));
});
