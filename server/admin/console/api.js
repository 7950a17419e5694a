/* The API for people, from /openapi.json: what can be asked, with what, and what comes of it. */
import { call, download, hasToken, showError } from './client.js';
import { copier, fill, h, search } from './dom.js';
import { dress } from './settings.js';
import { t } from './texts.js';

const SAMPLES = { integer: 0, boolean: false, object: {}, array: [], string: '' };

dress();
const { paths, components: { schemas } } = await call('GET', '/openapi.json').catch((error) => {
    showError(document.body, error);
    throw error;
});

/* What a schema refers to; what is in a list or a map, where that is told. */
const nameOf = ({ $ref, allOf }) => ($ref ?? allOf?.[0].$ref)?.split('/').at(-1);
const resolve = (schema) => schemas[nameOf(schema)] ?? schema;
const innerOf = ({ items, additionalProperties }) => items ?? additionalProperties;

/* Its kind and bounds in a few words. */
function kind(given) {
    const schema = resolve(given), { type = 'any', minimum, maxLength } = schema, inner = innerOf(schema);
    return [inner ? `${type === 'array' ? 'list' : 'map'} of ${kind(inner)}` : nameOf(given) ?? schema.enum?.join(' | ') ?? type,
        minimum !== undefined && `${minimum}\u2013${schema.maximum}`, maxLength && `\u2264 ${maxLength}`, schema.pattern,
        given.nullable && 'or null'].filter(Boolean).join(' ');
}

/* What is inside is made when it is opened first: schemas may contain themselves. What has an id has an address. */
const fold = (id, summary, make) => h('details', { id, class: id && 'operation', ontoggle: ({ target }) => {
    if (target.childElementCount === 1) target.append(h('div', make()));
    if (id && target.open) history.replaceState(null, '', `#${id}`);
} }, h('summary', summary));

/* Rows of [name, required, schema, about]. */
const table = (rows) => h('table', rows.map(([name, required, schema, about]) => h('tr',
    h('th', { scope: 'row' }, h('code', name), required && h('small', ` ${t('api.required')}`)), h('td', about, ' ', schema && inside(schema)))));

/* Of an object, or of those that are in a list or a map. */
function members(given) {
    const schema = resolve(given), { properties = {}, required = [] } = schema, inner = innerOf(schema);
    return inner ? members(inner) : Object.entries(properties).map(([name, each]) => [name, required.includes(name), each, each.description]);
}

/* A kind, to be opened where it has members. */
function inside(schema) {
    const rows = members(schema);
    return rows.length ? fold(null, h('code', kind(schema)), () => table(rows)) : h('code.dim', kind(schema));
}

const sample = ({ properties = {}, required = [] }) => JSON.stringify(Object.fromEntries(required.map((name) => {
    const { type, minimum, enum: [first] = [] } = properties[name];
    return [name, first ?? minimum ?? SAMPLES[type]];
})));

/* What asks it; `security` is there where no token is needed. */
const curl = (method, path, security, body) => ['curl', method !== (body ? 'POST' : 'GET') && `-X ${method}`,
    hasToken() && !security && '-H "Authorization: Bearer $SKYMOCK_ADMIN_TOKEN"',
    `'${location.origin}${path.replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase())}'`, body && `--json '${sample(body)}'`].filter(Boolean).join(' ');

function operation(method, path, { summary, parameters, requestBody, responses, security }) {
    const body = requestBody?.content ?? {}, line = curl(method, path, security, body['application/json']?.schema);
    const section = (title, rows) => rows.length > 0 && [h('h3', title), table(rows)];
    return fold(`${method}-${path}`, [h('b', method), ' ', h('code', path), ' ', h('span', summary)], () => [
        h('p', h('code', line), ' ', copier(line)),
        section(t('api.parameters'), parameters.map((each) => [each.name, each.required, each.schema, `${each.in}: ${each.description}`])),
        Object.entries(body).map(([type, { schema }]) => [h('h3', t('api.body'), ' ', h('code', type)), schema.description, table(members(schema))]),
        section(t('api.answers'), Object.entries(responses).map(([status, { description, content = {} }]) => {
            const [[type = '', { schema } = {}] = []] = Object.entries(content);
            return [status, false, schema, `${description} ${type.replace('application/json', '')}`];
        }))]);
}

/* ---- the page ---- */

const groups = Map.groupBy(Object.entries(paths), ([path]) => /^\/api\/v1\/(\w+)/.exec(path)?.[1] ?? 'server');
const sections = [...groups].map(([name, all]) => h('section', { id: `all-${name}` }, h('h2', name),
    all.map(([path, methods]) => Object.entries(methods).map(([method, about]) => operation(method.toUpperCase(), path, about)))));
const filter = search(t('filter'), { oninput: () => {
    const words = filter.value.toLowerCase().split(' ');
    for (const section of sections) {
        const all = [...section.querySelectorAll('.operation')];
        for (const each of all) each.hidden = !words.every((word) => each.firstChild.textContent.toLowerCase().includes(word));
        section.hidden = all.every((each) => each.hidden);
    }
} });
document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') filter.blur();
    if (event.key !== '/' || event.target === filter) return;
    event.preventDefault();
    filter.focus();
});
fill(document.body, h('header', h('a.brand', { href: '/' }, 'skymock'), h('h1', t('frame.api')), filter,
    h('button', { onclick: () => download('/openapi.json', {}, 'openapi.json') }, '\u2193 openapi.json')),
h('main.api', h('nav', { label: t('frame.pages') }, [...groups.keys()].map((name) => h('a', { href: `#all-${name}` }, name))), sections));

/* What the address names is opened. */
function open() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.matches('details')) target.open = true;
    target?.scrollIntoView();
}

window.addEventListener('hashchange', open);
open();
