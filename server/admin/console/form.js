/* Forms made from tables, and buttons: what is wrong stands beside its member, what came of it below. */
import { ApiError, showError } from './client.js';
import { data, fill, h, plain, say, select } from './dom.js';
import { settings } from './settings.js';
import { t, texts } from './texts.js';

const READ = { /* by kind: what the server takes */
    integer: Number,
    number: Number,
    boolean: (text) => text === 'true',
    object: JSON.parse,
    time: (text) => Date.parse(settings.times === 'local' ? text : `${text}Z`),
};
let forms = 0; /* each has ids of its own */

const label = (name) => (texts[`control.of.${name}`] ? t(`control.of.${name}`) : name);

function control({ kind, options, value = '', onchange, min, max, list }, props) {
    if (kind === 'boolean') options = ['', 'true', 'false'];
    if (options) return select(options, value, onchange, props);
    if (kind === 'object' || kind === 'lines') return h('textarea', { ...props, value, rows: 2, spellcheck: 'false' });
    const number = kind === 'integer' || kind === 'number';
    return h('input', { ...props, value, list, autocomplete: 'off', type: number ? 'number' : kind === 'time' ? 'datetime-local' : 'text',
        ...(number ? { step: kind === 'integer' ? 1 : 'any', min, max } : { step: 1 }) });
}

/* Does it once at a time; tells below what came of it, or why not. `refuse(error)`: said elsewhere. */
async function run(name, busy, out, act, refuse = () => false) {
    if (busy.ariaBusy === 'true') return;
    busy.ariaBusy = 'true';
    fill(out);
    try {
        const came = await act();
        if (came === false) return;
        fill(out, came);
        say(t('control.done', t(name)));
    } catch (error) {
        if (!refuse(error)) showError(out, error);
        if (!('status' in error)) throw error;
    } finally {
        busy.ariaBusy = 'false';
    }
}

/* What the act returns stands in `out`; false: it was not done after all. */
export const button = (name, out, act, props, text = t(name)) =>
    h('button', { type: 'button', ...props, onclick: (event) => run(name, event.target, out, act) }, text);

/* members: [{ name, kind (text, lines, integer, number, boolean, object, time), options, value, onchange, min, max, list (id of a datalist),
 * required, about, more (true: folded) }]. The act is given what stands in the controls, without what is empty. */
export function form(name, members, out, act) {
    const number = ++forms, controls = {};
    const row = (member) => {
        const id = `form-${number}-${member.name}`;
        const why = h('small', { id: `${id}-why`, class: 'why', role: 'alert' });
        const about = member.about ? h('small', { id: `${id}-about` }, member.about) : null;
        const element = control(member, { id, name: member.name, required: member.required, 'aria-describedby': `${id}-about ${id}-why` });
        controls[member.name] = { ...member, element, why };
        return h('div', { class: 'field' }, h('label', { for: id }, label(member.name), member.required ? ' *' : ''), element, about, why);
    };
    const values = () => {
        const given = Object.values(controls).filter(({ element }) => element.value !== '');
        return Object.fromEntries(given.map(({ name: key, kind, element }) => {
            try {
                return [key, (READ[kind] ?? String)(element.value)];
            } catch (error) {
                throw new ApiError(0, { code: 'json', message: error.message, pointer: `/${key}` });
            }
        }));
    };
    const refuse = (error) => {
        const { element, why } = controls[error.pointer?.split('/')[1]] ?? {};
        if (!element) return false;
        element.ariaInvalid = 'true';
        element.closest('details')?.setAttribute('open', '');
        element.focus();
        fill(why, plain(error.message, 500));
        return true;
    };
    const folded = members.filter(({ more }) => more);
    return h('form', {
        'aria-label': t(name),
        onsubmit: (event) => {
            event.preventDefault();
            for (const { element, why } of Object.values(controls)) {
                element.ariaInvalid = null;
                fill(why);
            }
            run(name, event.target, out, async () => act(values()), refuse);
        },
    }, members.filter(({ more }) => !more).map(row),
    folded.length ? h('details', {}, h('summary', {}, t('control.more')), folded.map(row)) : null,
    h('button', { class: 'main' }, t(name)));
}

/* An object as a table; `beside(value)`: what stands beside each value. */
export const facts = (object, beside) => h('table', {}, Object.entries(object).filter(([, value]) => value !== null).map(([key, value]) =>
    h('tr', {}, h('th', { scope: 'row' }, label(key)), h('td', {}, data(typeof value === 'object' ? JSON.stringify(value) : value, 4000), beside?.(value, key)))));
