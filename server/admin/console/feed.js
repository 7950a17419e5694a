/* Events as they happen: one stream at a time, that of the page at hand. It comes back by itself;
 * when the server is another process by then, whoever follows begins anew. */
import { get, hello, request, server } from './client.js';

const TURN_MS = 100; /* in a turn as many events are taken apart as it takes to read along; */
const TURN_EVENTS = 100; /* of the others only their numbers are kept */
const WAIT_MS = 300; /* until the first try to come back; it doubles */
const WAIT_MAX_MS = 3000;

export const pause = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

/* The messages of text/event-stream, as they come: { id, event, data }. */
export async function* messages(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const pieces = (text + value).split('\n\n');
        text = pieces.pop();
        for (const piece of pieces) {
            const message = { id: '', event: 'message', data: '' };
            for (const line of piece.split('\n')) {
                const colon = line.indexOf(': ');
                if (colon > 0) message[line.slice(0, colon)] = line.slice(colon + 2);
            }
            yield message;
        }
    }
}

/* Hands over what comes in turns: take(events), and skip({ from, to, count }) for those that came
 * too fast to be read (one after the other: a turn may have several). Whatever broke a rule or was refused is taken in any case. */
async function takeAll(answer, turn, follower) {
    let began = performance.now(), taken = [], skipped = null;
    const flush = () => {
        turn.timer = 0;
        if (taken.length) follower.take(taken);
        if (skipped) follower.skip(skipped);
        taken = [];
        skipped = null;
    };
    for await (const { id, data } of messages(answer)) {
        if (!id) continue;
        const seq = Number(id);
        turn.last = seq;
        if (performance.now() - began > TURN_MS) {
            began = performance.now();
            turn.events = 0;
        }
        if (turn.events++ < TURN_EVENTS || data.includes('"findings":[{') || data.includes('"refused":')) {
            if (skipped) flush();
            taken.push(JSON.parse(data));
        } else {
            if (taken.length) flush();
            skipped ??= { from: seq, to: seq, count: 0 };
            skipped.to = seq;
            skipped.count++;
        }
        turn.timer ||= setTimeout(flush, 0);
    }
    flush();
}

/* Until it succeeds or is aborted; `state('lost')` meanwhile when the server is away. */
export async function patiently(act, state, signal) {
    for (let wait = WAIT_MS; ; wait = Math.min(2 * wait, WAIT_MAX_MS)) {
        try {
            return await act();
        } catch (error) {
            if (signal.aborted || error.status > 0) throw error;
            state('lost');
            await pause(wait, signal);
        }
    }
}

/* Follows events until the signal aborts. `load()` shows what is there and returns the seq behind
 * which to go on; it is called again when another process serves. `query` filters the stream.
 * `state`: 'live', or 'lost' while the server is away. What the server refuses is thrown. */
export async function follow({ load, query, take, skip, state, signal }) {
    const turn = { last: 0, events: 0, timer: 0 };
    try {
        for (;;) {
            await patiently(async () => { turn.last = await load(); }, state, signal);
            const { started } = server;
            while (server.started === started) {
                await patiently(async () => {
                    await hello(signal);
                    if (server.started !== started) return;
                    const turned = () => new Promise((done) => document.addEventListener('visibilitychange', done, { once: true }));
                    const hidden = new AbortController(); /* a browser has six connections for all its tabs */
                    if (document.hidden) await turned();
                    turned().then(() => hidden.abort());
                    const answer = await request('GET', '/api/v1/events/stream',
                        { query: { ...query, since: turn.last }, signal: AbortSignal.any([signal, hidden.signal]) });
                    state('live');
                    try {
                        await takeAll(answer, turn, { take, skip });
                    } catch (error) {
                        if (signal.aborted) throw error;
                    }
                    state('lost');
                    await pause(WAIT_MS, signal);
                }, state, signal);
            }
        }
    } catch (error) {
        if (!signal.aborted) throw error;
    } finally {
        clearTimeout(turn.timer);
    }
}

/* The newest events that the query lets through, newest first, and the seq of the last one that was
 * looked at: others may have come while it was answered. */
export async function newest(query, limit, signal) {
    const { events, next } = await get('/api/v1/events', { run: true, ...query, order: 'desc', limit }, signal);
    return { events, last: next };
}

/* The event of this number; undefined: there is none any more. */
export async function eventOf(seq, signal) {
    return (await get('/api/v1/events', { since: seq - 1, before: seq + 1, run: true }, signal)).events[0];
}
