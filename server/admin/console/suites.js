/* Suites: puts devices to the test, shows the cases as they go by, and why each ended as it did. */
import { call, download, get, post, request, showError } from './client.js';
import { address, copy, data, fill, h, plain, to } from './dom.js';
import { messages, patiently, pause } from './feed.js';
import { Page } from './page.js';
import { t } from './texts.js';
import { full, span } from './times.js';
import './list.js';

const RUNS = '/api/v1/suites/runs';
const AGAIN_MS = 2000; /* runs are asked for anew */
const DEVICES_MAX = 200; /* to choose from */
const COUNTS = { passed: 'passed', warned: 'warned', failed: 'failed', 'not exercised': 'notExercised' };

const words = (text) => h('bdi', plain(text ?? '', 1000));
const quoted = (word) => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const events = (list) => (list ?? []).map((seq) => [to('timeline', { seq }, `#${seq}`), ' ']);
const counted = (counts) => Object.keys(COUNTS).filter((each) => counts[COUNTS[each]]).map((each) => `${counts[COUNTS[each]]} ${t(`verdict.${each}`)}`).join(' · ');
const stepOf = ({ step }) => step && [t('suites.step', step.index + 1), ' ', words(step.text)];

/* What came of a run, case or measure, or how far it is. */
const mark = ({ state = 'ended', verdict, grade = verdict }) => (state === 'ended'
    ? h(`span.mark.${grade.replace(' ', '-')}`, t(`verdict.${grade}`))
    : h(`span.mark.is-${state}`, t(`suites.${state}`)));

/* Who is the first to follow a run that wants a runner is taken for it, and the run ends when it goes:
 * such a run is not followed before it goes on. */
const goesOn = (run) => !run.runner || run.cases.some((each) => each.state === 'running' || each.ms >= 0);

/* [SUITE/ID, title] of the cases of a suite, be it as it may. */
const casesOf = (suite) => [suite?.cases ?? []].flat().map((each) => [`${suite.suite}/${each?.case ?? each?.id}`, each?.title]);

/* Boxes to tick, of [value, what is beside it]: `chosen` has those that are. */
const boxes = (element, items, chosen, onchange) => fill(element, items.map(([value, ...beside]) => h('label.check',
    h('input', { type: 'checkbox', value, checked: chosen.has(value), onchange: ({ target }) => { chosen[target.checked ? 'add' : 'delete'](value); onchange(); } }),
    h('span', beside))));

export class Suites extends Page {
    #chosen = { devices: new Set(), suites: new Set(), cases: new Set() };
    #wrong = {}; /* beside each part of the form */
    #known = []; /* suites */
    #say = () => {}; /* shows the command line */
    #run = null; /* that is watched, and how long */
    #watching = new AbortController();

    build() {
        this.every(AGAIN_MS, () => (this.form ? this.attempt(() => this.#list()) : this.#progress()));
    }

    async show(params) {
        const number = params.get('run') ?? '';
        if (this.number !== number) {
            this.#watching.abort();
            this.#run = this.form = null;
            this.number = number;
            if (number) this.#buildRun(`${RUNS}/${encodeURIComponent(number)}`);
            else await this.#buildForm();
        } else if (number) this.#showCase();
    }

    /* ---- to begin one, and all that there are ---- */

    async #buildForm() {
        const part = (name, title, ...inner) => h('fieldset', h('legend', t(title)), inner, this.#wrong[name] = h('div'));
        const offer = () => this.#offer();
        for (const name of this.params.getAll('device')) this.#chosen.devices.add(name);
        this.names = h('input', { type: 'search', 'data-filter': true, label: t('devices.filter'), placeholder: t('devices.filter'), oninput: () => this.attempt(() => this.#find()) });
        this.parts = { devices: h('div'), suites: h('div'), cases: h('div') };
        this.own = h('textarea', { spellcheck: 'false', label: t('suites.own'), oninput: offer });
        const file = h('input', { type: 'file', label: t('suites.file'), onchange: async () => { this.own.value = await file.files[0].text(); offer(); } });
        this.line = h('pre', { tabindex: 0 });
        this.begin = h('button.main', t('suites.go'));
        this.runs = h('tbody');
        this.form = h('form.panel', { onsubmit: (event) => { event.preventDefault(); this.#begin(); } },
            h('h2', t('suites.start')),
            h('div.parts', part('devices', 'frame.devices', this.names, this.parts.devices), part('suites', 'frame.suites', this.parts.suites),
                part('cases', 'suites.cases', this.parts.cases), part('own', 'suites.own', file, this.own)),
            h('p', this.begin, ' ', h('small', t('suites.about'))), this.line,
            h('button', { type: 'button', onclick: () => copy(this.line.textContent, t('suites.copied')) }, t('suites.copy')));
        fill(this, h('div.scroll', this.form, h('h2', t('suites.runs')), h('table', this.runs)));
        await Promise.all([this.#find(), this.#list()]);
        this.#known = (await get('/api/v1/suites', {}, this.signal)).suites;
        boxes(this.parts.suites, this.#known.map(({ suite, title }) => [suite, suite, h('small', ' ', title)]), this.#chosen.suites, offer);
        offer();
    }

    /* The suite that was pasted; undefined: none. */
    #given() {
        return this.own.value.trim() ? JSON.parse(this.own.value) : undefined;
    }

    /* What can be chosen by what is, and the command line that does the same. */
    #offer() {
        const { devices, suites, cases } = this.#chosen, asked = this.#known.filter((each) => suites.has(each.suite)), files = [];
        try {
            const given = this.#given();
            if (given) files.push('mine.json');
            asked.push(given);
        } catch { /* it is said when it is to begin */ }
        const offered = new Map(asked.flatMap(casesOf));
        for (const id of cases) if (!offered.has(id)) cases.delete(id);
        const options = (name, list) => [...list].map((each) => ` --${name} ${quoted(each)}`);
        this.#say = () => {
            fill(this.line, ['skymock suite run', ...suites, ...files].join(' '), ' --fixtures devices.json', options('device', devices), options('case', cases), ' -- COMMAND');
            this.begin.disabled = !devices.size || !(suites.size || this.own.value.trim());
        };
        boxes(this.parts.cases, [...offered].map(([id, title]) => [id, data(id), h('small', ' ', words(title))]), cases, this.#say);
        this.#say();
    }

    /* Who can be put to the test. */
    async #find() {
        const { devices } = this.#chosen, text = this.names.value;
        const found = await get('/api/v1/devices', { text, limit: DEVICES_MAX }, this.signal);
        if (this.names.value !== text) return;
        const online = new Map([...[...devices].map((name) => [name]), ...found.devices.map((each) => [each.name, each.online])]);
        boxes(this.parts.devices, [...online].map(([name, on]) => [name, data(name), h('small', on ? ` ${t('devices.on')}` : '')]), devices, () => this.#say());
    }

    async #list() {
        const { runs } = await get(RUNS, {}, this.signal), cell = (first, ...under) => h('td', first, h('br'), h('small', under));
        fill(this.runs, runs.reverse().map((run) => h('tr', cell(to('suites', { run: run.id }, t('suites.run', run.id)), full(run.started)),
            cell(words(run.suites.map((each) => each.suite).join(', ')), data(run.devices.join(', '), 100)),
            cell(mark(run), counted(run.counts)))));
    }

    async #begin() {
        const { devices, suites, cases } = this.#chosen, wrong = this.#wrong;
        for (const each of Object.values(wrong)) fill(each);
        try {
            const given = this.#given();
            const { id } = await post(RUNS, { devices: [...devices], suites: [...suites, ...(given === undefined ? [] : [given])], cases: cases.size ? [...cases] : undefined });
            location.hash = address('suites', { run: id });
        } catch (error) {
            const [, part] = error.pointer?.split('/') ?? [];
            error.pointer = error.pointer?.replace(/^\/suites\/\d+/, '');
            showError((part !== 'suites' && wrong[part]) || wrong.own, error);
        }
    }

    /* ---- to watch one ---- */

    #buildRun(path) {
        const button = (name, act) => h('button', { onclick: () => this.attempt(act) }, t(`suites.${name}`));
        this.state = h('span.dim', { role: 'status' });
        this.head = h('span');
        this.says = h('div.says');
        this.bar = h('progress', { label: t('suites.list') });
        this.stop = button('stop', () => post(`${path}/stop`));
        this.list = h('sky-list', { label: t('suites.list') });
        this.detail = h('aside', { label: t('suites.case') });
        this.list.at = (index) => this.#run.cases[index];
        this.list.render = (one, row) => this.#render(one, row);
        this.list.onopen = (_, index) => this.go({ case: index });
        fill(this, h('div.bar', to('suites', {}, t('suites.all')), h('h2', t('suites.run', this.number)), this.head, this.bar, h('span.space'), this.state,
            this.stop, button('download', () => download(path, {}, `run-${this.number}.json`)),
            button('forget', async () => { await call('DELETE', path); location.hash = '#/suites'; })),
        this.says, h('div.split', this.list, this.detail));
        this.attempt(() => this.#watch(path));
    }

    async #watch(path) {
        this.#watching = new AbortController();
        const signal = AbortSignal.any([this.signal, this.#watching.signal]);
        const state = (word) => fill(this.state, t(word));
        const isOn = async () => { this.#take(await get(path, {}, signal)); return this.#run.state === 'running'; };
        try {
            await patiently(async () => {
                while (await isOn() && !goesOn(this.#run)) await pause(AGAIN_MS, signal);
                if (this.#run.state !== 'running') return;
                const answer = await request('GET', path, { headers: { Accept: 'text/event-stream' }, signal });
                state('live');
                for await (const { event, data: told } of messages(answer)) if (told) this.#hear(event, JSON.parse(told));
                if (this.#run.state === 'running') throw new Error('cut off');
            }, state, signal);
            fill(this.state);
        } catch (error) {
            if (signal.aborted) return;
            if (error.status !== 404) throw error;
            fill(this.state, t('suites.stopped'));
            this.#take(Object.assign(this.#run ?? { cases: [], suites: [], devices: [], counts: {}, ms: 0 }, { state: 'stopped', interrupted: t('suites.gone') }));
        }
    }

    #hear(event, { index, ...news }) {
        const { cases, counts } = this.#run;
        if (event === 'run' || event === 'end') this.#take(news);
        if (event !== 'case' && event !== 'step') return;
        Object.assign(cases[index], news);
        if (news.verdict) counts[COUNTS[news.verdict]]++;
        this.list.redraw(index);
        if (this.params.get('case') === String(index)) this.#showCase();
        this.#progress();
    }

    /* All of it anew. Another run by this number is one of another process. */
    #take(run) {
        if (this.#run && this.#run.startedUnixMs !== run.startedUnixMs) throw Object.assign(new Error(), { status: 404 });
        this.#run = Object.assign(run, { began: performance.now() - run.ms });
        this.stop.disabled = run.state !== 'running';
        this.list.count = run.cases.length;
        this.list.refresh();
        this.#showCase();
        this.#progress();
    }

    #progress() {
        const run = this.#run;
        if (!run) return;
        const count = (...states) => run.cases.filter((each) => states.includes(each.state)).length;
        const done = count('ended', 'stopped'), all = done + count('running', 'waiting'), goes = run.state === 'running';
        const at = goes && run.cases.find((each) => each.state === 'running');
        Object.assign(this.bar, { max: all || 1, value: done });
        fill(this.head, mark(run), ` ${t('suites.of', done, all)} · ${span(goes ? performance.now() - run.began : run.ms)} · ${counted(run.counts)}`);
        fill(this.says, words(run.suites.map((each) => each.title || each.suite).join(' · ')), at ? h('p', t('suites.running'), ': ', words(at.title), ', ', stepOf(at)) : null,
            goes && !goesOn(run) ? h('p', t('suites.runner')) : null, run.interrupted ? h('p.bad', words(run.interrupted)) : null);
    }

    #render(one, row) {
        fill(row, mark(one), h('span.title', words(one.title || one.case)), this.#run.devices.length > 1 ? h('small.of', data(one.device)) : null,
            h('small.ms', one.ms >= 0 ? span(one.ms) : ''), h('small.wide', one.state === 'running' ? stepOf(one) : words(one.reason)));
    }

    /* Why it ended as it did. */
    #showCase() {
        const one = this.#run?.cases[this.params.get('case') || -1];
        const row = (name, ...what) => h('tr', h('th', { scope: 'row' }, t(name)), h('td', what));
        fill(this.detail, one && [h('h2', words(one.title || one.case), ' ', mark(one)), h('p', words(one.reason)),
            h('table', row('suites.case', data(`${one.suite}/${one.case}`)), row('suites.source', words(one.source)),
                row('device', data(one.device), ' ', to('timeline', { device: one.device, seq: one.since || '' }, t('suites.since'))),
                one.step ? row('suites.decided', stepOf(one)) : null, one.events?.length ? row('suites.events', events(one.events)) : null,
                one.notes ? row('suites.notes', one.notes.map((each) => h('div', words(each)))) : null),
            (one.measures ?? []).map((each) => [h('h3', data([each.measure, each.of].filter(Boolean).join(' · ')), ' ', mark(each)),
                h('p', words(each.reason || each.class || `${each.value ?? ''} ${each.unit ?? ''}`)),
                each.figures ? h('p.mono', `${each.figures.join(', ')} ${each.figuresUnit}`) : null, h('p', events(each.events))])]);
    }

    key({ key }) {
        if (key !== 'Escape' || !this.params.get('case')) return false;
        this.go({ case: '' });
        return true;
    }
}
