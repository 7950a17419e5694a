/* What caused an event and what followed from it: one table, and the few questions that answer it. */
import { get } from './client.js';
import { data, fill, h, to } from './dom.js';
import { eventOf } from './feed.js';
import { t } from './texts.js';

const AROUND = 200; /* events of the connection, or the device, before it and behind it */
const LATER = 1000; /* events of everybody behind it, among which are those that carry it on */
const SHOWN = 8;
const TELLING = `topic filters path service name clientId identity serverName gateway target state reason detail code status packetId messageId
peer`.split(/\s/);

/* The texts that tell most of an event, the best first. */
export const telling = (event) => TELLING.filter((key) => event[key]?.toString()).map((key) => {
    if (key === 'filters') return event.filters.map(({ filter }) => filter).join('  ');
    if (key === 'path') return `${event.method ?? ''} ${event.path}`;
    return typeof event[key] === 'number' ? `${key} ${event[key]}` : event[key];
});

/* Type of what came first, of what came of it, and how one knows that they belong together: by a member
 * that is the same, or a function of HOW; else they are the nearest of their connection. */
const PAIRS = `connect connack,pingreq pingresp,connect online,close offline,disconnect close,timeout close,malformed close,
publish puback packetId,subscribe suback packetId,unsubscribe unsuback packetId,coap-request coap-response messageId,
publish publish answers,command answer name,command timeout name,
publish fault hit,subscribe fault hit,fault puback hit,fault suback hit,fault publish hit`.split(/,\s*/).map((row) => row.split(' '));

const idOf = ({ json }) => json?.id ?? json?.clientToken;
/* A topic without what tells a request from its answer. */
const stem = ({ topic }) => topic.replace(/[/_](up|down|reply|result|request|response|accepted|rejected|get|update)\b/g, '');
const HOW = {
    answers: (a, b) => idOf(a) && idOf(a) === idOf(b) && stem(a) === stem(b),
    /* a fault's reason names the packet */
    hit: (a, b) => [a.reason, b.reason].join(' ').split(' ').includes(`${a.packetId ?? b.packetId}`),
};

function belong([first, second, how], a, b) {
    if (first !== a.type || second !== b.type || (a.direction === b.direction && a.direction !== 'inside')) return false;
    return !how || (HOW[how]?.(a, b) ?? (a[how] !== undefined && a[how] === b[how]));
}

/* What carries another event on names it; that of a takeover is a connection. */
const carried = ({ type, of }) => type !== 'takeover' && of;

async function fillLinks(list, event) {
    const { seq, connection, device } = event, of = carried(event), back = { before: seq, order: 'desc' };
    const ask = async (query) => (await get('/api/v1/events', { run: true, ...query })).events;
    const near = connection ? { connection, limit: AROUND } : { device, limit: AROUND };
    const [before, behind, later, cause, begun] = await Promise.all([
        ask({ ...near, ...back }), ask({ ...near, since: seq }), ask({ since: seq, limit: LATER }),
        of && eventOf(of), connection ? ask({ ...near, ...back, type: 'connect' }) : []]);
    const found = new Map(); /* [word, event] by number: the first word for an event counts */
    const add = (word, each) => each && !found.has(each.seq) && found.set(each.seq, [word, each]);
    add('cause', cause);
    for (const each of later) if (carried(each) === seq) add('effect', each);
    for (const pair of PAIRS) {
        const effect = behind.find((each) => belong(pair, event, each));
        add('cause', before.find((each) => belong(pair, each, event)));
        add([event.direction, effect?.direction].includes('inside') ? 'effect' : 'answer', effect);
    }
    add('connect', begun[0]);
    const line = ([at, [word, each]]) => h('li', at < seq ? '\u2190 ' : '\u2192 ', t(`event.${word}`), ' ',
        to('timeline', { seq: at }, `#${at} ${each.type} `, data(telling(each)[0] ?? '', 60)));
    fill(list, [...found].sort(([a], [b]) => a - b).slice(0, SHOWN).map(line), found.size > SHOWN && '\u2026');
}

/* A list that fills itself; without it the event stands all the same. */
export function links(event) {
    const list = h('ul.links');
    fillLinks(list, event).catch(() => {});
    return list;
}
