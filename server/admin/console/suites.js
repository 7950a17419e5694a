/* Suites: puts devices to the test, shows the cases as they go by, and why each ended as it did. */
import { call, download, get, post, request, showError } from './client.js';
import { address, copy, data, fill, h, plain, to } from './dom.js';
import { messages, patiently, pause } from './feed.js';
import { Page } from './page.js';
import { t } from './texts.js';
import { full, span } from './times.js';
import './list.js';

const RUNS = '/api/v1/suites/runs';
const AGAIN_MS = 2000; /* runs, and who is online, are asked for anew */
const DEVICES_MAX = 200; /* to choose from */
const GRADES = { passed: 'passed', warned: 'warned', failed: 'failed', 'not exercised': 'notExercised' };

const words = (text) => h('bdi', {}, plain(text ?? '', 1000));
const quoted = (word) => (/^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const joined = (list, glue = ' · ') => list.flatMap((each, i) => (i ? [glue, each] : [each]));
const events = (list) => joined((list ?? []).map((seq) => to('timeline', { seq }, `#${seq}`)), ' ');
const counted = (counts) => Object.entries(GRADES).filter(([, key]) => counts[key]).map(([grade, key]) => `${counts[key]} ${t(`verdict.${grade}`)}`).join(' · ');

/* Of a run or a case: what came of it, or how far it is. */
const mark = ({ state, verdict = '' }) => (state === 'ended'
    ? h('span', { class: `mark ${verdict.replace(' ', '-')}` }, t(`verdict.${verdict}`))
    : h('span', { class: `mark is-${state}` }, t(`suites.${state}`)));

/* A step as "step 2: disconnect". */
const stepOf = ({ step }) => step && [t('suites.step', step.index + 1), ' ', words(step.text)];

/* Who follows a run first that wants a runner is taken for the runner, and ends it by going: such a
 * run is not followed before it goes on. */
const hasBegun = (run) => !run.runner || run.cases.some((each) => each.state === 'running' || each.ms !== undefined);

/* The cases of a suite, [SUITE/ID, title], those of suites that it is made of too. */
function casesOf(suite, known) {
    if (Array.isArray(suite?.suites) && suite.suites.length) return suite.suites.flatMap((name) => casesOf(known.find((each) => each.suite === name), known));
    return Array.isArray(suite?.cases) ? suite.cases.map((each) => [`${suite.suite}/${each?.case ?? each?.id}`, each?.title]) : [];
}

/* Fills the element with boxes to tick, [value, what is beside it]: `chosen` has those ticked. */
function boxes(element, items, chosen, onchange) {
    const at = element.contains(document.activeElement) && document.activeElement.value;
    fill(element, items.map(([value, ...beside]) => h('label', { class: 'check' }, h('input', {
        type: 'checkbox', value, checked: chosen.has(value),
        onchange: ({ target }) => { chosen[target.checked ? 'add' : 'delete'](value); onchange(); },
    }), h('span', {}, beside))));
    if (at) [...element.querySelectorAll('input')].find((each) => each.value === at)?.focus();
}

export class Suites extends Page {
    #chosen = { devices: new Set(), suites: new Set(), cases: new Set() };
    #wrong = {}; /* beside each part of the form */
    #known = []; /* suites */
    #watching = null;
    #run = null; /* that is watched */
    #shown = []; /* indices of its cases */

    build() {
        this.attempt(async () => {
            this.#known = (await get('/api/v1/suites', {}, this.signal)).suites;
            if (this.form) this.#offer();
        });
        this.every(AGAIN_MS, () => (this.form ? this.attempt(() => this.#again()) : this.#progress()));
    }

    async show(params) {
        const id = params.get('run') ?? '';
        if (this.number !== id) {
            this.number = id;
            this.#watching?.abort();
            this.#run = this.form = null;
            if (id) this.#buildRun();
            else this.#buildForm();
        }
        if (this.form) {
            for (const name of params.getAll('device')) this.#chosen.devices.add(name);
            this.#offer();
            await this.#again();
        } else {
            if (document.activeElement !== this.filter) this.filter.value = params.get('text') ?? '';
            this.#sift();
            this.#showCase();
        }
    }

    /* ---- starting one, and all there are ---- */

    #buildForm() {
        const part = (name, ...inner) => h('fieldset', {}, h('legend', {}, t(`suites.${name}`)), inner, this.#wrong[name] = h('div'));
        this.names = h('input', { type: 'search', 'data-filter': true, 'aria-label': t('devices.filter'), placeholder: t('devices.filter'), oninput: () => this.attempt(() => this.#again()) });
        this.parts = { devices: h('div'), suites: h('div'), cases: h('div') };
        this.own = h('textarea', { spellcheck: 'false', 'aria-label': t('suites.own'), oninput: () => this.#offer() });
        const file = h('input', { type: 'file', accept: '.json', 'aria-label': t('suites.file'), onchange: async () => {
            this.own.value = await file.files[0]?.text() ?? '';
            this.#offer();
        } });
        this.line = h('pre', { tabindex: 0 });
        this.runs = h('tbody');
        this.form = h('form', { class: 'panel', onsubmit: (event) => { event.preventDefault(); this.#start(); } },
            h('h2', {}, t('suites.start')),
            h('div', { class: 'parts' }, part('devices', this.names, this.parts.devices), part('suites', this.parts.suites),
                part('cases', this.parts.cases), part('own', file, this.own)),
            h('p', {}, h('button', { class: 'main' }, t('suites.go')), ' ', h('span', { class: 'dim' }, t('suites.about'))),
            this.line, h('button', { type: 'button', onclick: () => copy(this.line.textContent, t('suites.copied')) }, t('suites.copy')));
        fill(this, h('div', { class: 'scroll' }, this.form, h('h2', {}, t('suites.runs')), h('table', {}, this.runs)));
    }

    /* The suite that was pasted; null when it is none. */
    #given() {
        try {
            return JSON.parse(this.own.value);
        } catch {
            return null;
        }
    }

    #offer() {
        const { devices, suites, cases } = this.#chosen;
        const asked = [...this.#known.filter((each) => suites.has(each.suite)), this.#given()];
        const offered = new Map(asked.flatMap((each) => casesOf(each, this.#known)));
        for (const id of cases) if (!offered.has(id)) cases.delete(id);
        boxes(this.parts.suites, this.#known.map(({ suite, title }) => [suite, suite, h('small', {}, ' ', title)]), suites, () => this.#offer());
        boxes(this.parts.cases, [...offered].map(([id, title]) => [id, data(id), h('small', {}, ' ', words(title))]), cases, () => this.#offer());
        const files = this.own.value.trim() ? ['mine.json'] : [];
        fill(this.line, 'skymock suite run', [...suites, ...files].map((each) => ` ${quoted(each)}`), ' --fixtures devices.json',
            [...devices].map((each) => ` --device ${quoted(each)}`), [...cases].map((each) => ` --case ${quoted(each)}`), ' -- COMMAND');
    }

    /* Who can be put to the test, and which runs there are. */
    async #again() {
        const [{ devices }, { runs }] = await Promise.all([
            get('/api/v1/devices', { text: this.names.value, limit: DEVICES_MAX }, this.signal), get(RUNS, {}, this.signal)]);
        const { devices: chosen } = this.#chosen;
        const there = new Map([...[...chosen].map((name) => [name, null]), ...devices.map((each) => [each.name, each.online])]);
        const items = [...there].map(([name, online]) => [name, data(name), online ? h('small', { class: 'on' }, ` ${t('devices.on')}`) : null]);
        const seen = JSON.stringify([...there]);
        if (this.seen !== seen || !this.parts.devices.firstChild) boxes(this.parts.devices, items, chosen, () => this.#offer());
        this.seen = seen;
        fill(this.runs, runs.length ? runs.reverse().map((run) => h('tr', {}, h('td', {}, to('suites', { run: run.id }, t('suites.run', run.id)), h('br'), h('small', {}, full(run.started))),
            h('td', {}, joined(run.suites.map((each) => words(each.suite)), ', '), h('br'), h('small', {}, joined(run.devices.slice(0, 3).map((each) => data(each)), ', '), run.devices.length > 3 ? ` +${run.devices.length - 3}` : null)),
            h('td', {}, mark(run), h('br'), h('small', {}, counted(run.counts))))) : h('tr', {}, h('td', {}, t('suites.none'))));
    }

    async #start() {
        const { devices, suites, cases } = this.#chosen, own = this.own.value.trim();
        for (const each of Object.values(this.#wrong)) fill(each);
        const missing = !devices.size ? 'devices' : !suites.size && !own ? 'suites' : '';
        if (missing) {
            showError(this.#wrong[missing], new Error(t('suites.need')));
            return;
        }
        try {
            const { id } = await post(RUNS, { devices: [...devices], suites: [...suites, ...(own ? [JSON.parse(own)] : [])], cases: cases.size ? [...cases] : undefined });
            location.hash = address('suites', { run: id });
        } catch (error) {
            const [, part = 'own'] = (error.pointer ?? '').split('/');
            error.pointer = (error.pointer ?? '').replace(/^\/suites\/\d+/, '');
            showError(this.#wrong[part === 'suites' && own ? 'own' : part] ?? this.#wrong.own, error);
        }
    }

    /* ---- watching one ---- */

    #buildRun() {
        const button = (name, act, props) => h('button', { ...props, onclick: () => this.attempt(act) }, t(`suites.${name}`));
        const path = `${RUNS}/${encodeURIComponent(this.number)}`;
        this.state = h('span', { class: 'dim', role: 'status' });
        this.head = h('span');
        this.says = h('div', { class: 'says' });
        this.bar = h('progress', { 'aria-label': t('suites.progress') });
        this.filter = h('input', { type: 'search', 'data-filter': true, 'aria-label': t('filter'), placeholder: t('filter'), oninput: () => this.go({ text: this.filter.value }) });
        this.stop = button('stop', () => post(`${path}/stop`), { disabled: true });
        this.list = h('sky-list', { 'aria-label': t('suites.list') });
        this.detail = h('aside', { 'aria-label': t('suites.case') });
        this.list.at = (index) => this.#shown[index];
        this.list.render = (index, row) => this.#render(this.#run.cases[index], row);
        this.list.onopen = (index) => this.go({ case: index });
        fill(this, h('div', { class: 'bar' }, to('suites', {}, t('suites.all')), h('h2', {}, t('suites.run', this.number)), this.head, this.bar, h('span', { class: 'space' }), this.state,
            this.stop, button('download', () => download(path, {}, `run-${this.number}.json`)),
            button('forget', async () => { await call('DELETE', path); location.hash = address('suites', {}); })),
        this.says, h('div', { class: 'bar' }, this.filter), h('div', { class: 'split' }, this.list, this.detail));
        this.attempt(() => this.#watch(path));
    }

    async #watch(path) {
        this.#watching = new AbortController();
        const signal = AbortSignal.any([this.signal, this.#watching.signal]);
        const state = (word) => fill(this.state, t(word));
        try {
            await patiently(async () => {
                for (this.#take(await get(path, {}, signal)); !hasBegun(this.#run); this.#take(await get(path, {}, signal))) {
                    state('live');
                    if (this.#run.state !== 'running') break;
                    await pause(AGAIN_MS, signal);
                }
                if (this.#run.state === 'running') {
                    const answer = await request('GET', path, { headers: { Accept: 'text/event-stream' }, signal });
                    state('live');
                    for await (const { event, data: text } of messages(answer)) if (text) this.#hear(event, JSON.parse(text));
                }
                if (this.#run.state === 'running') throw new Error('cut off');
            }, state, signal);
            fill(this.state);
        } catch (error) {
            if (signal.aborted) return;
            if (error.status !== 404) throw error;
            this.stop.disabled = true;
            fill(this.state);
            fill(this.says, h('p', { class: 'bad', role: 'alert' }, t('suites.gone')));
        }
    }

    #hear(event, told) {
        if (event === 'run' || event === 'end') this.#take(told);
        if (event !== 'case' && event !== 'step') return;
        const { index, ...news } = told, { cases, counts } = this.#run;
        Object.assign(cases[index], news);
        if (event === 'case' && news.verdict) counts[GRADES[news.verdict]]++;
        if (this.params.get('text')) this.#sift();
        else this.list.redraw(index);
        if (this.params.get('case') === String(index)) this.#showCase();
        this.#progress();
    }

    /* All of it anew. Another run by this number is that of another process. */
    #take(run) {
        if (this.#run && this.#run.startedUnixMs !== run.startedUnixMs) throw Object.assign(new Error(), { status: 404 });
        this.#run = run;
        this.began = performance.now() - run.ms;
        this.stop.disabled = run.state !== 'running';
        this.#sift();
        this.#showCase();
        this.#progress();
    }

    #sift() {
        const text = (this.params.get('text') ?? '').toLowerCase();
        const matches = (one) => !text || [one.title, one.case, one.device, one.reason, one.verdict, one.state].some((each) => each?.toLowerCase().includes(text));
        this.#shown = (this.#run?.cases ?? []).flatMap((one, index) => (matches(one) ? [index] : []));
        this.list.count = this.#shown.length;
        this.list.refresh();
    }

    #progress() {
        const run = this.#run;
        if (!run) return;
        const all = run.cases.filter((each) => each.state !== 'left'), at = run.cases.find((each) => each.state === 'running');
        const done = all.filter((each) => !['waiting', 'running'].includes(each.state)).length, goes = run.state === 'running';
        Object.assign(this.bar, { max: all.length || 1, value: done });
        fill(this.head, mark(run), ' ', t('suites.of', done, all.length), ' · ', span(goes ? performance.now() - this.began : run.ms), ' · ', counted(run.counts));
        fill(this.says, joined(run.suites.map((each) => words(each.title || each.suite))), at ? h('p', {}, t('suites.now'), ' ', words(at.title), ' — ', stepOf(at)) : null,
            goes && !hasBegun(run) ? h('p', {}, t('suites.runner')) : null, run.interrupted ? h('p', { class: 'bad' }, words(run.interrupted)) : null);
    }

    #render(one, row) {
        fill(row, mark(one), h('span', { class: 'title' }, words(one.title || one.case)), this.#run.devices.length > 1 ? h('span', { class: 'of dim' }, data(one.device)) : null,
            h('span', { class: 'ms dim' }, one.ms === undefined ? '' : span(one.ms)), h('span', { class: 'wide dim' }, one.state === 'running' ? stepOf(one) : words(one.reason)));
    }

    /* Why it ended as it did. */
    #showCase() {
        const one = this.#run?.cases[this.params.get('case') || -1];
        if (!one) {
            fill(this.detail);
            return;
        }
        const row = (name, ...what) => h('tr', {}, h('th', { scope: 'row' }, t(name)), h('td', {}, what));
        fill(this.detail, h('h2', {}, words(one.title || one.case), ' ', mark(one)), one.reason ? h('p', {}, words(one.reason)) : null,
            h('table', {}, row('suites.case', data(`${one.suite}/${one.case}`)), row('suites.source', words(one.source)),
                row('device', data(one.device), ' ', to('timeline', { device: one.device, seq: one.since || '' }, t('suites.since'))),
                one.step ? row(one.state === 'running' ? 'suites.now' : 'suites.decided', stepOf(one)) : null, one.ms === undefined ? null : row('suites.took', span(one.ms)),
                one.events?.length ? row('suites.events', events(one.events)) : null,
                one.notes?.length ? row('suites.notes', one.notes.map((each) => h('div', {}, words(each)))) : null),
            (one.measures ?? []).map((each) => h('section', {}, h('h3', {}, data([each.measure, each.of].filter(Boolean).join(' · ')), ' ', mark({ state: 'ended', verdict: each.grade })),
                h('p', {}, words(each.reason || each.class || `${each.value ?? ''} ${each.unit ?? ''}`)),
                each.figures ? h('p', { class: 'mono' }, plain(`${each.figures.join(', ')} ${each.figuresUnit}`, 1000)) : null, h('p', {}, events(each.events)))));
    }

    key({ key }) {
        if (key !== 'Escape' || !this.params.get('case')) return false;
        this.go({ case: '' });
        return true;
    }
}
