/* What caused an event and what followed from it: one table, and the few questions that answer it. */
import { get } from './client.js';
import { data, h, to } from './dom.js';
import { t } from './texts.js';

const AROUND = 200; /* events of the connection, before and behind, that are looked at */
const CARRIED = 1000; /* events behind a publish, of everybody, among which its deliveries are looked for */
const SHOWN = 8;

const TELLING = ['topic', 'filters', 'path', 'service', 'name', 'clientId', 'identity', 'serverName', 'gateway', 'target', 'state', 'reason',
    'detail', 'code', 'status', 'packetId', 'messageId', 'tlsVersion', 'peer'];
const NUMBERS = new Set(['code', 'status', 'packetId', 'messageId']);

/* The texts that tell most of an event, the best first. */
export const telling = (event) => TELLING.filter((key) => event[key] !== undefined && event[key] !== '').map((key) => {
    if (key === 'filters' && Array.isArray(event.filters)) return event.filters.map((each) => each.filter ?? each).join('  ');
    if (key === 'path') return `${event.method ?? ''} ${event.path}`;
    return NUMBERS.has(key) ? `${key} ${event[key]}` : String(event[key]);
});

const idOf = (event) => event.json?.id ?? event.json?.clientToken ?? (['command', 'answer', 'timeout'].includes(event.type) ? event.name : undefined);
/* A topic without what tells a request from its answer. */
const stem = (topic = '') => topic.replace(/(^|[/_])(up|down|reply|result|request|response|accepted|rejected|get|update)(?=[/_]|$)/g, '');
const sameId = (a, b) => idOf(a) !== undefined && String(idOf(a)) === String(idOf(b));
const same = (key) => (a, b) => a[key] !== undefined && a[key] === b[key] && a.direction !== b.direction;
const always = () => true;
/* A fault names where it was put, and says which packet it hit. */
const hits = (fault, event) => fault.point.replace(/-(up|down)$/, '') === event.type && !fault.point.endsWith(event.direction === 'up' ? '-down' : '-up') &&
    (event.packetId === undefined || fault.reason.endsWith(` ${event.packetId}`));
const stands = (event, fault) => fault.point === 'puback-down' && event.direction === 'up' && fault.reason.endsWith(` ${event.packetId}`);

/* Row: what came first, what came of it (types, '*': any), how the two belong together, and the words
 * that say so. Of several that fit the nearest counts. */
const PAIRS = [
    ['connect', 'connack', always, 'answered'],
    ['publish', 'puback', same('packetId'), 'answered'],
    ['subscribe', 'suback', same('packetId'), 'answered'],
    ['unsubscribe', 'unsuback', same('packetId'), 'answered'],
    ['pingreq', 'pingresp', always, 'answered'],
    ['coap-request', 'coap-response', same('messageId'), 'answered'],
    ['publish', 'publish', (a, b) => a.direction !== b.direction && sameId(a, b) && stem(a.topic) === stem(b.topic), 'answered'],
    ['command', 'answer', sameId, 'answered'],
    ['command', 'timeout', sameId, 'caused'],
    ['fault', '*', hits, 'caused'],
    ['publish', 'fault', stands, 'caused'],
    ['connect', 'online', always, 'caused'],
    ['close', 'offline', always, 'caused'],
    ['disconnect', 'close', always, 'caused'],
    ['timeout', 'close', always, 'caused'],
    ['malformed', 'close', always, 'caused'],
];
/* These end, or say something of, what a CONNECT began. */
const OF_CONNECT = ['timeout', 'silence', 'takeover', 'close', 'disconnect', 'malformed', 'offline'];

const ask = (query) => get('/api/v1/events', { run: true, ...query }).then(({ events }) => events);
const is = (type, event) => type === '*' || type === event.type;

/* [[word, event], ...], causes first, by number. */
async function linked(event) {
    const { seq, connection, device, type, of } = event;
    const near = connection ? { connection } : device ? { device } : null;
    const takes = type === 'takeover'; /* its `of` is a connection */
    const [before, behind, carried, carries, connect] = await Promise.all([
        near ? ask({ ...near, before: seq, order: 'desc', limit: AROUND }) : [],
        near ? ask({ ...near, since: seq, limit: AROUND }) : [],
        of && !takes ? ask({ since: of - 1, before: of + 1 }) : [],
        ask({ since: seq, limit: CARRIED }),
        connection && OF_CONNECT.includes(type) ? ask({ connection: takes && of ? of : connection, type: 'connect', before: seq, order: 'desc', limit: 1 }) : [],
    ]);
    const found = new Map();
    const add = (word, event) => event && !found.has(event.seq) && found.set(event.seq, [word, event]);
    for (const each of carried) add('cause', each);
    for (const each of carries) if (each.of === seq && each.type !== 'takeover') add('effect', each);
    for (const [first, second, fits, word] of PAIRS) {
        if (is(second, event)) add(word === 'answered' ? 'answers' : 'cause', before.find((each) => is(first, each) && fits(each, event)));
        if (is(first, event)) add(word === 'answered' ? 'answered' : 'effect', behind.find((each) => is(second, each) && fits(event, each)));
    }
    for (const each of connect) add('connect', each);
    return [...found.values()].sort(([, a], [, b]) => a.seq - b.seq);
}

/* A list that fills itself. */
export function links(event) {
    const list = h('ul', { class: 'links', 'aria-label': t('event.links') });
    linked(event).then((all) => {
        list.append(...all.slice(0, SHOWN).map(([word, { seq, type, ...rest }]) => h('li', {}, `${seq < event.seq ? '\u2190' : '\u2192'} ${t(`event.${word}`)} `,
            to('timeline', { seq }, `#${seq} ${type} `, data(telling(rest)[0] ?? '', 60)))));
        if (all.length > SHOWN) list.append(h('li', { class: 'dim' }, t('event.more', all.length - SHOWN)));
    }, () => {}); /* without them the event stands all the same */
    return list;
}
