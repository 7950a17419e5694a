/* Faults: a form made from what the server says can be broken where, and those that there are. */
import { call, get, post } from './client.js';
import { data, fill, h, to } from './dom.js';
import { button, form } from './form.js';
import { t } from './texts.js';

const OUTSIDE = ['device', 'name']; /* of what any fault takes; the rest is folded */

/* Fills the panel's body; returns what shows those that there are anew. `device()`: who is hit, unless another is chosen. */
export async function faults(body, out, device, signal) {
    const { points, arguments: all, certificates } = await get('/api/v1/faults/points', {}, signal);
    const where = h('div'), rows = new Map();
    const list = h('table', { 'aria-label': t('faults.list') });
    const endAll = button('faults.end.all', out, async () => { await call('DELETE', '/api/v1/faults'); await refresh(); });

    /* The form of a point and an action, with what was given already. */
    function ask(chosen, before = {}) {
        const point = points.find((each) => each.point === chosen.point);
        const action = point.actions.includes(chosen.action) ? chosen.action : point.actions[0];
        const again = (changes) => {
            const given = Object.fromEntries(Array.from(where.querySelectorAll('[name]'), (each) => [each.name, each.value]));
            ask({ ...given, ...changes }, given);
            where.querySelector(`[name=${Object.keys(changes)[0]}]`).focus();
        };
        const takes = all.filter((each) => each.actions.includes(action) && (each.actions.length > 1 || action !== 'set' || point.fields.includes(each.name)));
        fill(where, form('faults.make', [
            { name: 'point', options: points.map((each) => each.point), value: point.point, onchange: (value) => again({ point: value }) },
            { name: 'action', value: action, onchange: (value) => again({ action: value }),
                options: [...point.actions, ...Object.entries(point.refusals).map(([name, why]) => [name, `${name}: ${why}`])] },
            ...takes.map((each) => ({ ...each, value: before[each.name] ?? (each.name === 'device' ? device() : ''),
                kind: each.name === 'payload' ? 'lines' : each.kind, options: each.name === 'kind' ? certificates : undefined,
                more: each.actions.includes('freeze') && !OUTSIDE.includes(each.name) })),
        ], out, async (fault) => {
            const { id } = await post('/api/v1/faults', fault);
            await refresh();
            return t('faults.made', id);
        }));
        for (const option of where.querySelector('[name=action]').options) option.disabled = option.value in point.refusals;
    }

    function row(fault) {
        const fired = h('td');
        const { id, point, action, name, seed, fired: _, spent, ...rest } = fault;
        const end = button('faults.end', out, async () => { await call('DELETE', `/api/v1/faults/${id}`); await refresh(); }, { 'aria-label': t('faults.end.of', id) });
        const element = h('tr', {}, h('th', { scope: 'row' }, `${id} `, name ? data(name) : null), h('td', {}, `${action} `, h('strong', {}, point), ' ', data(JSON.stringify(rest), 300)),
            fired, h('td', {}, to('timeline', { type: 'fault', text: name ?? id }, t('faults.events')), ' ', end));
        return { element, fired };
    }

    async function refresh() {
        const { faults: now } = await get('/api/v1/faults', {}, signal);
        const ids = new Set(now.map(({ id }) => id));
        for (const [id, { element }] of rows) {
            if (ids.has(id)) continue;
            element.remove();
            rows.delete(id);
        }
        for (const fault of now) {
            if (!rows.has(fault.id)) {
                rows.set(fault.id, row(fault));
                list.append(rows.get(fault.id).element);
            }
            fill(rows.get(fault.id).fired, t('faults.fired', fault.fired), fault.spent ? ` ${t('faults.spent')}` : '');
        }
        endAll.hidden = !now.length;
    }

    ask({ point: 'puback-down' });
    fill(body, where, list, endAll);
    await refresh();
    return { refresh, aim: () => where.querySelector('[name=device]').value = device() };
}
