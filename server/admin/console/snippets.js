/* Ways to log in as a device: its credentials, and lines to copy that use them. */
import { bytes, get, hasToken, pathOf, server } from './client.js';
import { copier, data, h, plain, UNSEEN } from './dom.js';
import { facts } from './form.js';
import { t } from './texts.js';

/* By cloud: topics to send to and to get from; {}: of whom. */
const TOPICS = {
    aliyun: ['/{}/user/update', '/{}/user/get'],
    tencent: ['{}/event', '{}/control'],
    enos: ['/sys/{}/thing/model/up_raw', '/sys/{}/thing/model/down_raw'],
};
const KEEP = `python3 -c 'import json, sys; a = json.load(sys.stdin); open("device.crt", "w").write(a["certificate"]); open("device.key", "w").write(a["key"])'`;

/* ---- words of other languages, whatever is in them ---- */

const octal = (all) => all.replace(/[^ -~]|["'\\?]/g, (byte) => `\\${byte.charCodeAt().toString(8).padStart(3, '0')}`);
const ansi = (all) => `$'${octal(all)}'`; /* of bash */
const sh = (text) => (text.search(UNSEEN) < 0 ? `'${text.replaceAll("'", "'\\''")}'` : ansi(bytes(text)));
const c = (text) => `"${octal(bytes(text))}"`;
const py = (text) => JSON.stringify(text).replace(UNSEEN, (one) => `\\U${one.codePointAt().toString(16).padStart(8, '0')}`);

/* ---- lines ---- */

/* By what it is for. */
function lines(credentials, name, secret, proof) {
    const [cloud, product, key] = name.split('/'), { listeners } = server, { origin, hostname } = location, host = hostname.replace(/[[\]]/g, '');
    const [up, down] = TOPICS[cloud].map((each) => each.replace('{}', () => `${product}/${key}`));
    const listener = (kind) => listeners[`${cloud}-${kind}`] ?? listeners[kind], clear = !proof && listener('mqtt'), port = clear || listener('mqtts');
    const { clientId, username, password = '' } = clear ? credentials : credentials.tls, made = {};
    let [before, options, tls] = clear ? ['', '', ''] : [`curl -s -o ca.crt ${origin}/ca.crt\n`, ' --cafile ca.crt', '"ca_certs": "ca.crt"'];
    if (proof) {
        before += `curl -s${hasToken() ? ' -H "Authorization: Bearer $SKYMOCK_ADMIN_TOKEN"' : ''} --json '{}' ${sh(origin + pathOf(name, '/certificates'))} | ${KEEP}\n`;
        options += ' --cert device.crt --key device.key';
        tls += ', "certfile": "device.crt", "keyfile": "device.key"';
    }
    if (port) {
        const login = ` -h ${sh(host)} -p ${port}${options} -i ${sh(clientId)} -u ${sh(username)} -P ${sh(password)} -q 1 -t `;
        made.mosquitto_pub = `${before}mosquitto_pub${login}${sh(up)} -m '{}'`;
        made.mosquitto_sub = `${before}mosquitto_sub${login}${sh(down)} -v`;
        made.paho = `from paho.mqtt import publish

publish.single(${py(up)}, "{}", qos=1, hostname=${py(host)}, port=${port},
    client_id=${py(clientId)},
    auth={"username": ${py(username)}, "password": ${py(password)}}${tls && `, tls={${tls}}`})`;
        made.C = Object.entries({ product_key: product, device_name: key, device_secret: secret, mqtt_host: host, client_id: clientId, username, password })
            .map(([word, value]) => `static const char ${word}[] = ${c(value)};\n`).join('') + `static const int mqtt_port = ${port};`;
    }
    const { coapMethod, coapPath, pskIdentity, pskKeyHex } = credentials, psk = pskKeyHex?.replace(/../g, (hex) => String.fromCharCode(`0x${hex}`));
    if (!proof && listeners.coaps && coapPath) {
        const where = host === 'localhost' ? '127.0.0.1' : hostname; /* where UDP listens */
        made['coap-client'] = psk.includes('\0') ? t('snippets.zero')
            : `coap-client-openssl -m ${coapMethod} -e '{}' -u ${sh(pskIdentity)} -k ${ansi(psk)} ${sh(`coaps://${where}:${listeners.coaps}${coapPath}`)}`;
    }
    return made;
}

const table = (values) => facts(values, (value, name) => [' ', copier(value, t('event.copy'), name)]);

/* All that the device of this name can log in with, ready to copy. */
export async function waysIn(name, signal) {
    const path = pathOf(name), asked = [`${path}?secrets=true`, `${path}/credentials`, path.replace(/devices(.*)\/.*/, 'products$1')];
    const [{ secret }, { tls, dynamic, ...fields }, { requireCertificate }] = await Promise.all(asked.map((each) => get(each, {}, signal)));
    return h('div', h('h3', data(name)), table({ secret, ...fields }),
        Object.entries({ tls, dynamic }).map(([way, more]) => more && h('details', h('summary', way), table(more))),
        Object.entries(lines({ tls, ...fields }, name, secret, requireCertificate))
            .map(([program, text]) => [h('h3', program, ' ', copier(text, t('event.copy'), program)), h('pre', { tabindex: 0, label: program }, plain(text, 20000, true))]));
}
