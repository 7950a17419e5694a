/* Timeline: every event as it happens, one row an event. What came too fast, and what lies between
 * places that were looked at, is a gap: one row until it is opened. */
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

const PAGE_EVENTS = 1000; /* asked for at a time */
const ROWS_MAX = 100000;
const SLACK = 1000; /* rows above that, so that not every event drops one */
const AROUND = 100; /* events on both sides of one that is not in the list */
const SETTLE_MS = 100; /* what came is put into the list so often */
const TYPING_MS = 300;
const PREVIEW = 120; /* characters */
const MARKS = 3;
const FILTERS = ['text', 'device', 'type', 'topic', 'rule', 'connection', 'refused'];
const END = { seq: 0 }; /* the row behind the oldest */

/* What is kept of an event. */
function light(event) {
    const { seq, time, type, direction, device, refused, payload, payloadBase64 } = event;
    const [title = '', ...rest] = telling(event);
    return { seq, time, type, direction, device, refused, title: plain(title), preview: plain(payload ?? payloadBase64 ?? rest.join('  '), PREVIEW),
        findings: event.findings.map(({ rule, severity }) => ({ rule, severity })) };
}

/* `count` null: nobody knows how many are in it. */
const gap = (from, to, count = null) => ({ seq: from, to, count });
const isEvent = (row) => 'type' in row;

export class Timeline extends Page {
    #rows = [END]; /* the oldest first */
    #arrived = []; /* not yet in the list */
    #waiting = 0; /* of these, events since the pause began */
    #paused = false;
    #pressed = false; /* a row that is being clicked stays where it is */
    #state = 'new'; /* of what is older than the rows: new, more, asked, none */
    #lost = 0;
    #following = new AbortController();
    #chosen = 0;
    #opened = 0;

    build() {
        const change = (name) => ({ target }) => this.go({ [name]: target.value.trim() });
        const input = (name, props) => h('input', { type: 'search', name, onchange: change(name), ...props });
        let typing;
        this.inputs = ['device', 'topic', 'rule', 'connection'].map((name) => input(name, { list: `all-${name}`, size: name === 'connection' ? 5 : 22 }));
        this.inputs.push(input('text', { 'data-filter': true, 'aria-label': t('timeline.text'), placeholder: t('timeline.text'), oninput: (event) => {
            clearTimeout(typing);
            typing = setTimeout(() => this.signal.aborted || change('text')(event), TYPING_MS);
        } }));
        this.refused = h('input', { type: 'checkbox', onchange: ({ target }) => this.go({ refused: target.checked ? 'true' : '' }) });
        this.types = h('div', { onchange: () => this.go({ type: [...this.types.querySelectorAll(':checked')].map(({ value }) => value).join() }) });
        this.typed = h('summary', {});
        this.pauser = h('button', { onclick: () => this.#pause() });
        this.live = h('span', { class: 'dim', role: 'status' });
        this.problem = h('div', {});
        this.list = h('sky-list', { 'aria-label': t('frame.timeline'), onpointerdown: () => { this.#pressed = true; } });
        this.detail = h('aside', { 'aria-label': t('timeline.event') });
        for (const end of ['pointerup', 'pointercancel']) document.addEventListener(end, () => { this.#pressed = false; }, { signal: this.signal });
        Object.assign(this.list, { at: (index) => this.#rows[this.#flip(index)], render: (item, row) => this.#render(item, row),
            onchoose: (item) => this.#choose(item), onopen: (item) => this.#openRow(item) });
        fill(this, h('div', { class: 'bar' }, this.inputs[4], h('label', { class: 'check' }, this.refused, t('timeline.refused')),
            select(choices('order').map((each) => [each, t(`timeline.${each}`)]), settings.order, (value) => choose('order', value), { 'aria-label': t('timeline.order') }),
            this.pauser, h('span', { class: 'space' }), this.live),
        h('details', { class: 'filters', open: innerWidth > 700, ontoggle: () => this.attempt(() => this.#offer()) }, h('summary', {}, t('timeline.more')),
            h('div', { class: 'bar' }, this.inputs.slice(0, 4).map((each) => field(t(`timeline.${each.name}`), each)),
                h('details', { class: 'menu types' }, this.typed, this.types),
                h('button', { onclick: () => this.go(Object.fromEntries(FILTERS.map((each) => [each, '']))) }, t('timeline.clear')))),
        ['device', 'rule'].map((name) => h('datalist', { id: `all-${name}` })), this.problem, h('div', { class: 'split' }, this.list, this.detail));
        this.every(SETTLE_MS, () => this.#settle());
    }

    show(params) {
        for (const each of this.inputs) if (document.activeElement !== each || each.name !== 'text') each.value = params.get(each.name) ?? '';
        this.refused.checked = params.has('refused');
        this.#tick();
        const query = JSON.stringify(this.#wanted());
        if (query !== this.query) this.#begin();
        this.query = query;
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
        return Object.fromEntries(FILTERS.filter((name) => this.params.get(name)).map((name) => [name, this.params.get(name)]));
    }

    #tick() {
        const types = this.params.get('type') ?? '';
        fill(this.typed, t('timeline.types', plain(types.replaceAll(',', ', ') || '*', 60)));
        for (const box of this.types.querySelectorAll('input')) box.checked = types.split(',').includes(box.value);
    }

    /* What there is to choose from. */
    async #offer() {
        if (this.types.firstChild) return;
        const [{ devices }, { rules }, { components }] = await Promise.all(['/api/v1/devices?limit=1000', '/api/v1/rules', '/openapi.json'].map((path) => get(path, {}, this.signal)));
        const [first, second] = this.querySelectorAll('datalist');
        fill(first, devices.map(({ name }) => h('option', { value: name })));
        fill(second, rules.map(({ id }) => h('option', { value: id })));
        fill(this.types, components.schemas.Event.properties.type.enum.map((type) => h('label', { class: 'check' }, h('input', { type: 'checkbox', value: type }), type)));
        this.#tick();
    }

    /* ---- reading ---- */

    #ask(query) {
        return get('/api/v1/events', { run: true, limit: PAGE_EVENTS, ...this.#wanted(), ...query }, this.#following.signal);
    }

    #begin() {
        this.#following.abort();
        this.#following = new AbortController();
        this.signal.addEventListener('abort', () => this.#following.abort());
        fill(this.problem);
        this.#reset([], 'new');
        this.attempt(() => follow({
            load: () => this.#load(),
            query: this.#wanted(),
            take: (events) => this.#took(events.map(light), events.length),
            skip: ({ from, to, count }) => this.#took([gap(from, to, count)], count),
            state: (state) => fill(this.live, t(state)),
            signal: this.#following.signal,
        }).catch((error) => {
            if (!error.status) throw error;
            showError(this.problem, error);
        }));
    }

    #reset(rows, state) {
        this.#rows = [END, ...rows];
        this.#state = state;
        this.#arrived = [];
        this.#waiting = 0;
        this.#tellPause();
        this.#changed();
    }

    async #load() {
        const { events, last, lost } = await this.#ask({ order: 'desc' });
        this.#lost = lost;
        this.#reset(events.reverse().map(light), events.length ? 'more' : 'none');
        if (settings.order === 'oldest') this.list.scrollTop = this.list.scrollHeight;
        this.attempt(() => this.#reveal(this.#opened));
        return last;
    }

    #took(rows, count) {
        for (const row of rows) this.#add(this.#arrived, row);
        if (this.#arrived.length > ROWS_MAX + SLACK) this.#arrived.splice(0, SLACK);
        if (this.#paused) this.#waiting += count;
    }

    /* Behind the others. Two gaps become one, which changes the last row: then it says true. */
    #add(rows, row) {
        const last = rows.at(-1), merges = last?.count && row.count;
        if (merges) rows[rows.length - 1] = gap(last.seq, row.to, last.count + row.count);
        else rows.push(row);
        return merges;
    }

    #settle() {
        this.#tellPause();
        if (this.#paused || this.#pressed || !this.#arrived.length) return;
        const before = this.#rows.length;
        let anew = before === 1;
        for (const row of this.#arrived) if (this.#add(this.#rows, row)) anew = true;
        this.#arrived = [];
        const added = this.#rows.length - before;
        const dropped = added && this.#rows.length > ROWS_MAX + SLACK ? this.#rows.splice(1, this.#rows.length - ROWS_MAX).length : 0;
        this.#changed(settings.order === 'newest' ? added : -dropped, anew || dropped);
    }

    /* The page that went before. */
    async #older() {
        if (this.#state !== 'more' || this.#rows.length > ROWS_MAX) return;
        const rows = this.#rows, { list } = this;
        this.#state = 'asked';
        const { events } = await this.#ask({ order: 'desc', before: rows[1].seq }).catch((error) => {
            if (rows === this.#rows) this.#state = 'more';
            throw error;
        });
        if (rows !== this.#rows) return;
        rows.splice(1, 0, ...events.reverse().map(light));
        this.#state = events.length ? 'more' : 'none';
        const { scrollTop } = list, above = settings.order === 'newest' ? 0 : events.length;
        this.#changed(above);
        if (above && scrollTop === list.scrollTop) list.scrollTop += above * list.height;
    }

    /* The events from..to of a gap in their place. */
    async #fill(hole, from, to) {
        const rows = this.#rows;
        const { events, next } = await this.#ask({ since: from - 1, before: to + 1 });
        const at = rows.indexOf(hole);
        if (rows !== this.#rows || at < 0) return;
        const left = from === hole.seq && hole.count ? hole.count - events.length : null;
        rows.splice(at, 1, ...[gap(hole.seq, from - 1), ...events.map(light), gap(next + 1, hole.to, left)].filter((each) => isEvent(each) || (each.seq <= each.to && each.count !== 0)));
        this.#changed();
    }

    /* ---- one of them ---- */

    /* Where the first row is with this number or a higher one. */
    #find(seq) {
        let low = 0, high = this.#rows.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.#rows[middle].seq < seq) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    #openRow(row) {
        if (isEvent(row)) this.go({ seq: row.seq });
        else if (row !== END) this.attempt(() => this.#fill(row, row.seq, row.to));
    }

    #choose(row) {
        this.#chosen = row.seq;
        clearTimeout(this.moving);
        if (this.#opened && isEvent(row) && row.seq !== this.#opened) this.moving = setTimeout(() => this.go({ seq: row.seq }), SETTLE_MS);
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
        this.note = h('p', { role: 'note' }, event ? '' : t('timeline.gone', seq));
        fill(this.detail, h('button', { class: 'close', 'aria-label': t('frame.close'), onclick: () => this.#close() }, '\u2715'), this.note, event ? eventDetail(event) : null);
        this.detail.scrollTop = 0;
        if (event) await this.#reveal(seq);
    }

    #close() {
        this.go({ seq: '' });
        this.list.focus();
    }

    /* Its row is chosen, and in sight; what lies around it is read when it is not there. */
    async #reveal(seq) {
        if (!seq || this.#state === 'new') return;
        const is = () => isEvent(this.#rows[this.#find(seq)] ?? END) && this.#rows[this.#find(seq)].seq === seq;
        this.#settle();
        if (!is()) await this.#around(seq);
        if (is()) this.list.choose(this.#flip(this.#find(seq)));
        else if (this.query !== '{}') fill(this.note, t('timeline.hidden'));
    }

    async #around(seq) {
        const rows = this.#rows, at = this.#find(seq);
        const from = Math.max(1, seq - AROUND);
        let hole = rows[at]?.seq === seq ? rows[at] : rows[at - 1];
        if (hole === END && rows[at]) rows.splice(at, 0, hole = gap(from, rows[at].seq - 1));
        if (hole.to >= seq) await this.#fill(hole, Math.max(hole.seq, from), Math.min(hole.to, seq + AROUND));
    }

    /* ---- showing ---- */

    #flip(index) {
        return settings.order === 'newest' ? this.#rows.length - 1 - index : index;
    }

    /* Other rows are there now, `above` more of them above those that are looked at. */
    #changed(above = 0, anew = true) {
        const { list } = this, at = this.#find(this.#chosen);
        const follows = settings.order === 'oldest' && list.scrollTop + list.clientHeight > (list.count - 1) * list.height;
        list.count = this.#rows.length;
        list.update(above);
        list.chosen = this.#chosen && this.#rows[at]?.seq === this.#chosen ? this.#flip(at) : -1;
        if (anew) list.refresh();
        if (follows) list.scrollTop = list.scrollHeight;
    }

    #pause() {
        this.#paused = !this.#paused;
        this.#waiting = 0;
        this.#settle();
    }

    #tellPause() {
        const text = this.#paused ? t('timeline.go', this.#waiting) : t('timeline.pause');
        if (this.pauser.textContent !== text) fill(this.pauser, text);
    }

    #render(item, row) {
        const { findings } = item;
        row.classList.toggle('between', !isEvent(item));
        row.classList.toggle('chapter', item.type === 'reset');
        if (!isEvent(item)) {
            fill(row, h('span', {}, item === END ? this.#endText() : t(item.count ? 'timeline.skipped' : 'timeline.between', item.count)));
            if (item === END) this.attempt(() => this.#older());
            return;
        }
        fill(row, h('time', { class: 'dim mono', title: full(item.time) }, short(item.time)), arrow(item.direction), h('span', { class: 'type' }, item.type),
            h('span', { class: 'device dim' }, item.device ? data(item.device) : null),
            h('span', { class: 'wide' }, data(item.title), ' ', h('span', { class: 'dim' }, data(item.preview))),
            item.refused ? h('span', { class: 'mark failed', title: item.refused }, t('timeline.refused')) : null,
            findings.slice(0, MARKS).map(mark), findings.length > MARKS ? h('span', {}, `+${findings.length - MARKS}`) : null);
    }

    #endText() {
        if (this.#rows.length > ROWS_MAX) return t('timeline.full', ROWS_MAX);
        if (this.#state !== 'none') return t('timeline.loading');
        if (this.#lost) return t('timeline.lost', this.#lost);
        return t(this.#rows.length > 1 ? 'timeline.first' : this.query === '{}' ? 'timeline.none' : 'timeline.nothing');
    }
}
/* texts: timeline.newest timeline.oldest timeline.device timeline.topic timeline.rule timeline.connection */
