/* A list of which only what is seen exists: a hundred thousand rows scroll as ten. */
import { fill, h } from './dom.js';

const OVER = 6; /* rows beyond the edges */

/* <sky-list>: rows of one height (--row). Set `count`, `at(index)` (an item) and `render(item, row)`
 * (fills the element of a row); call `update()` when any of it changes, with how many rows came in
 * above, so that what is looked at stays where it is. Choosing a row calls `onchoose(item, index)`,
 * opening it `onopen`. For screen readers a listbox: give it an aria-label. */
export class List extends HTMLElement {
    count = 0;
    at;
    render;
    onchoose;
    onopen;
    onend; /* the last row has come into sight */
    chosen = -1;
    #frame = 0;

    connectedCallback() {
        this.tabIndex = 0;
        this.role = 'listbox';
        this.pane = this.appendChild(h('div.pane', { role: 'presentation' })); /* its children are rows, in their order */
        this.addEventListener('scroll', () => this.update());
        this.addEventListener('click', ({ target }) => {
            const row = target.closest('.row');
            if (row && !target.closest('a, button')) this.choose(row.index, true);
        });
        this.addEventListener('keydown', (event) => this.key(event) && event.preventDefault());
        new ResizeObserver(() => this.refresh()).observe(this);
    }

    update(above = 0) {
        const { height } = this;
        this.pane.style.height = `${this.count * height}px`;
        if (above) {
            if (this.chosen >= 0) this.chosen += above;
            if (this.scrollTop > height) this.scrollTop += above * height;
            /* the rows that are there are others' neighbours now, and stay the elements they are */
            for (const row of this.pane.children) this.#put(row, row.index + above);
        }
        this.#frame ||= requestAnimationFrame(() => this.#draw());
    }

    /* Every row is drawn anew: they are others now, or look different. */
    refresh() {
        fill(this.pane);
        this.removeAttribute('aria-activedescendant'); /* until it is there again */
        this.update();
    }

    /* This row looks different, and no other does. */
    redraw(index) {
        const row = this.querySelector(`#row-${index}`);
        if (row) this.render(this.at(index), row);
    }

    get height() {
        return parseFloat(getComputedStyle(this).getPropertyValue('--row')) || 28;
    }

    #put(row, index) {
        row.index = index;
        row.id = `row-${index}`;
        row.style.transform = `translateY(${index * this.height}px)`;
        return row;
    }

    #draw() {
        this.#frame = 0;
        if (!this.isConnected) return;
        const { height, pane, count, chosen } = this;
        const first = Math.max(0, Math.floor(this.scrollTop / height) - OVER);
        const last = Math.min(count, Math.ceil((this.scrollTop + this.clientHeight) / height) + OVER);
        for (const row of [...pane.children]) if (row.index < first || row.index >= last) row.remove();
        for (let index = first; index < last; index++) {
            let row = pane.children[index - first];
            if (row?.index !== index) {
                row = pane.insertBefore(this.#put(h('div.row', { role: 'option' }), index), row);
                this.render(this.at(index), row);
            }
            row.ariaSelected = index === chosen;
            row.ariaPosInSet = index + 1;
            row.ariaSetSize = count;
        }
        this.setAttribute('aria-activedescendant', first <= chosen && chosen < last ? `row-${chosen}` : '');
        if (last === count) this.onend?.();
    }

    choose(index, open) {
        if (!this.count) return;
        this.chosen = Math.max(0, Math.min(this.count - 1, index));
        const { height, chosen } = this, top = chosen * height;
        this.scrollTop = Math.min(top, Math.max(this.scrollTop, top + height - this.clientHeight));
        this.update();
        const item = this.at(chosen);
        this.onchoose?.(item, chosen);
        if (open) this.onopen?.(item, chosen);
    }

    /* A key of the list's own, pressed anywhere on the page; false: it is none. */
    key({ key, ctrlKey, altKey, metaKey }) {
        if (ctrlKey || altKey || metaKey) return false;
        const page = Math.max(1, Math.floor(this.clientHeight / this.height) - 1);
        const moves = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
        if (key in moves || key === 'Enter') this.focus({ preventScroll: true });
        if (key in moves) this.choose(this.chosen + moves[key]);
        else if (key === 'Enter' && this.chosen >= 0) this.choose(this.chosen, true);
        else return false;
        return true;
    }
}
customElements.define('sky-list', List);

/* One with this name, and these functions. */
export const list = (label, functions) => Object.assign(h('sky-list', { label }), functions);
