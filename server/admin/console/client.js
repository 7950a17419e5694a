/* Asking the server: its API, with the token where it wants one. */
import { dialog, fill, h, query as queryOf } from './dom.js';
import { t } from './texts.js';

const TOKEN = 'skymock-token';

/* What the server answers instead, or (status 0) that it does not. `pointer`: into the body. */
export class ApiError extends Error {
    constructor(status, { message, pointer }) {
        super(message);
        Object.assign(this, { status, pointer });
    }
}

/* What is known of the server: `started` tells one process from the next, `listeners` are ports. */
export const server = { clouds: [], listeners: {} };

export const hello = async (signal) => Object.assign(server, await get('/version', {}, signal));

let asking = null;

/* The reader was asked for a token in this tab. */
export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/* Asks the reader for the token; whoever needs it meanwhile waits for the same answer. */
function askToken(wrong) {
    const input = h('input', { type: 'password', autocomplete: 'off', required: true });
    asking ??= dialog(t('token.title'), t('token.go'), true, h('p', t(wrong ? 'token.wrong' : 'token.about')), h('label', t('token.label'), ' ', input)).then(() => {
        sessionStorage.setItem(TOKEN, input.value.trim());
        asking = null;
    });
    return asking;
}

/* A text in UTF-8, a character a byte: as a header carries it, and the server has the token. */
export const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

/* The answer as it comes, for streams and files. Throws ApiError; an abort throws as fetch does. */
export async function request(method, path, { query, body, signal, headers } = {}) {
    for (;;) {
        const token = sessionStorage.getItem(TOKEN), all = { ...headers };
        if (token) all.Authorization = `Bearer ${bytes(token)}`;
        if (body !== undefined) all['Content-Type'] = 'application/json';
        const answer = await fetch(path + queryOf(query), { method, signal, headers: all, body: JSON.stringify(body) }).catch((error) => {
            throw signal?.aborted ? error : new ApiError(0, { message: t('client.away') });
        });
        if (answer.ok) return answer;
        if (answer.status !== 401) throw new ApiError(answer.status, (await answer.json().catch(() => ({}))).error ?? { message: `HTTP ${answer.status}` });
        if (token === sessionStorage.getItem(TOKEN)) await askToken(token !== null);
    }
}

/* The answer's JSON; null when it has none. */
export async function call(method, path, options) {
    const text = await (await request(method, path, options)).text();
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
    fill(element, h('p.bad', { role: 'alert' }, error.message, error.pointer && h('code', ` ${error.pointer}`)));
}
