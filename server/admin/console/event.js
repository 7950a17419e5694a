/* An event in full: what it says, what it broke, what belongs to it, and its payload as it came. */
import { copy, data, h, plain, to } from './dom.js';
import { explanation } from './explain.js';
import { links } from './links.js';
import { t } from './texts.js';
import { full } from './times.js';

const CUT = 4096; /* characters of a text, or bytes, that are shown before the rest is asked for */
const LINE = 16; /* bytes */
const APART = new Set(['payload', 'payloadBase64', 'json', 'bytes', 'findings', 'explanation']);
const SIGNS = { error: '\u2715', warning: '!', info: 'i' };

/* What an event broke, by rule and severity: by sign and word as well as by colour. */
export const mark = ({ rule, severity }) => h('span', { class: `mark ${severity ?? ''}`, title: severity },
    h('span', { 'aria-hidden': 'true' }, `${SIGNS[severity] ?? ''} `), h('span', { class: 'away' }, severity, ' '), data(rule, 60));

export const arrow = (direction) => h('span', { class: `arrow ${direction}`, title: t(`event.${direction}`) },
    h('span', { 'aria-hidden': 'true' }, { up: '\u2191', down: '\u2193' }[direction] ?? '\u00b7'), h('span', { class: 'away' }, t(`event.${direction}`)));

/* ---- payloads ---- */

const ofBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const ofHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/* In pieces that end with a line where they can, and never within a character. */
function* piecesOf(text) {
    for (let at = 0; at < text.length;) {
        const line = text.lastIndexOf('\n', at + CUT - 1) + 1;
        let end = line > at && text.length > at + CUT ? line : at + CUT;
        if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
        yield plain(text.slice(at, end), CUT + 1, true);
        at = end;
    }
}

function* linesOf(bytes) {
    for (let at = 0; at < bytes.length; at += CUT) {
        const lines = [];
        for (let line = at; line < Math.min(at + CUT, bytes.length); line += LINE) {
            const row = [...bytes.subarray(line, line + LINE)];
            const hex = row.map((each) => each.toString(16).padStart(2, '0')).join(' ').padEnd(3 * LINE - 1);
            const text = row.map((each) => (each >= 0x20 && each < 0x7f ? String.fromCharCode(each) : '.')).join('');
            lines.push(`${line.toString(16).padStart(6, '0')}  ${hex}  ${text}`);
        }
        yield lines.join('\n');
    }
}

/* The first piece, and a button for the rest; what is out of sight costs nothing. */
function long(pieces, size) {
    const pre = (text) => h('pre', { tabindex: 0 }, text);
    const box = h('div', { class: 'long' }, pre(pieces.next().value ?? ''));
    const second = pieces.next();
    if (!second.done) {
        box.append(h('button', { onclick: (event) => {
            event.target.remove();
            box.append(pre(second.value), ...[...pieces].map(pre));
        } }, t('event.all', size)));
    }
    return box;
}

/* Made when it is opened for the first time. */
function view(name, make, open = false) {
    const fold = h('details', {}, h('summary', {}, t(`event.${name}`)));
    fold.addEventListener('toggle', () => fold.append(make()), { once: true });
    fold.open = open;
    return fold;
}

function payload(event) {
    const { payload: text, payloadBase64: base64, json, bytes: hex } = event;
    const bytes = () => (hex ? ofHex(hex) : base64 ? ofBase64(base64) : new TextEncoder().encode(text));
    if (text === undefined && !base64 && !hex) return null;
    const dump = () => {
        const all = bytes();
        return long(linesOf(all), all.length);
    };
    const indented = () => {
        const all = JSON.stringify(json, null, 2);
        return long(piecesOf(all), all.length);
    };
    return h('section', {}, h('h3', {}, t('event.payload'), ' ', h('button', { onclick: () => copy(text ?? base64 ?? hex, t('event.copied')) }, t('event.copy.payload'))),
        json === undefined ? null : view('json', indented, true),
        text === undefined ? null : view('text', () => long(piecesOf(text), text.length), json === undefined),
        view('bytes', dump, text === undefined));
}

/* ---- the others ---- */

const row = (name, value) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value));

function value(key, of) {
    if (key === 'time' || key === 'realTime') return h('time', { title: of }, full(of));
    if (key === 'device' && of) return [to('devices', { device: of }, data(of)), ' \u00b7 ', to('verdicts', { device: of }, t('frame.verdicts'))];
    if (key === 'connection') return to('timeline', { connection: of }, of);
    return data(typeof of === 'object' ? JSON.stringify(of) : of, CUT);
}

const finding = ({ rule, severity, statement, hint, source, detail, action }) => h('section', { class: 'finding' },
    h('h3', {}, mark({ rule, severity })), statement ? h('p', {}, plain(statement, 500)) : null,
    h('table', {}, Object.entries({ detail, hint, source, action }).filter(([, text]) => text).map(([key, text]) => row(t(`event.${key}`), h('bdi', {}, plain(text, 2000))))));

export function eventDetail(event) {
    const { seq, type, direction, findings = [] } = event;
    return h('article', { class: 'event', 'aria-label': `#${seq} ${type}` },
        h('h2', {}, `#${seq} `, arrow(direction), ` ${type} `, h('button', { onclick: () => copy(JSON.stringify(event, null, 2), t('event.copied')) }, t('event.copy'))),
        links(event), findings.map(finding), explanation(event), payload(event),
        h('h3', {}, t('event.fields')),
        h('table', {}, Object.entries(event).filter(([key]) => !APART.has(key)).map(([key, of]) => row(key, value(key, of)))));
}
/* texts: event.up event.down event.inside event.cause event.effect event.answers event.answered event.connect
 * event.json event.text event.bytes event.detail event.hint event.source event.action */
