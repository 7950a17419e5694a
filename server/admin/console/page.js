/* What every page of the console is: an element that shows what its address says. */
import { get } from './client.js';
import { address, fill, h, say, to } from './dom.js';
import { follow } from './feed.js';
import { t } from './texts.js';

/* What came of it, as a word, or as a sign in place of the word. */
export function mark(verdict, sign) {
    const word = t(`verdict.${verdict}`);
    return h(`span.mark.${verdict.replace(' ', '-')}`, sign && { role: 'img', label: word }, sign ?? word);
}

/* Links to events; and to pages, where what these are given is shown. */
export const events = (list = []) => list.map((seq) => [to('timeline', { seq }, `#${seq}`), ' ']);
export const pages = (params, ...names) => names.filter(Boolean).map((name, n) => [n > 0 && ' · ', to(name, params, t(`frame.${name}`))]);

/* Pages build() what they are made of once, and show() what the parameters of the address ask for,
 * each time these change. `signal` aborts when the reader leaves. The parameter `beside` names what
 * is open in `detail`: Escape closes it. */
export class Page extends HTMLElement {
    #leaving = new AbortController();
    #latest = new AbortController();
    #controls = []; /* [parameter, element] */
    params = new URLSearchParams();
    state = h('span.dim', { role: 'status' });

    get signal() {
        return this.#leaving.signal;
    }

    connectedCallback() {
        this.build();
        this.turn(this.params);
    }

    disconnectedCallback() {
        this.#leaving.abort();
    }

    build() {}
    show() {}

    /* The address says something else now. */
    turn(params) {
        this.params = params;
        for (const [name, control] of this.#controls) {
            const value = params.get(name) ?? '';
            if (control.type === 'checkbox') control.checked = value === 'true';
            else if (control.type !== 'search' || control !== document.activeElement) control.value = value; /* not what is being typed */
        }
        this.attempt(() => this.show(params));
    }

    /* A bar that ends with the state, and `main` with what is open of it beside. */
    lay(bar, main, beside, ...between) {
        this.detail = h('aside', { label: beside });
        fill(this, h('div.bar', bar, h('span.space'), this.state), between, h('div.split', main, this.detail));
    }

    /* A control of a parameter of the address: it says what is there, and changes it. */
    param(name, control, event = 'input') {
        control.addEventListener(event, () => this.go({ [name]: control.type === 'checkbox' ? control.checked || '' : control.value.trim() }));
        this.#controls.push([name, control]);
        return control;
    }

    /* The same, as a box to tick: 'true', or not there. */
    tick(name, text) {
        return h('label.check', this.param(name, h('input', { type: 'checkbox' })), text);
    }

    /* Changes parameters of the address: the page is shown anew. */
    go(changes) {
        location.replace(address(this.constructor.page, { ...Object.fromEntries(this.params), ...changes }));
    }

    close() {
        this.go({ [this.beside]: '' });
        this.list.focus();
    }

    key({ key }) {
        if (key !== 'Escape' || !this.params.get(this.beside)) return false;
        this.close();
        return true;
    }

    /* A signal for what is asked now: it aborts when the next one is made, too. */
    renew() {
        this.#latest.abort();
        this.#latest = new AbortController();
        return AbortSignal.any([this.signal, this.#latest.signal]);
    }

    get(path, query) {
        return get(path, query, this.signal);
    }

    /* Events as they happen: see feed.js. */
    follow(what) {
        return follow({ skip() {}, state: (word) => this.tell(word), signal: this.signal, ...what });
    }

    tell(word) {
        fill(this.state, t(word));
    }

    /* Does it; what the server refuses is said, and nothing once the reader has left. */
    async attempt(act) {
        try {
            return await act();
        } catch (error) {
            if (this.signal.aborted) return undefined;
            say(error.message, true);
            if (!('status' in error)) throw error;
            return undefined;
        }
    }

    /* Does it now and every `ms` while somebody looks. */
    every(ms, act) {
        const beat = () => document.hidden || act();
        const timer = setInterval(beat, ms);
        this.signal.addEventListener('abort', () => clearInterval(timer));
        beat();
    }
}
