/* What every page of the console is: an element that shows what its address says. */
import { address, say } from './dom.js';

/* Pages build() what they are made of once, and show() what the parameters of the address ask for,
 * each time these change. `signal` aborts when the reader leaves. */
export class Page extends HTMLElement {
    #leaving = new AbortController();
    params = new URLSearchParams();

    get signal() {
        return this.#leaving.signal;
    }

    connectedCallback() {
        this.build();
        this.attempt(() => this.show(this.params));
    }

    disconnectedCallback() {
        this.#leaving.abort();
    }

    build() {}
    show() {}

    /* The address says something else now. */
    turn(params) {
        this.params = params;
        this.attempt(() => this.show(params));
    }

    /* Changes parameters of the address: the page is shown anew. */
    go(changes) {
        location.replace(address(this.constructor.page, { ...Object.fromEntries(this.params), ...changes }));
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
