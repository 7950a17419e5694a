/* Asking the server: its API, with the token where it wants one. */
import { dialog, fill, h } from './dom.js';
import { t } from './texts.js';

const TOKEN = 'skymock-token';

/* What the server answers instead, or (status 0) that it does not. `pointer`: into the body. */
export class ApiError extends Error {
    constructor(status, { code, message, pointer }) {
        super(message);
        Object.assign(this, { status, code, pointer });
    }
}

/* What is known of the server: `started` tells one process from the next, `listeners` are ports. */
export const server = { version: '', clouds: [], listeners: {}, started: '' };

export async function hello(signal) {
    return Object.assign(server, await call('GET', '/version', { signal }));
}

let asking = null;

/* The reader was asked for a token in this tab. */
export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/* Asks the reader for the token; whoever needs it meanwhile waits for the same answer. */
function askToken(wrong) {
    const input = h('input', { type: 'password', autocomplete: 'off', required: true, id: 'token' });
    asking ??= dialog(t('token.title'), t('token.go'), true, h('p', wrong ? t('token.wrong') : t('token.about')),
        h('label', { for: 'token' }, t('token.label'), ' '), input).then(() => {
        sessionStorage.setItem(TOKEN, input.value.trim());
        asking = null;
    });
    return asking;
}

/* A header carries bytes: those of the token in UTF-8, as the server has it. */
const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

function target(path, query) {
    const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '');
    return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

async function failure(answer) {
    try {
        return new ApiError(answer.status, (await answer.json()).error);
    } catch {
        return new ApiError(answer.status, { code: 'http', message: `HTTP ${answer.status}`, pointer: '' });
    }
}

/* The answer as it comes, for streams and files. Throws ApiError; an abort throws as fetch does. */
export async function request(method, path, { query, body, signal, headers, accept = [] } = {}) {
    for (;;) {
        const token = sessionStorage.getItem(TOKEN);
        const all = { ...headers };
        if (token) all.Authorization = `Bearer ${bytes(token)}`;
        if (body !== undefined) all['Content-Type'] = 'application/json';
        let answer;
        try {
            answer = await fetch(target(path, query), {
                method, signal, headers: all, body: body === undefined ? undefined : JSON.stringify(body),
            });
        } catch (error) {
            if (signal?.aborted) throw error;
            throw new ApiError(0, { code: 'network', message: t('client.away'), pointer: '' });
        }
        if (answer.status === 401) {
            if (token === sessionStorage.getItem(TOKEN)) await askToken(token !== null);
            continue;
        }
        if (!answer.ok && !accept.includes(answer.status)) throw await failure(answer);
        return answer;
    }
}

/* The answer's JSON; null when it has none. `accept`: statuses that are answers, too. */
export async function call(method, path, options) {
    const answer = await request(method, path, options);
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
}

export const get = (path, query, signal) => call('GET', path, { query, signal });
export const post = (path, body) => call('POST', path, { body });

/* The API's path of a device that is named "cloud/product/device", or of what belongs to it. */
export const pathOf = (name, rest = '') =>
    `/api/v1/devices/${name.split('/').map(encodeURIComponent).join('/')}${rest}`;

/* Saves what a path answers as a file. */
export async function download(path, query, name) {
    const answer = await request('GET', path, { query });
    const link = h('a', { href: URL.createObjectURL(await answer.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/* Where an error goes: into the element, for as long as it stands. */
export function showError(element, error) {
    fill(element, h('p.bad', { role: 'alert' }, error.message,
        error.pointer ? h('code', ` ${error.pointer}`) : null));
}
