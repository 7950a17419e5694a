/* Forms made from tables, and answers as tables: what is wrong stands beside its member. */
import { ApiError } from './client.js';
import { data, fill, h, plain, select } from './dom.js';
import { settings } from './settings.js';
import { t } from './texts.js';
import { full } from './times.js';

const TYPES = { integer: 'number', number: 'number', time: 'datetime-local' };
const READ = { integer: Number, number: Number, object: JSON.parse, boolean: (text) => text === 'true',
    time: (text) => Date.parse(settings.times === 'local' ? text : `${text}Z`) };
let ids = 0;

const label = (name) => t(`control.of.${name}`).replace(/^control\.of\./, '');

/* A member: { name, required, kind (text, lines, integer, number, boolean, object, time), min, max, options, value, onchange, about }.
 * What can be proposed for it stands in the datalist of its name and an s. */
function row(member) {
    const { name, kind, options = kind === 'boolean' ? ['', 'true', 'false'] : null, value = '' } = member;
    const about = kind === 'time' ? (settings.times === 'local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC') : member.about;
    const id = `form-${++ids}`, hint = h('small', { id: `${id}-hint` });
    const props = { id, name, value, required: member.required, 'aria-describedby': hint.id };
    const control = options ? select(options, value, member.onchange, props)
        : kind === 'object' || kind === 'lines' ? h('textarea', props)
            : h('input', { ...props, type: TYPES[kind] ?? 'text', step: kind === 'number' ? 'any' : 1, min: member.min, max: member.max, list: `${name}s`, autocomplete: 'off' });
    fill(hint, about);
    return { name, kind, more: member.more, about, control, hint, element: h('div.field', h('label', { for: id }, label(name), member.required ? ' *' : ''), control, hint) };
}

/* `members`: rows, of which those with `more` are folded. Sent, it calls act(values, refuse): values() is what was given, without what
 * is empty; refuse(error) shows it at the member that it points to, or is false. */
export function form(title, members, act) {
    const rows = members.map(row), of = (more) => rows.filter((each) => !each.more === !more).map(({ element }) => element);
    const read = ({ name, kind, control }) => {
        try {
            return [name, (READ[kind] ?? String)(control.value)];
        } catch (error) {
            throw new ApiError(400, { code: 'json', message: error.message, pointer: `/${name}` });
        }
    };
    const refuse = (error) => {
        const found = rows.find(({ name }) => name === error.pointer?.split('/')[1]);
        if (!found) return false;
        found.control.ariaInvalid = 'true';
        found.control.closest('details')?.setAttribute('open', '');
        found.control.focus();
        fill(found.hint, h('span.why', { role: 'alert' }, plain(error.message, 500)));
        return true;
    };
    const send = (event) => {
        event.preventDefault();
        for (const { control, hint, about } of rows) {
            control.ariaInvalid = null;
            fill(hint, about);
        }
        act(() => Object.fromEntries(rows.filter(({ control }) => control.value).map(read)), refuse);
    };
    return h('form', { label: title, onsubmit: send }, of(false), of(true).length ? h('details', { open: rows.some(({ more, control }) => more && control.value) }, h('summary', t('control.more')), of(true)) : null,
        h('button.main', title));
}

const shown = (value) => (typeof value === 'object' ? JSON.stringify(value) : /^\d{4}-.*Z$/.test(value) ? full(value) : value);

/* An object as a table; `beside(value, name)`: what stands beside each. */
export const facts = (object, beside) => h('table', Object.entries(object).filter(([, value]) => value !== null && value !== undefined).map(([name, value]) =>
    h('tr', h('th', { scope: 'row' }, label(name)), h('td', data(shown(value), 4000), beside?.(value, name)))));
