/* Timeline: every event as it happens, one row an event. What came too fast, and what lies between
 * places that were looked at, is a gap: one row until it is opened. */
import { showError } from './client.js';
import { data, field, fill, h, plain, search, select } from './dom.js';
import { arrow, eventDetail, mark } from './event.js';
import { eventOf } from './feed.js';
import { telling } from './links.js';
import { list } from './list.js';
import { Page } from './page.js';
import { choices, choose, settings } from './settings.js';
import { t } from './texts.js';
import { full, short } from './times.js';

const PAGE_EVENTS = 1000; /* asked for at a time */
const ROWS_MAX = 100000;
const SLACK = 1000; /* rows above that, so that not every event drops one */
const AROUND = 100; /* events on both sides of one that is not in the list */
const SETTLE_MS = 100; /* what came is put into the list so often */
const SOON_MS = 250;

/* What is kept of an event. */
function light(event) {
    const { seq, time, type, direction, device, refused, payload, payloadBase64 } = event;
    const [title = '', ...rest] = telling(event);
    return { seq, time, type, direction, device, refused, title: plain(title), preview: plain(payload ?? payloadBase64 ?? rest.join('  ')),
        findings: event.findings.map(({ rule, severity }) => ({ rule, severity })) };
}

/* Of the events between these two numbers; `count`, where it is known: how many these are. */
const gap = (since, before, count) => ({ since, before, count });

const box = (name, value, text = value) => h('label.check', h('input', { type: 'checkbox', name, value }), text);

export class Timeline extends Page {
    beside = 'seq';
    /* The oldest first, and in front of them a gap, which stays when nothing is in it any more: before
     * is 1 then, and nothing until the first answer. The list shows the first `list.count`. */
    #rows = [gap(0)];
    #paused = false;
    #chosen; /* a row */
    #opened = 0;
    #oldest = settings.order === 'oldest'; /* stands on top */

    build() {
        this.types = h('div');
        this.typed = h('summary');
        this.pauser = h('button', { type: 'button', onclick: this.#pause });
        this.problem = h('div');
        this.note = h('p');
        this.detail = h('aside', { label: t('timeline.event') });
        this.list = list(t('frame.timeline'), { at: (index) => this.#rows[this.#flip(index)], render: this.#render,
            onchoose: this.#choose, onopen: this.#openRow });
        this.form = h('form', { onchange: this.#filter },
            h('div.bar',
                search(t('timeline.text'), { name: 'text', oninput: () => this.#soon(this.#filter) }),
                box('refused', 'true', t('timeline.refused')),
                select(choices('order').map((each) => [each, t(`timeline.${each}`)]), settings.order, (value) => choose('order', value), { label: t('timeline.order') }),
                this.pauser, h('span.space'), this.state),
            h('details.filters', { open: innerWidth > 700 }, h('summary', t('timeline.more')),
                h('div.bar', ['device', 'topic', 'rule', 'connection'].map((name) => field(t(`timeline.${name}`), h('input', { type: 'search', name, list: `all-${name}` }))),
                    h('details.menu.types', this.typed, this.types),
                    h('button', { type: 'button', onclick: () => { this.form.reset(); this.#filter(); } }, t('timeline.clear')))));
        fill(this, this.form, this.problem, h('div.split', this.list, this.detail));
        this.every(SETTLE_MS, () => this.#settle());
        this.attempt(() => this.#offer());
    }

    /* Once the reader has stopped typing, or moving. */
    #soon(act) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.signal.aborted || act(), SOON_MS);
    }

    show(params) {
        for (const input of this.form.elements) {
            const given = params.get(input.name) ?? '';
            if (input.type === 'checkbox') input.checked = given.split(',').includes(input.value);
            else if (input.name && input !== document.activeElement) input.value = given;
        }
        fill(this.typed, t('timeline.types', plain(params.get('type')?.replaceAll(',', ', ') ?? '*')));
        const { seq = 0, ...wanted } = Object.fromEntries(params), query = JSON.stringify(wanted);
        if (query !== this.query) this.#begin(wanted);
        this.query = query;
        return this.#open(Number(seq));
    }

    key(event) {
        if (event.key !== 'p') return super.key(event);
        this.#pause();
        return true;
    }

    /* ---- filters ---- */

    /* As the form has them, into the address. */
    #filter = () => {
        const given = new FormData(this.form);
        this.go(Object.fromEntries([...this.form.elements].map(({ name }) => [name, given.getAll(name).join().trim()])));
    };

    /* What there is to choose from. */
    async #offer() {
        const [{ devices }, { rules }, { components }] = await Promise.all(['/api/v1/devices?limit=1000', '/api/v1/rules', '/openapi.json']
            .map((path) => this.get(path)));
        const offer = (id, values) => h('datalist', { id }, values.map((value) => h('option', { value })));
        this.append(offer('all-device', devices.map(({ name }) => name)), offer('all-rule', rules.map(({ id }) => id)));
        fill(this.types, components.schemas.Event.properties.type.enum.map((type) => box('type', type)));
        this.show(this.params);
    }

    /* ---- reading ---- */

    #begin(query) {
        this.wanted = query;
        fill(this.problem);
        this.follow({
            load: () => this.#load(),
            query,
            take: (events) => events.forEach((each) => this.#took(light(each))),
            skip: ({ from, to, count }) => this.#took(gap(from - 1, to + 1, count)),
            signal: this.renew(),
        }).catch((error) => {
            showError(this.problem, error);
            if (!error.status) throw error;
        });
    }

    async #load() {
        this.#rows = [gap(0)];
        this.list.count = 1;
        this.list.chosen = -1;
        this.#changed();
        const next = await this.#fill(this.#rows[0]);
        this.attempt(() => this.#reveal(this.#opened));
        return next;
    }

    /* Into its place the newest events of a gap, or of a part of it: as many as come in one answer.
     * Returns what the stream goes on behind. */
    async #fill(hole, { since, before } = hole) {
        const { list } = this;
        const { events, next, lost } = await this.get('/api/v1/events', { run: true, limit: PAGE_EVENTS, order: 'desc', ...this.wanted, since, before });
        const at = this.#rows.indexOf(hole), found = events.reverse().map(light), count = before === hole.before ? hole.count - found.length : NaN;
        if (at < 0) return next; /* nobody waits for it any more */
        this.lost = lost;
        /* an answer may be shorter than asked for: only an empty one says that nothing is left */
        const parts = [gap(hole.since, found.length && count !== 0 ? found[0].seq : since + 1, count || undefined), ...found, gap(before - 1, hole.before)]
            .filter((each, index) => each.type || each.before - each.since > 1 || at + index === 0);
        this.#rows.splice(at, 1, ...parts);
        list.count += parts.length - 1;
        this.#changed();
        if (this.#oldest && at === 0) list.scrollTop += found.length * list.height;
        return next;
    }

    /* Behind the others; two gaps become one, unless it would change what stands still. */
    #took(row) {
        const rows = this.#rows, last = rows.at(-1), hidden = rows.length - this.list.count;
        if (row.count && last.count && (hidden || !this.#paused)) {
            Object.assign(last, { before: row.before, count: last.count + row.count });
            this.list.redraw(this.#flip(rows.length - 1));
        } else rows.push(row);
        if (hidden > ROWS_MAX + SLACK) rows.splice(this.list.count, SLACK);
    }

    /* What came is shown. */
    #settle() {
        const rows = this.#rows, { list } = this, shown = list.count, all = rows.length;
        const text = this.#paused ? t('timeline.go', rows.slice(shown).reduce((sum, { count = 1 }) => sum + count, 0)) : t('timeline.pause');
        if (this.pauser.textContent !== text) fill(this.pauser, text);
        if (this.#paused || all === shown || list.matches(':active')) return; /* a row being clicked stays where it is */
        if (all > ROWS_MAX + SLACK) {
            const { seq, before = seq + 1 } = rows.splice(0, all - ROWS_MAX).at(-1);
            rows.unshift(gap(0, before));
        }
        list.count = rows.length;
        if (shown === 1) this.#changed();
        else this.#changed(this.#oldest ? rows.length - all : all - shown);
    }

    /* ---- one of them ---- */

    #openRow = (row) => {
        if (row.type) this.go({ seq: row.seq });
        else if (row !== this.#rows[0]) this.attempt(() => this.#fill(row));
    };

    #choose = (row) => {
        this.#chosen = row;
        if (this.#opened && row.seq !== this.#opened) this.#soon(() => this.#opened && row.type && this.go({ seq: row.seq }));
    };

    async #open(seq) {
        if (seq === this.#opened) return;
        this.#opened = seq;
        if (!seq) return fill(this.detail);
        const event = await eventOf(seq, this.signal);
        if (this.#opened !== seq) return;
        fill(this.detail, h('button.close', { label: t('frame.close'), onclick: () => this.close() }, '\u2715'),
            event ? [this.note, eventDetail(event)] : t('timeline.gone', seq));
        await this.#reveal(seq);
    }

    /* Its row is chosen, and in sight; what lies around it is read when it is not there. */
    async #reveal(seq) {
        if (!seq || !this.#rows[0].before) return;
        this.#settle();
        const hole = this.#rows.find((each) => each.since < seq && seq < each.before);
        if (hole) await this.#fill(hole, { since: Math.max(hole.since, seq - AROUND), before: Math.min(hole.before, seq + AROUND) });
        const at = this.#rows.slice(0, this.list.count).findIndex((each) => each.seq === seq);
        if (at >= 0) this.list.choose(this.#flip(at));
        fill(this.note, at < 0 && this.query !== '{}' ? t('timeline.hidden') : null);
    }

    /* ---- showing ---- */

    #flip(index) {
        return this.#oldest ? index : this.list.count - 1 - index;
    }

    /* There are `above` rows more above those that are looked at, which stay the same; without it others. */
    #changed(above) {
        const { list } = this, follows = this.#oldest && list.scrollTop + list.clientHeight > list.scrollHeight - list.height;
        list.update(above);
        const at = this.#rows.indexOf(this.#chosen);
        if (at >= 0) list.chosen = this.#flip(at);
        if (above === undefined) list.refresh();
        if (follows) list.scrollTop = list.scrollHeight;
    }

    #pause = () => {
        this.#paused = !this.#paused;
        this.#settle();
    };

    #render = (row, element) => {
        element.className = `row ${row.type ? (row.type === 'reset' ? 'chapter' : '') : 'between'}`;
        if (!row.type) fill(element, this.#gapText(row));
        else fill(element, h('time.dim.mono', { title: full(row.time) }, short(row.time)), arrow(row.direction), h('span.type', row.type),
            h('span.device.dim', row.device && data(row.device)),
            h('span.wide', data(row.title), ' ', h('span.dim', data(row.preview))),
            row.refused && h('span.mark.failed', { title: row.refused }, t('timeline.refused')),
            row.findings.map(mark));
    };

    /* That in front of all events opens by itself as soon as it is seen. */
    #gapText(row) {
        if (row !== this.#rows[0]) return t(row.count ? 'timeline.skipped' : 'timeline.between', row.count);
        if (this.#rows.length > ROWS_MAX) return t('timeline.full', ROWS_MAX);
        if (row.before > 1) this.attempt(() => this.#fill(row));
        if (row.before !== 1) return t('timeline.loading');
        if (this.lost) return t('timeline.lost', this.lost);
        return t(this.#rows.length > 1 ? 'timeline.first' : this.query === '{}' ? 'timeline.none' : 'timeline.nothing');
    }
}
/* texts: timeline.newest timeline.oldest timeline.device timeline.topic timeline.rule timeline.connection */
