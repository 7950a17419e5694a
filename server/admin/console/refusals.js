/* Refusals: who was turned away, newest first, and the picture of why. */
import { get, pathOf } from './client.js';
import { copy, data, fill, h, plain, to } from './dom.js';
import { explanation, mistake, why } from './explain.js';
import { follow, newest } from './feed.js';
import { Page } from './page.js';
import { t } from './texts.js';
import { full, short } from './times.js';
import './list.js';

const PAGE_MAX = 500; /* events that are asked for at a time */
const KEPT_MAX = 20000;
const TYPING_MS = 300;
const AFTER_MAX = 3; /* events that tell what the cloud did */

/* Who it is, or claims to be. */
const who = (event) => event.device ?? (event.product && event.deviceKey ? [event.cloud, event.product, event.deviceKey].join('/')
    : event.clientId || event.identity || event.serverName || event.listener || '?');

export class Refusals extends Page {
    #events = [];
    #following = new AbortController();
    #shown = null; /* seq of the picture */
    #more = false;

    build() {
        this.filter = h('input', { type: 'search', 'data-filter': true, 'aria-label': t('filter'), placeholder: t('filter'), oninput: () => {
            clearTimeout(this.typing);
            this.typing = setTimeout(() => this.go({ text: this.filter.value, seq: '' }), TYPING_MS);
        } });
        this.device = h('button', { onclick: () => this.go({ device: '' }) });
        this.state = h('span', { class: 'dim', role: 'status' });
        this.list = h('sky-list', { 'aria-label': t('refusals.list') });
        this.detail = h('aside', { 'aria-label': t('frame.refusals'), 'aria-live': 'polite' });
        this.list.at = (index) => this.#events[index];
        this.list.render = (event, row) => fill(row, h('span', { class: 'dim' }, short(event.time)), h('span', { class: 'who' }, data(who(event), 100)),
            h('span', { class: 'dim' }, event.transport ?? ''), h('span', { class: 'mark failed' }, plain(mistake(event), 60)));
        this.list.onchoose = (event) => this.go({ seq: event.seq });
        this.list.onend = () => this.attempt(() => this.#older());
        fill(this, h('div', { class: 'bar' }, this.filter, this.device, h('span', { class: 'space' }), this.state), h('div', { class: 'split' }, this.list, this.detail));
    }

    show(params) {
        const query = { refused: true, text: params.get('text') ?? '', device: params.get('device') ?? '' };
        if (document.activeElement !== this.filter) this.filter.value = query.text;
        this.device.hidden = !query.device;
        fill(this.device, data(query.device), ' \u00d7');
        if (JSON.stringify(query) === JSON.stringify(this.query)) return this.#choose();
        this.query = query;
        this.#following.abort();
        this.#following = new AbortController();
        const signal = AbortSignal.any([this.signal, this.#following.signal]);
        return follow({
            query, signal,
            load: () => this.#load(signal),
            take: (events) => this.#take(events),
            skip: () => {},
            state: (state) => fill(this.state, t(state)),
        });
    }

    async #load(signal) {
        const { events, last } = await newest(this.query, PAGE_MAX, signal);
        this.#events = [];
        this.#more = events.length === PAGE_MAX;
        this.#add(events.reverse());
        this.list.chosen = -1;
        this.list.refresh();
        await this.#choose();
        return last;
    }

    /* A handshake that ends because its key was refused has been told already. */
    #add(events) {
        const count = this.#events.length;
        for (const event of events) {
            const told = event.type === 'tls-handshake' && event.connection && this.#events.slice(0, 20).some((each) => each.connection === event.connection);
            if (!told) this.#events.unshift(event);
        }
        const added = this.#events.length - count;
        if (this.#events.length > KEPT_MAX) this.#events.length = KEPT_MAX;
        this.list.count = this.#events.length;
        return added;
    }

    #take(events) {
        this.list.update(this.#add(events));
        this.attempt(() => this.#choose());
    }

    async #older() {
        if (!this.#more) return;
        this.#more = false;
        const { events } = await get('/api/v1/events', { ...this.query, run: true, order: 'desc', limit: PAGE_MAX, before: this.#events.at(-1).seq }, this.signal);
        this.#more = events.length === PAGE_MAX && this.#events.length < KEPT_MAX;
        this.#events.push(...events.sort((a, b) => b.seq - a.seq));
        this.list.count = this.#events.length;
        this.list.refresh();
    }

    /* The one in the address, or the newest. */
    async #choose() {
        const wanted = Number(this.params.get('seq'));
        const index = wanted ? this.#events.findIndex((each) => each.seq === wanted) : this.#events.length ? 0 : -1;
        let event = this.#events[index];
        this.list.chosen = index;
        this.list.update();
        if (wanted && !event) [event] = (await get('/api/v1/events', { since: wanted - 1, limit: 1, run: true }, this.signal)).events;
        if (event?.seq === this.#shown && event) return;
        this.#shown = event?.seq ?? null;
        fill(this.detail, event ? this.#picture(event) : h('p', { class: 'empty' }, t('refusals.none')));
        this.detail.scrollTop = 0;
    }

    #picture(event) {
        const answer = h('p', { class: 'dim' }), good = h('div'), similar = event.explanation?.similar;
        this.attempt(() => this.#answered(event, answer));
        return [h('h2', {}, data(who(event), 300)),
            h('p', { class: 'dim' }, [full(event.time), event.type, event.transport, event.listener, event.peer].filter(Boolean).join(' · ')),
            similar ? h('p', {}, t('refusals.similar'), ': ', similar.split(', ').map((each) => [h('strong', {}, data(each)), ' '])) : null,
            explanation(event), answer,
            event.device ? h('p', {}, h('button', { class: 'main', onclick: () => this.attempt(() => this.#credentials(event, good)) }, t('refusals.good'))) : h('p', { class: 'dim' }, t('refusals.stranger')),
            good,
            h('p', {}, to('timeline', { seq: event.seq }, t('refusals.timeline')), event.device ? [' · ', to('verdicts', { device: event.device }, t('refusals.verdict'))] : null)];
    }

    /* What came back to it, and what became of the connection. */
    async #answered(event, element) {
        const after = event.connection ? (await get('/api/v1/events', { connection: event.connection, since: event.seq, limit: AFTER_MAX, run: true }, this.signal)).events : [];
        const said = after.filter((each) => each.direction !== 'up').map((each) => [each.type, each.code ?? each.status ?? '', each.reason ?? each.detail ?? ''].filter((part) => part !== '').join(' '));
        if (event.status) said.unshift(`HTTP ${event.status}`);
        if (said.length) fill(element, t('refusals.answer'), ': ', plain(said.join(' \u2192 '), 500));
    }

    async #credentials(event, element) {
        this.go({ seq: event.seq }); /* what comes in does not take it away */
        const { tls, dynamic, ...values } = await get(pathOf(event.device, '/credentials'), {}, this.signal);
        const wanted = event.transport === 'tls' || event.transport === 'wss' ? tls : values;
        fill(element, h('table', {}, Object.entries(wanted).map(([key, value]) => h('tr', {}, h('th', { scope: 'row' }, key), h('td', {}, h('code', {}, plain(value, 500))),
            h('td', {}, h('button', { 'aria-label': t('refusals.copy', key), onclick: () => copy(value, t('explain.copied')) }, '\u2398'))))));
    }
}
