// node-coap-client as a device: one POST, and the answer on standard output.
const { CoapClient } = require('node-coap-client');

const [url, identity, keyHex, path, body] = process.argv.slice(2);

// The library takes the key as text, one character a byte.
CoapClient.setSecurityParams(new URL(url).hostname,
    { psk: { [identity]: Buffer.from(keyHex, 'hex').toString('latin1') } });
CoapClient.request(url + path, 'post', Buffer.from(body), { keepAlive: false })
    .then((answer) => {
        console.log(answer.code.toString(), answer.payload && answer.payload.toString());
        process.exit(0);
    })
    .catch((error) => {
        console.error(error);
        process.exit(1);
    });
