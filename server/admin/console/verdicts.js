/* Verdicts: what devices made of the rules, as a matrix, and beside it all that is known of one. */
import { download, get } from './client.js';
import { address, data, fill, h, plain, select, to } from './dom.js';
import { explanation } from './explain.js';
import { follow, newest } from './feed.js';
import { Page } from './page.js';
import { t } from './texts.js';
import { span } from './times.js';

const AGAIN_MS = 2000; /* what changed is asked for anew after so long */
const REST = 10; /* and after so many times as long as it took */
const COLUMNS_MAX = 50;
const SIGNS = { failed: '\u2715', warned: '!', passed: '\u2713', 'not exercised': '\u00b7' }; /* the worst first */
const REPORTS = { JUnit: 'xml', HTML: 'html', JSON: 'json' };
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const rank = (verdict) => Object.keys(SIGNS).indexOf(verdict);
const worst = (a, b) => rank(a.verdict) - rank(b.verdict) || b.rules.length - a.rules.length || (a.device < b.device ? -1 : 1);
const mark = (verdict, text) => h('span', { class: `mark ${verdict.replace(' ', '-')}`, role: 'img', label: t(`verdict.${verdict}`) }, text);
const traffic = ({ messages, bytes }) => `${messages} (${bytes} B)`;
const named = (device, rule = '') => `v-${encodeURIComponent(device)}-${rule}`;

export class Verdicts extends Page {
    #rules = [];
    #parties = []; /* the worst first, with the rules they broke */
    #known = new Map(); /* by name and scope, all that is known of one */
    #touched = new Set(); /* who did something since; 'reset': it may be anybody */

    build() {
        const choice = (name, ...options) => select(options, '', (value) => this.go({ [name]: value }), { label: t(`verdicts.${name}`) });
        this.text = h('input', { type: 'search', 'data-filter': true, label: t('devices.filter'), placeholder: t('devices.filter'),
            oninput: () => this.go({ text: this.text.value }) });
        this.product = choice('product', ['', t('verdicts.products')]);
        this.run = choice('run', ['', t('verdicts.chapter')], ['true', t('verdicts.whole')]);
        this.all = h('input', { type: 'checkbox', onchange: () => this.go({ all: this.all.checked ? 'true' : '' }) });
        this.state = h('span.dim', { role: 'status' });
        this.about = h('div.dim');
        this.table = h('table', { role: 'grid', label: t('frame.verdicts'), onkeydown: (event) => this.#step(event), onfocusin: ({ target }) => this.#rove(target) });
        this.detail = h('aside', { label: t('device') });
        fill(this, h('div.bar', this.text, this.product, this.run, h('label.check', this.all, t('verdicts.all')),
            Object.entries(REPORTS).map(([name, form]) => h('button', { label: t('verdicts.save', name), onclick: () => this.#save(form) }, `\u2193 ${name}`)),
            h('span.space'), this.state),
        h('div.split', h('div.matrix', this.about, this.table), this.detail));
        this.attempt(() => follow({
            load: () => this.#load(),
            take: (events) => events.forEach(({ device, type }) => this.#touched.add(device ?? type.replace('registry', 'reset'))),
            skip: () => this.#touched.add('reset'),
            state: (state) => {
                this.live = state === 'live';
                fill(this.state, t(state));
            },
            signal: this.signal,
        }));
        this.every(AGAIN_MS, () => this.live && performance.now() > this.after && this.attempt(() => this.#read(false)));
    }

    show(params) {
        const given = Object.fromEntries(params);
        if (document.activeElement !== this.text) this.text.value = given.text ?? '';
        this.product.value = given.product ?? '';
        this.run.value = given.run ?? '';
        this.all.checked = given.all === 'true';
        this.#draw();
        return this.#rules.length && this.#read();
    }

    key(event) {
        const { device, rule } = Object.fromEntries(this.params);
        if (event.key !== 'Escape' || !device) return false;
        this.go({ device: '', rule: '' });
        document.getElementById(named(device, rule))?.focus();
        return true;
    }

    #save(form) {
        const { run, product, device } = Object.fromEntries(this.params);
        this.attempt(() => download(`/api/v1/report.${form}`, { run, device, product: device ? '' : product }, `skymock-report.${form}`));
    }

    /* ---- reading ---- */

    async #load() {
        const [{ last }, { rules }, { products }] = await Promise.all([newest({}, 1, this.signal), get('/api/v1/rules', {}, this.signal),
            get('/api/v1/products', {}, this.signal)]);
        this.#rules = rules;
        this.#known.clear();
        this.product.replaceChildren(this.product.firstChild, ...products.map(({ cloud, product }) => h('option', `${cloud}/${product}`)));
        await this.show(this.params);
        return last;
    }

    /* Once at a time; `anew`: it is something else now that is to be seen. */
    async #read(anew = true) {
        this.again ||= anew;
        if (this.reading) return;
        this.reading = true;
        const began = performance.now();
        try {
            do await this.#ask(); while (this.again);
        } finally {
            this.reading = false;
            this.after = performance.now() + REST * (performance.now() - began);
        }
    }

    /* What everybody broke; then, of those that are shown, what they kept. */
    async #ask() {
        const { run, product, device } = Object.fromEntries(this.params), touched = this.#touched;
        ({ expected: this.expected } = await get('/api/v1/expected', { product }, this.signal));
        if (!this.again && !touched.size) return this.#draw();
        this.again = false;
        this.#touched = new Set();
        ({ devices: this.#parties, lost: this.lost } = await get('/api/v1/verdicts', { run, product }, this.signal));
        this.#parties.sort(worst);
        this.#draw();
        const strangers = new Set(this.#parties.filter((each) => !each.registered).map((each) => each.device));
        const shown = new Set([...this.#matching().slice(0, COLUMNS_MAX).map((each) => each.device), device].filter((name) => name && !strangers.has(name)));
        await Promise.all([...shown].filter((name) => touched.has('reset') || touched.has(name) || !this.#known.has(name + run)).map(async (name) => {
            const { devices } = await get('/api/v1/verdicts', { device: name, run }, this.signal);
            this.#known.set(name + run, devices[0]);
        }));
        this.#draw();
    }

    /* ---- showing ---- */

    #matching() {
        const text = (this.params.get('text') ?? '').toLowerCase();
        return this.#parties.filter(({ device }) => device.toLowerCase().includes(text));
    }

    /* What is to be seen already is left alone; otherwise what is open and has the focus keeps it. */
    #draw() {
        const { device, rule = '', ...rest } = Object.fromEntries(this.params);
        const parties = this.#matching(), columns = parties.slice(0, COLUMNS_MAX), broke = new Map();
        for (const { rules } of parties) for (const { id } of rules) broke.set(id, (broke.get(id) ?? 0) + 1);
        const rows = this.#rules.filter(({ id }) => this.all.checked || broke.has(id));
        const verdicts = columns.map(({ device: name, rules }) => {
            const kept = (this.#known.get(name + rest.run)?.rules ?? []).filter(({ verdict }) => rank(verdict) > 1);
            return new Map([...kept, ...rules].map(({ id, verdict }) => [id, verdict]));
        });
        const party = device && (this.#known.get(device + rest.run) ?? this.#parties.find((each) => each.device === device));
        const seen = JSON.stringify([rest, columns.map((each) => each.device), [...broke], verdicts.map((each) => [...each]), device, party, this.expected, this.lost, rows.length]);
        if (seen !== this.seen) {
            const at = document.activeElement.id, open = [...this.querySelectorAll('details[open]')];
            fill(this.about, this.#about(parties.length, columns.length, rows.length));
            fill(this.table, columns.length ? this.#matrix(columns, rows, verdicts, broke) : null);
            fill(this.detail, device ? this.#device(device, party) : null);
            for (const { id } of open) document.getElementById(id)?.setAttribute('open', '');
            const focused = at ? document.getElementById(at) : null;
            this.#rove(this.table.contains(focused) ? focused : this.table.querySelector('td a') ?? this.table.querySelector('th a'));
            focused?.focus({ preventScroll: true });
        }
        this.seen = seen;
        const target = rule && document.getElementById(`rule-${rule}`);
        if (rule && !target || this.opened === device + rule) return;
        this.opened = device + rule;
        this.detail.scrollTop = 0;
        if (!target) return;
        target.open = true;
        target.firstChild.focus();
    }

    #about(all, columns, rows) {
        const times = ({ min, max = '\u221e' }) => (min === max ? min : `${min}\u2013${max}`);
        return [!columns ? t(this.#parties.length ? 'verdicts.nothing' : 'verdicts.none') : rows ? null : t('verdicts.clean', all),
            columns < all ? t('verdicts.some', columns, all) : null, this.lost ? t('verdicts.lost', this.lost) : null,
            this.expected?.map((each) => t('verdicts.expected', each.rule ?? plain(JSON.stringify(each.event)), plain(each.device ?? each.product ?? t('device.any')),
                times(each.count), each.came))].flat().filter((each) => each).map((each) => h('p', each));
    }

    #matrix(columns, rows, verdicts, broke) {
        const given = Object.fromEntries(this.params);
        const link = (device, rule, props, ...children) =>
            h('a', { href: address('verdicts', { ...given, device, rule }), tabindex: -1, id: named(device, rule), ...props }, ...children);
        const cell = (device, { id }, verdict) => h('td', verdict ? link(device, id, { class: verdict.replace(' ', '-'),
            label: `${t(`verdict.${verdict}`)}: ${id}, ${plain(device)}` }, SIGNS[verdict]) : null);
        return [h('thead', h('tr', h('th', { scope: 'col' }, t('verdicts.rule')), columns.map(({ device, registered }) =>
            h('th', { scope: 'col' }, link(device, '', { title: plain(device) }, data(device), registered ? null : ` (${t('devices.stranger')})`))))),
        [...Map.groupBy(rows, ({ owner }) => owner)].map(([owner, rules]) => h('tbody',
            h('tr', h('th', { scope: 'rowgroup' }, owner)),
            rules.map((rule) => h('tr', h('th', { scope: 'row' }, h('code', rule.id), ' ', h('small', broke.has(rule.id) ? t('verdicts.broke', broke.get(rule.id)) : null,
                h('span', rule.statement))), columns.map(({ device }, n) => cell(device, rule, verdicts[n].get(rule.id)))))))];
    }

    /* One of all cells is a stop of the tabulator: that which was come to last. */
    #rove(cell) {
        if (this.roving) this.roving.tabIndex = -1;
        this.roving = cell;
        if (cell) cell.tabIndex = 0;
    }

    /* To the next cell with a mark, in this direction. */
    #step(event) {
        const step = STEPS[event.key], from = event.target.closest('td, th'), { rows } = this.table;
        if (!step) return;
        event.preventDefault();
        for (let row = from.parentNode.rowIndex + step[0], column = from.cellIndex + step[1]; rows[row] && rows[0].cells[column]; row += step[0], column += step[1]) {
            const cell = rows[row].cells[column]?.querySelector('a');
            if (cell) return cell.focus();
        }
    }

    /* ---- one device ---- */

    #device(device, party) {
        if (!party) return h('h2', data(device));
        const groups = Map.groupBy(party.rules.toSorted((a, b) => rank(a.verdict) - rank(b.verdict)), ({ verdict }) => verdict);
        return [h('h2', data(device, 600), ' ', mark(party.verdict, t(`verdict.${party.verdict}`))),
            h('p', party.registered ? to('timeline', { device }, t('frame.timeline')) : t('devices.stranger')),
            party.profile ? this.#profile(party.profile) : null,
            [...groups].map(([verdict, rules]) => [h('h3', `${t(`verdict.${verdict}`)} \u00b7 ${rules.length}`), rules.map((rule) => this.#rule(device, rule))])];
    }

    #profile({ observedMs, connects, keepAlive, reconnects, messages, topics }) {
        return h('details', { id: 'rule-', class: 'rule' }, h('summary', { id: 'to-' }, t('verdicts.profile', span(observedMs))), connects ? [
            h('p', t('verdicts.connects', connects.count, connects.refused, connects.clean, connects.kept)),
            h('p', t('verdicts.keepAlive', keepAlive.asked, span(keepAlive.longestSilenceMs), keepAlive.late, keepAlive.missed)),
            reconnects.count ? h('p', t('verdicts.reconnects', reconnects.count, reconnects.class), reconnects.intervalsMs.map(span).join(', ')) : null] : null,
        h('p', t('verdicts.messages', traffic(messages.up), traffic(messages.down))),
        topics.map(({ topic, up, down }) => h('p', data(topic), ` \u2191 ${traffic(up)} \u2193 ${traffic(down)}`)));
    }

    #rule(device, rule) {
        return h('details', { id: `rule-${rule.id}`, class: 'rule' },
            h('summary', { id: `to-${rule.id}` }, mark(rule.verdict, SIGNS[rule.verdict]), ' ', h('code', rule.id), ' ', rule.statement),
            rule.explanation ? explanation({ device, reason: rule.detail, explanation: rule.explanation }) : rule.detail ? h('p', data(rule.detail, 2000)) : null,
            rule.explanation?.hint ? null : h('p', t('verdicts.hint'), rule.hint),
            h('p.dim', `${t(`verdicts.${rule.severity}`)} \u00b7 ${rule.source}`),
            rule.events?.length ? h('p', t('verdicts.count', rule.count), rule.events.map((seq) => [' ', to('timeline', { seq }, `#${seq}`)]), ' ',
                to('timeline', { device, rule: rule.id }, t('verdicts.events'))) : null);
    }
}
