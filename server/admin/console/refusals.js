/* Refusals: who was turned away, newest first, and the picture of why. */
import { data, fill, h, plain, search } from './dom.js';
import { explanation, mistake } from './explain.js';
import { eventOf, newest } from './feed.js';
import { list } from './list.js';
import { Page, pages } from './page.js';
import { waysIn } from './snippets.js';
import { t } from './texts.js';
import { full, short } from './times.js';

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
    #shown = null; /* seq of the picture */
    #more = false;
    beside = 'seq';

    build() {
        this.list = list(t('frame.refusals'), {
            at: (index) => this.#events[index],
            render: (event, row) => fill(row, h('span.dim', short(event.time)), h('span.who', data(who(event), 100)),
                h('span.dim', event.transport), h('span.mark.failed', plain(mistake(event), 60))),
            onchoose: ({ seq }) => this.go({ seq }),
            onend: () => this.#more && this.attempt(() => this.#older()),
        });
        /* of other events the newest is shown */
        this.lay(this.param('text', search(t('filter'), { onchange: () => this.params.delete('seq') }), 'change'), this.list, t('refusals.why'));
        this.detail.tabIndex = 0;
    }

    show(params) {
        const text = params.get('text') ?? '', query = { refused: true, text };
        if (text === this.query?.text) return this.#choose();
        this.query = query;
        const signal = this.renew();
        return this.follow({ query, load: () => this.#load(signal), take: (events) => this.#take(events), signal });
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
        const near = [...this.#events.slice(0, NEAR), ...events];
        /* a handshake that ends because its key was refused has been told already */
        const told = events.filter((event) => event.type !== 'tls-handshake' || !event.connection
            || near.find((each) => each.connection === event.connection) === event);
        this.#events = [...told.reverse(), ...this.#events].slice(0, KEPT_MAX);
        this.list.count = this.#events.length;
        this.list.update(told.length);
        this.settling ??= setTimeout(() => { /* of many that come at once not each is drawn */
            this.settling = null;
            this.attempt(() => this.#choose());
        }, SETTLE_MS);
    }

    async #older() {
        const { query } = this;
        this.#more = false;
        const { events } = await newest({ ...query, before: this.#events.at(-1).seq }, PAGE_MAX, this.signal);
        if (query !== this.query) return;
        this.#events.push(...events);
        this.#more = events.length === PAGE_MAX && this.#events.length < KEPT_MAX;
        this.list.count = this.#events.length;
        this.list.update();
    }

    /* ---- showing ---- */

    /* The one in the address, or the newest. */
    async #choose() {
        const wanted = Number(this.params.get('seq')), index = this.#events.findIndex(({ seq }) => !wanted || seq === wanted);
        let event = this.#events[index];
        if (wanted && event && index !== this.list.chosen) this.list.choose(index); /* and into sight */
        this.list.chosen = index;
        this.list.update();
        if (wanted && !event) event = await eventOf(wanted, this.signal);
        if (event?.seq === this.#shown) return;
        this.#shown = event?.seq;
        fill(this.detail, event ? this.#picture(event) : h('p.empty', t('refusals.none')));
        this.detail.scrollTop = 0;
    }

    #picture(event) {
        const { seq, time, type, transport, listener, peer, device, explanation: told, findings = [] } = event, after = h('p.dim'), good = h('div');
        this.attempt(() => this.#answered(event, after));
        return [h('h2', data(who(event), 300)), h('p.dim', [full(time), type, transport, listener, peer].filter(Boolean).join(' · ')),
            told?.similar && h('p', t('refusals.similar'), ' ', data(told.similar)),
            explanation(event), after,
            device ? h('button.main', { onclick: () => this.attempt(() => this.#credentials(event, good)) }, t('refusals.good')) : h('p.dim', t('refusals.stranger')), good,
            findings.map(({ rule, statement, detail, source }) => h('p', h('code', rule), ' ', statement, detail !== told?.what && [': ', plain(detail, 1000)], '. ',
                source && h('small', t('refusals.source'), ' ', source))),
            h('p', pages({ seq }, 'timeline'), device && [' · ', pages({ device }, 'verdicts')])];
    }

    /* What came back to it, and what became of the connection. */
    async #answered({ seq, connection, status }, element) {
        const { events = [] } = connection ? await this.get('/api/v1/events', { connection, since: seq, limit: AFTER_MAX, run: true }) : {};
        const said = events.filter(({ direction }) => direction !== 'up').map((each) => [each.type, each.code, each.status, each.reason].join(' '));
        if (status) said.unshift(`HTTP ${status}`);
        if (said.length) fill(element, t('refusals.answer'), ' ', plain(said.join(' \u2192 '), 500));
    }

    async #credentials({ seq, device }, element) {
        this.go({ seq }); /* what comes in does not take it away */
        fill(element, await waysIn(device, this.signal));
    }
}
