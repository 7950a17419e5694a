/* Making elements. Every string becomes text, never markup. */

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
        else if (value !== null && value !== undefined && value !== false)
            element.setAttribute(name === 'label' ? 'aria-label' : name, value);
    }
    element.append(...nodes(children));
    return element;
}

function nodes(children) {
    return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false);
}

/* Puts these in place of all that is in the element. */
export function fill(element, ...children) {
    element.replaceChildren(...nodes(children));
    return element;
}

/* Control characters, and those that are invisible or turn the writing direction. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function seen(character) {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : `\u2039U+${code.toString(16).toUpperCase().padStart(4, '0')}\u203a`;
}

/* What a device says, as it can be read: nothing in it is invisible, and it is at most `max`
 * characters long. With `lines` line ends and tabs stay what they are. */
export function plain(text, max = 200, lines = false) {
    const head = String(text).slice(0, max);
    const cut = String(text).length > max ? '\u2026' : '';
    return head.replace(UNSEEN, (c) => (lines && (c === '\n' || c === '\t') ? c : seen(c))) + cut;
}

/* The same as an element that keeps its writing direction to itself. */
export const data = (text, max = 200) => h('bdi.data', plain(text, max));

/* A labelled control of a form. */
export const field = (label, control, hint) =>
    h('label.field', h('span', label), control, hint ? h('small', hint) : null);

/* The field that the key / goes to. */
export const search = (label, props) => h('input', { type: 'search', 'data-filter': true, label, placeholder: label, ...props });

/* A table of [name, ...what is said of it]; null and false are left out. */
export const rows = (list) => h('table', list.map((each) => each && h('tr', h('th', { scope: 'row' }, each[0]), h('td', each.slice(1)))));

/* A choice among [value, text] pairs, or of values that are their own text. */
export function select(options, value, onchange, props) {
    const pairs = options.map((each) => (Array.isArray(each) ? each : [each, each]));
    return h('select', { ...props, onchange: (event) => onchange?.(event.target.value) },
        pairs.map(([each, text]) => h('option', { value: each, selected: each === value }, text)));
}

/* A link to a page of the console, with what it is to show. */
export const to = (page, params, ...children) =>
    h('a', { href: address(page, params) }, ...children);

export function address(page, params) {
    const given = Object.entries(params ?? {}).filter(([, value]) => value !== '' && value !== null && value !== undefined);
    const query = new URLSearchParams(given).toString();
    return `#/${page}${query ? `?${query}` : ''}`;
}

/* Says in a passing line at the bottom, and to screen readers, that something was done or failed. */
export function say(text, bad = false) {
    const line = document.getElementById('said') ?? document.body.appendChild(
        h('div', { id: 'said', role: 'status', 'aria-live': 'polite' }));
    fill(line, h('p', { class: bad ? 'bad' : 'good' }, plain(text, 500)));
    clearTimeout(say.timer);
    say.timer = setTimeout(() => fill(line), bad ? 12000 : 5000);
}

/* Asks, or tells, until the reader closes it: then true if by the button that says `go`. One that `must`
 * be answered cannot be left otherwise. */
export function dialog(title, go, must, ...children) {
    const button = h('button.main', { value: 'go' }, go);
    const box = h('dialog.small', { 'aria-labelledby': 'dialog-title', oncancel: (event) => must && event.preventDefault() },
        h('form', { method: 'dialog' }, h('h2', { id: 'dialog-title' }, title), children, h('p', button)));
    document.body.append(box);
    box.showModal();
    (box.querySelector('input') ?? button).focus();
    return new Promise((resolve) => box.addEventListener('close', () => {
        box.remove();
        resolve(box.returnValue === 'go');
    }));
}

export async function copy(text, done) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        /* without TLS, from another machine: the old way */
        const area = document.body.appendChild(h('textarea.away', { value: text }));
        area.select();
        document.execCommand('copy');
        area.remove();
    }
    say(done);
}
