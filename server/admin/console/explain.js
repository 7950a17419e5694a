/* Why something was refused, as a picture: what was sent above what was due, and what differs marked. */
import { get, pathOf } from './client.js';
import { copy, fill, h, plain } from './dom.js';
import { t } from './texts.js';

const CELLS_MAX = 2000000; /* of the table that finds what two texts have in common; else only their ends count */
const SHOWN_MAX = 2000; /* characters of either text */
const ALIKE = 2, ISLAND = 5; /* a character in common counts, a stretch of them costs: there are no islands of one or two */
const BYTES_MAX = 256; /* of a packet */
const NAME_MAX = 200;
const COLUMNS_MIN = 16, COLUMNS_MAX = 120;

/* ---- what differs ---- */

/* The middles of two texts in pairs [sent, due] of characters; null: nothing stands there. */
function middle(a, b) {
    const width = b.length + 1, score = new Int32Array(2 * (a.length + 1) * width);
    const at = (i, j, inside) => score[2 * (i * width + j) + inside];
    const together = (i, j, inside) => (a[i] === b[j] ? at(i + 1, j + 1, 1) + ALIKE - (inside ? 0 : ISLAND) : -1);
    for (let i = a.length - 1; i >= 0; i--) {
        for (let j = b.length - 1; j >= 0; j--) {
            const apart = Math.max(at(i + 1, j, 0), at(i, j + 1, 0));
            for (const inside of [0, 1]) score[2 * (i * width + j) + inside] = Math.max(apart, together(i, j, inside));
        }
    }
    const pairs = [];
    for (let i = 0, j = 0, inside = 0; i < a.length || j < b.length;) {
        if (i < a.length && j < b.length && together(i, j, inside) >= Math.max(at(i + 1, j, 0), at(i, j + 1, 0))) {
            pairs.push([a[i++], b[j++]]);
            inside = 1;
        } else {
            inside = 0;
            if (i < a.length && (j === b.length || at(i + 1, j, 0) >= at(i, j + 1, 0))) pairs.push([a[i++], null]);
            else pairs.push([null, b[j++]]);
        }
    }
    return pairs;
}

const alike = ([sent, due]) => sent === due;
const NAMES = /^[&;,|]?(client_?id|device_?(name|key|secret)|product_?(name|key|id|secret)|timestamp|sign_?method|securemode|random|nonce|expiry)/i;

/* A gap may often stand further left: "12345device(Namedevice)" is "12345(deviceName)device". Where
 * it begins with the name of a field, there it belongs. */
function slide(pairs) {
    for (let start = 0, end; start < pairs.length; start = end) {
        end = start + 1;
        const side = pairs[start][0] === null ? 1 : 0;
        if (alike(pairs[start]) || pairs[start][1 - side] !== null) continue;
        while (end < pairs.length && pairs[end][1 - side] === null) end++;
        const gap = () => pairs.slice(start, end).map((pair) => pair[side]).join('');
        const undo = pairs.slice(0, end), last = end;
        if (end < pairs.length && !alike(pairs[end])) continue;
        while (!NAMES.test(gap()) && start > 0 && alike(pairs[start - 1]) && pairs[start - 1][0] === pairs[end - 1][side]) {
            [pairs[start - 1], pairs[end - 1]] = [pairs[end - 1], pairs[start - 1]];
            start--;
            end--;
        }
        if (!NAMES.test(gap())) pairs.splice(0, last, ...undo);
        end = last;
    }
    return pairs;
}

/* Two texts as stretches { same, sent, due }. As little as can be differs. */
export function stretches(sentText, dueText) {
    const a = [...sentText], b = [...dueText];
    const shorter = Math.min(a.length, b.length);
    let head = 0, tail = 0;
    while (head < shorter && a[head] === b[head]) head++;
    while (tail < shorter - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
    const rest = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
    const same = (list) => list.map((each) => [each, each]);
    const pairs = rest[0].length * rest[1].length > CELLS_MAX
        ? [...rest[0].map((each) => [each, null]), ...rest[1].map((each) => [null, each])] : middle(...rest);
    const runs = [];
    for (const pair of slide([...same(a.slice(0, head)), ...pairs, ...same(a.slice(a.length - tail))])) {
        if (runs.at(-1)?.same !== alike(pair)) runs.push({ same: alike(pair), sent: '', due: '' });
        runs.at(-1).sent += pair[0] ?? '';
        runs.at(-1).due += pair[1] ?? '';
    }
    return runs;
}

/* ---- the picture ---- */

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const width = (text) => [...text].reduce((sum, each) => sum + (WIDE.test(each) ? 2 : 1), 0);

/* Cells { sent, due, same, width } for characters that stand above each other, nothing in them invisible. */
function cells(runs) {
    return runs.flatMap(({ same, sent, due }) => {
        const [above, below] = [[...sent], [...due]];
        return Array.from({ length: Math.max(above.length, below.length) }, (_, i) => {
            const cell = { same, sent: plain(above[i] ?? ''), due: plain(below[i] ?? '') };
            return { ...cell, width: Math.max(width(cell.sent), width(cell.due)) };
        });
    });
}

/* One side of a line: equal parts as they are, what only this side has marked, room for what only the other has. */
function side(line, name, word) {
    const parts = [];
    for (const cell of line) {
        const kind = cell.same ? 'same' : cell[name] ? 'mark' : 'gap';
        if (parts.at(-1)?.kind !== kind) parts.push({ kind, text: '' });
        parts.at(-1).text += cell[name] + ' '.repeat(cell.width - width(cell[name]));
    }
    return h('code', { class: name }, parts.map(({ kind, text }) => (kind === 'same' ? text
        : kind === 'gap' ? h('span', { class: 'gap' }, text)
            : h('mark', {}, h('span', { class: 'away' }, `[${word}: `), text, h('span', { class: 'away' }, ']')))));
}

/* Lines of as many columns as there is room for; each is a line sent and below it the line due. */
function lines(all, columns) {
    const made = [[]];
    let used = 0;
    for (const cell of all) {
        if (used + cell.width > columns && used) {
            made.push([]);
            used = 0;
        }
        made.at(-1).push(cell);
        used += cell.width;
    }
    return made.map((line) => h('div', { class: 'pair' },
        h('span', {}, t('explain.sent')), side(line, 'sent', t('explain.sentOnly')),
        h('span', {}, t('explain.due')), side(line, 'due', t('explain.dueOnly'))));
}

/* Two texts aligned under each other, anew for each width. */
function compared(sent, due) {
    const all = cells(stretches(String(sent).slice(0, SHOWN_MAX), String(due).slice(0, SHOWN_MAX)));
    const ruler = h('code', { 'aria-hidden': 'true' }, '0'.repeat(COLUMNS_MAX)), strip = h('div', { class: 'ruler' }, ruler), box = h('div');
    new ResizeObserver(() => {
        const columns = Math.floor((COLUMNS_MAX * strip.clientWidth) / ruler.offsetWidth);
        fill(box, lines(all, Math.max(COLUMNS_MIN, Math.min(COLUMNS_MAX, columns))));
    }).observe(strip);
    return h('div', { class: 'pairs' }, strip, box);
}

/* A text of which only one side is known. */
const alone = (name, text) => h('div', { class: 'pairs' }, h('div', { class: 'pair' }, h('span', {}, t(`explain.${name}`)), h('code', { class: `${name} whole` }, plain(text, SHOWN_MAX))));

const titled = (title, ...rest) => h('figure', {}, h('figcaption', {}, title), rest);

/* A packet's bytes; the one that the reason names is marked. */
function bytes(hex, reason) {
    const wrong = Number(/ at byte (\d+)/.exec(reason)?.[1] ?? -1), all = hex.slice(0, 2 * BYTES_MAX).match(/../g) ?? [];
    return titled(t('explain.bytes'), h('code', { class: 'bytes' }, all.map((byte, i) => [i === wrong ? h('mark', {}, byte) : byte, ' ']), all.length < hex.length / 2 ? '\u2026' : null));
}

/* ---- what is due, where no text was signed ---- */

/* What a device may choose as it likes: the id before the block, times, the random part, and which of
 * several ways it signs. What was sent stands for what is due there, unless the reason names it. */
const FREE = [/^[^|]+(?=\|.*\|$)/, /(?<=timestamp=)\d+/, /(?<=securemode=)\w+/, /(?<=signmethod=)\w+/, /(?<=;)\w+(?=;\d+$)/, /(?<=[|;,])\d+$/];

function adopt(sent, due, why) {
    for (const free of FREE) {
        const [value] = free.exec(sent) ?? [];
        if (value && !why.split(/[^\w-]+/).includes(value)) due = due.replace(free, () => value);
    }
    return due;
}

/* The device that was meant: that of the event, or what is registered under what was claimed or nearly so. */
async function meant(event) {
    const { cloud, product, deviceKey } = event, similar = (event.explanation?.similar ?? '').split(', ')[0];
    const names = event.device ? [event.device] : [[product, deviceKey], [product, similar], [similar, deviceKey], [deviceKey, product]]
        .filter((each) => cloud && each.every(Boolean)).map((each) => [cloud, ...each].join('/'));
    for (const name of names) {
        const { devices } = await get('/api/v1/devices', { text: name.slice(0, NAME_MAX), limit: 1000 });
        if (devices.some((each) => each.name === name)) return name;
    }
    return null;
}

const FIELDS = [['clientId', 'clientId'], ['username', 'username'], ['identity', 'pskIdentity']];

/* What was sent under each name beside what is due under it, where these differ. */
function fields(event, credentials, why) {
    const due = event.transport === 'tls' || event.transport === 'wss' ? { ...credentials, ...credentials.tls } : credentials;
    return FIELDS.filter(([name, key]) => event[name] !== undefined && due[key])
        .map(([name, key]) => [name, event[name], adopt(event[name], due[key], why)])
        .filter(([, sent, wanted]) => sent !== wanted)
        .map(([name, sent, wanted]) => titled(t(`explain.${name}`), compared(sent, wanted)));
}

/* ---- all of it ---- */

export const why = (event) => event.explanation?.what || event.findings?.find((each) => each.rule === event.refused)?.detail || event.reason || '';

/* The mistake that was recognised, or the rule, in a word or two. */
export const mistake = (event) => [event.explanation?.mistake, event.explanation?.secondMistake].filter(Boolean).join(' + ').replaceAll('-', ' ')
    || event.explanation?.rule || event.refused || '';

function texts(event) {
    const { mistake: known, signedText: due, sentText: sent, expectedPrefix: prefix, what, hint } = event.explanation ?? {};
    if (!due) return known ? [prose(what, hint)] : [];
    const title = t('explain.text'), tools = h('button', { onclick: () => copy(due, t('explain.copied')) }, t('explain.copy'));
    return [sent ? titled([title, tools], compared(sent, due))
        : known ? [titled([title, h('span', { class: 'mark passed' }, t('explain.same')), tools], compared(due, due)), prose(what, hint)]
            : titled([title, tools], alone('due', due)),
    prefix ? h('p', {}, t('explain.prefix'), ' ', h('code', {}, prefix, '\u2026')) : null];
}

/* The text is right, or there is none: the difference is in how it was used. */
const prose = (what, hint) => titled(t('explain.use'), h('div', { class: 'pairs words' }, h('div', { class: 'pair' },
    h('span', {}, t('explain.sent')), h('p', { class: 'sent' }, h('mark', {}, plain(what, 500))),
    h('span', {}, t('explain.due')), h('p', { class: 'due' }, h('mark', {}, plain(hint, 500))))));

/* The picture of an event that was refused or explains itself; null for any other. */
export function explanation(event) {
    const { explanation: told, findings = [] } = event;
    if (!told && !event.refused) return null;
    const hint = told?.hint ?? findings.find((each) => each.rule === event.refused)?.hint, drawn = texts(event);
    const later = h('div');
    const box = h('article', { class: 'explained' },
        h('p', { class: 'what' }, h('strong', {}, plain(mistake(event))), ' ', plain(why(event), 1000)),
        drawn, event.bytes ? bytes(event.bytes, event.reason ?? '') : null, later,
        hint ? h('p', { class: 'hint' }, h('strong', {}, t('explain.change')), ' ', plain(hint, 1000)) : null,
        told?.note ? h('p', { class: 'dim' }, plain(told.note, 500)) : null,
        findings.map((each) => h('details', { open: each.rule === (told?.rule ?? event.refused) },
            h('summary', {}, h('code', {}, each.rule), ' ', plain(each.statement ?? '')),
            h('p', {}, plain(each.detail, 1000)), each.source ? h('small', {}, t('explain.source'), ' ', plain(each.source)) : null)));
    if (!drawn.length) meant(event).then(async (name) => name && fill(later, fields(event, await get(pathOf(name, '/credentials')), why(event)))).catch(() => {});
    return box;
}
