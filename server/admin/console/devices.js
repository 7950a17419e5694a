/* Devices: who is there, what they did last, what came of it, and how long they may stay silent. */
import { get, pathOf } from './client.js';
import { data, fill, h, plain, to } from './dom.js';
import { follow, newest } from './feed.js';
import { Page } from './page.js';
import { t } from './texts.js';
import { full, now, short } from './times.js';
import './list.js';

const PAGE_MAX = 1000; /* devices that are asked for at a time */
const AGAIN_MS = 1000; /* those that did something are asked for anew after so long */
const AGAIN_MAX = 50;
const REST = 10; /* between two looks at all verdicts, times as long as one takes */
const GRACE = 1.5; /* of its keepalive a device may be silent (MQTT 3.1.1, 3.1.2-24) */

/* What an event says in a word or two. */
const act = (event) => [event.type, event.topic ?? event.service ?? event.reason ?? event.name ?? ''];

/* By cloud, product and device. */
const order = (name) => name.replaceAll('/', '\0');

export class Devices extends Page {
    #names = []; /* in the order in which they are shown */
    #strangers = []; /* behind them */
    #devices = new Map();
    #verdicts = new Map();
    #acts = new Map();
    #touched = new Set(); /* who did something since they were asked for */
    #seen = new Set(); /* whose rows were drawn lately */
    #next = null; /* behind which more are to be had */
    #asked = new AbortController();
    #judged = { due: true, after: 0 };

    build() {
        this.filter = h('input', { type: 'search', 'data-filter': true, label: t('devices.filter'), placeholder: t('devices.filter'),
            oninput: () => this.go({ text: this.filter.value }) });
        this.online = h('input', { type: 'checkbox', onchange: () => this.go({ online: this.online.checked ? 'true' : '' }) });
        this.state = h('span.dim', { role: 'status' });
        this.list = h('sky-list', { label: t('devices.list') });
        this.empty = h('p.empty', { role: 'status', hidden: true });
        this.detail = h('aside', { label: t('device') });
        this.list.at = (index) => this.#names[index] ?? this.#strangers[index - this.#names.length];
        this.list.render = (name, row) => this.#render(name, row);
        this.list.onchoose = (name) => { this.cursor = name; };
        this.list.onopen = (name) => this.go({ device: name });
        this.list.onend = () => this.#next && this.attempt(() => this.#list(this.#next));
        fill(this, h('div.bar', this.filter, h('label.check', this.online, t('devices.online')),
            h('span.space'), this.state),
        this.empty, h('div.split', this.list, this.detail));
        this.every(AGAIN_MS, () => this.loaded && this.attempt(() => this.#again()));
        this.attempt(() => follow({
            load: () => this.#load(),
            take: (events) => events.forEach((event) => this.#took(event)),
            skip: () => { this.#touched = this.#touched.union(this.#seen); },
            state: (state) => fill(this.state, t(state)),
            signal: this.signal,
        }));
    }

    show(params) {
        const text = params.get('text') ?? '', online = params.get('online') === 'true', query = `${text} ${online}`;
        if (document.activeElement !== this.filter) this.filter.value = text;
        this.online.checked = online;
        if (this.loaded && this.query !== query) this.attempt(() => this.#list());
        this.query = query;
        this.cursor = params.get('device') ?? this.cursor;
        return this.loaded && this.#showDevice();
    }

    key(event) {
        if (event.key !== 'Escape' || !this.params.get('device')) return false;
        this.go({ device: '' });
        this.list.focus();
        return true;
    }

    /* ---- reading ---- */

    async #load() {
        for (const kept of [this.#devices, this.#acts, this.#touched]) kept.clear();
        const [{ events, last }] = await Promise.all([newest({}, PAGE_MAX, this.signal), this.#list(), this.#judge()]);
        for (const event of events.reverse()) this.#act(event);
        this.loaded = true;
        this.#count();
        await this.#showDevice();
        return last;
    }

    /* From the first one on, or those behind the one: never two at a time. */
    async #list(after) {
        this.#asked.abort();
        this.#asked = new AbortController();
        this.#next = null;
        const { signal } = this.#asked, query = { text: this.params.get('text'), online: this.params.get('online'), limit: PAGE_MAX, after };
        try {
            const { devices, next } = await get('/api/v1/devices', query, AbortSignal.any([signal, this.signal]));
            if (!after) this.#names = [];
            for (const device of devices) {
                this.#devices.set(device.name, device);
                this.#names.push(device.name);
            }
            this.#next = next;
            this.#count();
        } catch (error) {
            if (signal.aborted) return;
            this.#next = error.status === 0 && after || null; /* refused: it begins behind one that is no more */
            throw error;
        }
    }

    /* null: it is no more. */
    #read(name) {
        return get(pathOf(name), {}, this.signal).catch((error) => {
            if (error.status !== 404) throw error;
            return null;
        });
    }

    async #judge() {
        const began = performance.now();
        if (!this.#judged.due || began < this.#judged.after) return;
        this.#judged.due = false;
        const { devices } = await get('/api/v1/verdicts', {}, this.signal);
        this.#verdicts = new Map(devices.map((each) => [each.device, each]));
        this.#judged.after = performance.now() + REST * (performance.now() - began);
    }

    /* What the cloud answers is no act of the device. */
    #act(event) {
        if (event.device && event.direction === 'up') this.#acts.set(event.device, event);
    }

    #took(event) {
        this.#judged.due = true;
        this.#act(event);
        if (event.device) this.#touched.add(event.device);
        if (event.type === 'registry' && event.name === 'delete') this.#place(event.device, null);
        if (!event.device && ['reset', 'registry'].includes(event.type)) this.anew = true;
    }

    /* What devices that did something are like now: those in sight first. */
    async #again() {
        if (this.busy) return;
        this.busy = true;
        const seen = this.#seen;
        this.#seen = new Set();
        try {
            if (this.anew) await this.#list();
            this.anew = false;
            const names = [...this.#touched].sort((a, b) => seen.has(b) - seen.has(a)).slice(0, AGAIN_MAX);
            await Promise.all(names.map(async (name) => this.#place(name, await this.#read(name))));
            await this.#judge();
        } finally {
            this.busy = false;
        }
        this.#count();
        await this.#showDevice();
    }

    /* Where it belongs in the list, by what is asked for; null: it is no more. */
    #place(name, device) {
        const at = this.#names.indexOf(name), text = this.params.get('text') ?? '';
        this.#touched.delete(name);
        if (device) this.#devices.set(name, device);
        else this.#devices.delete(name);
        const fits = device !== null && name.toLowerCase().includes(text.toLowerCase()) && (device.online || !this.online.checked);
        if (at >= 0 && !fits) this.#names.splice(at, 1);
        if (at >= 0 || !fits) return;
        const behind = this.#names.findIndex((each) => order(each) > order(name));
        if (behind >= 0) this.#names.splice(behind, 0, name);
        else if (!this.#next) this.#names.push(name);
    }

    /* ---- showing ---- */

    #count() {
        const text = (this.params.get('text') ?? '').toLowerCase();
        this.#strangers = this.#next || this.online.checked ? []
            : [...this.#verdicts.values()].filter((each) => !this.#devices.has(each.device) && !each.registered && each.device.toLowerCase().includes(text)).map((each) => each.device);
        this.list.count = this.#names.length + this.#strangers.length;
        this.list.chosen = this.#names.indexOf(this.cursor);
        if (this.list.chosen < 0 && this.#strangers.includes(this.cursor)) this.list.chosen = this.#names.length + this.#strangers.indexOf(this.cursor);
        this.empty.hidden = !this.loaded || this.list.count > 0;
        fill(this.empty, t(text || this.online.checked ? 'devices.unlike' : 'devices.none'));
        if (!this.list.matches(':active')) this.list.refresh(); /* what is being clicked stays */
    }

    #render(name, row) {
        const device = this.#devices.get(name), last = this.#acts.get(name);
        const [word, what] = last ? act(last) : ['', ''];
        this.#seen.add(name);
        fill(row, this.#dot(device), h('span.name', { title: plain(name) }, data(name)), this.#verdict(name),
            h('span.act.wide.dim', word ? [word, ' ', data(what, 80)] : null),
            this.#silence(device), h('span.dim', !device ? t('devices.stranger') : device.lastSeen ? short(device.lastSeen) : t('devices.never')));
    }

    #dot(device) {
        const word = !device ? t('devices.stranger') : device.online ? t('devices.on') : device.enabled ? t('devices.off') : t('devices.off.disabled');
        return h('span', { class: `dot ${device?.online ? 'on' : ''}`, role: 'img', label: word, title: word });
    }

    #verdict(name) {
        const verdict = this.#verdicts.get(name)?.verdict ?? 'not exercised';
        return h('span', { class: `mark ${verdict.replace(' ', '-')}` }, t(`verdict.${verdict}`));
    }

    /* The keepalive's clock: how long it has been silent, of how long it may. */
    #silence(device) {
        if (!device?.online || !device.keepAlive) return h('span.keep');
        const silent = Math.max(0, now() - Date.parse(device.lastSeen)) / 1000, most = device.keepAlive * GRACE;
        const text = t('devices.keepalive', Math.round(silent), most);
        return h('span.keep', { title: text }, h('meter', { min: 0, max: most, high: device.keepAlive, value: Math.min(silent, most), label: text }),
            h('small', text));
    }

    /* One that stands in no page that was read is asked for. */
    async #showDevice() {
        const name = this.params.get('device'), stranger = this.#verdicts.get(name)?.registered === false;
        if (name && !stranger && !this.#devices.has(name)) {
            const device = await this.#read(name);
            if (device) this.#devices.set(name, device);
            if (name !== this.params.get('device')) return;
        }
        const device = this.#devices.get(name), seen = JSON.stringify([name, device, this.#verdicts.get(name)?.verdict]);
        if (seen === this.shown) return;
        this.shown = seen;
        fill(this.detail, name ? [h('h2', data(name, 600), ' ', this.#verdict(name)),
            h('p', to('timeline', { device: name }, t('frame.timeline')), ' · ', to('verdicts', { device: name }, t('frame.verdicts')), device ? [' · ', to('control', { device: name }, t('frame.control'))] : null),
            device ? null : h('p.dim', t('devices.stranger')),
            h('table', Object.entries(device ?? {}).filter(([, value]) => value !== null && typeof value !== 'object').map(([key, value]) =>
                h('tr', h('th', { scope: 'row' }, key), h('td', key === 'gateway' ? to('devices', { device: value }, data(value))
                    : data(key === 'lastSeen' ? full(value) : value, 500)))))] : null);
    }
}
