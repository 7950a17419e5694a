/* Ways to log in as a device: its credentials, and lines to copy that use them. */
import { server } from './client.js';
import { copy, h, plain } from './dom.js';
import { facts } from './form.js';
import { t } from './texts.js';

/* By cloud: what its SDKs call the three parts, and a topic to send to and one to get from. */
const CLOUDS = {
    aliyun: [['product_key', 'device_name', 'device_secret'], (p, d) => [`/${p}/${d}/user/update`, `/${p}/${d}/user/get`]],
    tencent: [['product_id', 'device_name', 'device_secret'], (p, d) => [`${p}/${d}/event`, `${p}/${d}/control`]],
    enos: [['product_key', 'device_key', 'device_secret'], (p, d) => [`/sys/${p}/${d}/thing/model/up_raw`, `/sys/${p}/${d}/thing/model/down_raw`]],
};

/* ---- words of other languages ---- */

const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/* Bytes, with an escape for all that is not plain ASCII. */
const escaped = (bytes, escape) => Array.from(bytes, (byte) => (byte < 0x20 || byte > 0x7e || '"\'\\?'.includes(String.fromCharCode(byte))
    ? escape(byte) : String.fromCharCode(byte))).join('');
const utf8 = (text) => new TextEncoder().encode(text);
const ansi = (bytes) => `$'${escaped(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`)}'`; /* bash */

/* One word of a shell, whatever is in it. */
export const shell = (text) => (UNSEEN.test(text) ? ansi(utf8(text)) : `'${text.replaceAll("'", "'\\''")}'`);
const c = (text) => `"${escaped(utf8(text), (byte) => `\\${byte.toString(8).padStart(3, '0')}`)}"`;
const python = (text) => JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\U${one.codePointAt(0).toString(16).padStart(8, '0')}`);

/* ---- lines ---- */

const copyButton = (text, name) => h('button', { type: 'button', 'aria-label': t('snippets.copy.of', name), onclick: () => copy(text, t('snippets.copied', name)) }, t('snippets.copy'));

function lines(credentials, device) {
    const name = device.name ?? device, [cloud, product, ...rest] = name.split('/'), key = rest.join('/');
    const [words, topics] = CLOUDS[cloud] ?? [['product', 'device', 'secret'], () => ['test', 'test']];
    const [up, down] = topics(product, key);
    const host = location.hostname.replace(/^\[|\]$/g, ''), { listeners } = server;
    const clear = device.requireCertificate ? 0 : listeners[`${cloud}-mqtt`] ?? listeners.mqtt;
    const port = clear || listeners[`${cloud}-mqtts`] || listeners.mqtts;
    const { clientId, username, password } = clear ? credentials : credentials.tls ?? credentials;
    const made = {};
    if (port && clientId) {
        const get = clear ? '' : `curl -s -o ca.crt ${location.origin}/ca.crt\n`;
        const proof = device.requireCertificate ? ' --cert device.crt --key device.key' : '';
        const login = `-h ${shell(host)} -p ${port}${clear ? '' : ` --cafile ca.crt${proof}`} -V mqttv311 -k 60 -i ${shell(clientId)} -u ${shell(username)}${password ? ` -P ${shell(password)}` : ''}`;
        made.mosquitto_pub = `${get}mosquitto_pub ${login} -t ${shell(up)} -q 1 -m '{}'`;
        made.mosquitto_sub = `${get}mosquitto_sub ${login} -t ${shell(down)} -q 1 -v`;
        made.paho = `from paho.mqtt import publish

publish.single(${python(up)}, "{}", qos=1, hostname=${python(host)}, port=${port}, keepalive=60,
    client_id=${python(clientId)},
    auth={"username": ${python(username)}, "password": ${python(password ?? '')}}${clear ? '' : ',\n    tls={"ca_certs": "ca.crt"}'})`;
        made.C = [...[product, key, device.secret ?? ''].map((value, i) => [words[i], value]), ['mqtt_host', host], ['client_id', clientId], ['username', username],
            ['password', password ?? '']].map(([word, value]) => `static const char ${word}[] = ${c(value)};\n`).join('') + `static const int mqtt_port = ${port};`;
    }
    const psk = (credentials.pskKeyHex ?? '').match(/../g)?.map((byte) => parseInt(byte, 16)) ?? [0];
    if (listeners.coaps && credentials.coapPath && !psk.includes(0)) { /* a word of a shell ends at a zero byte */
        const where = host === 'localhost' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
        made['coap-client'] = `coap-client-openssl -m ${credentials.coapMethod}${credentials.coapMethod === 'post' ? " -e '{}'" : ''} -u ${shell(credentials.pskIdentity)} -k ${ansi(psk)} ${shell(`coaps://${where}:${listeners.coaps}${credentials.coapPath}`)}`;
    }
    return made;
}

/* All that a device can log in with, ready to copy. `device`: its name, or the device with its secret. */
export function waysIn(credentials, device) {
    const { tls, dynamic, ...fields } = { secret: device.secret, ...credentials };
    const beside = (value, key) => [' ', copyButton(String(value), key)];
    return h('div', { class: 'ways' }, facts(fields, beside),
        [['TLS', tls], [t('snippets.dynamic'), dynamic]].map(([name, more]) => more && h('details', {}, h('summary', {}, name), facts(more, beside))),
        Object.entries(lines(credentials, device)).map(([name, text]) => h('section', { 'aria-label': name },
            h('h3', {}, name, ' ', copyButton(text, name)), h('pre', { tabindex: 0 }, plain(text, 20000, true)))));
}
