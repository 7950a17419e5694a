/* The console's frame: which page is shown, how to get to the others, and what all of them share. */
import { call, get, hello, server } from './client.js';
import { dialog, fill, h, select, to } from './dom.js';
import { choices, choose, dress, settings } from './settings.js';
import { t } from './texts.js';
import { full, isFrozen, keepClock, now } from './times.js';
import { Devices } from './devices.js';
import { Timeline } from './timeline.js';
import { Refusals } from './refusals.js';
import { Verdicts } from './verdicts.js';
import { Suites } from './suites.js';
import { Control } from './control.js';

const PAGES = { devices: Devices, timeline: Timeline, refusals: Refusals, verdicts: Verdicts, suites: Suites, control: Control };
const BEAT_MS = 3000;
const TICK_MS = 250;
const COUNTED_MAX = 999; /* refusals */

for (const [name, page] of Object.entries(PAGES)) {
    page.page = name;
    customElements.define(`sky-${name}`, page);
}

const refused = { count: 0, since: 0, started: '' };

function address() {
    const [, name = '', query = ''] = /^#\/([a-z]*)\??(.*)$/.exec(location.hash) ?? [];
    return { name: name in PAGES ? name : 'devices', params: new URLSearchParams(query) };
}

/* ---- what is around the pages ---- */

const setting = (name) => select(choices(name).map((value) => [value, t(`setting.${name}.${value}`)]), settings[name],
    (value) => choose(name, value), { label: t(`setting.${name}`) });

function frame() {
    const { name } = address();
    dress();
    fill(document.body,
        h('a.skip', { href: '#main', onclick: (event) => { event.preventDefault(); document.getElementById('main').focus(); } }, t('frame.skip')),
        h('header',
            h('strong.brand', 'skymock'),
            h('nav', { label: t('frame.pages') },
                Object.keys(PAGES).map((each) => to(each, {}, t(`frame.${each}`), each === 'refusals' ? h('span.badge', { id: 'refused' }) : null))),
            h('span.space'),
            h('time', { id: 'clock', title: t('frame.clock') }),
            h('span', { id: 'state', role: 'status' }),
            h('details.menu',
                h('summary', { title: t('frame.settings') }, h('span', { 'aria-hidden': 'true' }, '\u2699'), h('span.away', t('frame.settings'))),
                h('div', setting('language'), setting('times'), setting('theme'),
                    h('a', { href: '/api' }, t('frame.api')),
                    h('button', { onclick: help }, t('frame.keys'), ' ', h('kbd', '?')),
                    h('small', `skymock ${server.version}`)))),
        h('main', { id: 'main', tabindex: -1 }));
    showRefused();
    showPage(name);
    tick();
}

function showPage() {
    const { name, params } = address();
    const main = document.getElementById('main');
    for (const link of document.querySelectorAll('nav a')) {
        const here = link.hash.startsWith(`#/${name}`);
        if (here) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    }
    document.title = `${t(`frame.${name}`)} · skymock`;
    if (main.firstChild instanceof PAGES[name]) {
        main.firstChild.turn(params);
        return;
    }
    const page = new PAGES[name]();
    page.params = params;
    fill(main, page);
}

function showRefused() {
    const badge = document.getElementById('refused');
    const { count } = refused;
    fill(badge, count ? String(count > COUNTED_MAX ? `${COUNTED_MAX}+` : count) : '');
    badge.title = count ? t('frame.refused', count) : '';
}

function tick() {
    const clock = document.getElementById('clock');
    const utc = settings.times !== 'local';
    clock.textContent = full(new Date(now()).toISOString(), utc).replace(/\.\d{3}/, '') + (isFrozen() ? ` ${t('frame.frozen')}` : '');
    clock.classList.toggle('frozen', isFrozen());
}

/* The clock, and how many were refused: asked for in steps, so that no step looks at much. */
async function beat() {
    if (document.hidden) return;
    const state = document.getElementById('state');
    try {
        keepClock(await get('/api/v1/clock'));
        if (refused.started !== server.started) Object.assign(refused, { count: 0, since: 0, started: server.started });
        if (refused.count <= COUNTED_MAX) {
            const { events, last } = await get('/api/v1/events', { refused: true, run: true, since: refused.since, limit: 1000 });
            refused.count += events.length;
            refused.since = events.length === 1000 ? events.at(-1).seq : last;
        }
        fill(state);
        showRefused();
    } catch (error) {
        if (error.status !== 0) throw error;
        fill(state, h('span.bad', t('frame.away')));
        await hello().catch(() => {});
    }
}

/* ---- the keyboard ---- */

function help() {
    const keys = [['/', 'filter'], ['j', 'next'], ['k', 'previous'], ['Enter', 'open'], ['Esc', 'close'], ['1 \u2026 6', 'page'], ['p', 'pause'], ['?', 'help']];
    dialog(t('frame.keys'), t('frame.close'), false, h('dl.keys', keys.map(([key, what]) => [h('dt', h('kbd', key)), h('dd', t(`key.${what}`))])));
}

/* Pages have keys of their own: page.key(event) says true when it was one. */
function onkey(event) {
    const page = document.getElementById('main')?.firstChild; /* none while the token is asked for */
    const typing = event.target.closest('input, textarea, select, [contenteditable]');
    if (!page || document.querySelector('dialog[open]') || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (typing) {
        if (event.key === 'Escape') event.target.blur();
        return;
    }
    if (event.key === '?') help();
    else if (event.key === '/') page.querySelector('[data-filter]')?.focus();
    else if (/^[1-6]$/.test(event.key)) location.hash = `#/${Object.keys(PAGES)[event.key - 1]}`;
    else if (page.key?.(event)) { /* done */ }
    else if (!('jk'.includes(event.key) && page.querySelector('sky-list')?.key(event))) return;
    event.preventDefault();
}

/* ---- the beginning ---- */

document.addEventListener('keydown', onkey);

await hello().catch(() => {});
keepClock(await call('GET', '/api/v1/clock').catch(() => ({ unixMs: Date.now(), frozen: false })));
frame();
document.addEventListener('settings', frame);
window.addEventListener('hashchange', showPage);
document.addEventListener('visibilitychange', beat);
setInterval(beat, BEAT_MS);
setInterval(tick, TICK_MS);
beat();
