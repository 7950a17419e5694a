/* Why something was refused, as a picture: what was sent above what was due, and what differs marked. */
import { get, pathOf } from './client.js';
import { copier, fill, h, plain } from './dom.js';
import { t } from './texts.js';

const SHOWN_MAX = 1000; /* characters of either text: the table that finds what they have in common has 8 MB then */
const ISLAND = 3; /* what a stretch in common costs; a character is worth 2, and a digit 1: numbers have some by chance */
const COLUMNS_MIN = 16, COLUMNS_MAX = 120;
const BYTES_MAX = 256; /* of a packet */
const NAME_MAX = 200; /* of a device */

/* ---- what differs ---- */

/* Names of fields in a text that was signed. A character of a name is never that of a value: of
 * "12345device" and "clientId12345deviceNamedevice" it is the names that differ. */
const NAMES = /(client|product|device)_?(id|name|key)|timestamp|sign_?method|securemode|random|nonce/gi;
const NAMED = '\uffff';
const characters = (text) => text.slice(0, SHOWN_MAX).replace(NAMES, (name) => name.replace(/./g, `${NAMED}$&`)).match(/\uffff?[^]/gu) ?? [];

/* Pairs [sent, due] of characters, null where nothing stands: as many in common as can be, in as few
 * stretches, where those that both texts begin or end with cost nothing. */
function pairsOf(a, b) {
    const width = b.length + 1, score = new Int32Array(2 * (a.length + 1) * width), pairs = [];
    const at = (i, j, inside = 0) => score[2 * (i * width + j) + inside];
    const together = (i, j, inside) => (a[i] === b[j] ? at(i + 1, j + 1, 1) + (/\d/.test(a[i]) ? 1 : 2) - (inside ? 0 : ISLAND) : -1);
    const apart = (i, j) => Math.max(at(i + 1, j), at(i, j + 1));
    score[score.length - 1] = ISLAND;
    for (let i = a.length - 1; i >= 0; i--)
        for (let j = b.length - 1; j >= 0; j--)
            for (const inside of [0, 1]) score[2 * (i * width + j) + inside] = Math.max(apart(i, j), together(i, j, inside));
    let i = 0, j = 0, inside = 1;
    while (i < a.length && j < b.length) {
        inside = Number(together(i, j, inside) >= apart(i, j));
        if (inside) pairs.push([a[i++], b[j++]]);
        else if (at(i + 1, j) >= at(i, j + 1)) pairs.push([a[i++], null]);
        else pairs.push([null, b[j++]]);
    }
    return [...pairs, ...a.slice(i).map((each) => [each, null]), ...b.slice(j).map((each) => [null, each])];
}

/* Two texts as cells { same, sent, due }, one a column; what differs stands above each other as well. */
function cellsOf(sent, due) {
    const cells = [], next = [0, 0];
    for (const pair of pairsOf(characters(sent), characters(due))) {
        const same = pair[0] === pair[1];
        if (same) next.fill(cells.length);
        pair.forEach((each, side) => {
            if (each !== null) (cells[next[side]++] ??= { same, sent: '', due: '' })[side ? 'due' : 'sent'] = plain(each.replace(NAMED, ''));
        });
        if (same) next.fill(cells.length);
    }
    return cells;
}

/* ---- the picture ---- */

const width = (text) => [...text].reduce((sum, each) => sum + (each > '\u2e7f' ? 2 : 1), 0);
const widest = ({ sent, due }) => Math.max(width(sent), width(due));

/* One side of a line: equal parts as they are, what only this side has marked, room for what only the other has. */
function side(line, name) {
    const parts = [], word = (text) => h('span.away', text);
    for (const cell of line) {
        const kind = cell.same ? 'same' : cell[name] ? 'mark' : 'gap';
        if (parts.at(-1)?.kind !== kind) parts.push({ kind, text: '' });
        parts.at(-1).text += cell[name] + ' '.repeat(widest(cell) - width(cell[name]));
    }
    return [h(`span.${name}`, t(`explain.${name}`)), h(`code.${name}`, parts.map(({ kind, text }) => (kind === 'same' ? text
        : kind === 'gap' ? h('span.gap', text) : h('mark', word(`[${t(`explain.${name}Only`)}: `), text, word(']')))))];
}

/* Two texts under each other, in as many columns as there is room for. */
function compared(sent, due) {
    const cells = cellsOf(sent, due);
    const ruler = h('code', { 'aria-hidden': 'true' }, '0'.repeat(COLUMNS_MAX)), strip = h('div.ruler', ruler), box = h('div');
    new ResizeObserver(() => {
        const room = Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, Math.floor((COLUMNS_MAX * strip.clientWidth) / ruler.offsetWidth))), lines = [[]];
        let used = 0;
        for (const cell of cells) {
            used += widest(cell);
            if (used > room) used = lines.push([]) && widest(cell);
            lines.at(-1).push(cell);
        }
        fill(box, lines.map((line) => h('div.pair', side(line, 'sent'), side(line, 'due'))));
    }).observe(strip);
    return h('div.pairs', strip, box);
}

const titled = (title, ...rest) => h('figure', h('figcaption', title), rest);

/* The text to be signed, and what was signed in its place. Where that is the same, it was used wrongly. */
function signed({ mistake: known, signedText: due, sentText: sent, expectedPrefix: prefix }) {
    return [titled([t('explain.text'), known && !sent && h('span.mark.passed', t('explain.same')), copier(due)],
        known ? compared(sent || due, due) : h('p.pairs', t('explain.due'), ' ', h('code', plain(due, SHOWN_MAX)))),
    prefix && h('p', t('explain.prefix'), ' ', h('code', prefix, '\u2026'))];
}

/* A packet's bytes; the one that the reason names is marked. */
function bytes({ bytes: hex, reason }) {
    const wrong = Number(/ at byte (\d+)/.exec(reason)?.[1]);
    return titled(t('explain.bytes'), h('code.pairs', hex.slice(0, 2 * BYTES_MAX).match(/../g).map((byte, i) => [i === wrong ? h('mark', byte) : byte, ' '])));
}

/* ---- what is due, where no text was signed ---- */

/* What a device may choose: its id before the block, times, the random part, ways to sign. What was
 * sent stands for what is due there, unless the reason names it. */
const FREE = [/^[^|]+(?=\|.*\|$)/, /(?<=timestamp=)\d+/, /(?<=securemode=)\w+/, /(?<=signmethod=)\w+/, /(?<=^\w+;\w+;)\w+/, /(?<=[|;,])\d+$/];

const adopt = (sent, due, why) => FREE.reduce((text, free) => {
    const [value] = free.exec(sent) ?? [];
    return !value || why.includes(`'${value}'`) || why.includes(` ${value} `) ? text : text.replace(free, () => value);
}, due);

/* The device that was meant: that of the event, or what is registered under what was claimed or nearly so. */
async function meant({ device, cloud, product, deviceKey, explanation: told }) {
    const [similar] = told?.similar?.split(', ') ?? [];
    const claims = [[product, deviceKey], [product, similar], [similar, deviceKey], [deviceKey, product]].filter((each) => cloud && each.every(Boolean));
    for (const name of device ? [device] : claims.map((each) => [cloud, ...each].join('/'))) {
        const { devices } = await get('/api/v1/devices', { text: name.slice(0, NAME_MAX), limit: 1000 });
        if (devices.some((each) => each.name === name)) return name;
    }
}

/* What was sent under each name beside what is due under it, where these differ. */
async function fields(event, why) {
    const name = await meant(event);
    if (!name) return [];
    const { tls, ...plainly } = await get(pathOf(name, '/credentials')), due = ['tls', 'wss'].includes(event.transport) ? tls : plainly;
    return Object.entries({ clientId: due.clientId, username: due.username, identity: due.pskIdentity }).map(([key, value]) => {
        const sent = event[key], wanted = value && sent !== undefined ? adopt(sent, value, why) : sent;
        return wanted !== sent && titled(t(`explain.${key}`), compared(sent, wanted));
    });
}

/* ---- all of it ---- */

/* The mistake that was recognised, or the rule, in a word or two. */
export const mistake = ({ explanation: told, refused }) =>
    [told?.mistake, told?.secondMistake].filter(Boolean).join(' + ').replaceAll('-', ' ') || told?.rule || refused || '';

/* The picture of an event that was refused or explains itself; null for any other. */
export function explanation(event) {
    if (!event.explanation && !event.refused) return null;
    const told = event.explanation ?? {}, broken = event.findings?.find((each) => each.rule === event.refused);
    const what = told.what ?? broken?.detail ?? event.reason ?? '', hint = told.hint ?? broken?.hint, due = h('div');
    const words = plain(told.sentText ? what.replace(/ It signed ".*/s, '') : what, 1000);
    /* where no picture has the mark: all of a mistake that is none of the text, or what was asked for in vain */
    const asked = [event.topic, event.path, ...[event.filters ?? []].flat().map((each) => each.filter)].find((each) => each && words.includes(each));
    const part = told.mistake && !told.sentText ? words : asked, [front, ...behind] = part ? words.split(part) : [words];
    if (!told.signedText && !event.bytes) fields(event, what).then((all) => fill(due, all), () => {});
    return h('article.explained',
        h('p.what', h('strong', plain(mistake(event))), ' ', front, part && [h('mark', part), behind.join(part)]),
        told.signedText ? signed(told) : event.bytes ? bytes(event) : due,
        hint && h('p.hint', h('strong', t('explain.change')), ' ', hint),
        told.note && h('p.dim', told.note));
}
