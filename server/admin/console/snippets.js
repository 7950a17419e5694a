/* Ways to log in as a device: its credentials, and lines to copy that use them. */
import { pathOf, server } from './client.js';
import { copy, h, plain } from './dom.js';
import { facts } from './form.js';
import { t } from './texts.js';

/* By cloud: what its SDKs call product and device, and topics to send to and to get from; {}: of whom. */
const CLOUDS = {
    aliyun: ['product_key', 'device_name', '/{}/user/update', '/{}/user/get'],
    tencent: ['product_id', 'device_name', '{}/event', '{}/control'],
    enos: ['product_key', 'device_key', '/sys/{}/thing/model/up_raw', '/sys/{}/thing/model/down_raw'],
};
const KEEP = `python3 -c 'import json, sys; a = json.load(sys.stdin); open("device.crt", "w").write(a["certificate"]); open("device.key", "w").write(a["key"])'`;
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const hex = (number, digits) => number.toString(16).padStart(digits, '0');

/* ---- words of other languages, whatever is in them ---- */

const utf8 = (text) => new TextEncoder().encode(text);
const bytes = (all, escape) => Array.from(all, (byte) => (byte < 0x20 || byte > 0x7e || '"\'\\?'.includes(String.fromCharCode(byte)) ? escape(byte) : String.fromCharCode(byte))).join('');
const ansi = (all) => `$'${bytes(all, (byte) => `\\x${hex(byte, 2)}`)}'`; /* of bash */
const sh = (text) => (text.search(UNSEEN) < 0 ? `'${text.replaceAll("'", "'\\''")}'` : ansi(utf8(text)));
const c = (text) => `"${bytes(utf8(text), (byte) => `\\${byte.toString(8).padStart(3, '0')}`)}"`;
const py = (text) => JSON.stringify(text).replace(UNSEEN, (one) => `\\U${hex(one.codePointAt(0), 8)}`);

/* ---- lines ---- */

function lines(credentials, device) {
    const [cloud, product, key] = (device.name ?? device).split('/'), { listeners } = server;
    const [productWord, deviceWord, up, down] = (CLOUDS[cloud] ?? ['product', 'device', '{}', '{}']).map((each) => each.replace('{}', () => `${product}/${key}`));
    const host = location.hostname.replace(/[[\]]/g, ''), proof = device.requireCertificate;
    const clear = proof ? 0 : listeners[`${cloud}-mqtt`] ?? listeners.mqtt;
    const port = clear || (listeners[`${cloud}-mqtts`] ?? listeners.mqtts);
    const { clientId, username, password = '' } = clear ? credentials : credentials.tls ?? credentials;
    const made = {};
    if (port && clientId) {
        const begin = clear ? '' : `curl -s -o ca.crt ${location.origin}/ca.crt\n${proof ? `curl -s --json '{}' ${sh(location.origin + pathOf(device.name, '/certificates'))} | ${KEEP}\n` : ''}`;
        const login = ` -h ${sh(host)} -p ${port}${clear ? '' : ' --cafile ca.crt'}${proof ? ' --cert device.crt --key device.key' : ''} -V mqttv311 -k 60 -i ${sh(clientId)} -u ${sh(username)} -P ${sh(password)} -q 1 -t `;
        made.mosquitto_pub = `${begin}mosquitto_pub${login}${sh(up)} -m '{}'`;
        made.mosquitto_sub = `${begin}mosquitto_sub${login}${sh(down)} -v`;
        made.paho = `from paho.mqtt import publish

publish.single(${py(up)}, "{}", qos=1, hostname=${py(host)}, port=${port},
    client_id=${py(clientId)},
    auth={"username": ${py(username)}, "password": ${py(password)}}${clear ? '' : `, tls={"ca_certs": "ca.crt"${proof ? ', "certfile": "device.crt", "keyfile": "device.key"' : ''}}`})`;
        made.C = Object.entries({ [productWord]: product, [deviceWord]: key, device_secret: device.secret ?? '', mqtt_host: host, client_id: clientId, username, password })
            .map(([word, value]) => `static const char ${word}[] = ${c(value)};\n`).join('') + `static const int mqtt_port = ${port};`;
    }
    const psk = (credentials.pskKeyHex ?? '00').match(/../g).map((byte) => parseInt(byte, 16));
    if (!proof && listeners.coaps && credentials.coapPath && !psk.includes(0)) { /* no word of a shell has a zero byte */
        const where = host === 'localhost' ? '127.0.0.1' : location.hostname; /* where UDP listens */
        made['coap-client'] = `coap-client-openssl -m ${credentials.coapMethod} -e '{}' -u ${sh(credentials.pskIdentity)} -k ${ansi(psk)} ${sh(`coaps://${where}:${listeners.coaps}${credentials.coapPath}`)}`;
    }
    return made;
}

const button = (text, name) => h('button', { label: t('snippets.copy.of', name), onclick: () => copy(text, t('snippets.copied', name)) }, t('snippets.copy'));

/* All that a device can log in with, ready to copy. `device`: its name, or the device, with its secret. */
export function waysIn(credentials, device) {
    const { tls, dynamic, ...fields } = { secret: device.secret, ...credentials };
    const beside = (value, name) => [' ', button(value, name)];
    return h('div', facts(fields, beside),
        [['TLS', tls], [t('snippets.dynamic'), dynamic]].map(([name, more]) => more && h('details', h('summary', name), facts(more, beside))),
        Object.entries(lines(credentials, device)).map(([name, text]) => [h('h3', name, ' ', button(text, name)), h('pre', { tabindex: 0, label: name }, plain(text, 20000, true))]));
}
