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
const SOON_MS = 250;
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
    #state = 'new'; /* of what is older than the rows: new, more, asked, none */
    #following = new AbortController();
    #chosen = 0;
    #opened = 0;

    build() {
        const change = (name) => ({ target }) => this.go({ [name]: target.value.trim() });
        const input = (name, props) => h('input', { type: 'search', name, list: `all-${name}`, size: name === 'connection' ? 5 : 22, onchange: change(name), ...props });
        this.text = input('text', { 'data-filter': true, label: t('timeline.text'), placeholder: t('timeline.text'), oninput: (event) => this.#soon(() => change('text')(event)) });
        this.inputs = ['device', 'topic', 'rule', 'connection'].map((name) => input(name));
        this.refused = h('input', { type: 'checkbox', onchange: ({ target }) => this.go({ refused: target.checked ? 'true' : '' }) });
        this.types = h('div', { onchange: () => this.go({ type: [...this.types.querySelectorAll(':checked')].map(({ value }) => value).join() }) });
        this.typed = h('summary');
        this.pauser = h('button', { onclick: () => this.#pause() });
        this.live = h('span.dim', { role: 'status' });
        this.problem = h('div');
        this.list = h('sky-list', { label: t('frame.timeline') });
        this.note = h('p', { role: 'note' });
        this.detail = h('aside', { label: t('timeline.event') });
        Object.assign(this.list, { at: (index) => this.#rows[this.#flip(index)], render: (row, element) => this.#render(row, element),
            onchoose: (row) => this.#choose(row), onopen: (row) => this.#openRow(row) });
        fill(this, h('div.bar', this.text, h('label.check', this.refused, t('timeline.refused')),
            select(choices('order').map((each) => [each, t(`timeline.${each}`)]), settings.order, (value) => choose('order', value), { label: t('timeline.order') }),
            this.pauser, h('span.space'), this.live),
        h('details.filters', { open: innerWidth > 700, ontoggle: () => this.attempt(() => this.#offer()) }, h('summary', t('timeline.more')),
            h('div.bar', this.inputs.map((each) => field(t(`timeline.${each.name}`), each)), h('details.menu.types', this.typed, this.types),
                h('button', { onclick: () => this.go(Object.fromEntries(FILTERS.map((each) => [each, '']))) }, t('timeline.clear')))),
        h('datalist', { id: 'all-device' }), h('datalist', { id: 'all-rule' }), this.problem, h('div.split', this.list, this.detail));
        this.every(SETTLE_MS, () => this.#settle());
    }

    /* Once the reader has stopped typing, or moving. */
    #soon(act) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.signal.aborted || act(), SOON_MS);
    }

    show(params) {
        for (const each of [...this.inputs, this.text]) if (document.activeElement !== each || each !== this.text) each.value = params.get(each.name) ?? '';
        this.refused.checked = params.get('refused') === 'true';
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
        const list = (name, values) => fill(this.querySelector(`#all-${name}`), values.map((value) => h('option', { value })));
        list('device', devices.map(({ name }) => name));
        list('rule', rules.map(({ id }) => id));
        fill(this.types, components.schemas.Event.properties.type.enum.map((type) => h('label.check', h('input', { type: 'checkbox', value: type }), type)));
        this.#tick();
    }

    /* ---- reading ---- */

    /* Nobody waits for an answer any more once other events are looked for. */
    #ask(query) {
        const { signal } = this.#following;
        return get('/api/v1/events', { run: true, limit: PAGE_EVENTS, ...this.#wanted(), ...query }, signal).catch((error) => {
            if (signal.aborted) return new Promise(() => {});
            throw error;
        });
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
        this.#changed();
    }

    async #load() {
        const { events, next, lost } = await this.#ask({ order: 'desc' });
        this.lost = lost;
        this.#reset(events.reverse().map(light), events.length ? 'more' : 'none');
        if (settings.order === 'oldest') this.list.scrollTop = this.list.scrollHeight;
        this.attempt(() => this.#reveal(this.#opened));
        return next;
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
        const text = this.#paused ? t('timeline.go', this.#waiting) : t('timeline.pause');
        if (this.pauser.textContent !== text) fill(this.pauser, text);
        if (this.#paused || this.list.matches(':active') || !this.#arrived.length) return; /* a row being clicked stays where it is */
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
        if (this.#state !== 'more' || this.#rows.length >= ROWS_MAX) return;
        const rows = this.#rows, { list } = this, before = rows[1].seq;
        this.#state = 'asked';
        const { events, lost } = await this.#ask({ order: 'desc', before }).catch((error) => {
            this.#state = 'more';
            throw error;
        });
        if (rows !== this.#rows) return;
        this.lost = lost;
        this.#state = events.length ? 'more' : 'none';
        if (rows[1].seq !== before) return; /* others came in between: they are asked for anew */
        rows.splice(1, 0, ...events.reverse().map(light));
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

    #openRow(row) {
        if (isEvent(row)) this.go({ seq: row.seq });
        else if (row !== END) this.attempt(() => this.#fill(row, row.seq, row.to));
    }

    #choose(row) {
        this.#chosen = row.seq;
        if (this.#opened && row.seq !== this.#opened) this.#soon(() => this.#opened && isEvent(row) && this.go({ seq: row.seq }));
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
        fill(this.note, event ? null : t('timeline.gone', seq));
        fill(this.detail, h('button.close', { label: t('frame.close'), onclick: () => this.#close() }, '\u2715'), this.note, event ? eventDetail(event) : null);
        if (event) await this.#reveal(seq);
    }

    #close() {
        this.go({ seq: '' });
        this.list.focus();
    }

    /* Its row is chosen, and in sight; what lies around it is read when it is not there. */
    async #reveal(seq) {
        if (!seq || this.#state === 'new') return;
        const at = () => this.#rows.findIndex((each) => each.seq === seq && isEvent(each));
        this.#settle();
        if (at() < 0) await this.#around(seq);
        if (at() >= 0) this.list.choose(this.#flip(at()));
        else if (this.query !== '{}') fill(this.note, t('timeline.hidden'));
    }

    async #around(seq) {
        const rows = this.#rows, from = Math.max(1, seq - AROUND);
        let hole = rows.find((each) => each.seq <= seq && each.to >= seq);
        if (!hole && rows[1]?.seq > seq && this.#state !== 'none') rows.splice(1, 0, hole = gap(from, rows[1].seq - 1));
        if (hole) await this.#fill(hole, Math.max(hole.seq, from), Math.min(hole.to, seq + AROUND));
    }

    /* ---- showing ---- */

    #flip(index) {
        return settings.order === 'newest' ? this.#rows.length - 1 - index : index;
    }

    /* Other rows are there now, `above` more of them above those that are looked at. */
    #changed(above = 0, anew = true) {
        const { list } = this, at = this.#chosen ? this.#rows.findIndex(({ seq }) => seq === this.#chosen) : -1;
        const follows = settings.order === 'oldest' && list.scrollTop + list.clientHeight > (list.count - 1) * list.height;
        list.count = this.#rows.length;
        list.update(above);
        list.chosen = at < 0 ? at : this.#flip(at);
        if (anew) list.refresh();
        if (follows) list.scrollTop = list.scrollHeight;
    }

    #pause() {
        this.#paused = !this.#paused;
        this.#waiting = 0;
        this.#settle();
    }

    #render(row, element) {
        const { findings } = row;
        element.classList.toggle('between', !isEvent(row));
        element.classList.toggle('chapter', row.type === 'reset');
        if (!isEvent(row)) {
            fill(element, h('span', row === END ? this.#endText() : t(row.count ? 'timeline.skipped' : 'timeline.between', row.count)));
            if (row === END) this.attempt(() => this.#older());
            return;
        }
        fill(element, h('time.dim.mono', { title: full(row.time) }, short(row.time)), arrow(row.direction), h('span.type', row.type),
            h('span.device.dim', row.device ? data(row.device) : null),
            h('span.wide', data(row.title), ' ', h('span.dim', data(row.preview))),
            row.refused ? h('span.mark.failed', { title: row.refused }, t('timeline.refused')) : null,
            findings.slice(0, MARKS).map(mark), findings.length > MARKS ? h('span', `+${findings.length - MARKS}`) : null);
    }

    #endText() {
        if (this.#rows.length >= ROWS_MAX) return t('timeline.full', ROWS_MAX);
        if (this.#state !== 'none') return t('timeline.loading');
        if (this.lost) return t('timeline.lost', this.lost);
        return t(this.#rows.length > 1 ? 'timeline.first' : this.query === '{}' ? 'timeline.none' : 'timeline.nothing');
    }
}
/* texts: timeline.newest timeline.oldest timeline.device timeline.topic timeline.rule timeline.connection */
