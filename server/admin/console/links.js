/* What caused an event and what followed from it: one table, and the few questions that answer it. */
import { get } from './client.js';
import { data, h, to } from './dom.js';
import { t } from './texts.js';

const AROUND = 200; /* events of the connection, or the device, before it and behind it */
const LATER = 1000; /* events of everybody behind it, among which are those that carry it on */
const SHOWN = 8;
const TELLING = ['topic', 'filters', 'path', 'service', 'name', 'clientId', 'identity', 'serverName', 'gateway', 'target', 'state', 'reason', 'detail',
    'code', 'status', 'packetId', 'messageId', 'tlsVersion', 'peer'];

/* The texts that tell most of an event, the best first. */
export const telling = (event) => TELLING.filter((key) => event[key] || event[key] === 0).map((key) => {
    if (key === 'filters') return [event.filters].flat().map((each) => each.filter ?? each).join('  ');
    if (key === 'path') return `${event.method ?? ''} ${event.path}`;
    return typeof event[key] === 'number' ? `${key} ${event[key]}` : event[key];
});

const idOf = ({ json }) => json?.id ?? json?.clientToken;
/* A topic without what tells a request from its answer. */
const stem = (topic) => topic?.replace(/[/_](up|down|reply|result|request|response|accepted|rejected|get|update)\b/g, '');
const answers = (a, b) => a.direction !== b.direction && idOf(a) !== undefined && idOf(a) === idOf(b) && stem(a.topic) === stem(b.topic);
const named = (fault, packet) => packet.packetId === undefined || fault.reason.endsWith(` ${packet.packetId}`);
const hits = (fault, packet) => (fault.point === packet.type || fault.point === `${packet.type}-${packet.direction}`) && named(fault, packet);

/* Row: what came first, what came of it, and how one knows that they belong together: by a member,
 * or a function; else they are the nearest of their connection. */
const PAIRS = [
    ['connect', 'connack'], ['pingreq', 'pingresp'], ['connect', 'online'], ['close', 'offline'],
    ['disconnect', 'close'], ['timeout', 'close'], ['malformed', 'close'],
    ['publish', 'puback', 'packetId'], ['subscribe', 'suback', 'packetId'], ['unsubscribe', 'unsuback', 'packetId'],
    ['coap-request', 'coap-response', 'messageId'], ['publish', 'publish', answers],
    ['command', 'answer', 'name'], ['command', 'timeout', 'name'],
    ['fault', '', hits], ['publish', 'fault', (packet, fault) => fault.point.startsWith('puback') && named(fault, packet)],
];
/* These end, or say something of, what a CONNECT began. */
const OF_CONNECT = ['timeout', 'silence', 'takeover', 'close', 'disconnect', 'malformed', 'offline'];

function belong([first, second, by], a, b) {
    if (first !== a.type || (second && second !== b.type)) return false;
    if (typeof by === 'string') return a[by] !== undefined && a[by] === b[by] && (a.direction !== b.direction || a.direction === 'inside');
    return !by || by(a, b);
}

/* [[word, event], ...] */
async function linked(event) {
    const { seq, connection, device, type, of } = event;
    const ask = async (when, query) => (when ? (await get('/api/v1/events', { run: true, ...query })).events : []);
    const where = connection || device;
    const near = connection ? { connection } : { device }, back = { before: seq, order: 'desc' };
    const taken = type === 'takeover'; /* its `of` is a connection */
    const [before, behind, later, carried, begun] = await Promise.all([
        ask(where, { ...near, ...back, limit: AROUND }), ask(where, { ...near, since: seq, limit: AROUND }), ask(true, { since: seq, limit: LATER }),
        ask(of && !taken, { since: of - 1, before: of + 1 }),
        ask(connection && OF_CONNECT.includes(type), { ...back, connection: taken && of ? of : connection, type: 'connect', limit: 1 })]);
    const found = new Map();
    const add = (word, each) => each && !found.has(each.seq) && found.set(each.seq, [word, each]);
    carried.forEach((each) => add('cause', each));
    for (const each of later) if (each.of === seq && each.type !== 'takeover') add('effect', each);
    for (const pair of PAIRS) {
        const cause = before.find((each) => belong(pair, each, event)), effect = behind.find((each) => belong(pair, event, each));
        add('cause', cause);
        add(effect?.direction === 'inside' || event.direction === 'inside' ? 'effect' : 'answer', effect);
    }
    begun.forEach((each) => add('connect', each));
    return [...found.values()].sort(([, a], [, b]) => a.seq - b.seq);
}

/* A list that fills itself; without it the event stands all the same. */
export function links(event) {
    const list = h('ul.links');
    const line = ([word, each]) => h('li', each.seq < event.seq ? '\u2190 ' : '\u2192 ', t(`event.${word}`), ' ',
        to('timeline', { seq: each.seq }, `#${each.seq} ${each.type} `, data(telling(each)[0] ?? '', 60)));
    linked(event).then((all) => list.append(...all.slice(0, SHOWN).map(line), all.length > SHOWN ? `+${all.length - SHOWN}` : ''), () => {});
    return list;
}
