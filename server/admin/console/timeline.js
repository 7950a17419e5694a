/* Timeline: every event as it happens, one row an event; what came too fast, and what lies between
 * two places that were looked at, is one row until it is opened. */
import { get, showError } from './client.js';
import { data, field, fill, h, plain, select } from './dom.js';
import { arrow, eventDetail, mark } from './event.js';
import { follow } from './feed.js';
import { telling } from './links.js';
import { Page } from './page.js';
import { choices, choose, settings } from './settings.js';
import { t } from './texts.js';
import { full, short } from './times.js';
import './list.js';

const PAGE_EVENTS = 1000; /* that are asked for at a time */
const ROWS_MAX = 100000;
const SLACK = 1000; /* rows above that, so that not every event drops one */
const AROUND = 100; /* events on both sides of one that is not in the list */
const SETTLE_MS = 100; /* what came is put into the list so often */
const TYPING_MS = 300;
const PREVIEW = 120; /* characters */
const MARKS = 3;
const FILTERS = ['device', 'type', 'topic', 'rule', 'text', 'connection', 'refused'];
const END = { seq: 0, end: true }; /* the row behind the oldest */

/* What is kept of an event. */
function light(event) {
    const { seq, time, type, direction, device, refused, findings, payload, payloadBase64 } = event;
    const [title = '', ...rest] = telling(event);
    const preview = payload ?? (payloadBase64 ? `base64 ${payloadBase64}` : rest.join('  '));
    return { seq, time, type, direction, device, refused, title: plain(title), preview: plain(preview, PREVIEW), findings: findings.map(({ rule, severity }) => ({ rule, severity })) };
}

/* Events that are not shown; `count` null: nobody knows how many. */
const gap = (from, to, count = null) => ({ seq: from, from, to, count, gap: true });

/* Behind the others; two gaps become one. True when that changed the last row. */
function add(rows, row) {
    const last = rows.at(-1);
    if (!row.gap || !last?.gap) {
        rows.push(row);
        return false;
    }
    rows[rows.length - 1] = gap(last.from, row.to, last.count !== null && row.count !== null ? last.count + row.count : null);
    return true;
}

export class Timeline extends Page {
    #rows = [END]; /* the oldest first */
    #arrived = []; /* and not yet in the list */
    #waiting = 0; /* events, while it stands still */
    #paused = false;
    #pressed = false; /* a row that is being clicked stays where it is */
    #loaded = false;
    #loading = false;
    #whole = false; /* nothing is older */
    #lost = 0;
    #query;
    #following = new AbortController();
    #chosen = 0; /* seq of the row */
    #opened = 0;

    build() {
        const input = (name, props) => h('input', { type: 'search', name, onchange: ({ target }) => this.go({ [name]: target.value.trim() }), ...props });
        this.text = input('text', { 'data-filter': true, 'aria-label': t('timeline.text'), placeholder: t('timeline.text'), oninput: () => {
            clearTimeout(this.typing);
            this.typing = setTimeout(() => this.signal.aborted || this.go({ text: this.text.value.trim() }), TYPING_MS);
        } });
        this.refused = h('input', { type: 'checkbox', onchange: () => this.go({ refused: this.refused.checked ? 'true' : '' }) });
        this.inputs = { text: this.text, device: input('device', { list: 'devices', placeholder: 'cloud/product/device', onfocus: () => this.#offer('devices') }),
            topic: input('topic', { placeholder: '/sys/+/+/#' }), rule: input('rule', { list: 'rules', onfocus: () => this.#offer('rules') }),
            connection: input('connection', { inputmode: 'numeric', size: 6 }) };
        this.types = h('div', {});
        this.typed = h('summary', {});
        this.pauser = h('button', { onclick: () => this.#pause() });
        this.state = h('span', { class: 'dim', role: 'status' });
        this.problem = h('div', {});
        this.list = h('sky-list', { 'aria-label': t('timeline.list') });
        this.detail = h('aside', { 'aria-label': t('timeline.detail') });
        this.list.at = (index) => this.#rows[this.#flip(index)];
        this.list.render = (item, row) => this.#render(item, row);
        this.list.onchoose = (item) => this.#choose(item);
        this.list.onopen = (item) => (item.gap ? this.attempt(() => this.#fill(item, item.from, item.to)) : item.end || this.go({ seq: item.seq }));
        this.list.addEventListener('pointerdown', () => { this.#pressed = true; });
        for (const end of ['pointerup', 'pointercancel']) document.addEventListener(end, () => { this.#pressed = false; }, { signal: this.signal });
        const { device, topic, rule, connection } = this.inputs;
        fill(this, h('div', { class: 'bar' }, this.text, h('label', { class: 'check' }, this.refused, t('timeline.refused')),
            select(choices('order').map((each) => [each, t(`timeline.${each}`)]), settings.order, (value) => choose('order', value), { 'aria-label': t('timeline.order') }),
            this.pauser, h('span', { class: 'space' }), this.state),
        h('details', { class: 'filters', open: innerWidth > 700 }, h('summary', {}, t('timeline.more')),
            h('div', { class: 'bar' }, field(t('device'), device),
                h('details', { class: 'menu types', ontoggle: () => this.attempt(() => this.#offerTypes()) }, this.typed, this.types),
                field(t('timeline.topic'), topic), field(t('timeline.rule'), rule), field(t('timeline.connection'), connection),
                h('button', { onclick: () => this.go(Object.fromEntries(FILTERS.map((each) => [each, '']))) }, t('timeline.clear')))),
        h('datalist', { id: 'devices' }), h('datalist', { id: 'rules' }), this.problem, h('div', { class: 'split' }, this.list, this.detail));
        this.every(SETTLE_MS, () => this.#settle());
        this.every(SLACK, () => settings.times === 'ago' && this.list.refresh());
    }

    show(params) {
        for (const [name, input] of Object.entries(this.inputs)) if (document.activeElement !== input || input !== this.text) input.value = params.get(name) ?? '';
        this.refused.checked = params.get('refused') === 'true';
        fill(this.typed, t('timeline.types'), ': ', plain(params.get('type') || t('timeline.any')));
        for (const box of this.types.querySelectorAll('input')) box.checked = this.#chosenTypes().includes(box.value);
        const query = JSON.stringify(this.#wanted());
        if (query !== this.#query) this.#begin();
        this.#query = query;
        return this.#open(Number(params.get('seq')));
    }

    key({ key }) {
        if (key === 'p') this.#pause();
        else if (key === 'Escape' && this.#opened) this.#close();
        else return false;
        return true;
    }

    /* ---- filters ---- */

    #wanted() {
        return Object.fromEntries(FILTERS.map((name) => [name, this.params.get(name)]).filter(([, value]) => value));
    }

    #filtered() {
        return Object.keys(this.#wanted()).length > 0;
    }

    #chosenTypes() {
        return (this.params.get('type') ?? '').split(',').filter(Boolean);
    }

    #offer(what) {
        return this.attempt(async () => {
            const { [what]: all } = await get(`/api/v1/${what}`, what === 'devices' ? { limit: PAGE_EVENTS } : {}, this.signal);
            fill(this.querySelector(`#${what}`), all.map((each) => h('option', { value: each.name ?? each.id })));
        });
    }

    async #offerTypes() {
        if (this.types.firstChild) return;
        const { components } = await get('/openapi.json', {}, this.signal);
        fill(this.types, components.schemas.Event.properties.type.enum.map((type) => h('label', { class: 'check' },
            h('input', { type: 'checkbox', value: type, checked: this.#chosenTypes().includes(type),
                onchange: () => this.go({ type: [...this.types.querySelectorAll(':checked')].map(({ value }) => value).join() }) }), type)));
    }

    /* ---- reading ---- */

    #ask(query) {
        return get('/api/v1/events', { run: true, ...this.#wanted(), limit: PAGE_EVENTS, ...query }, this.#following.signal);
    }

    #begin() {
        this.#following.abort();
        const following = this.#following = new AbortController();
        const signal = AbortSignal.any([this.signal, following.signal]);
        fill(this.problem);
        this.#reset([]);
        this.attempt(() => follow({
            load: () => this.#load(),
            query: this.#wanted(),
            take: (events) => this.#took(events.map(light), events.length),
            skip: ({ from, to, count }) => this.#took([gap(from, to, count)], count),
            state: (state) => fill(this.state, t(state)),
            signal,
        }).catch((error) => {
            if (!error.status) throw error;
            showError(this.problem, error);
        }));
    }

    #reset(events) {
        this.#rows = [END, ...events];
        this.#arrived = [];
        this.#waiting = 0;
        this.#loaded = this.#loading = this.#whole = false;
        this.#pauseSaid();
        this.#changed();
    }

    async #load() {
        const { events, last, lost } = await this.#ask({ order: 'desc' });
        this.#reset(events.reverse().map(light));
        this.#loaded = true;
        this.#whole = !events.length;
        this.#lost = lost;
        this.#changed();
        if (settings.order === 'oldest') this.#toBottom();
        if (this.#opened) this.attempt(() => this.#reveal(this.#opened));
        return last;
    }

    #took(rows, count) {
        for (const row of rows) add(this.#arrived, row);
        if (this.#arrived.length > ROWS_MAX + SLACK) this.#arrived.splice(0, SLACK);
        if (!this.#paused) return;
        this.#waiting += count;
    }

    #settle() {
        if (this.#paused) this.#pauseSaid();
        if (this.#paused || this.#pressed || !this.#arrived.length) return;
        const arrived = this.#arrived, before = this.#rows.length;
        let anew = before === 1;
        this.#arrived = [];
        for (const row of arrived) anew = add(this.#rows, row) || anew;
        const added = this.#rows.length - before;
        const dropped = this.#rows.length > ROWS_MAX + SLACK ? this.#rows.splice(1, this.#rows.length - ROWS_MAX).length : 0;
        if (dropped) this.#whole = false;
        this.#changed(settings.order === 'newest' ? added : -dropped, anew || dropped > 0);
    }

    /* The page that went before. */
    async #older() {
        if (!this.#loaded || this.#loading || this.#whole || this.#rows.length > ROWS_MAX) return;
        this.#loading = true;
        const rows = this.#rows;
        try {
            const { events, lost } = await this.#ask({ order: 'desc', before: rows[1].seq });
            if (rows !== this.#rows) return;
            rows.splice(1, 0, ...events.reverse().map(light));
            this.#whole = !events.length;
            this.#lost = lost;
            const top = this.list.scrollTop;
            this.#changed(settings.order === 'newest' ? 0 : events.length);
            if (settings.order === 'oldest' && top <= this.list.height) this.list.scrollTop = top + events.length * this.list.height;
        } finally {
            if (rows === this.#rows) this.#loading = false;
        }
    }

    /* Events of a gap, instead of it or of a part of it. */
    async #fill(hole, from, to) {
        const rows = this.#rows;
        const { events, next } = await this.#ask({ since: from - 1, before: to + 1 });
        const at = rows.indexOf(hole), end = Math.min(next, to);
        if (rows !== this.#rows || at < 0) return;
        const left = from === hole.from && hole.count !== null ? hole.count - events.length : null;
        const pieces = [gap(hole.from, from - 1), ...events.map(light), gap(end + 1, hole.to, left)].filter((each) => !each.gap || (each.from <= each.to && each.count !== 0));
        rows.splice(at, 1, ...pieces);
        this.#changed();
    }

    /* ---- one of them ---- */

    /* Index of the first row with this number or a higher one. */
    #find(seq) {
        let low = 0, high = this.#rows.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.#rows[middle].seq < seq) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    #choose(item) {
        this.#chosen = item.seq;
        clearTimeout(this.moving);
        if (this.#opened && !item.gap && !item.end && item.seq !== this.#opened) this.moving = setTimeout(() => this.go({ seq: item.seq }), SETTLE_MS);
    }

    async #open(seq) {
        if (seq === this.#opened) return;
        this.#opened = seq;
        if (!seq) {
            fill(this.detail);
            return;
        }
        const { events: [event] } = await get('/api/v1/events', { since: seq - 1, before: seq + 1, run: true }, this.signal);
        if (this.#opened !== seq) return;
        this.hidden_ = h('p', { class: 'dim' });
        fill(this.detail, h('button', { class: 'close', 'aria-label': t('frame.close'), onclick: () => this.#close() }, '\u2715'), this.hidden_,
            event ? eventDetail(event) : h('p', {}, t('timeline.gone', seq)));
        this.detail.scrollTop = 0;
        if (event) await this.#reveal(seq);
    }

    #close() {
        this.go({ seq: '' });
        this.list.focus();
    }

    /* Its row is chosen and in sight, unless it is none of those that are looked for. */
    async #reveal(seq) {
        if (!this.#loaded) return;
        this.#settle();
        if (this.#rows[this.#find(seq)]?.seq !== seq || this.#rows[this.#find(seq)].gap) await this.#around(seq);
        const at = this.#find(seq);
        if (this.#rows[at]?.seq === seq) this.list.choose(this.#flip(at));
        else if (this.#filtered()) fill(this.hidden_, t('timeline.hidden'));
    }

    async #around(seq) {
        const rows = this.#rows;
        const at = this.#find(seq);
        let hole = rows[at]?.seq === seq ? rows[at] : rows[at - 1];
        const from = seq - AROUND, to = seq + AROUND;
        if (at === 1 && rows.length > 1 && !hole.gap) {
            hole = gap(Math.max(1, from), rows[1].seq - 1);
            rows.splice(1, 0, hole);
        }
        if (hole?.gap && hole.to >= seq) await this.#fill(hole, Math.max(hole.from, from), Math.min(hole.to, to));
    }

    /* ---- showing ---- */

    #flip(index) {
        return settings.order === 'newest' ? this.#rows.length - 1 - index : index;
    }

    #toBottom() {
        this.list.pane.style.height = `${this.#rows.length * this.list.height}px`;
        this.list.scrollTop = this.list.scrollHeight;
    }

    /* Other rows are there now, `above` more of them above those that are looked at. */
    #changed(above = 0, anew = true) {
        const { list } = this;
        const bottom = settings.order === 'oldest' && list.scrollTop + list.clientHeight >= list.count * list.height - list.height;
        list.count = this.#rows.length;
        list.update(above);
        const at = this.#chosen ? this.#find(this.#chosen) : -1;
        list.chosen = this.#rows[at]?.seq === this.#chosen ? this.#flip(at) : -1;
        if (anew) list.refresh();
        if (bottom) this.#toBottom();
    }

    #pause() {
        this.#paused = !this.#paused;
        this.#waiting = 0;
        this.#pauseSaid();
        this.#settle();
    }

    #pauseSaid() {
        const text = this.#paused ? t('timeline.go', this.#waiting) : t('timeline.pause');
        if (this.pauser.textContent !== text) fill(this.pauser, text);
        this.pauser.setAttribute('aria-pressed', this.#paused);
    }

    #render(item, row) {
        if (item.end) {
            row.classList.add('end');
            fill(row, h('span', {}, this.#endText()));
            this.attempt(() => this.#older());
            return;
        }
        if (item.gap) {
            row.classList.add('gap');
            fill(row, h('span', {}, item.count === null ? t('timeline.between') : t('timeline.skipped', item.count)));
            return;
        }
        row.classList.toggle('chapter', item.type === 'reset');
        const { findings } = item;
        fill(row, h('time', { class: 'dim mono', title: full(item.time) }, short(item.time)), arrow(item.direction), h('span', { class: 'type' }, item.type),
            h('span', { class: 'device dim' }, item.device ? data(item.device) : null), h('bdi', { class: 'title data' }, item.title), h('bdi', { class: 'wide preview data dim' }, item.preview),
            item.refused ? h('span', { class: 'mark failed', title: item.refused }, t('timeline.refusedMark')) : null,
            findings.slice(0, MARKS).map(mark), findings.length > MARKS ? h('span', {}, `+${findings.length - MARKS}`) : null);
    }

    #endText() {
        if (!this.#loaded) return t('timeline.loading');
        if (this.#rows.length > ROWS_MAX) return t('timeline.full', ROWS_MAX);
        if (!this.#whole) return t('timeline.loading');
        const lost = this.#lost ? t('timeline.lost', this.#lost) : '';
        if (this.#rows.length > 1) return lost || t('timeline.first');
        return `${this.#filtered() ? t('timeline.nothing') : t('timeline.none')} ${lost}`;
    }
}
/* texts: timeline.newest timeline.oldest */
