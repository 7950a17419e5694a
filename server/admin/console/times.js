/* Times as the reader wants them. All that devices do has virtual time, which may stand still. */
import { settings } from './settings.js';
import { t } from './texts.js';

/* Of its keepalive a device may be silent (MQTT 3.1.1, 3.1.2-24). */
export const GRACE = 1.5;

let virtual = { at: Date.now(), of: performance.now(), frozen: false };

/* From an answer of the clock's routes. */
export function keepClock(clock) {
    virtual = { at: clock.unixMs, of: performance.now(), frozen: clock.frozen };
}

export const isFrozen = () => virtual.frozen;

/* Virtual time, milliseconds since 1970. */
export const now = () => virtual.at + (virtual.frozen ? 0 : performance.now() - virtual.of);

const two = (number) => String(number).padStart(2, '0');

function parts(date, utc) {
    const get = (name) => (utc ? date[`getUTC${name}`]() : date[`get${name}`]());
    return {
        day: `${get('FullYear')}-${two(get('Month') + 1)}-${two(get('Date'))}`,
        time: `${two(get('Hours'))}:${two(get('Minutes'))}:${two(get('Seconds'))}`,
        ms: String(get('Milliseconds')).padStart(3, '0'),
    };
}

/* "3 s", "2 min 5 s", "4 h 10 min", "3 d". */
export function span(ms) {
    const s = Math.round(ms / 1000);
    if (ms < 1000) return t('time.ms', Math.round(ms));
    if (s < 60) return t('time.s', s);
    if (s < 3600) return t('time.min', Math.floor(s / 60), s % 60);
    if (s < 86400) return t('time.h', Math.floor(s / 3600), Math.floor((s % 3600) / 60));
    return t('time.d', Math.floor(s / 86400));
}

/* An RFC 3339 time in full: with day and zone. */
export function full(text, utc = settings.times === 'utc') {
    const { day, time, ms } = parts(new Date(text), utc);
    return `${day} ${time}.${ms}${utc ? ' UTC' : ''}`;
}

/* The same for a column: the time of day, with the day unless it is today, or how long ago. */
export function short(text) {
    if (settings.times === 'ago') return t('time.ago', span(Math.max(0, now() - Date.parse(text))));
    const utc = settings.times === 'utc', { day, time, ms } = parts(new Date(text), utc);
    return `${day === parts(new Date(now()), utc).day ? '' : `${day.slice(5)} `}${time}.${ms}`;
}
