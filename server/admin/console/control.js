/* Control: what a test does to the world of its devices. One table of acts makes buttons and forms of them. */
import { call, get, pathOf, server, showError } from './client.js';
import { data, dialog, field, fill, h, say, to } from './dom.js';
import { faultForm } from './faults.js';
import { facts, form } from './form.js';
import { Page } from './page.js';
import { waysIn } from './snippets.js';
import { t } from './texts.js';
import { full, keepClock } from './times.js';

const AGAIN_MS = 1000;
const GRACE = 1.5; /* of its keepalive a device may be silent (MQTT 3.1.1, 3.1.2-24) */

/* Panel, act, what is asked of the API (@: the device), and what is sent: always this, or what is given in a form of these members
 * ("name*:kind", *: required). */
const act = (line) => {
    const [, panel, name, method, path, sent] = /^(\S+) (\S+) (\S+) (\S+) ?(.*)$/.exec(line);
    return { panel, name, method, path, sent, isForm: /^\w/.test(sent) };
};
const ACTS = `
clock freeze POST clock/freeze
clock resume POST clock/resume
clock 1s POST clock/advance {"ms":1000}
clock 1min POST clock/advance {"ms":60000}
clock 1h POST clock/advance {"ms":3600000}
clock 1d POST clock/advance {"ms":86400000}
clock keepalive POST clock/advance
clock advance POST clock/advance ms*:integer
clock set POST clock/set unixMs*:time
device disconnect POST @/disconnect
device twin POST @/twin
device enable PATCH @ {"enabled":true}
device disable PATCH @ {"enabled":false}
device delete DELETE @
device properties GET @/properties
device credentials GET @/credentials
message send POST @/messages topic* payload:lines payloadBase64 qos:integer
command send POST @/commands kind* name params:object payload:lines waitMs:integer
shadow read GET @/shadow
shadow change PATCH @/shadow desired*:object
new make POST devices?secrets=true product*
faults end.all DELETE faults
reset reset POST reset device product forget:boolean
reset reload POST reload
snapshots take POST snapshots name* product`.trim().split('\n').map(act);
const PANELS = [...new Set(ACTS.map(({ panel }) => panel))];

/* By act: what is sent instead of what was given, what is asked before, what is shown instead of the answer. */
const SENT = {
    keepalive: (page) => ({ ms: page.device.keepAlive * GRACE * 1000 }),
    make: (page, { product: name }) => ({ cloud: name.split('/')[0], product: name.split('/')[1] ?? '', temporary: true }),
};
const SURE = {
    delete: (page) => t('control.gone', page.name),
    reset: (page, { device, product, forget }) => t('control.sure', device ?? product ?? t('control.all'), forget ? t('control.forgotten') : ''),
    restore: (page, given, name) => t('control.restored', name),
    drop: (page, given, name) => t('control.gone', name),
};
const SHOWN = {
    delete: (page) => page.go({ device: '' }),
    credentials: async (page, answer) => page.ways(answer, await get(pathOf(page.name), { secrets: true })),
    make: (page, answer) => {
        page.go({ device: answer.name });
        return [h('h3', data(answer.name)), page.ways(answer.credentials, answer)];
    },
};

/* Shows it anew when it has changed; the focus stays where it is. */
function renew(element, value, make) {
    const text = JSON.stringify(value), { id } = document.activeElement;
    if (element.dataset.shown === text) return;
    element.dataset.shown = text;
    fill(element, make(value));
    if (id && document.activeElement.id !== id) document.getElementById(id)?.focus();
}

const NONE = { subscriptions: [] };
const options = (values) => values.map((value) => h('option', { value }));

export class Control extends Page {
    device = {}; /* the chosen one */

    build() {
        this.chosen = h('input', { type: 'search', list: 'devices', 'data-filter': true, autocomplete: 'off',
            oninput: () => this.attempt(() => this.#offer()), onchange: () => this.go({ device: this.chosen.value.trim() }) });
        [this.devices, this.products, this.topics] = ['devices', 'products', 'topics'].map((id) => h('datalist', { id }));
        this.panels = Object.fromEntries(PANELS.map((name) => [name, { state: h('div'), body: h('div'), out: h('output') }]));
        fill(this, h('div.bar', field(t('device'), this.chosen), this.devices, this.products, this.topics),
            h('div.scroll', h('div.grid', PANELS.map((name) => h('section.panel', { 'aria-labelledby': `panel-${name}` },
                h('h2', { id: `panel-${name}` }, t(`control.${name}`)), Object.values(this.panels[name]))))));
    }

    async show(params) {
        const name = params.get('device') ?? '', began = !this.points, read = (path) => get(`/api/v1/${path}`, {}, this.signal);
        if (!began && name === (this.name ?? '')) return undefined;
        if (began) {
            [{ products: this.made }, this.points] = await Promise.all([read('products'), read('faults/points')]);
            fill(this.products, options(this.made.map(({ cloud, product }) => `${cloud}/${product}`)));
        }
        this.device = name && await this.attempt(() => get(pathOf(name), {}, this.signal)) || {};
        this.name = this.device.name;
        this.chosen.value = name;
        PANELS.forEach((panel) => this.#draw(panel));
        await this.#offer();
        return began ? this.every(AGAIN_MS, () => this.attempt(() => this.#again())) : this.#again();
    }

    #draw(panel) {
        const { body, out } = this.panels[panel], acts = ACTS.filter((each) => each.panel === panel), ofDevice = acts[0].path[0] === '@';
        const commands = server.clouds.find(({ name }) => name === this.device.cloud)?.commands?.map(({ kind, about }) => [kind, about ? `${kind}: ${about}` : kind]);
        body.parentNode.hidden = ofDevice && !this.name;
        if (ofDevice) fill(out);
        fill(body, h('p.acts', acts.filter(({ isForm }) => !isForm).map((each) => this.#button(each))), acts.filter(({ isForm }) => isForm).map((each) =>
            form(t(`control.${each.name}`), each.sent.split(' ').map((member) => {
                const [, name, star, kind] = /^(\w+)(\*?):?(\w*)$/.exec(member);
                return { name, kind, required: !!star, options: name === 'kind' ? commands : undefined };
            }), (...given) => this.#do(each, ...given))));
        if (panel === 'faults') body.prepend(faultForm(this.points, { point: 'puback-down', device: this.name }, (...given) => this.#do(act('faults begin POST faults'), ...given)));
    }

    /* `of`: the thing that it is done to, where several can have it done. */
    #button(row, of = '') {
        const text = t(`control.${row.name}`);
        return h('button', { id: `do-${row.name}${of}`, label: of ? `${text} ${of}` : null, onclick: () => this.#do(row, undefined, undefined, of) }, text);
    }

    ways(credentials, device) {
        return waysIn(credentials, { ...this.made.find(({ cloud, product }) => cloud === device.cloud && product === device.product), ...device });
    }

    /* Does it, once at a time, and tells what came of it, with the way to its events. */
    async #do({ panel, name, method, path, sent, isForm }, values = () => undefined, refuse = () => false, of = '') {
        const { out } = this.panels[panel], device = this.name, title = t(`control.${name}`);
        const events = (seq) => path[0] === '@' && h('p', to('timeline', seq ? { seq } : { device }, t('frame.timeline')));
        if (out.ariaBusy === 'true') return;
        out.ariaBusy = 'true';
        fill(out);
        try {
            const given = values(), body = SENT[name]?.(this, given) ?? (sent && !isForm ? JSON.parse(sent) : given);
            if (SURE[name] && !await dialog(title, t('control.yes'), false, h('p', SURE[name](this, given, of)), h('button', t('control.no')))) return;
            const answer = await call(method, path[0] === '@' ? pathOf(device, path.slice(1)) : `/api/v1/${path}`, { body: method === 'GET' || method === 'DELETE' ? undefined : body });
            if (this.signal.aborted) return;
            fill(out, SHOWN[name] ? await SHOWN[name](this, answer) : answer && panel !== 'clock' && facts(answer), events(answer?.seq));
            say(t('control.done', title));
        } catch (error) {
            if (!refuse(error)) showError(out, error);
            out.append(events() || '');
            if (!('status' in error)) throw error;
        } finally {
            out.ariaBusy = 'false';
        }
        await this.attempt(() => this.#again());
    }

    /* ---- what there is ---- */

    async #offer() {
        const text = this.chosen.value, { devices } = await get('/api/v1/devices', { text, limit: 50 }, this.signal);
        if (text === this.chosen.value) fill(this.devices, options(devices.map(({ name }) => name)));
    }

    async #again() {
        const { clock, device, faults, snapshots } = this.panels, chosen = this.name, read = (path) => get(path, {}, this.signal);
        const [time, broken, kept, found, held] = await Promise.all([...['clock', 'faults', 'snapshots'].map((path) => read(`/api/v1/${path}`)),
            chosen ? read(pathOf(chosen)).catch((error) => this.#gone(error)) : {}, chosen ? read(pathOf(chosen, '/subscriptions')).catch(() => NONE) : NONE]);
        if (chosen !== this.name || this.signal.aborted) return;
        keepClock(time);
        renew(clock.state, time, ({ time: virtual, realTime, frozen }) => facts({ virtual, real: realTime, frozen }));
        renew(faults.state, broken.faults, (all) => all.map((each) => this.#fault(each)));
        renew(snapshots.state, kept.snapshots, (all) => all.map((each) => this.#snapshot(each)));
        const filters = held.subscriptions.map(({ filter }) => filter);
        renew(device.state, { ...found, subscriptions: filters.join(' ') }, facts);
        fill(this.topics, options(filters.map((filter) => filter.replace(/[+#]/g, '1'))));
        this.device = found;
        for (const [name, can] of [['keepalive', found.keepAlive], ['enable', !found.enabled], ['disable', found.enabled], ['delete', found.temporary]])
            document.getElementById(`do-${name}`).hidden = !can;
    }

    /* A reset may have taken it. */
    #gone(error) {
        if (error.status === 404) this.go({ device: '' });
        throw error;
    }

    #fault({ id, point, action, name = '', seed, fired, spent, ...rest }) {
        return h('p.acts', h('strong', t('faults.fired', fired)), data(`${id} ${name} ${action} ${point} ${JSON.stringify(rest)}${spent ? ' spent' : ''}`, 500),
            to('timeline', { type: 'fault', text: name || id }, t('frame.timeline')), this.#button(act(`faults end DELETE faults/${id}`), id));
    }

    #snapshot({ name, product, created, devices }) {
        const path = `snapshots/${encodeURIComponent(name)}`, of = product ? `${product} ${name}` : name;
        return h('p.acts', data(of), `${full(created)} ${t('control.devices', devices)}`, this.#button(act(`snapshots restore POST ${path}/restore ${JSON.stringify({ product })}`), of),
            this.#button(act(`snapshots drop DELETE ${path}${product ? `?product=${encodeURIComponent(product)}` : ''}`), of));
    }
}
