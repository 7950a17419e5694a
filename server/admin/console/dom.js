/* Making elements. Every string becomes text, never markup. */
import { t } from './texts.js';

/* h('button.main', { onclick: f }, 'Go', ' ', h('b', 'now')): classes stand behind the tag, and an
 * object in front of the children has attributes. Functions listen, true sets an attribute without a
 * value, null and false set none; `value` and `checked` are properties, `label` is the name for screen
 * readers. Children that are null or false are left out, arrays are taken apart. */
export function h(what, ...children) {
    const [tag, ...classes] = what.split('.');
    const element = document.createElement(tag);
    const props = children[0]?.constructor === Object ? children.shift() : {};
    if (classes.length) element.className = classes.join(' ');
    for (const [name, value] of Object.entries(props)) {
        if (typeof value === 'function') element.addEventListener(name.slice(2), value);
        else if (name === 'value' || name === 'checked') element[name] = value;
        else if (value === true) element.setAttribute(name, '');
        else if (there(value)) element.setAttribute(name === 'label' ? 'aria-label' : name, value);
    }
    element.append(...nodes(children));
    return element;
}

const there = (value) => (value ?? false) !== false;
const nodes = (children) => children.flat(Infinity).filter(there);

/* Puts these in place of all that is in the element. */
export function fill(element, ...children) {
    element.replaceChildren(...nodes(children));
    return element;
}

/* Control characters, those that are invisible or turn the writing direction, and halves of others. */
export const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/* As a picture of its own, or as its number. */
function seen(character) {
    const code = character.codePointAt();
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : `\u2039U+${code.toString(16).toUpperCase().padStart(4, '0')}\u203a`;
}

/* What a device says, as it can be read: nothing in it is invisible, and it is at most `max`
 * characters long. With `lines` line ends and tabs stay what they are. */
export function plain(text, max = 200, lines = false) {
    const all = String(text), head = all.slice(0, max).replace(UNSEEN, (c) => (lines && (c === '\n' || c === '\t') ? c : seen(c)));
    return all.length > max ? `${head}\u2026` : head;
}

/* The same as an element that keeps its writing direction to itself. */
export const data = (text, max = 200) => h('bdi.data', plain(text, max));

/* A labelled control of a form. */
export const field = (label, control) => h('label.field', h('span', label), control);

/* The field that the key / goes to. */
export const search = (label, props) => h('input', { type: 'search', 'data-filter': true, label, placeholder: label, ...props });

/* A table of [name, ...what is said of it]; null and false are left out. */
export const rows = (list) => h('table', list.map((each) => each && h('tr', h('th', { scope: 'row' }, each[0]), h('td', each.slice(1)))));

/* A choice among [value, text] pairs, or of values that are their own text. */
export function select(options, value, onchange, props) {
    return h('select', { ...props, onchange: (event) => onchange?.(event.target.value) }, options.map((option) => {
        const [each, text = each] = [option].flat();
        return h('option', { value: each, selected: each === value }, text);
    }));
}

/* A link to a page of the console, with what it is to show. */
export const to = (page, params, ...children) => h('a', { href: address(page, params) }, ...children);
export const address = (page, params) => `#/${page}${query(params)}`;

/* ?of=these, without what is empty. */
export function query(params = {}) {
    const given = Object.entries(params).filter(([, value]) => (value ?? '') !== '');
    return given.length ? `?${new URLSearchParams(given)}` : '';
}

/* Says in a passing line at the bottom, and to screen readers, that something was done or failed. */
export function say(text, bad = false) {
    const line = document.getElementById('said') ?? document.body.appendChild(h('div', { id: 'said', role: 'status' }));
    fill(line, h(bad ? 'p.bad' : 'p.good', plain(text, 500)));
    clearTimeout(say.timer);
    say.timer = setTimeout(() => fill(line), bad ? 12000 : 5000);
}

/* Asks, or tells, until the reader closes it: then true if by the button that says `go`. One that `must`
 * be answered cannot be left otherwise. What comes first in it has the focus. */
export function dialog(title, go, must, ...children) {
    const box = h('dialog.small', { label: title, oncancel: (event) => must && event.preventDefault() },
        h('form', { method: 'dialog' }, h('h2', title), children, h('p', h('button.main', { value: 'go' }, go))));
    document.body.append(box);
    box.showModal();
    return new Promise((resolve) => box.addEventListener('close', () => {
        box.remove();
        resolve(box.returnValue === 'go');
    }));
}

async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        /* without TLS, from another machine: the old way */
        const area = document.body.appendChild(h('textarea.away', { value: text }));
        area.select();
        document.execCommand('copy');
        area.remove();
    }
    say(t('event.copied'));
}

/* A button that copies a text, or what a function says then; `name` says of what, to screen readers. */
export const copier = (text, word = t('event.copy'), name) =>
    h('button', { type: 'button', label: name && `${word} ${name}`, onclick: () => copy(text.call ? text() : text) }, word);
