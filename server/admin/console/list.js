/* A list of which only what is seen exists: a hundred thousand rows scroll as ten. */
import { fill, h } from './dom.js';

const OVER = 6; /* rows beyond the edges */

/* <sky-list>: rows of one height (--row). Set `count`, `at(index)` (an item) and `render(item, row)`
 * (fills the element of a row); call `update()` when any of it changes, with how many rows came in
 * above, so that what is looked at stays where it is. Choosing a row calls `onchoose(item, index)`,
 * opening it `onopen`. For screen readers a listbox: give it an aria-label. */
export class List extends HTMLElement {
    count = 0;
    at = () => null;
    render = () => {};
    onchoose = () => {};
    onopen = () => {};
    onend = () => {}; /* the last row has come into sight */
    chosen = -1;
    #rows = new Map(); /* by index */
    #frame = 0;

    connectedCallback() {
        this.tabIndex = 0;
        this.setAttribute('role', 'listbox');
        this.pane = fill(this, h('div.pane', { role: 'presentation' })).firstChild;
        this.addEventListener('scroll', () => this.update());
        this.addEventListener('click', (event) => {
            const row = event.target.closest('[role=option]');
            if (row && !event.target.closest('a, button')) this.choose(Number(row.dataset.index), true);
        });
        this.addEventListener('keydown', (event) => this.key(event) && event.preventDefault());
        this.watch = new ResizeObserver(() => this.refresh());
        this.watch.observe(this);
    }

    disconnectedCallback() {
        this.watch.disconnect();
        cancelAnimationFrame(this.#frame);
    }

    update(above = 0) {
        if (above && this.chosen >= 0) this.chosen += above;
        this.pane.style.height = `${this.count * this.height}px`;
        if (above && this.scrollTop > this.height) this.scrollTop += above * this.height;
        if (above) this.#shift(above);
        if (!this.#frame) this.#frame = requestAnimationFrame(() => { this.#frame = 0; this.#draw(); });
    }

    /* Every row is drawn anew: they are others now, or look different. */
    refresh() {
        this.#forget();
        this.update();
    }

    /* This row looks different, and no other does. */
    redraw(index) {
        const row = this.#rows.get(index);
        if (row) this.render(this.at(index), row);
    }

    get height() {
        return parseFloat(getComputedStyle(this).getPropertyValue('--row')) || 28;
    }

    #forget() {
        for (const row of this.#rows.values()) row.remove();
        this.#rows.clear();
    }

    /* The rows that are there are others' neighbours now, and stay the elements they are. */
    #shift(above) {
        this.#rows = new Map([...this.#rows].map(([index, row]) => [index + above, this.#put(row, index + above)]));
    }

    #put(row, index) {
        row.id = `row-${index}`;
        row.dataset.index = index;
        row.style.transform = `translateY(${index * this.height}px)`;
        return row;
    }

    #draw() {
        const height = this.height;
        const first = Math.max(0, Math.floor(this.scrollTop / height) - OVER);
        const last = Math.min(this.count, Math.ceil((this.scrollTop + this.clientHeight) / height) + OVER);
        for (const [index, row] of this.#rows) {
            if (index >= first && index < last) continue;
            row.remove();
            this.#rows.delete(index);
        }
        for (let index = first; index < last; index++) {
            let row = this.#rows.get(index);
            if (!row) {
                row = this.pane.appendChild(this.#put(h('div', { role: 'option', class: 'row' }), index));
                this.#rows.set(index, row);
                this.render(this.at(index), row);
            }
            row.setAttribute('aria-selected', index === this.chosen);
            row.setAttribute('aria-posinset', index + 1);
            row.setAttribute('aria-setsize', this.count);
        }
        if (this.#rows.has(this.chosen)) this.setAttribute('aria-activedescendant', `row-${this.chosen}`);
        else this.removeAttribute('aria-activedescendant');
        if (last === this.count) this.onend();
    }

    choose(index, open = false) {
        if (!this.count) return;
        this.chosen = Math.max(0, Math.min(this.count - 1, index));
        const height = this.height, top = this.chosen * height;
        if (top < this.scrollTop) this.scrollTop = top;
        if (top + height > this.scrollTop + this.clientHeight) this.scrollTop = top + height - this.clientHeight;
        this.update();
        const item = this.at(this.chosen);
        this.onchoose(item, this.chosen);
        if (open) this.onopen(item, this.chosen);
    }

    /* A key of the list's own, pressed anywhere on the page; false: it is none. */
    key({ key, ctrlKey, altKey, metaKey }) {
        if (ctrlKey || altKey || metaKey) return false;
        const page = Math.max(1, Math.floor(this.clientHeight / this.height) - 1);
        const moves = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
        if (key in moves || key === 'Enter') this.focus({ preventScroll: true });
        if (key in moves) this.choose(this.chosen < 0 && moves[key] > 0 && moves[key] !== Infinity ? 0 : this.chosen + moves[key]);
        else if (key === 'Enter' && this.chosen >= 0) this.choose(this.chosen, true);
        else return false;
        return true;
    }
}
customElements.define('sky-list', List);

/* One with this name, and these functions. */
export const list = (label, functions) => Object.assign(h('sky-list', { label }), functions);
