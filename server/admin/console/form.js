/* Forms made from tables, and answers as tables: what is wrong stands beside its member. */
import { data, fill, h, plain, rows as table, select } from './dom.js';
import { settings } from './settings.js';
import { t } from './texts.js';
import { full } from './times.js';

const READ = { integer: Number, number: Number, object: JSON.parse, boolean: (text) => text === 'true',
    time: (text) => Date.parse(settings.times === 'local' ? text : `${text}Z`) };
let ids = 0;

/* A member: { name, required, kind (text, lines, integer, number, boolean, object, time), min, max, options, value, onchange, about, more }.
 * What can be proposed for it stands in the datalist of its name and an s. */
function row(member) {
    const { name, kind, required, min, max, value = '', options = kind === 'boolean' && ['', 'true', 'false'] } = member;
    const about = kind !== 'time' ? member.about : settings.times === 'local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC';
    const id = `form-${++ids}`, hint = h('small', { id: `${id}-hint` }, about), props = { id, name, value, required, 'aria-describedby': hint.id };
    const control = options ? select(options, value, member.onchange, props)
        : h(kind === 'object' || kind === 'lines' ? 'textarea' : 'input', { ...props, type: kind === 'time' ? 'datetime-local' : READ[kind] === Number && 'number',
            step: kind === 'number' ? 'any' : 1, min, max, list: `${name}s`, autocomplete: 'off' });
    return { ...member, about, control, hint, element: h('div.field', h('label', { for: id }, name, required && ' *'), control, hint) };
}

/* `members`: rows, of which those with `more` are folded. Sent, it calls act(values, refuse): values() is what was given, without what
 * is empty; refuse(error) shows it at the member that it points to, or is false. */
export function form(title, members, act) {
    const rows = members.map(row), elements = (more) => rows.filter((each) => !each.more === !more).map(({ element }) => element);
    const read = ({ name, kind, control }) => {
        try {
            return [name, (READ[kind] ?? String)(control.value)];
        } catch (error) {
            throw Object.assign(error, { status: 400, pointer: `/${name}` });
        }
    };
    const refuse = ({ message, pointer }) => {
        const { control, hint } = rows.find(({ name }) => name === pointer?.split('/')[1]) ?? {};
        if (!control) return false;
        control.ariaInvalid = 'true';
        control.closest('details')?.setAttribute('open', '');
        control.focus();
        fill(hint, h('span.why', { role: 'alert' }, plain(message, 500)));
        return true;
    };
    const onsubmit = (event) => {
        event.preventDefault();
        for (const { control, hint, about } of rows) {
            control.ariaInvalid = null;
            fill(hint, about);
        }
        act(() => Object.fromEntries(rows.filter(({ control }) => control.value).map(read)), refuse);
    };
    return h('form', { label: title, onsubmit }, elements(false), rows.some(({ more }) => more)
        && h('details', { open: rows.some(({ more, control }) => more && control.value) }, h('summary', t('control.more')), elements(true)), h('button.main', title));
}

const shown = (value) => (typeof value === 'object' ? JSON.stringify(value) : /^\d{4}-.*Z$/.test(value) ? full(value) : value);

/* An object as a table; `beside(value, name)`: what stands beside each. */
export const facts = (object, beside) => table(Object.entries(object).map(([name, value]) =>
    (value ?? null) !== null && [name, data(shown(value), 4000), beside?.(value, name)]));
