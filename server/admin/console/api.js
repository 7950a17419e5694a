/* The API for people, from /openapi.json: what can be asked, with what, and what comes of it. */
import { call, download, hasToken, showError } from './client.js';
import { copy, fill, h } from './dom.js';
import { settings } from './settings.js';
import { t } from './texts.js';

const SAMPLES = { integer: 0, boolean: false, object: {}, array: [], string: '' };

let schemas = {};

/* What a schema refers to: { name, schema }. */
function resolve(schema) {
    const ref = schema?.$ref ?? schema?.allOf?.[0].$ref;
    const name = ref?.split('/').at(-1);
    return name ? { name, schema: schemas[name] ?? {} } : { name: '', schema: schema ?? {} };
}

/* Its kind and bounds in a few words. */
function kind(given) {
    const { name, schema } = resolve(given);
    const words = [name || schema.type || 'any'];
    if (schema.items) words.splice(0, 1, 'list of', kind(schema.items));
    if (schema.additionalProperties?.type || schema.additionalProperties?.$ref) words.splice(0, 1, 'map of', kind(schema.additionalProperties));
    if (schema.enum) words.splice(0, 1, schema.enum.join(' | '));
    if (schema.minimum !== undefined) words.push(`${schema.minimum}\u2013${schema.maximum}`);
    if (schema.maxLength) words.push(`\u2264 ${schema.maxLength}`);
    if (schema.pattern) words.push(schema.pattern);
    if (given?.nullable) words.push('or null');
    return words.join(' ');
}

/* What is inside is made when it is opened first: schemas may contain themselves. */
const fold = (props, summary, make) => h('details', { ...props, ontoggle: ({ target }) => {
    if (target.childElementCount === 1) target.append(...[make()].flat());
} }, h('summary', summary));

/* Rows of [name, required, schema, about]. */
function table(rows) {
    return h('table', h('tbody', rows.map(([name, required, schema, about]) => h('tr',
        h('th', { scope: 'row' }, h('code', name), required ? h('small', ` ${t('api.required')}`) : null),
        h('td', about, ' ', inside(schema))))));
}

/* Of an object, or of those that are in a list or a map. */
function members(given) {
    const { schema } = resolve(given), inner = schema.items ?? (schema.additionalProperties || null);
    if (inner) return members(inner);
    return Object.entries(schema.properties ?? {}).map(([name, each]) => [name, schema.required?.includes(name), each, each.description]);
}

/* A kind, to be opened where it has members. */
function inside(schema) {
    const rows = members(schema);
    return rows.length ? fold({}, h('code', kind(schema)), () => table(rows)) : h('code.dim', kind(schema));
}

function sample(schema) {
    const { properties = {}, required = [] } = schema;
    return JSON.stringify(Object.fromEntries(required.map((name) => [name, properties[name].enum?.[0] ?? properties[name].minimum ?? SAMPLES[properties[name].type]])));
}

function curl(method, path, operation, body) {
    const words = ['curl'];
    if (method !== (body ? 'POST' : 'GET')) words.push('-X', method);
    if (hasToken() && operation.security?.length !== 0) words.push('-H "Authorization: Bearer $SKYMOCK_ADMIN_TOKEN"');
    words.push(`'${location.origin}${path.replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase())}'`);
    if (body) words.push(`--json '${sample(body)}'`);
    return words.join(' ');
}

function operation(method, path, about) {
    const body = about.requestBody?.content, json = body?.['application/json']?.schema, id = `${method}-${path}`;
    const line = curl(method, path, about, json);
    const section = (title, rows) => (rows.length ? [h('h3', t(title)), table(rows)] : []);
    const details = fold({ id, class: 'operation' }, [h('b', method), ' ', h('code', path), ' ', h('span', about.summary)], () => [
        h('p', h('code', line), ' ', h('button', { onclick: () => copy(line, t('api.copied')) }, t('api.copy'))),
        ...section('api.parameters', about.parameters.map((each) => [each.name, each.required, each.schema, `${each.in}: ${each.description}`])),
        ...Object.entries(body ?? {}).flatMap(([type, { schema }]) => [h('h3', t('api.body'), ' ', h('code', type)),
            ...members(schema).length ? [table(members(schema))] : [schema.description ?? '', ' ', inside(schema)]]),
        ...section('api.answers', Object.entries(about.responses).map(([status, { description, content }]) => {
            const [type, value] = Object.entries(content ?? {})[0] ?? [];
            return [status, false, value?.schema ?? { type: ' ' }, `${description}${type && type !== 'application/json' ? ` (${type})` : ''}`];
        }))]);
    details.addEventListener('toggle', () => details.open && history.replaceState(null, '', `#${id}`));
    details.words = `${id.replace('-', ' ')} ${about.summary}`.toLowerCase();
    return details;
}

function show(paths) {
    const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, about]) => [method.toUpperCase(), path, about]));
    const groups = Map.groupBy(operations, ([, path]) => /^\/api\/v1\/(\w+)/.exec(path)?.[1] ?? 'server');
    const sections = [...groups].map(([name, each]) => h('section', { id: `all-${name}` }, h('h2', name), each.map((one) => operation(...one))));
    const filter = h('input', { type: 'search', label: t('filter'), placeholder: t('filter'), oninput: () => {
        const words = filter.value.toLowerCase().split(' ');
        for (const section of sections) {
            for (const each of section.querySelectorAll('.operation')) each.hidden = !words.every((word) => each.words.includes(word));
            section.hidden = !section.querySelector('.operation:not([hidden])');
        }
    } });
    document.addEventListener('keydown', (event) => {
        if (event.key === 'Escape' && event.target === filter) filter.blur();
        if (event.key !== '/' || event.target === filter) return;
        event.preventDefault();
        filter.focus();
    });
    fill(document.body, h('header', h('a', { href: '/', class: 'brand' }, h('img', { src: '/console/icon.svg', alt: '', width: 20, height: 20 }), ' skymock'),
        h('h1', t('frame.api')), filter, h('button', { onclick: () => download('/openapi.json', {}, 'openapi.json') }, '\u2193 openapi.json')),
    h('main', { id: 'main', class: 'api' }, h('nav', { label: t('frame.pages') }, [...groups.keys()].map((name) => h('a', { href: `#all-${name}` }, name))), sections));
}

/* What the address names is opened. */
function open() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.matches('details')) target.open = true;
    target.scrollIntoView();
}

document.documentElement.lang = settings.language === 'zh' ? 'zh-Hans' : 'en';
if (settings.theme !== 'system') document.documentElement.dataset.theme = settings.theme;
window.addEventListener('hashchange', open);
try {
    const { paths, components } = await call('GET', '/openapi.json');
    ({ schemas } = components);
    show(paths);
    open();
} catch (error) {
    showError(document.body, error);
}
