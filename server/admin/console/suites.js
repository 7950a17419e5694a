/* Suites: puts devices to the test, shows the cases as they go by, and why each ended as it did. */
import { call, download, get, post, request, showError } from './client.js';
import { address, copier, data, fill, h, plain, rows, search, to } from './dom.js';
import { messages, patiently, pause } from './feed.js';
import { list } from './list.js';
import { events, mark, Page } from './page.js';
import { t } from './texts.js';
import { full, span } from './times.js';

const RUNS = '/api/v1/suites/runs';
const AGAIN_MS = 2000; /* runs are asked for anew */
const DEVICES_MAX = 200; /* to choose from */
const NOTHING = { cases: [], suites: [], counts: {}, ms: 0, state: 'waiting' }; /* known of a run */

const words = (text) => h('bdi', plain(text ?? '', 1000));
const quoted = (word) => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const counted = (counts) => Object.entries(counts).filter(([, n]) => n).map(([name, n]) => `${n} ${t(`verdict.${name.replace('E', ' e')}`)}`).join(' · ');
const stepOf = ({ step }) => step && [t('suites.step', step.index + 1), ' ', words(step.text)];

/* What came of a run, case or measure, or how far it is. */
const came = ({ state = 'ended', verdict, grade = verdict }) => (state === 'ended' ? mark(grade) : h(`span.mark.is-${state}`, t(`suites.${state}`)));

/* Who is the first to follow a run that wants a runner is taken for it, and the run ends when it goes:
 * such a run is not followed before it goes on. */
const goesOn = (run) => !run.runner || run.cases.some((each) => each.state === 'running' || each.ms >= 0);

/* [SUITE/ID, title] of the cases of a suite, be it as it may. */
const casesOf = (suite) => [suite?.cases ?? []].flat().map((each) => [`${suite.suite}/${each?.case ?? each?.id}`, each?.title]);

export class Suites extends Page {
    beside = 'case';
    #parts = {}; /* of the form: what is to be ticked; what is wrong stands behind it */
    #known = []; /* suites */
    #run = NOTHING; /* that is watched */

    build() {
        const part = (name, title, ...inner) => h('fieldset', h('legend', t(title)), inner, this.#parts[name] = h('div'), h('div'));
        const file = h('input', { type: 'file', label: t('suites.file'), onchange: async () => { this.own.value = await file.files[0].text(); this.#offer(); } });
        this.names = search(t('devices.filter'), { oninput: () => this.attempt(() => this.#find()) });
        this.own = h('textarea', { spellcheck: 'false', label: t('suites.own') });
        this.line = h('pre', { tabindex: 0 });
        this.begin = h('button.main', t('suites.go'));
        this.runs = h('tbody');
        this.form = h('form.panel', { onsubmit: (event) => { event.preventDefault(); this.#begin(); },
            oninput: ({ target }) => (target.name === 'cases' ? this.#say() : this.#offer()) },
        h('h2', t('suites.start')),
        h('div.parts', part('devices', 'frame.devices', this.names), part('suites', 'frame.suites'), part('cases', 'suites.cases'),
            part('own', 'suites.own', file, this.own)),
        h('p', this.begin, ' ', h('small', t('suites.about'))), this.line,
        copier(() => this.line.textContent));
        this.every(AGAIN_MS, () => (this.number ? this.#progress() : this.attempt(() => this.#list())));
    }

    show(params) {
        const number = params.get('run') ?? '';
        if (this.number === number) return number && this.#showCase();
        const signal = this.renew();
        this.number = number;
        this.#run = NOTHING;
        return number ? this.#watch(`${RUNS}/${encodeURIComponent(number)}`, signal) : this.#choose();
    }

    /* ---- to begin one, and all that there are ---- */

    async #choose() {
        fill(this, h('div.scroll', this.form, h('h2', t('suites.runs')), h('table', this.runs)));
        const [{ suites }] = await Promise.all([this.get('/api/v1/suites'), this.#find(this.params.getAll('device')), this.#list()]);
        this.#known = suites;
        this.#boxes('suites', suites.map(({ suite, title }) => [suite, suite, h('small', ' ', title)]));
        this.#offer();
    }

    /* What is ticked of devices, suites or cases. */
    #chosen(part) {
        return new FormData(this.form).getAll(part);
    }

    /* Boxes to tick, of [value, ...what is beside it]. */
    #boxes(name, items, chosen = this.#chosen(name)) {
        fill(this.#parts[name], items.map(([value, ...beside]) =>
            h('label.check', h('input', { type: 'checkbox', name, value, checked: chosen.includes(value) }), h('span', beside))));
    }

    /* The suite that was pasted, if one was. */
    #given() {
        return this.own.value.trim() ? [JSON.parse(this.own.value)] : [];
    }

    /* What can be chosen by what is. */
    #offer() {
        const chosen = this.#chosen('suites'), asked = this.#known.filter((each) => chosen.includes(each.suite));
        try {
            asked.push(...this.#given());
        } catch { /* it is said when it is to begin */ }
        this.#boxes('cases', [...new Map(asked.flatMap(casesOf))].map(([id, title]) => [id, data(id), h('small', ' ', words(title))]));
        this.#say();
    }

    /* The command line that does the same. */
    #say() {
        const suites = this.#chosen('suites'), devices = this.#chosen('devices');
        const options = (name, values) => values.map((each) => ` --${name} ${quoted(each)}`);
        if (this.own.value.trim()) suites.push('mine.json');
        fill(this.line, ['skymock suite run', ...suites].join(' '), ' --fixtures devices.json',
            options('device', devices), options('case', this.#chosen('cases')), ' -- COMMAND');
        this.begin.disabled = !devices.length || !suites.length;
    }

    /* Who can be put to the test; these are ticked. */
    async #find(ticked = []) {
        const text = this.names.value;
        const { devices } = await this.get('/api/v1/devices', { text, limit: DEVICES_MAX });
        if (this.names.value !== text) return;
        const chosen = [...this.#chosen('devices'), ...ticked], online = new Map([...chosen.map((name) => [name]), ...devices.map((each) => [each.name, each.online])]);
        this.#boxes('devices', [...online].map(([name, on]) => [name, data(name), on && h('small', ` ${t('devices.on')}`)]), chosen);
    }

    async #list() {
        const { runs } = await this.get(RUNS), cell = (first, under) => h('td', first, h('br'), h('small', under));
        fill(this.runs, runs.reverse().map((run) => h('tr', cell(to('suites', { run: run.id }, t('suites.run', run.id)), full(run.started)),
            cell(words(run.suites.map((each) => each.suite).join(', ')), data(run.devices.join(', '), 100)), cell(came(run), counted(run.counts)))));
    }

    async #begin() {
        const parts = this.#parts, cases = this.#chosen('cases');
        for (const each of Object.values(parts)) fill(each.nextSibling);
        try {
            const suites = [...this.#chosen('suites'), ...this.#given()];
            const { id } = await post(RUNS, { devices: this.#chosen('devices'), suites, cases: cases.length ? cases : undefined });
            location.hash = address('suites', { run: id });
        } catch (error) {
            const part = error.pointer?.split('/')[1];
            error.pointer = error.pointer?.replace(/^\/suites\/\d+/, '');
            showError((parts[part !== 'suites' && part] ?? parts.own).nextSibling, error);
        }
    }

    /* ---- to watch one ---- */

    async #watch(path, signal) {
        const button = (name, act) => h('button', { onclick: () => this.attempt(act) }, t(`suites.${name}`));
        this.head = h('span');
        this.says = h('div.says');
        this.done = h('progress', { label: t('suites.list') });
        this.stop = button('stop', () => post(`${path}/stop`));
        this.list = list(t('suites.list'), {
            at: (index) => this.#run.cases[index],
            render: (one, row) => fill(row, came(one), h('span.title', words(one.title || one.case)), h('small.of', data(one.device)),
                h('small.ms', one.ms >= 0 && span(one.ms)), h('small.wide', one.state === 'running' ? stepOf(one) : words(one.reason))),
            onopen: (_, index) => this.go({ case: index }),
        });
        this.lay([to('suites', {}, t('suites.all')), h('h2', t('suites.run', this.number)), this.head, this.done, this.stop,
            button('download', () => download(path, {}, `run-${this.number}.json`)),
            button('forget', async () => { await call('DELETE', path); location.hash = '#/suites'; })], this.list, t('suites.case'), this.says);
        try {
            await patiently(async () => {
                for (;;) {
                    this.#take(await get(path, {}, signal));
                    if (this.#run.state !== 'running') return;
                    if (goesOn(this.#run)) break;
                    await pause(AGAIN_MS, signal);
                }
                const answer = await request('GET', path, { headers: { Accept: 'text/event-stream' }, signal });
                this.tell('live');
                for await (const { data: told } of messages(answer)) if (told) this.#hear(JSON.parse(told));
                if (this.#run.state === 'running') throw new Error('cut off');
            }, (word) => this.tell(word), signal);
            fill(this.state);
        } catch (error) {
            if (signal.aborted) return;
            if (error.status !== 404) throw error;
            this.tell('suites.stopped');
            this.#take({ ...this.#run, state: 'stopped', interrupted: t('suites.gone') });
        }
    }

    /* Of one case, or all of it. */
    #hear({ index, ...news }) {
        const { cases, counts } = this.#run;
        if (index === undefined) return this.#take(news);
        Object.assign(cases[index], news);
        if (news.verdict) counts[news.verdict.replace(' e', 'E')]++;
        this.list.redraw(index);
        if (this.params.get('case') === String(index)) this.#showCase();
        return this.#progress();
    }

    /* All of it anew. Another run by this number is one of another process. */
    #take(run) {
        if (this.#run.startedUnixMs && this.#run.startedUnixMs !== run.startedUnixMs) throw Object.assign(new Error(), { status: 404 });
        this.#run = Object.assign(run, { began: performance.now() - run.ms });
        this.stop.disabled = run.state !== 'running';
        this.list.count = run.cases.length;
        this.list.refresh();
        this.#showCase();
        this.#progress();
    }

    #progress() {
        const { state, cases, suites, counts, ms, began, interrupted } = this.#run, goes = state === 'running';
        const asked = cases.filter((each) => each.state !== 'left'), done = asked.filter((each) => /ended|stopped/.test(each.state)).length;
        const at = goes && cases.find((each) => each.state === 'running');
        Object.assign(this.done, { max: asked.length || 1, value: done });
        fill(this.head, came(this.#run), ` ${t('suites.of', done, asked.length)} · ${span(goes ? performance.now() - began : ms)} · ${counted(counts)}`);
        fill(this.says, words(suites.map((each) => each.title || each.suite).join(' · ')), at && h('p', t('suites.running'), ': ', words(at.title), ', ', stepOf(at)),
            goes && !goesOn(this.#run) && h('p', t('suites.runner')), interrupted && h('p.bad', words(interrupted)));
    }

    /* Why it ended as it did. */
    #showCase() {
        const one = this.#run.cases[this.params.get('case')];
        fill(this.detail, one && [h('h2', words(one.title || one.case), ' ', came(one)), h('p', words(one.reason)), rows([
            [t('suites.case'), data(`${one.suite}/${one.case}`)], [t('suites.source'), words(one.source)],
            [t('device'), data(one.device), ' ', to('timeline', { device: one.device, seq: one.since || '' }, t('suites.since'))],
            one.step && [t('suites.decided'), stepOf(one)], one.events?.length && [t('suites.events'), events(one.events)],
            one.notes && [t('suites.notes'), one.notes.map((each) => h('div', words(each)))]]),
        one.measures?.map((each) => [h('h3', data([each.measure, each.of].filter(Boolean).join(' · ')), ' ', came(each)),
            h('p', words(each.reason || each.class || `${each.value ?? ''} ${each.unit ?? ''}`)),
            each.figures && h('p.mono', `${each.figures.join(', ')} ${each.figuresUnit}`), h('p', events(each.events))])]);
    }
}
