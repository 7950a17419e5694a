/* What the reader has chosen: kept in this browser, for all its tabs. */

const KEY = 'skymock';
const CHOICES = {
    language: ['en', 'zh'],
    theme: ['system', 'light', 'dark'],
    times: ['local', 'utc', 'ago'],
    order: ['newest', 'oldest'],
};

function kept() {
    try {
        return JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
        return {};
    }
}

/* The first choice is the one at first, but for the language. */
const chosen = { language: navigator.language.slice(0, 2), ...kept() };
export const settings = Object.fromEntries(Object.entries(CHOICES).map(([name, values]) =>
    [name, values.includes(chosen[name]) ? chosen[name] : values[0]]));

/* All that a setting can be. */
export const choices = (name) => CHOICES[name];

/* Chooses, and tells whoever listens to 'settings' on the document. */
export function choose(name, value) {
    settings[name] = value;
    try {
        localStorage.setItem(KEY, JSON.stringify(settings));
    } catch {
        /* a browser that keeps nothing forgets it with the tab */
    }
    document.dispatchEvent(new CustomEvent('settings', { detail: name }));
}

/* The document is in this language and in these colours. */
export function dress() {
    document.documentElement.lang = settings.language === 'zh' ? 'zh-Hans' : 'en';
    document.documentElement.dataset.theme = settings.theme;
}
