/* An event in full: what it says, what it broke, what belongs to it, and its payload as it came. */
import { copy, data, h, plain, to } from './dom.js';
import { explanation } from './explain.js';
import { links } from './links.js';
import { t } from './texts.js';
import { full } from './times.js';

const CUT = 4096; /* characters of a text, or bytes, that are shown before the rest is asked for */
const LINE = 16; /* bytes */
const APART = ['payload', 'payloadBase64', 'json', 'bytes', 'findings', 'explanation'];
const SIGNS = { error: '\u2715', warning: '!', info: 'i', up: '\u2191', down: '\u2193', inside: '\u00b7' };

const sign = (name, word) => [h('span', { 'aria-hidden': 'true' }, SIGNS[name] ?? ''), h('span.away', ` ${word ?? ''} `)];

/* What was broken, by rule and severity: a sign and a word besides the colour. */
export const mark = ({ rule, severity }) => h('span', { class: `mark ${severity ?? ''}`, title: severity }, sign(severity, severity), data(rule, 60));

export const arrow = (direction) => h('span', { class: `arrow ${direction}`, title: t(`event.${direction}`) }, sign(direction, t(`event.${direction}`)));

/* ---- payloads ---- */

const ofBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const ofHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/* In pieces that end with a line where they can, and never within a character. */
function* piecesOf(text) {
    for (let at = 0, end; at < text.length; at = end) {
        const line = text.lastIndexOf('\n', at + CUT - 1) + 1;
        end = line > at && text.length > at + CUT ? line : at + CUT;
        if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
        yield plain(text.slice(at, end), CUT + 1, true);
    }
}

function* dump(bytes) {
    let lines = [];
    for (let at = 0; at < bytes.length; at += LINE) {
        const row = [...bytes.subarray(at, at + LINE)];
        const hex = row.map((each) => each.toString(16).padStart(2, '0')).join(' ').padEnd(3 * LINE);
        lines.push(`${at.toString(16).padStart(6, '0')}  ${hex} ${row.map((each) => (each > 0x1f && each < 0x7f ? String.fromCharCode(each) : '.')).join('')}`);
        if (lines.length < CUT / LINE && at + LINE < bytes.length) continue;
        yield lines.join('\n');
        lines = [];
    }
}

/* A fold that is made when it is opened: the first piece, and a button for the rest, of which what is
 * out of sight costs nothing. */
function view(name, size, make, open) {
    const fold = h('details', h('summary', name));
    fold.addEventListener('toggle', () => {
        const pieces = make(), pre = (text) => h('pre', text);
        fold.append(pre(pieces.next().value ?? ''));
        const second = pieces.next();
        if (second.done) return;
        fold.append(h('button', { onclick: ({ target }) => target.replaceWith(pre(second.value), ...[...pieces].map(pre)) }, t('event.all', size)));
    }, { once: true });
    fold.open = open;
    return fold;
}

function payload({ payload: text, payloadBase64: base64, json, bytes: hex }) {
    const raw = text ?? base64 ?? hex;
    if (raw === undefined) return null;
    const bytes = base64 ? ofBase64(base64) : text === undefined ? ofHex(hex) : new TextEncoder().encode(text);
    const indented = json === undefined ? '' : JSON.stringify(json, null, 2);
    return h('section', h('h3', t('event.payload'), ' ', h('button', { onclick: () => copy(raw, t('event.copied')) }, t('event.copy'))),
        indented && view('JSON', indented.length, () => piecesOf(indented), true),
        text === undefined ? null : view(t('event.text'), text.length, () => piecesOf(text), !indented),
        view(t('event.bytes'), bytes.length, () => dump(bytes), text === undefined));
}

/* ---- the event ---- */

function value(key, of) {
    if (key === 'time' || key === 'realTime') return h('time', { title: of }, full(of));
    if (key === 'device' && of) return [to('devices', { device: of }, data(of)), ' \u00b7 ', to('verdicts', { device: of }, t('frame.verdicts'))];
    if (key === 'connection') return to('timeline', { connection: of }, of);
    return data(typeof of === 'object' ? JSON.stringify(of) : of, CUT);
}

const table = (members) => h('table', Object.entries(members).filter(([key, of]) => of !== undefined && !APART.includes(key)).map(([key, of]) =>
    h('tr', h('th', { scope: 'row' }, key), h('td', value(key, of)))));

export const eventDetail = (event) => h('article.event',
    h('h2', `#${event.seq} `, arrow(event.direction), ` ${event.type} `,
        h('button', { onclick: () => copy(JSON.stringify(event, null, 2), t('event.copied')) }, t('event.copyJson'))),
    links(event),
    event.findings.map(({ rule, severity, statement, detail, hint, source, action }) => h('section.finding',
        mark({ rule, severity }), h('p', plain(statement ?? '', 500)), table({ detail, hint, source, action }))),
    explanation(event), payload(event), h('h3', t('event.fields')), table(event));
/* texts: event.up event.down event.inside event.cause event.effect event.answer event.connect */
