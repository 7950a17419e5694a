/* The console's frame: which page is shown, how to get to the others, and what all of them share. */
import { get, hello, server } from './client.js';
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
const NAMES = Object.keys(PAGES);
const BEAT_MS = 3000;
const TICK_MS = 250;
const COUNTED_MAX = 999; /* refusals */
const STEP = 1000; /* of them */

for (const [name, page] of Object.entries(PAGES)) {
    page.page = name;
    customElements.define(`sky-${name}`, page);
}

const main = h('main', { id: 'main', tabindex: -1 }), clock = h('time', { id: 'clock' });
const badge = h('span.badge', { id: 'refused' }), state = h('span', { role: 'status' });
let refused = {}; /* how many, up to which seq, of which process */

/* ---- what is around the pages ---- */

function frame() {
    dress();
    clock.title = t('frame.clock');
    fill(main);
    fill(document.body,
        h('a.skip', { href: '#main', onclick: (event) => { event.preventDefault(); main.focus(); } }, t('frame.skip')),
        h('header',
            h('strong.brand', 'skymock'),
            h('nav', { label: t('frame.pages') }, NAMES.map((name) => to(name, {}, t(`frame.${name}`), name === 'refusals' && badge))),
            h('span.space'), clock, state,
            h('details.menu',
                h('summary', { title: t('frame.settings'), label: t('frame.settings') }, '\u2699'),
                h('div', ['language', 'times', 'theme'].map((name) => select(choices(name).map((value) => [value, t(`setting.${name}.${value}`)]), settings[name],
                    (value) => choose(name, value), { label: t(`setting.${name}`) })),
                h('a', { href: '/api' }, t('frame.api')),
                h('button', { onclick: help }, t('frame.keys'), ' ', h('kbd', '?')),
                h('small', `skymock ${server.version}`)))),
        main);
    showPage();
    tick();
}

/* The one in the address. */
function showPage() {
    const [, asked, query] = /^#\/(\w+)\??(.*)/.exec(location.hash) ?? [], name = NAMES.includes(asked) ? asked : 'devices';
    const params = new URLSearchParams(query);
    for (const link of document.querySelectorAll('nav a')) link.ariaCurrent = link.hash === `#/${name}` ? 'page' : null;
    document.title = `${t(`frame.${name}`)} · skymock`;
    if (main.firstChild instanceof PAGES[name]) main.firstChild.turn(params);
    else fill(main, Object.assign(new PAGES[name](), { params }));
}

function tick() {
    fill(clock, full(now()).replace(/\.\d+/, ''), isFrozen() && ` ${t('frame.frozen')}`);
    clock.classList.toggle('frozen', isFrozen());
}

/* The clock, and how many were refused: asked for in steps, so that no step looks at much. */
async function beat() {
    if (document.hidden) return;
    try {
        keepClock(await get('/api/v1/clock'));
        const { started } = server, { count, since } = refused.started === started ? refused : { count: 0, since: 0 };
        if (count <= COUNTED_MAX) {
            const { events, last } = await get('/api/v1/events', { refused: true, run: true, since, limit: STEP });
            refused = { count: count + events.length, since: events.length === STEP ? events.at(-1).seq : last, started };
        }
        badge.textContent = refused.count > COUNTED_MAX ? `${COUNTED_MAX}+` : refused.count || '';
        fill(state);
    } catch (error) {
        if (error.status !== 0) throw error;
        fill(state, h('span.bad', error.message));
        await hello().catch(() => {});
    }
}

/* ---- the keyboard ---- */

function help() {
    const keys = Object.entries({ '/': 'filter', j: 'next', k: 'previous', Enter: 'open', Esc: 'close', '1 \u2026 6': 'page', p: 'pause', '?': 'help' });
    dialog(t('frame.keys'), t('frame.close'), false, h('dl.keys', keys.map(([key, what]) => [h('dt', h('kbd', key)), h('dd', t(`key.${what}`))])));
}

/* Menus close but for the one that this is in. */
const shut = (target = null) => document.querySelectorAll('.menu').forEach((menu) => { menu.open &&= menu.contains(target); });

/* Pages have keys of their own: page.key(event) says true when it was one. */
function onkey(event) {
    if (event.key === 'Escape') shut();
    const { key, target } = event, page = main.firstChild;
    if (document.querySelector('dialog[open]') || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (target.closest('input, textarea, select')) {
        if (key === 'Escape') target.blur();
        return;
    }
    if (key === '?') help();
    else if (key === '/') page.querySelector('[data-filter]')?.focus();
    else if (NAMES[key - 1]) location.hash = `#/${NAMES[key - 1]}`;
    else if (!page.key?.(event) && !('jk'.includes(key) && page.querySelector('sky-list')?.key(event))) return;
    event.preventDefault();
}

/* ---- the beginning ---- */

dress();
await hello().then(() => get('/api/v1/clock')).then(keepClock, () => {});
frame();
document.addEventListener('keydown', onkey);
document.addEventListener('click', ({ target }) => shut(target));
document.addEventListener('settings', frame);
document.addEventListener('visibilitychange', beat);
window.addEventListener('hashchange', showPage);
setInterval(beat, BEAT_MS);
setInterval(tick, TICK_MS);
beat();
