/* An event in full: what it says, what it broke, what belongs to it, and its payload as it came. */
import { copier, data, h, plain, rows, to } from './dom.js';
import { explanation } from './explain.js';
import { links } from './links.js';
import { t } from './texts.js';
import { full } from './times.js';

const CUT = 4096; /* characters of a text that are shown before the rest is asked for */
/* In pieces that end with a line where they can, and never within a character. */
const PIECE = /[^]{1,4096}$|[^]{1,4095}\n|[^]{1,4096}/gu;
const LINE = 16; /* bytes */
const APART = /^(payload|payloadBase64|json|bytes|findings|explanation)$/;
const SIGNS = { error: '\u2715', warning: '!', info: 'i', up: '\u2191', down: '\u2193', inside: '\u00b7' };

/* A sign and a word besides the colour. */
const signed = (what, name, word, ...rest) => h(`span.${what}.${name}`, { title: word },
    h('span', { 'aria-hidden': 'true' }, SIGNS[name]), h('span.away', ` ${word} `), rest);

/* What was broken, by rule and severity. */
export const mark = ({ rule, severity }) => signed('mark', severity, severity, data(rule, 60));

export const arrow = (direction) => signed('arrow', direction, t(`event.${direction}`));


/* ---- payloads ---- */

function dump(bytes) {
    const lines = [];
    for (let at = 0; at < bytes.length; at += LINE) {
        const row = [...bytes.slice(at, at + LINE)];
        const hex = row.map((each) => each.toString(16).padStart(2, '0')).join(' ').padEnd(3 * LINE);
        lines.push(`${at.toString(16).padStart(6, '0')}  ${hex} ${String.fromCharCode(...row).replace(/[^ -~]/g, '.')}`);
    }
    return lines.join('\n');
}

/* A fold that is made when it is opened: the first piece, and a button for the rest, of which what is
 * out of sight costs nothing. */
function view(name, size, make, open) {
    const fold = h('details', { open }, h('summary', name));
    fold.addEventListener('toggle', () => {
        const [first, ...rest] = (make().match(PIECE) ?? []).map((text) => h('pre', plain(text, 2 * CUT, true)));
        fold.append(first ?? '', rest.length ? h('button', { onclick: ({ target }) => target.replaceWith(...rest) }, t('event.all', size)) : '');
    }, { once: true });
    return fold;
}

function payload({ payload: text, payloadBase64: base64, json, bytes: hex }) {
    const raw = text ?? base64 ?? hex;
    if (raw === undefined) return null;
    const bytes = text !== undefined ? new TextEncoder().encode(text) : base64 ? [...atob(base64)].map((c) => c.charCodeAt(0))
        : (hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
    const indented = json === undefined ? '' : JSON.stringify(json, null, 2);
    return h('section', h('h3', t('event.payload'), ' ', copier(raw)),
        indented && view('JSON', indented.length, () => indented, true),
        text !== undefined && view(t('event.text'), text.length, () => text, !indented),
        view(t('event.bytes'), bytes.length, () => dump(bytes), text === undefined));
}

/* ---- the event ---- */

function value(key, of) {
    if (key === 'time' || key === 'realTime') return h('time', { title: of }, full(of));
    if (key === 'device' && of) return [to('devices', { device: of }, data(of)), ' \u00b7 ', to('verdicts', { device: of }, t('frame.verdicts'))];
    if (key === 'connection') return to('timeline', { connection: of }, of);
    return data(typeof of === 'object' ? JSON.stringify(of) : of, CUT);
}

const table = (members) => rows(Object.entries(members).map(([key, of]) => !APART.test(key) && [key, value(key, of)]));

export const eventDetail = (event) => h('article.event',
    h('h2', `#${event.seq} `, arrow(event.direction), ` ${event.type} `, copier(JSON.stringify(event, null, 2), t('event.copyJson'))),
    links(event),
    event.findings.map(({ rule, severity, statement = '', ...rest }) => h('section.finding',
        mark({ rule, severity }), h('p', plain(statement, 500)), table(rest))),
    explanation(event), payload(event), h('h3', t('event.fields')), table(event));
/* texts: event.up event.down event.inside event.cause event.effect event.answer event.connect */
