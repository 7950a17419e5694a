/* Devices: who is there, what they did last, what came of it, and how long they may stay silent. */
import { get, pathOf } from './client.js';
import { data, field, fill, h, to } from './dom.js';
import { follow, newest } from './feed.js';
import { Page } from './page.js';
import { t } from './texts.js';
import { now, short, span } from './times.js';
import './list.js';

const PAGE_MAX = 1000; /* devices that are asked for at a time */
const AGAIN_MS = 1000; /* those that did something are asked for anew after so long */
const AGAIN_MAX = 50;
const GRACE = 1.5; /* of its keepalive a device may be silent (MQTT 3.1.1, 3.1.2-24) */

/* What an event says in a word or two. */
const act = (event) => [event.type, event.topic ?? event.service ?? event.reason ?? event.name ?? ''];

export class Devices extends Page {
    #names = []; /* in the order in which they are shown */
    #devices = new Map();
    #verdicts = new Map();
    #acts = new Map();
    #touched = new Set();
    #next = null;
    #asked = new AbortController();

    build() {
        this.filter = h('input', { type: 'search', 'data-filter': true, 'aria-label': t('devices.filter'), placeholder: t('devices.filter'),
            oninput: () => this.go({ text: this.filter.value }) });
        this.online = h('input', { type: 'checkbox', onchange: () => this.go({ online: this.online.checked ? 'true' : '' }) });
        this.state = h('span', { class: 'dim', role: 'status' });
        this.list = h('sky-list', { 'aria-label': t('devices.list') });
        this.empty = h('p', { class: 'empty', hidden: true });
        this.detail = h('aside', { 'aria-label': t('device') });
        this.list.at = (index) => this.#names[index];
        this.list.render = (name, row) => this.#render(name, row);
        this.list.onopen = (name) => this.go({ device: name });
        this.list.onend = () => this.#more();
        fill(this, h('div', { class: 'bar' }, this.filter, h('label', { class: 'check' }, this.online, t('devices.online')),
            h('span', { class: 'space' }), this.state), this.empty,
        h('div', { class: 'split' }, this.list, this.detail));
        this.every(AGAIN_MS, () => this.attempt(() => this.#again()));
        this.attempt(() => follow({
            load: () => this.#load(),
            take: (events) => this.#took(events),
            skip: () => {},
            state: (state) => fill(this.state, t(state)),
            signal: this.signal,
        }));
    }

    show(params) {
        const query = `${params.get('text') ?? ''}|${params.get('online') ?? ''}`;
        if (document.activeElement !== this.filter) this.filter.value = params.get('text') ?? '';
        this.online.checked = params.get('online') === 'true';
        if (this.query !== undefined && this.query !== query) this.attempt(() => this.#list());
        this.query = query;
        return this.#showDevice(params.get('device'));
    }

    /* ---- reading ---- */

    async #load() {
        const [{ events, last }] = await Promise.all([newest({}, PAGE_MAX, this.signal), this.#list(), this.#judge()]);
        events.reverse().forEach((event) => this.#note(event));
        this.list.refresh();
        await this.#showDevice(this.params.get('device'));
        return last;
    }

    async #list(after) {
        if (!after) {
            this.#asked.abort();
            this.#asked = new AbortController();
        }
        const { signal } = this.#asked;
        const page = await get('/api/v1/devices', { text: this.params.get('text'), online: this.params.get('online'), limit: PAGE_MAX, after }).catch((error) => {
            if (!signal.aborted) throw error;
        });
        if (signal.aborted || this.signal.aborted) return;
        if (!after) this.#names = [];
        for (const device of page.devices) {
            this.#devices.set(device.name, device);
            this.#names.push(device.name);
        }
        this.#next = page.next;
        this.#shown();
    }

    /* The list after what it holds has changed. */
    #shown() {
        if (!this.#next) this.#names = [...new Set([...this.#names, ...this.#strangers()])];
        this.list.count = this.#names.length;
        this.list.refresh();
        const filtered = this.params.get('text') || this.params.get('online');
        this.empty.hidden = this.#names.length > 0;
        fill(this.empty, t(filtered ? 'devices.unlike' : 'devices.none'));
    }

    #more() {
        const after = this.#next;
        this.#next = null;
        if (after) this.attempt(() => this.#list(after));
    }

    async #judge() {
        const { devices } = await get('/api/v1/verdicts', {}, this.signal);
        this.#verdicts = new Map(devices.map((each) => [each.device, each]));
    }

    /* Who is no device, and did something all the same. */
    #strangers() {
        const text = (this.params.get('text') ?? '').toLowerCase();
        if (this.params.get('online') === 'true') return [];
        return [...this.#verdicts.values()].filter((each) => !each.registered && each.device.toLowerCase().includes(text)).map((each) => each.device);
    }

    /* A device that has changed comes into the list, or leaves it. */
    #place(device) {
        const at = this.#names.indexOf(device.name);
        const fits = device.name.toLowerCase().includes((this.params.get('text') ?? '').toLowerCase()) &&
            (this.params.get('online') !== 'true' || device.online);
        if (!fits && at >= 0) this.#names.splice(at, 1);
        if (fits && at < 0 && !this.#next) this.#names.push(device.name);
    }

    /* What the cloud answers is no act of the device. */
    #note(event) {
        if (event.device && event.direction === 'up') this.#acts.set(event.device, event);
    }

    #took(events) {
        for (const event of events) {
            this.#note(event);
            if (event.device) this.#touched.add(event.device);
        }
    }

    /* What devices that did something are like now. */
    async #again() {
        this.list.refresh();
        if (!this.#touched.size) return;
        const names = [...this.#touched].slice(0, AGAIN_MAX);
        for (const name of names) this.#touched.delete(name);
        await this.#judge();
        const read = names.filter((name) => this.#verdicts.get(name)?.registered)
            .map((name) => get(pathOf(name), {}, this.signal).catch(() => null));
        for (const device of await Promise.all(read)) {
            if (!device) continue;
            this.#devices.set(device.name, device);
            this.#place(device);
        }
        this.#shown();
        if (names.includes(this.params.get('device'))) await this.#showDevice(this.params.get('device'));
    }

    /* ---- showing ---- */

    #render(name, row) {
        const device = this.#devices.get(name), last = this.#acts.get(name);
        const [word, what] = last ? act(last) : ['', ''];
        fill(row, this.#dot(device), h('span', { class: 'name' }, data(name)), this.#verdict(name),
            h('span', { class: 'act wide dim' }, word ? [word, ' ', data(what, 80)] : null),
            this.#silence(device), h('span', { class: 'dim' }, device?.lastSeen ? short(device.lastSeen) : t('devices.never')));
    }

    #dot(device) {
        const word = !device ? t('devices.stranger') : device.online ? t('devices.on') : device.enabled ? t('devices.off') : t('devices.off.disabled');
        return h('span', { class: `dot ${device?.online ? 'on' : ''}`, role: 'img', 'aria-label': word, title: word });
    }

    #verdict(name) {
        const verdict = this.#verdicts.get(name)?.verdict ?? 'not exercised';
        return h('span', { class: `mark ${verdict.replace(' ', '-')}` }, t(`verdict.${verdict}`));
    }

    /* The keepalive's clock: how long it has been silent, of how long it may. */
    #silence(device) {
        if (!device?.online || !device.keepAlive) return h('span', { class: 'keep' });
        const silent = Math.max(0, now() - Date.parse(device.lastSeen)) / 1000, most = device.keepAlive * GRACE;
        const text = t('devices.keepalive', Math.round(silent), most);
        return h('span', { class: 'keep', title: text }, h('meter', { min: 0, max: most, high: device.keepAlive, value: Math.min(silent, most), 'aria-label': text }),
            h('small', {}, text));
    }

    async #showDevice(name) {
        if (!name) {
            fill(this.detail);
            return;
        }
        const { registered } = this.#verdicts.get(name) ?? {};
        const device = this.#devices.get(name) ?? (registered ? await get(pathOf(name), {}, this.signal) : null);
        if (name !== this.params.get('device')) return;
        const rows = device ? Object.entries(device).filter(([, value]) => value !== null && typeof value !== 'object') : [];
        fill(this.detail, h('h2', {}, data(name), ' ', this.#verdict(name)),
            h('p', {}, to('timeline', { device: name }, t('frame.timeline')), ' · ', to('verdicts', { device: name }, t('frame.verdicts')), ' · ', to('control', { device: name }, t('frame.control'))),
            h('table', {}, rows.map(([key, value]) => h('tr', {}, h('th', { scope: 'row' }, key), h('td', {}, data(value, 500))))));
    }
}
