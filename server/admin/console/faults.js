/* The form of faults, made from what the server says can be broken where. */
import { form } from './form.js';
import { t } from './texts.js';

/* `table`: /api/v1/faults/points. `given`: the point, and whatever else is known of it. Other points and actions make it another form. */
export function faultForm(table, given, act) {
    const { actions, refusals, fields } = table.points.find(({ point }) => point === given.point), action = actions.includes(given.action) ? given.action : actions[0];
    const choice = (name, value, options) => ({ name, value, options, onchange: () => {
        const next = faultForm(table, Object.fromEntries(new FormData(element)), act);
        element.replaceWith(next);
        next.elements[name].focus();
    } });
    const element = form(t('control.begin'), [
        choice('point', given.point, table.points.map(({ point }) => point)),
        choice('action', action, [...actions, ...Object.entries(refusals).map(([name, why]) => [name, `${name}: ${why}`])]),
        ...table.arguments.filter(({ name, actions: of }) => of.includes(action) && (`${of}` !== 'set' || fields.includes(name))).map((each) => ({
            ...each, value: given[each.name], options: each.name === 'kind' ? table.certificates : undefined, more: each.actions.length > 2 && each.name !== 'device' })),
    ], act);
    for (const option of element.elements.action.options) option.disabled = option.value in refusals;
    return element;
}
