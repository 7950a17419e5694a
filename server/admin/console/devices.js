/* Devices: who is there, what they did last, what came of it, and how long they may stay silent. */
import { get, pathOf } from './client.js';
import { data, fill, h, plain, rows, search, to } from './dom.js';
import { newest } from './feed.js';
import { list } from './list.js';
import { mark, Page, pages } from './page.js';
import { t } from './texts.js';
import { full, GRACE, now, short } from './times.js';

const PAGE_MAX = 1000; /* devices that are asked for at a time */
const AGAIN_MS = 1000; /* those that did something are asked for anew after so long */
const AGAIN_MAX = 50;
const REST = 10; /* between two looks at all verdicts, times as long as one takes */

/* By cloud, product and device. */
const order = (name) => name.replaceAll('/', '\0');

export class Devices extends Page {
    beside = 'device';
    #names = []; /* of devices, in order */
    #shown = []; /* these, and strangers behind them */
    #devices = new Map();
    #verdicts = new Map();
    #acts = new Map();
    #touched = new Set(); /* who did something since they were asked for */
    #seen = new Set(); /* whose rows were drawn lately */
    #next = null; /* behind which more are to be had */
    #due = true; /* somebody did something since all verdicts were asked for, */
    #after = 0; /* which is done no sooner */

    build() {
        this.empty = h('p.empty', { role: 'status', hidden: true });
        this.list = list(t('frame.devices'), {
            at: (index) => this.#shown[index],
            render: (name, row) => this.#render(name, row),
            onchoose: (name) => { this.cursor = name; },
            onopen: (device) => this.go({ device }),
            onend: () => this.#next && this.attempt(() => this.#list(this.#next)),
        });
        this.lay([this.param('text', search(t('devices.filter'))), this.tick('online', t('devices.online'))], this.list, t('device'), this.empty);
        this.every(AGAIN_MS, () => this.loaded && this.attempt(() => this.#again()));
        this.attempt(() => this.follow({
            load: () => this.#load(),
            take: (events) => events.forEach((event) => this.#took(event)),
            skip: () => { this.#touched = this.#touched.union(this.#seen); },
        }));
    }

    show(params) {
        const query = JSON.stringify(this.#wanted());
        this.cursor = params.get('device') ?? this.cursor;
        if (this.loaded && this.query !== query) this.attempt(() => this.#list());
        this.query = query;
        return this.loaded && this.#showDevice();
    }

    #wanted() {
        return { text: this.params.get('text') ?? '', online: this.params.get('online') };
    }

    /* ---- reading ---- */

    async #load() {
        for (const kept of [this.#devices, this.#acts, this.#touched]) kept.clear();
        const [{ events, last }] = await Promise.all([newest({}, PAGE_MAX, this.signal), this.#list(), this.#judge()]);
        for (const event of events.reverse()) this.#act(event);
        this.loaded = true;
        await this.#show();
        return last;
    }

    /* From the first one on, or those behind the one: never two at a time. */
    async #list(after) {
        const signal = this.renew();
        this.#next = null;
        try {
            const { devices, next } = await get('/api/v1/devices', { ...this.#wanted(), limit: PAGE_MAX, after }, signal);
            const names = devices.map(({ name }) => name);
            devices.forEach((device) => this.#devices.set(device.name, device));
            this.#names = after ? [...this.#names, ...names] : names;
            this.#next = next;
            this.#count();
        } catch (error) {
            if (signal.aborted) return;
            this.#next = error.status === 0 && after; /* refused: it begins behind one that is no more */
            throw error;
        }
    }

    /* null: it is no more. */
    #read(name) {
        return this.get(pathOf(name)).catch((error) => {
            if (error.status !== 404) throw error;
            return null;
        });
    }

    async #judge() {
        const began = performance.now();
        if (!this.#due || began < this.#after) return;
        this.#due = false;
        const { devices } = await this.get('/api/v1/verdicts');
        this.#verdicts = new Map(devices.map((each) => [each.device, each]));
        this.#after = performance.now() + REST * (performance.now() - began);
    }

    /* What the cloud answers is no act of the device. */
    #act(event) {
        if (event.device && event.direction === 'up') this.#acts.set(event.device, event);
    }

    #took(event) {
        const { device, type, name } = event;
        this.#due = true;
        this.#act(event);
        if (device) this.#touched.add(device);
        else if (type === 'reset' || type === 'registry') this.anew = true;
        if (type === 'registry' && name === 'delete') this.#place(device, null);
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
        await this.#show();
    }

    /* It is as it is asked for. */
    #fits(name, online) {
        const wanted = this.#wanted();
        return name.toLowerCase().includes(wanted.text.toLowerCase()) && (online || !wanted.online);
    }

    /* Where it belongs in the list; null: it is no more. */
    #place(name, device) {
        const names = this.#names, at = names.indexOf(name), fits = device && this.#fits(name, device.online);
        this.#touched.delete(name);
        if (device) this.#devices.set(name, device);
        else this.#devices.delete(name);
        if (at >= 0 && !fits) names.splice(at, 1);
        if (at >= 0 || !fits) return;
        const behind = names.findIndex((each) => order(each) > order(name));
        if (behind >= 0) names.splice(behind, 0, name);
        else if (!this.#next) names.push(name);
    }

    /* ---- showing ---- */

    #show() {
        this.#count();
        return this.#showDevice();
    }

    #count() {
        const strangers = [...this.#verdicts.values()].filter((each) => !each.registered && !this.#devices.has(each.device) && this.#fits(each.device));
        this.#shown = this.#next ? this.#names : [...this.#names, ...strangers.map((each) => each.device)];
        this.list.count = this.#shown.length;
        this.list.chosen = this.#shown.indexOf(this.cursor);
        this.empty.hidden = !this.loaded || this.list.count > 0;
        fill(this.empty, t(this.#fits('') ? 'devices.none' : 'devices.unlike'));
        if (!this.list.matches(':active')) this.list.refresh(); /* what is being clicked stays */
    }

    #render(name, row) {
        const device = this.#devices.get(name), last = this.#acts.get(name);
        const label = t(`devices.${!device ? 'stranger' : device.online ? 'on' : device.enabled ? 'off' : 'off.disabled'}`);
        this.#seen.add(name);
        fill(row, h(device?.online ? 'span.dot.on' : 'span.dot', { role: 'img', label, title: label }), h('span.name', { title: plain(name) }, data(name)),
            this.#verdict(name),
            h('span.act.wide.dim', last && [last.type, ' ', data(last.topic ?? last.service ?? last.reason ?? last.name ?? '', 80)]),
            h('span.keep', device?.online && device.keepAlive > 0 && this.#silence(device)),
            h('span.dim', !device ? label : device.lastSeen || last ? short(device.lastSeen ?? last.time) : t('devices.never')));
    }

    #verdict(name) {
        return mark(this.#verdicts.get(name)?.verdict ?? 'not exercised');
    }

    /* The keepalive's clock: how long it has been silent, of how long it may. */
    #silence({ lastSeen, keepAlive }) {
        const value = Math.max(0, now() - Date.parse(lastSeen)) / 1000, max = keepAlive * GRACE, label = t('devices.keepalive', Math.round(value), max);
        return [h('meter', { min: 0, max, high: keepAlive, value, label }), h('small', label)];
    }

    /* One that stands in no page that was read is asked for. */
    async #showDevice() {
        const name = this.params.get('device'), known = this.#verdicts.get(name);
        if (name && !this.#devices.has(name) && known?.registered !== false) {
            const device = await this.#read(name);
            if (device) this.#devices.set(name, device);
            if (name !== this.params.get('device')) return;
        }
        const device = this.#devices.get(name), seen = JSON.stringify([name, device, known?.verdict]);
        if (seen === this.seen) return;
        this.seen = seen;
        fill(this.detail, name && [h('h2', data(name, 600), ' ', this.#verdict(name)),
            h('p', pages({ device: name }, 'timeline', 'verdicts', device && 'control')), !device && h('p.dim', t('devices.stranger')),
            rows(Object.entries(device ?? {}).map(([key, value]) => typeof value !== 'object' && [key,
                key === 'gateway' ? to('devices', { device: value }, data(value)) : data(key === 'lastSeen' ? full(value) : value, 500)]))]);
    }
}
