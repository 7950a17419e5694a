#include "server/judge/behaviour.h"

#include <stdlib.h>

#include "protocol/base/mem.h"

/* ---- as JSON ---- */

static void begin(struct sky_jw *jw, const char *key)
{
    sky_jw_key(jw, key);
    sky_jw_object(jw);
}

static void put_connects(const struct sky_behaviour *b, struct sky_jw *jw)
{
    const struct sky_behaviour_acts *acts = sky_behaviour_acts(b);
    begin(jw, "connects");
    sky_jw_put_int(jw, "count", b->connects);
    sky_jw_put_int(jw, "refused", b->refused);
    sky_jw_put_int(jw, "clean", b->clean);
    sky_jw_put_int(jw, "kept", b->kept);
    sky_jw_end_object(jw);
    begin(jw, "keepAlive");
    sky_jw_put_int(jw, "asked", b->keepalive_s);
    sky_jw_put_int(jw, "longestSilenceMs", b->longest_silence_ms);
    sky_jw_put_int(jw, "late", (int64_t)acts->late);
    sky_jw_put_int(jw, "missed", (int64_t)acts->missed);
    sky_jw_end_object(jw);
    begin(jw, "reconnects");
    sky_jw_put_int(jw, "count", (int64_t)acts->intervals_seen);
    sky_jw_put_str(
        jw, "class",
        sky_interval_class_name(sky_intervals_class(acts->intervals, acts->interval_count)));
    sky_jw_key(jw, "intervalsMs");
    sky_jw_array(jw);
    for (size_t i = 0; i < acts->interval_count; i++)
        sky_jw_int(jw, acts->intervals[i].ms);
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
}

static void put_traffic(struct sky_jw *jw, const struct sky_behaviour_topic *topic)
{
    static const char *const keys[] = {[SKY_WAY_UP] = "up", [SKY_WAY_DOWN] = "down"};
    for (size_t way = 0; way < SKY_WAYS; way++) {
        begin(jw, keys[way]);
        sky_jw_put_int(jw, "messages", (int64_t)topic->traffic[way].count);
        sky_jw_put_int(jw, "bytes", (int64_t)topic->traffic[way].bytes);
        sky_jw_end_object(jw);
    }
}

static void put_messages(const struct sky_behaviour_acts *b, struct sky_jw *jw)
{
    static const struct sky_behaviour_topic none;
    struct sky_behaviour_topic all = none;
    for (size_t i = 0; i < b->topic_count; i++) {
        for (size_t way = 0; way < SKY_WAYS; way++) {
            all.traffic[way].count += b->topics[i].traffic[way].count;
            all.traffic[way].bytes += b->topics[i].traffic[way].bytes;
        }
    }
    begin(jw, "messages");
    put_traffic(jw, &all);
    static const char *const keys[] = {[SKY_WAY_UP] = "qosUp", [SKY_WAY_DOWN] = "qosDown"};
    for (size_t way = 0; way < SKY_WAYS; way++) {
        sky_jw_key(jw, keys[way]);
        sky_jw_array(jw);
        for (size_t qos = 0; qos < SKY_COUNT(b->qos[way]); qos++)
            sky_jw_int(jw, (int64_t)b->qos[way][qos]);
        sky_jw_end_array(jw);
    }
    sky_jw_end_object(jw);
    sky_jw_key(jw, "topics");
    sky_jw_array(jw);
    for (size_t i = 1; i < b->topic_count; i++) {
        sky_jw_object(jw);
        sky_jw_put_span(jw, "topic", sky_span_of(b->topics[i].name, b->topics[i].len));
        put_traffic(jw, &b->topics[i]);
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    begin(jw, "otherTopics");
    put_traffic(jw, b->topic_count > 0 ? &b->topics[0] : &none);
    sky_jw_end_object(jw);
}

static void put_handshakes(const struct sky_behaviour_acts *b, struct sky_jw *jw)
{
    uint64_t full = 0, resumed = 0;
    for (size_t i = 0; i < b->handshake_count; i++) {
        full += b->handshakes[i].full;
        resumed += b->handshakes[i].resumed;
    }
    begin(jw, "handshakes");
    sky_jw_put_int(jw, "full", (int64_t)full);
    sky_jw_put_int(jw, "resumed", (int64_t)resumed);
    sky_jw_put_int(jw, "failed", (int64_t)b->handshakes_failed);
    sky_jw_key(jw, "kinds");
    sky_jw_array(jw);
    for (size_t i = 0; i < b->handshake_count; i++) {
        const struct sky_behaviour_handshake *kind = &b->handshakes[i];
        sky_jw_object(jw);
        sky_jw_put_str(jw, "kind",
                       kind->transport == SKY_DTLS ? "dtls"
                       : kind->psk                 ? "tls-psk"
                                                   : "tls");
        sky_jw_put_str(jw, "version", kind->version);
        sky_jw_put_str(jw, "cipher", kind->cipher);
        sky_jw_put_int(jw, "full", (int64_t)kind->full);
        sky_jw_put_int(jw, "resumed", (int64_t)kind->resumed);
        if (kind->longest_ms > 0)
            sky_jw_put_int(jw, "longestMs", kind->longest_ms);
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
}

static int by_length(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void put_commands(const struct sky_behaviour_acts *b, struct sky_jw *jw)
{
    uint32_t times_ms[SKY_BEHAVIOUR_TIMES_MAX];
    size_t count = sky_behaviour_times(b);
    begin(jw, "commands");
    sky_jw_put_int(jw, "sent", (int64_t)b->commands);
    sky_jw_put_int(jw, "answered", (int64_t)b->answers);
    if (count > 0) {
        memcpy(times_ms, b->times_ms, sizeof times_ms);
        qsort(times_ms, count, sizeof *times_ms, by_length);
        sky_jw_put_int(jw, "shortestMs", times_ms[0]);
        sky_jw_put_int(jw, "medianMs", times_ms[count / 2]);
        sky_jw_put_int(jw, "longestMs", times_ms[count - 1]);
    }
    sky_jw_end_object(jw);
}

void sky_behaviour_print(const struct sky_behaviour *b, struct sky_jw *jw)
{
    const struct sky_behaviour_acts *acts = sky_behaviour_acts(b);
    sky_jw_object(jw);
    sky_jw_put_int(jw, "observedMs", b->last_ms - b->first_ms);
    if (b->connects > 0)
        put_connects(b, jw);
    begin(jw, "duplicates");
    sky_jw_put_int(jw, "resent", (int64_t)acts->resent);
    sky_jw_put_int(jw, "idsReused", (int64_t)acts->reused);
    sky_jw_put_int(jw, "retransmitted", (int64_t)acts->retransmitted);
    sky_jw_end_object(jw);
    put_messages(acts, jw);
    begin(jw, "subscriptions");
    sky_jw_put_int(jw, "filters", b->filters);
    sky_jw_put_int(jw, "refused", (int64_t)acts->filters_refused);
    sky_jw_put_int(jw, "ended", (int64_t)acts->unsubscribes);
    sky_jw_end_object(jw);
    put_handshakes(acts, jw);
    begin(jw, "httpLogins");
    sky_jw_put_int(jw, "count", (int64_t)acts->http_logins);
    sky_jw_put_int(jw, "refused", (int64_t)acts->http_refused);
    sky_jw_end_object(jw);
    put_commands(acts, jw);
    sky_jw_end_object(jw);
}

/* ---- in words ---- */

static double number(sky_span profile, const char *part, const char *key)
{
    return sky_json_number(sky_json_member(sky_json_member(profile, part), key));
}

static void tell_connects(sky_span profile, const char *indent, struct sky_buf *out)
{
    sky_span reconnects = sky_json_member(profile, "reconnects"), interval;
    sky_buf_addf(out, "%sconnects: %.0f, %.0f refused; keepalive %.0f s, longest silence %.1f s",
                 indent, number(profile, "connects", "count"),
                 number(profile, "connects", "refused"), number(profile, "keepAlive", "asked"),
                 number(profile, "keepAlive", "longestSilenceMs") / 1000);
    if (number(profile, "keepAlive", "late") > 0)
        sky_buf_addf(out, ", %.0f times past it", number(profile, "keepAlive", "late"));
    sky_buf_add_str(out, "\n");
    if (number(profile, "reconnects", "count") == 0)
        return;
    sky_buf_addf(out, "%sreconnect intervals: %.*s (s:", indent,
                 SKY_SPAN_ARGS(sky_json_text(sky_json_member(reconnects, "class"))));
    sky_span rest = sky_json_inside(sky_json_member(reconnects, "intervalsMs"));
    while (sky_json_next_element(&rest, &interval))
        sky_buf_addf(out, " %.1f", sky_json_number(interval) / 1000);
    sky_buf_add_str(out, ")\n");
}

static void tell_handshakes(sky_span profile, const char *indent, struct sky_buf *out)
{
    sky_span handshakes = sky_json_member(profile, "handshakes"), kind;
    sky_span rest = sky_json_inside(sky_json_member(handshakes, "kinds"));
    while (sky_json_next_element(&rest, &kind))
        sky_buf_addf(out, "%shandshakes: %.*s, %.*s, %.0f full, %.0f resumed\n", indent,
                     SKY_SPAN_ARGS(sky_json_text(sky_json_member(kind, "version"))),
                     SKY_SPAN_ARGS(sky_json_text(sky_json_member(kind, "cipher"))),
                     sky_json_number(sky_json_member(kind, "full")),
                     sky_json_number(sky_json_member(kind, "resumed")));
}

void sky_behaviour_tell(sky_span profile, const char *indent, struct sky_buf *out)
{
    sky_span messages = sky_json_member(profile, "messages");
    if (sky_json_member(profile, "connects").len > 0)
        tell_connects(profile, indent, out);
    sky_buf_addf(out, "%smessages: %.0f up (%.0f bytes), %.0f down (%.0f bytes)", indent,
                 number(messages, "up", "messages"), number(messages, "up", "bytes"),
                 number(messages, "down", "messages"), number(messages, "down", "bytes"));
    double twice = number(profile, "duplicates", "resent") +
                   number(profile, "duplicates", "idsReused") +
                   number(profile, "duplicates", "retransmitted");
    if (twice > 0)
        sky_buf_addf(out, ", %.0f sent twice", twice);
    sky_buf_add_str(out, "\n");
    tell_handshakes(profile, indent, out);
    if (number(profile, "commands", "sent") > 0)
        sky_buf_addf(out, "%scommands: %.0f, %.0f answered\n", indent,
                     number(profile, "commands", "sent"), number(profile, "commands", "answered"));
}
