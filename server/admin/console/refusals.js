/* Refusals: who was turned away, newest first, and the picture of why. */
import { get } from './client.js';
import { data, fill, h, plain, to } from './dom.js';
import { explanation, mistake } from './explain.js';
import { follow, newest } from './feed.js';
import { Page } from './page.js';
import { waysIn } from './snippets.js';
import { t } from './texts.js';
import { full, short } from './times.js';
import './list.js';

const PAGE_MAX = 500; /* events that are asked for at a time */
const KEPT_MAX = 20000;
const NEAR = 20; /* events among which one of the same handshake may be */
const SETTLE_MS = 150;
const AFTER_MAX = 3; /* events that tell what the cloud did */

/* Who it is, or claims to be. */
const who = ({ device, cloud, product, deviceKey, clientId, identity, serverName, listener }) =>
    device ?? (product && deviceKey ? `${cloud}/${product}/${deviceKey}` : clientId || identity || serverName || listener || '?');

export class Refusals extends Page {
    #events = []; /* newest first */
    #following = new AbortController();
    #shown = null; /* seq of the picture */
    #more = false;

    build() {
        this.filter = h('input', { type: 'search', 'data-filter': true, label: t('filter'), placeholder: t('filter'), onchange: () => this.go({ text: this.filter.value, seq: '' }) });
        this.device = h('button', { onclick: () => this.go({ device: '' }) });
        this.state = h('span.dim', { role: 'status' });
        this.list = h('sky-list', { label: t('frame.refusals') });
        this.detail = h('aside', { label: t('refusals.why'), tabindex: 0 });
        this.list.at = (index) => this.#events[index];
        this.list.render = (event, row) => fill(row, h('span.dim', short(event.time)), h('span.who', data(who(event), 100)),
            h('span.dim', event.transport), h('span.mark.failed', plain(mistake(event), 60)));
        this.list.onchoose = ({ seq }) => this.go({ seq });
        this.list.onend = () => this.attempt(() => this.#older());
        fill(this, h('div.bar', this.filter, this.device, h('span.space'), this.state), h('div.split', this.list, this.detail));
    }

    show(params) {
        const text = params.get('text') ?? '', device = params.get('device') ?? '', asked = JSON.stringify([text, device]);
        if (asked === this.asked) return this.#choose();
        this.asked = asked;
        this.query = { refused: true, text, device };
        this.filter.value = text;
        this.device.hidden = !device;
        fill(this.device, data(device), ' \u00d7');
        this.#following.abort();
        this.#following = new AbortController();
        const signal = AbortSignal.any([this.signal, this.#following.signal]);
        return follow({ query: this.query, load: () => this.#load(signal), take: (events) => this.#take(events), skip: () => {}, state: (state) => fill(this.state, t(state)), signal });
    }

    key({ key }) {
        if (key === 'Escape') this.go({ seq: '' });
        return key === 'Escape';
    }

    /* ---- reading ---- */

    async #load(signal) {
        const { events, last } = await newest(this.query, PAGE_MAX, signal);
        this.#events = [];
        this.#more = events.length === PAGE_MAX;
        this.#take(events.reverse());
        this.list.refresh();
        return last;
    }

    #take(events) {
        const near = [...this.#events.slice(0, NEAR), ...events], first = (event) => near.find((each) => each.connection === event.connection) === event;
        /* a handshake that ends because its key was refused has been told already */
        const told = events.filter((event) => event.type !== 'tls-handshake' || !event.connection || first(event));
        this.#events = [...told.reverse(), ...this.#events].slice(0, KEPT_MAX);
        this.list.count = this.#events.length;
        this.list.update(told.length);
        this.settling ??= setTimeout(() => { /* of many that come at once not each is drawn */
            this.settling = null;
            if (!this.signal.aborted) this.attempt(() => this.#choose());
        }, SETTLE_MS);
    }

    async #older() {
        if (!this.#more || this.#events.length >= KEPT_MAX) return;
        this.#more = false;
        const { events } = await get('/api/v1/events', { ...this.query, run: true, order: 'desc', limit: PAGE_MAX, before: this.#events.at(-1).seq }, this.signal);
        this.#more = events.length === PAGE_MAX;
        this.#events.push(...events.sort((a, b) => b.seq - a.seq));
        this.list.count = this.#events.length;
        this.list.refresh();
    }

    /* ---- showing ---- */

    /* The one in the address, or the newest. */
    async #choose() {
        const wanted = Number(this.params.get('seq')), index = this.#events.findIndex((each) => !wanted || each.seq === wanted);
        let event = this.#events[index];
        if (wanted && index >= 0 && index !== this.list.chosen) this.list.choose(index); /* and into sight */
        this.list.chosen = index;
        this.list.update();
        if (wanted && !event) [event] = (await get('/api/v1/events', { since: wanted - 1, before: wanted + 1, run: true }, this.signal)).events;
        if (event && event.seq === this.#shown) return;
        this.#shown = event?.seq;
        fill(this.detail, event ? this.#picture(event) : h('p.empty', t('refusals.none')));
        this.detail.scrollTop = 0;
    }

    #picture(event) {
        const { seq, time, type, transport, listener, peer, device, explanation: told, findings = [] } = event, after = h('p.dim'), good = h('div');
        const rule = ({ rule: id, statement, detail, source }) => h('p', h('code', id), ' ', plain(statement ?? ''),
            detail === told?.what ? '. ' : [': ', plain(detail, 1000), '. '], source ? h('small', t('refusals.source'), ' ', plain(source)) : null);
        this.attempt(() => this.#answered(event, after));
        return [h('h2', data(who(event), 300)), h('p.dim', [full(time), type, transport, listener, peer].filter(Boolean).join(' · ')),
            told?.similar ? h('p', t('refusals.similar'), ' ', told.similar.split(', ').map((each) => [h('strong', data(each)), ' '])) : null,
            explanation(event), after,
            device ? h('p', h('button.main', { onclick: () => this.attempt(() => this.#credentials(event, good)) }, t('refusals.good'))) : h('p.dim', t('refusals.stranger')), good,
            findings.map(rule),
            h('p', to('timeline', { seq }, t('refusals.timeline')), device ? [' · ', to('verdicts', { device }, t('refusals.verdict'))] : null)];
    }

    /* What came back to it, and what became of the connection. */
    async #answered({ seq, connection, status }, element) {
        const { events } = connection ? await get('/api/v1/events', { connection, since: seq, limit: AFTER_MAX, run: true }, this.signal) : { events: [] };
        const said = events.filter((each) => each.direction !== 'up').map((each) => [each.type, each.code, each.status, each.reason].filter((part) => part !== undefined).join(' '));
        if (status) said.unshift(`HTTP ${status}`);
        if (said.length) fill(element, t('refusals.answer'), ' ', plain(said.join(' \u2192 '), 500));
    }

    async #credentials({ seq, device }, element) {
        this.go({ seq }); /* what comes in does not take it away */
        fill(element, await waysIn(device, this.signal));
    }
}
