/* Verdicts: what devices made of the rules, as a matrix, and beside it all that is known of one. */
import { download } from './client.js';
import { address, data, fill, h, plain, rows, search, select, to } from './dom.js';
import { explanation } from './explain.js';
import { newest } from './feed.js';
import { events as evidence, mark, Page, pages } from './page.js';
import { t } from './texts.js';

const AGAIN_MS = 2000; /* what changed is asked for anew after so long */
const REST = 10; /* and after so many times as long as it took */
const COLUMNS_MAX = 50;
const SIGNS = { failed: '\u2715', warned: '!', passed: '\u2713', 'not exercised': '\u00b7' }; /* the worst first */
const REPORTS = { JUnit: 'xml', HTML: 'html', JSON: 'json' };

const rank = (verdict) => Object.keys(SIGNS).indexOf(verdict);
const worst = (a, b) => rank(a.verdict) - rank(b.verdict) || b.rules.length - a.rules.length;
const named = (device, rule = '') => `v-${encodeURIComponent(device)}-${rule}`;
const fold = (id, summary, ...children) => h('details.rule', { id: `rule-${id}` }, h('summary', { id: `to-${id}` }, summary), children);

/* What has members, in the words of the API. */
const inWords = (of) => (Array.isArray(of) ? of.map(inWords).join('; ') : of instanceof Object ? Object.entries(of).map(([name, each]) =>
    `${name} ${each instanceof Object ? `(${inWords(each)})` : each}`).join(', ') : of);

/* Where the keys go: along which line of the matrix that a cell's link is in, and which way. */
const row = (link) => link.closest('tr');
const column = (link) => link.parentNode.cellIndex;
const STEPS = { ArrowUp: [column, -1], ArrowDown: [column, 1], ArrowLeft: [row, -1], ArrowRight: [row, 1] };

export class Verdicts extends Page {
    #rules = [];
    #parties = []; /* the worst first, with the rules they broke */
    #known = new Map(); /* by name and scope, all that is known of one */
    beside = 'device';

    build() {
        const choice = (name, ...options) => this.param(name, select(options, '', null, { label: t(`verdicts.${name}`) }));
        this.product = choice('product', ['', t('verdicts.products')]);
        this.about = h('div.dim');
        this.table = h('table', { role: 'grid', label: t('frame.verdicts'), onkeydown: (event) => this.#step(event), onfocusin: ({ target }) => this.#rove(target) });
        this.lay([this.param('text', search(t('devices.filter'))), this.product, choice('run', ['', t('verdicts.chapter')], ['true', t('verdicts.whole')]),
            this.tick('all', t('verdicts.all')), Object.entries(REPORTS).map(([name, form]) =>
                h('button', { label: t('verdicts.save', name), onclick: () => this.#save(form) }, `\u2193 ${name}`))],
        h('div.matrix', this.about, this.table), t('device'));
        const touch = () => { this.changed = true; };
        this.attempt(() => this.follow({ load: () => this.#load(), take: touch, skip: touch, state: (word) => {
            this.live = word === 'live';
            this.tell(word);
        } }));
        this.every(AGAIN_MS, () => this.live && performance.now() > this.after && this.attempt(() => this.#read()));
    }

    get #given() {
        return Object.fromEntries(this.params);
    }

    show() {
        this.again = true;
        this.#draw();
        return this.#rules.length && this.#read();
    }

    close() {
        const { device, rule } = this.#given;
        this.go({ device: '', rule: '' });
        document.getElementById(named(device, rule))?.focus();
    }

    #save(form) {
        const { run, product, device } = this.#given;
        this.attempt(() => download(`/api/v1/report.${form}`, device ? { run, device } : { run, product }, `skymock-report.${form}`));
    }

    /* ---- reading ---- */

    async #load() {
        const [{ last }, { rules }, { products }] = await Promise.all([newest({}, 1, this.signal), this.get('/api/v1/rules'), this.get('/api/v1/products')]);
        this.#rules = rules;
        this.changed = true;
        this.product.replaceChildren(this.product.firstChild, ...products.map(({ cloud, product }) => h('option', `${cloud}/${product}`)));
        this.product.value = this.#given.product ?? '';
        await this.show();
        return last;
    }

    /* What everybody broke; then, of those that are shown, what they kept. Once at a time; `again`: it is something else
     * now that is to be seen, `changed`: somebody did something. */
    async #read() {
        if (this.after === Infinity) return;
        this.after = Infinity;
        const began = performance.now();
        try {
            do await this.#ask(); while (this.again);
        } finally {
            this.after = performance.now() + REST * (performance.now() - began);
        }
    }

    async #ask() {
        const { run, product, device } = this.#given, due = this.again || this.changed, known = this.changed ? new Map() : this.#known;
        this.again = this.changed = false;
        ({ expected: this.expected } = await this.get('/api/v1/expected', { product }));
        if (due) {
            ({ devices: this.#parties, lost: this.lost } = await this.get('/api/v1/verdicts', { run, product }));
            this.#parties.sort(worst);
            this.#draw();
            const stranger = (name) => this.#parties.some((each) => each.device === name && !each.registered);
            await Promise.all([device, ...this.#matching().slice(0, COLUMNS_MAX).map((each) => each.device)].map(async (name) => {
                if (!name || known.has(name + run) || stranger(name)) return;
                known.set(name + run, (await this.get('/api/v1/verdicts', { device: name, run })).devices[0]);
            }));
            this.#known = known;
        }
        this.#draw();
    }

    /* ---- showing ---- */

    #matching() {
        const text = (this.params.get('text') ?? '').toLowerCase();
        return this.#parties.filter(({ device }) => device.toLowerCase().includes(text));
    }

    /* What is to be seen already is left alone; otherwise what is open and has the focus keeps it. */
    #draw() {
        const { device, rule = '', run, all } = this.#given, parties = this.#matching(), columns = parties.slice(0, COLUMNS_MAX), broke = {};
        for (const { id } of parties.flatMap(({ rules }) => rules)) broke[id] = (broke[id] ?? 0) + 1;
        const rows = this.#rules.filter(({ id }) => all || broke[id]), known = (name) => this.#known.get(name + run);
        const verdicts = columns.map(({ device: name, rules }) =>
            Object.fromEntries([...known(name)?.rules ?? [], ...rules].map(({ id, verdict }) => [id, verdict])));
        const party = known(device) ?? this.#parties.find((each) => each.device === device);
        const seen = JSON.stringify([this.#given, columns, broke, verdicts, party, this.expected, this.lost]);
        if (seen !== this.seen) {
            const at = document.activeElement.id, open = [...this.querySelectorAll('[open]')], top = this.detail.scrollTop;
            fill(this.about, this.#about(parties.length, columns.length, rows.length));
            fill(this.table, columns.length > 0 && this.#matrix(columns, rows, verdicts, broke));
            fill(this.detail, device && this.#device(device, party));
            for (const { id } of open) document.getElementById(id)?.toggleAttribute('open', true);
            const focused = document.getElementById(at);
            this.#rove(this.table.contains(focused) ? focused : this.table.querySelector('a'));
            focused?.focus({ preventScroll: true });
            this.detail.scrollTop = top;
        }
        this.seen = seen;
        const target = document.getElementById(`rule-${rule}`);
        if (rule && !target || this.opened === device + rule) return;
        this.opened = device + rule;
        this.detail.scrollTop = 0;
        target?.toggleAttribute('open', true);
        target?.firstChild.focus();
    }

    #about(all, columns, rows) {
        return [!columns ? t(this.#parties.length ? 'verdicts.nothing' : 'verdicts.none') : !rows && t('verdicts.clean', all),
            columns < all && t('verdicts.some', columns, all), this.lost > 0 && t('verdicts.lost', this.lost),
            this.expected?.map(({ rule, event, device, product, count: { min, max = '\u221e' }, came }) => t('verdicts.expected',
                rule ?? plain(JSON.stringify(event)), plain(device ?? product ?? t('device.any')), min === max ? min : `${min}\u2013${max}`, came))]
            .flat().map((each) => each && h('p', each));
    }

    #matrix(columns, rows, verdicts, broke) {
        const link = (device, rule, props, ...children) =>
            h('a', { href: address('verdicts', { ...this.#given, device, rule }), tabindex: -1, id: named(device, rule), ...props }, children);
        const cell = (device, rule, verdict) => h('td', verdict && link(device, rule,
            { class: verdict.replace(' ', '-'), label: `${t(`verdict.${verdict}`)}: ${rule}, ${plain(device)}` }, SIGNS[verdict]));
        return [h('thead', h('tr', h('th', { scope: 'col' }, t('verdicts.rule')), columns.map(({ device, registered }) => h('th', { scope: 'col' },
            link(device, '', { title: plain(device) }, data(device), !registered && ` (${t('devices.stranger')})`))))),
        [...Map.groupBy(rows, ({ owner }) => owner)].map(([owner, rules]) => h('tbody', h('tr', h('th', { scope: 'rowgroup' }, owner)),
            rules.map(({ id, statement }) => h('tr',
                h('th', { scope: 'row' }, h('code', id), ' ', h('small', broke[id] && t('verdicts.broke', broke[id]), h('span', statement))),
                columns.map(({ device }, n) => cell(device, id, verdicts[n][id]))))))];
    }

    /* One of all cells is a stop of the tabulator: that which was come to last. */
    #rove(cell) {
        if (this.roving) this.roving.tabIndex = -1;
        this.roving = cell;
        if (cell) cell.tabIndex = 0;
    }

    /* To the next mark in this direction. */
    #step(event) {
        const [line, step] = STEPS[event.key] ?? [];
        if (!step) return;
        event.preventDefault();
        const links = [...this.table.querySelectorAll('a')].filter((each) => line(each) === line(event.target));
        links[links.indexOf(event.target) + step]?.focus();
    }

    /* ---- one device ---- */

    #device(device, party) {
        if (!party) return h('h2', data(device));
        const { verdict: all, registered, profile, rules } = party, groups = Object.groupBy(rules, ({ verdict }) => verdict);
        return [h('h2', data(device, 600), ' ', mark(all)),
            h('p', registered ? pages({ device }, 'timeline') : t('devices.stranger')),
            profile && fold('profile', t('verdicts.profile'), rows(Object.entries(profile).flatMap(([name, of]) => [of].flat().map((each) => [name, data(inWords(each), 600)])))),
            Object.keys(SIGNS).map((verdict) => groups[verdict] && [h('h3', `${t(`verdict.${verdict}`)} \u00b7 ${groups[verdict].length}`),
                groups[verdict].map((rule) => this.#rule(device, rule))])];
    }

    #rule(device, { id, verdict, statement, explanation: told, detail, hint, severity, source, events, count }) {
        return fold(id, [mark(verdict, SIGNS[verdict]), ' ', h('code', id), ' ', statement],
            explanation({ device, reason: detail, explanation: told }) ?? (detail && h('p', data(detail, 2000))),
            !told?.hint && h('p', t('verdicts.hint'), hint),
            h('p.dim', `${t(`verdicts.${severity}`)} \u00b7 ${source}`),
            events && h('p', t('verdicts.count', count), ' ', evidence(events),
                to('timeline', { device, rule: id }, t('verdicts.events'))));
    }
}
