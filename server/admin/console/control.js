/* Control: what a test does to the world of its devices, as panels of forms and buttons. */
import { call, get, pathOf, post, server } from './client.js';
import { data, field, fill, h, to } from './dom.js';
import { faults } from './faults.js';
import { button, facts, form } from './form.js';
import { Page } from './page.js';
import { settings } from './settings.js';
import { waysIn } from './snippets.js';
import { t } from './texts.js';
import { full, isFrozen, keepClock, now, span } from './times.js';

const AGAIN_MS = 1000;
const OFFERED = 50; /* devices */
const GRACE = 1.5; /* of its keepalive a device may be silent (MQTT 3.1.1, 3.1.2-24) */
const STEPS = { '1 s': 1000, '1 min': 60000, '1 h': 3600000, '1 d': 86400000 };

const productOf = (name) => name.split('/').slice(0, 2).join('/');

/* Asks before it is done; true: yes. */
const sure = (text) => new Promise((resolve) => {
    const dialog = h('dialog', { class: 'small', 'aria-labelledby': 'sure' }, h('form', { method: 'dialog' }, h('p', { id: 'sure' }, text),
        h('p', { class: 'acts' }, h('button', { value: '', autofocus: true }, t('control.no')), h('button', { class: 'main', value: 'yes' }, t('control.yes')))));
    dialog.addEventListener('close', () => {
        dialog.remove();
        resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
});

const scope = (value) => ({ name: 'product', list: 'products', value });

/* By panel: its buttons, and its forms with their members. Each act is given the page and what stands in the form, and returns what to show. */
const PANELS = {
    clock: {
        freeze: { act: (page) => page.clock('freeze') },
        resume: { act: (page) => page.clock('resume') },
        advance: { members: () => [{ name: 'seconds', kind: 'number', min: 0, required: true }],
            act: (page, { seconds }) => page.clock('advance', { ms: Math.round(seconds * 1000) }) },
        set: { members: () => [{ name: 'time', kind: 'time', required: true, about: settings.times === 'local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC' }],
            act: (page, { time }) => page.clock('set', { unixMs: time }) },
    },
    device: {
        disconnect: { act: (page) => post(page.path('/disconnect')) },
        twin: { act: (page) => post(page.path('/twin')) },
        enable: { act: (page) => page.change({ enabled: true }) },
        disable: { act: (page) => page.change({ enabled: false }) },
        properties: { act: async (page) => facts((await get(page.path('/properties'))).properties) },
        credentials: { act: (page) => page.credentials(page.name) },
        delete: { act: async (page) => {
            if (!await sure(t('control.delete.sure', page.name))) return false;
            await call('DELETE', page.path());
            return page.go({ device: '' });
        } },
    },
    message: {
        send: { members: () => [{ name: 'topic', list: 'topics', required: true }, { name: 'payload', kind: 'lines' }, { name: 'payloadBase64' },
            { name: 'qos', kind: 'integer', options: ['0', '1'] }],
        act: (page, body) => page.answer('POST', '/messages', body) },
    },
    command: {
        command: { members: (page) => [{ name: 'kind', options: page.commands(), required: true }, { name: 'name' }, { name: 'params', kind: 'object' },
            { name: 'payload', kind: 'lines' }, { name: 'waitMs', kind: 'integer', min: 0, max: 60000, value: 5000 }],
        act: (page, body) => page.answer('POST', '/commands', body) },
    },
    shadow: {
        shadow: { act: async (page) => facts(await get(page.path('/shadow'))) },
        desired: { members: () => [{ name: 'desired', kind: 'object', required: true }], act: (page, body) => page.answer('PATCH', '/shadow', body) },
    },
    new: {
        make: { members: (page) => [{ name: 'product', required: true, options: page.products.map(({ cloud, product }) => `${cloud}/${product}`), value: page.name && productOf(page.name) }],
            act: async (page, { product }) => {
                const [cloud, key] = product.split('/');
                const { name } = await post('/api/v1/devices', { cloud, product: key, temporary: true });
                page.go({ device: name });
                return [h('h3', {}, data(name)), await page.credentials(name)];
            } },
    },
    faults: {},
    reset: {
        reset: { members: (page) => [{ name: 'whom', options: ['', ...(page.name ? [page.name, productOf(page.name)] : []), ...page.products.map(({ cloud, product }) => `${cloud}/${product}`)]
            .filter((each, i, all) => all.indexOf(each) === i).map((each) => [each, each || t('control.all')]) }, { name: 'forget', kind: 'boolean' }],
        act: async (page, { whom = '', forget }) => {
            if (!await sure([t('control.reset.sure', whom || t('control.all')), ' ', forget ? t('control.forget.sure') : ''])) return false;
            await post('/api/v1/reset', { [whom.split('/').length === 2 ? 'product' : 'device']: whom || undefined, forget });
            return undefined;
        } },
        reload: { act: async () => facts(await post('/api/v1/reload')) },
    },
    snapshots: {
        take: { members: () => [{ name: 'name', required: true }, scope()], act: (page, body) => post('/api/v1/snapshots', body).then(() => page.snapshots()) },
    },
};
const OF_DEVICE = ['device', 'message', 'command', 'shadow']; /* panels that want one chosen */

export class Control extends Page {
    name = null; /* of the device */
    products = [];

    async build() {
        this.chosen = h('input', { type: 'search', list: 'devices', 'data-filter': true, autocomplete: 'off', class: 'chosen',
            oninput: () => this.attempt(() => this.#offer()), onchange: () => this.go({ device: this.chosen.value.trim() }) });
        this.devices = h('datalist', { id: 'devices' });
        this.topics = h('datalist', { id: 'topics' });
        this.state = h('div');
        this.times = h('p', { class: 'mono' });
        this.panels = {};
        this.grid = h('div', { class: 'grid' });
        fill(this, h('div', { class: 'bar' }, field(t('control.device.choose'), this.chosen), this.devices, this.topics), h('div', { class: 'scroll', tabindex: -1 }, this.grid));
    }

    async show(params) {
        const name = params.get('device') || null, began = !this.products.length;
        if (!began && name === this.name) return;
        if (began) this.products = (await get('/api/v1/products', {}, this.signal)).products;
        this.name = name;
        this.device = name ? await this.attempt(() => get(pathOf(name), {}, this.signal)) : null;
        if (!this.device) this.name = null;
        this.chosen.value = name ?? '';
        this.#draw();
        if (!began) return this.faults?.aim();
        this.real = 0;
        const { body, out } = this.panels.faults;
        this.every(AGAIN_MS, () => this.attempt(() => this.#again()));
        this.attempt(async () => { this.faults = await faults(body, out, () => this.name ?? '', this.signal); });
        await Promise.all([this.#offer(), this.snapshots(), this.clock()]);
    }

    /* ---- panels ---- */

    /* Those of a device are others with each device; the others stay as they are. */
    #draw() {
        for (const [name, acts] of Object.entries(PANELS)) {
            const ofDevice = OF_DEVICE.includes(name);
            if (this.panels[name] && !ofDevice) continue;
            this.panels[name] ??= this.#panel(name);
            const { section, body, out } = this.panels[name];
            section.hidden = ofDevice && !this.name;
            fill(out);
            const rows = Object.entries(acts);
            fill(body, name === 'device' ? this.state : name === 'clock' ? this.times : null,
                h('div', { class: 'acts' }, rows.filter(([, { members }]) => !members).map(([act, row]) => button(`control.${act}`, out, () => row.act(this), { 'data-act': act })), name === 'clock' ? this.#steps(out) : null),
                rows.filter(([, { members }]) => members).map(([act, row]) => form(`control.${act}`, row.members(this), out, (values) => row.act(this, values))),
                name === 'snapshots' ? this.kept = h('table') : null);
        }
    }

    #panel(name) {
        const body = h('div'), out = h('output');
        const section = h('section', { class: 'panel', 'aria-labelledby': `panel-${name}` }, h('h2', { id: `panel-${name}` }, t(`control.panel.${name}`)), body, out);
        this.grid.append(section);
        return { section, body, out };
    }

    #steps(out) {
        const step = (text, ms, props) => button('control.advance', out, () => this.clock('advance', { ms: ms() }), props, text);
        this.keepAlive = step('', () => this.device.keepAlive * GRACE * 1000, { hidden: true });
        return [Object.entries(STEPS).map(([text, ms]) => step(`+ ${text}`, () => ms)), this.keepAlive];
    }

    /* ---- what is asked ---- */

    path(rest) {
        return pathOf(this.name, rest);
    }

    async clock(act, body) {
        const clock = act ? await post(`/api/v1/clock/${act}`, body) : await get('/api/v1/clock', {}, this.signal);
        keepClock(clock);
        this.real = clock.realUnixMs - Date.now();
        this.#time();
    }

    async change(body) {
        await call('PATCH', this.path(), { body });
        await this.#again();
    }

    async credentials(name) {
        const [device, credentials] = await Promise.all([get(pathOf(name), { secrets: true }), get(pathOf(name, '/credentials'))]);
        const { requireCertificate } = this.products.find(({ cloud, product }) => cloud === device.cloud && product === device.product) ?? {};
        return waysIn(credentials, { ...device, requireCertificate });
    }

    commands() {
        const { commands = [] } = server.clouds.find(({ name }) => name === this.device?.cloud) ?? {};
        return commands.map(({ kind, about }) => [kind, about ? `${kind}: ${about}` : kind]);
    }

    /* What the server or the device says to it, with the way to what came of it. */
    async answer(method, rest, body) {
        const link = (params) => h('p', {}, to('timeline', params, t('control.event')));
        try {
            const came = await call(method, this.path(rest), { body });
            return [facts(came), link(came.seq ? { seq: came.seq } : { device: this.name })];
        } catch (error) {
            if (error.status === 409 || error.status === 504) return [h('p', { class: 'bad', role: 'alert' }, data(error.message, 500)), link({ device: this.name })];
            throw error;
        }
    }

    async snapshots() {
        const { snapshots } = await get('/api/v1/snapshots', {}, this.signal);
        const { out } = this.panels.snapshots;
        fill(this.kept, snapshots.map(({ name, product, created, devices }) => {
            const act = (what, method, rest) => button(`control.${what}`, out, async () => {
                if (!await sure(t(`control.${what}.sure`, name))) return false;
                await call(method, `/api/v1/snapshots/${encodeURIComponent(name)}${rest}`, method === 'POST' ? { body: { product } } : { query: { product } });
                return this.snapshots();
            }, { 'aria-label': `${t(`control.${what}`)}: ${name}` });
            return h('tr', {}, h('th', { scope: 'row' }, data(name)), h('td', {}, product ? data(product) : t('control.all'), ` (${devices})`), h('td', {}, full(created)),
                h('td', {}, act('restore', 'POST', '/restore'), ' ', act('drop', 'DELETE', '')));
        }));
    }

    /* ---- what goes on meanwhile ---- */

    #time() {
        fill(this.times, h('strong', {}, t('control.virtual')), ` ${full(new Date(now()).toISOString())}${isFrozen() ? ` (${t('frame.frozen')})` : ''}`, h('br'),
            t('control.real'), ` ${full(new Date(Date.now() + this.real).toISOString())}`);
    }

    async #again() {
        this.#time();
        await Promise.all([this.faults?.refresh(), this.name ? this.#look(this.name) : null]);
    }

    async #look(name) {
        const [device, { subscriptions }] = await Promise.all([get(pathOf(name), {}, this.signal), get(pathOf(name, '/subscriptions'), {}, this.signal)]);
        if (name !== this.name) return;
        this.device = device;
        fill(this.state, facts({ online: device.online, enabled: device.enabled, temporary: device.temporary, keepAlive: device.keepAlive ?? null, lastSeen: device.lastSeen && full(device.lastSeen),
            subscriptions: subscriptions.map(({ filter, qos }) => `${filter} (${qos})`).join(', ') }));
        fill(this.topics, subscriptions.map(({ filter }) => h('option', { value: filter.replace(/[+#]/g, '1') })));
        this.keepAlive.hidden = !device.keepAlive;
        fill(this.keepAlive, `+ ${span(device.keepAlive * GRACE * 1000)} (${t('control.keepalive')})`);
        for (const [act, wanted] of [['enable', !device.enabled], ['disable', device.enabled], ['delete', device.temporary]])
            this.panels.device.body.querySelector(`[data-act=${act}]`).hidden = !wanted;
    }

    async #offer() {
        const { devices } = await get('/api/v1/devices', { text: this.chosen.value, limit: OFFERED }, this.signal);
        fill(this.devices, devices.map(({ name }) => h('option', { value: name })));
    }
}
