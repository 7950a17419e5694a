/* Control: what a test does to the world of its devices. One table of acts makes buttons and forms of them. */
import { call, pathOf, server, showError } from './client.js';
import { data, dialog, fill, h, query, say, search, to } from './dom.js';
import { faultForm } from './faults.js';
import { facts, form } from './form.js';
import { Page } from './page.js';
import { waysIn } from './snippets.js';
import { t } from './texts.js';
import { full, GRACE, keepClock } from './times.js';

const AGAIN_MS = 1000;

/* Panel, act, what is asked of the API (@: the device; POST, where nothing is said), and what is sent: always this, or what is given
 * in a form of these members ("name*:kind", *: required). `of`: the thing that it is done to, where several can have it done. */
const act = (line, of = '') => {
    const [, panel, name, method = 'POST', path, body, members] = /^(\S+) (\S+) (?:([A-Z]+) )?(\S+) ?(\{.*)?(.*)$/.exec(line);
    return { panel, name, method, path, of, body: body && JSON.parse(body), members: members.match(/\S+/g) };
};
const ACTS = `
clock freeze clock/freeze
clock resume clock/resume
clock 1s clock/advance {"ms":1000}
clock 1min clock/advance {"ms":60000}
clock 1h clock/advance {"ms":3600000}
clock 1d clock/advance {"ms":86400000}
clock keepalive clock/advance
clock advance clock/advance ms*:integer
clock set clock/set time*:time
device disconnect @/disconnect
device twin @/twin
device enable PATCH @ {"enabled":true}
device disable PATCH @ {"enabled":false}
device delete DELETE @
device properties GET @/properties
device credentials GET @/credentials
message send @/messages topic* payload:lines payloadBase64 qos:integer
command send @/commands kind* name params:object payload:lines waitMs:integer
shadow read GET @/shadow
shadow change PATCH @/shadow desired*:object
new make devices?secrets=true product*
faults end.all DELETE faults
reset reset reset device product forget:boolean
reset reload reload
snapshots take snapshots name* product`.trim().split('\n').map((line) => act(line));
const PANELS = Object.groupBy(ACTS, ({ panel }) => panel);

/* By act: what is sent instead of what was given, what is asked before (`of`: what goes), what is shown instead of the answer. */
const SENT = {
    keepalive: ({ device }) => ({ ms: device.keepAlive * GRACE * 1000 }),
    set: (page, { time }) => ({ unixMs: time }),
    make(page, given) {
        const [cloud, product] = given.product.split('/');
        return { cloud, product, temporary: true };
    },
};
const SURE = {
    delete: (of) => t('control.gone', of),
    restore: (of) => t('control.restored', of),
    reset: (of, { device, product, forget }) => t('control.sure', device ?? product ?? t('control.all')) + (forget ? t('control.forgotten') : ''),
};
const SHOWN = {
    credentials: ({ device, signal }) => waysIn(device.name, signal),
    make(page, { name }) {
        page.go({ device: name });
        return waysIn(name, page.signal);
    },
};

/* Shows it anew when it has changed; the focus stays where it is. */
function renew(element, value, make) {
    const text = JSON.stringify(value), { id } = document.activeElement;
    if (element.dataset.shown === text) return;
    element.dataset.shown = text;
    fill(element, make(value));
    document.getElementById(id)?.focus();
}

/* What a list of proposals has. */
const propose = (id, values) => fill(document.getElementById(id), values.map((value) => h('option', { value })));

export class Control extends Page {
    device = {}; /* the chosen one */

    build() {
        this.chosen = this.param('device', search(t('device'), { list: 'devices', autocomplete: 'off', oninput: () => this.attempt(() => this.#offer()) }), 'change');
        this.panels = {};
        const panels = Object.keys(PANELS).map((name) => {
            const label = t(`control.${name}`), parts = { state: h('div'), body: h('div'), out: h('output') };
            this.panels[name] = parts;
            return h('section.panel', { label }, h('h2', label), Object.values(parts));
        });
        fill(this, h('div.bar', this.chosen, ['devices', 'products', 'topics'].map((id) => h('datalist', { id }))), h('div.scroll', h('div.grid', panels)));
    }

    async show(params) {
        const name = params.get('device') ?? '', again = this.points;
        if (!again) {
            const [{ products }, points] = await Promise.all([this.get('/api/v1/products'), this.get('/api/v1/faults/points')]);
            propose('products', products.map(({ cloud, product }) => `${cloud}/${product}`));
            this.points = points;
        }
        this.device = name && await this.attempt(() => this.get(pathOf(name))) || {};
        for (const panel in PANELS) this.#draw(panel);
        await this.#offer();
        return again ? this.#again() : this.every(AGAIN_MS, () => this.attempt(() => this.#again()));
    }

    #draw(panel) {
        const { body, out } = this.panels[panel], acts = PANELS[panel], { name: device, cloud } = this.device;
        const commands = server.clouds.find(({ name }) => name === cloud)?.commands.map(({ kind, about }) => [kind, about && `${kind}: ${about}`]);
        if (acts[0].path[0] === '@') {
            body.parentNode.hidden = !device;
            fill(out);
        }
        fill(body, panel === 'faults' && faultForm(this.points, { point: 'puback-down', device }, (...given) => this.#do(act('faults begin faults'), ...given)),
            h('p.acts', acts.map((each) => !each.members && this.#button(each))),
            acts.map((each) => each.members && form(t(`control.${each.name}`), each.members.map((member) => {
                const [, name, star, kind] = /(\w+)(\*?):?(\w*)/.exec(member);
                return { name, kind, required: !!star, options: name === 'kind' ? commands : undefined };
            }), (...given) => this.#do(each, ...given))));
    }

    #button(row) {
        const { name, of } = row, text = t(`control.${name}`);
        return h('button', { id: `do-${name}${of}`, label: `${text} ${of}`.trim(), onclick: () => this.#do(row) }, text);
    }

    /* Does it, once at a time, and tells what came of it, with the way to its events. */
    async #do({ panel, name, method, path, body, of }, values = () => body, refuse = () => false) {
        const { out } = this.panels[panel], device = this.device.name, title = t(`control.${name}`), ofDevice = path[0] === '@';
        const events = (seq) => ofDevice && h('p', to('timeline', seq ? { seq } : { device }, t('frame.timeline')));
        if (out.ariaBusy === 'true') return;
        out.ariaBusy = 'true';
        fill(out);
        try {
            const given = values(), sure = SURE[name]?.(of || device, given);
            if (sure && !await dialog(title, t('control.yes'), false, h('p', sure), h('button', t('control.no')))) return;
            const answer = await call(method, ofDevice ? pathOf(device, path.slice(1)) : `/api/v1/${path}`, { body: SENT[name]?.(this, given) ?? given });
            if (this.signal.aborted) return;
            fill(out, SHOWN[name] ? await SHOWN[name](this, answer) : answer && facts(answer), events(answer?.seq));
            if (panel === 'clock') keepClock(answer);
            say(t('control.done', title));
        } catch (error) {
            if (!refuse(error)) showError(out, error);
            out.append(events() || '');
        } finally {
            out.ariaBusy = 'false';
        }
        await this.attempt(() => this.#again());
    }

    /* ---- what there is ---- */

    async #offer() {
        const text = this.chosen.value, { devices } = await this.get('/api/v1/devices', { text, limit: 50 });
        if (text === this.chosen.value) propose('devices', devices.map(({ name }) => name));
    }

    async #again() {
        const { device, faults, snapshots } = this.panels, { name } = this.device;
        const read = (path) => this.get(`/api/v1/${path}`), ofDevice = (rest, otherwise) => (name ? this.get(pathOf(name, rest)).catch(otherwise) : {});
        const [broken, kept, { subscriptions = [] }, found] = await Promise.all([read('faults'), read('snapshots'),
            ofDevice('/subscriptions', () => ({})), ofDevice('', (error) => {
                if (error.status !== 404) throw error;
                this.go({ device: '' }); /* it was deleted, or a reset has taken it */
                return {};
            })]);
        if (name !== this.device.name || this.signal.aborted) return;
        const filters = subscriptions.map(({ filter }) => filter);
        renew(faults.state, broken.faults, (all) => all.map(this.#fault, this));
        renew(snapshots.state, kept.snapshots, (all) => all.map(this.#snapshot, this));
        renew(device.state, { ...found, subscriptions: filters }, facts);
        propose('topics', filters.map((filter) => filter.replace(/[+#]/g, '1')));
        this.device = found;
        for (const [act, can] of Object.entries({ keepalive: found.keepAlive, enable: !found.enabled, disable: found.enabled, delete: found.temporary }))
            document.getElementById(`do-${act}`).hidden = !can;
    }

    #fault({ id, point, action, name = '', fired, ...rest }) {
        return h('p.acts', h('strong', `${fired}\u00d7`), data(`${id} ${name} ${action} ${point} ${JSON.stringify(rest)}`, 500),
            to('timeline', { type: 'fault', text: name || id }, t('frame.timeline')), this.#button(act(`faults end DELETE faults/${id}`, id)));
    }

    #snapshot({ name, product, created, devices }) {
        const path = `snapshots/${encodeURIComponent(name)}`, of = product ? `${product} ${name}` : name;
        return h('p.acts', data(of), `${full(created)}, ${t('frame.devices')}: ${devices}`,
            this.#button(act(`snapshots restore ${path}/restore ${JSON.stringify({ product })}`, of)), this.#button(act(`snapshots delete DELETE ${path}${query({ product })}`, of)));
    }
}
