#include "server/judge/baseline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/judge/intervals.h"
#include "server/judge/report.h"

const char *sky_baseline_kind_name(enum sky_baseline_kind kind)
{
    static const char *const names[] = {[SKY_BASELINE_WORSE] = "worse",
                                        [SKY_BASELINE_BETTER] = "better",
                                        [SKY_BASELINE_NOTE] = "note"};
    SKY_ASSERT(kind < SKY_COUNT(names));
    return names[kind];
}

/* ---- what is compared ---- */

struct comparison {
    sky_baseline_tell *tell;
    void *ctx;
    sky_span device;
    sky_span before, after; /* the device's profiles */
};

SKY_PRINTF(3, 4)
static void say(const struct comparison *c, enum sky_baseline_kind kind, const char *fmt, ...)
{
    char what[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    c->tell(c->ctx, kind, c->device, what);
}

static double number(sky_span profile, const char *part, const char *key)
{
    return sky_json_number(sky_json_member(sky_json_member(profile, part), key));
}

/* ---- figures ---- */

struct figure {
    const char *words;
    const char *part, *key;
    const char *less; /* member that is taken off; NULL: none */
    double tolerance; /* percent that it may grow by */
    double floor;     /* or so much, whatever that is in percent */
    bool amount;      /* the longer a device is observed, the more there is of it */
};

/* More of it is worse. Where nothing is tolerated, a device that keeps its ways has none. The
 * others vary with how long a test takes and with chance: a quarter, and a little where there are
 * few. */
static const struct figure figures[] = {
    {"publishes sent again", "duplicates", "resent", NULL, 0, 0, true},
    {"packet ids used again before they were acknowledged", "duplicates", "idsReused", NULL, 0, 0,
     true},
    {"CoAP messages sent again", "duplicates", "retransmitted", NULL, 0, 0, true},
    {"silences past the keepalive", "keepAlive", "late", NULL, 0, 0, true},
    {"silences past 1.5 of the keepalive", "keepAlive", "missed", NULL, 0, 0, true},
    {"refused logins", "connects", "refused", NULL, 0, 0, true},
    {"refused HTTP logins", "httpLogins", "refused", NULL, 0, 0, true},
    {"failed handshakes", "handshakes", "failed", NULL, 0, 0, true},
    {"refused subscriptions", "subscriptions", "refused", NULL, 0, 0, true},
    {"commands without an answer", "commands", "sent", "answered", 0, 0, true},
    {"logins", "connects", "count", NULL, 25, 3, true},
    {"messages sent", "messages/up", "messages", NULL, 25, 10, true},
    {"bytes sent", "messages/up", "bytes", NULL, 25, 1024, true},
    {"ms to the answer of a command", "commands", "medianMs", NULL, 50, 200, false},
};

static sky_span part_of(sky_span profile, const char *path)
{
    sky_span rest = sky_span_str(path), step;
    while (rest.len > 0) {
        char key[32];
        if (!sky_span_cut(rest, '/', &step, &rest)) {
            step = rest;
            rest = SKY_SPAN_NONE;
        }
        if (!sky_span_copy(step, key, sizeof key))
            return SKY_SPAN_NONE;
        profile = sky_json_member(profile, key);
    }
    return profile;
}

static double value_of(const struct figure *figure, sky_span profile)
{
    sky_span part = part_of(profile, figure->part);
    double value = sky_json_number(sky_json_member(part, figure->key));
    return figure->less != NULL ? value - sky_json_number(sky_json_member(part, figure->less))
                                : value;
}

static double observed_ms(sky_span profile)
{
    return sky_json_number(sky_json_member(profile, "observedMs"));
}

static bool grows(const struct figure *figure, double from, double to)
{
    return to > from * (1 + figure->tolerance / 100) && to - from > figure->floor;
}

static void compare_figure(const struct comparison *c, const struct figure *figure, bool hourly)
{
    double before = value_of(figure, c->before), after = value_of(figure, c->after);
    hourly &= figure->amount;
    if (hourly) {
        before *= 3600e3 / observed_ms(c->before);
        after *= 3600e3 / observed_ms(c->after);
    }
    const char *an_hour = hourly ? " an hour" : "";
    if (grows(figure, before, after))
        say(c, SKY_BASELINE_WORSE, "%s were %.0f%s, are %.0f%s", figure->words, before, an_hour,
            after, an_hour);
    else if (grows(figure, after, before))
        say(c, SKY_BASELINE_BETTER, "%s were %.0f%s, are %.0f%s", figure->words, before, an_hour,
            after, an_hour);
}

static void compare_figures(const struct comparison *c)
{
    bool long_before = observed_ms(c->before) >= SKY_BASELINE_HOURLY_MS;
    bool long_after = observed_ms(c->after) >= SKY_BASELINE_HOURLY_MS;
    if (long_before != long_after)
        say(c, SKY_BASELINE_NOTE,
            "it was observed for %.0f s, now for %.0f s: logins, messages and bytes are not "
            "compared",
            observed_ms(c->before) / 1000, observed_ms(c->after) / 1000);
    for (size_t i = 0; i < SKY_COUNT(figures); i++)
        if (long_before == long_after || !figures[i].amount || figures[i].tolerance == 0)
            compare_figure(c, &figures[i], long_before && long_after && figures[i].tolerance > 0);
}

/* ---- reconnecting ---- */

static enum sky_interval_class class_of(sky_span profile, bool *ret_told)
{
    enum sky_interval_class kind = SKY_INTERVALS_NONE;
    char name[32] = "";
    sky_span text = sky_json_text(sky_json_member(sky_json_member(profile, "reconnects"), "class"));
    *ret_told = sky_span_copy(text, name, sizeof name) && sky_interval_class_parse(name, &kind) &&
                number(profile, "reconnects", "count") >= SKY_INTERVALS_MIN;
    return kind;
}

static void compare_reconnects(const struct comparison *c)
{
    bool told_before, told_after;
    enum sky_interval_class before = class_of(c->before, &told_before);
    enum sky_interval_class after = class_of(c->after, &told_after);
    if (!told_before)
        return;
    if (!told_after) {
        say(c, SKY_BASELINE_NOTE,
            "reconnect intervals were %s; now there are too few of them to tell",
            sky_interval_class_name(before));
        return;
    }
    if (after != before)
        say(c, after < before ? SKY_BASELINE_WORSE : SKY_BASELINE_BETTER,
            "reconnect intervals were %s, are %s", sky_interval_class_name(before),
            sky_interval_class_name(after));
}

/* ---- handshakes ---- */

/* The oldest version that was spoken; empty: none was. */
static sky_span version_of(sky_span profile)
{
    sky_span rest = sky_json_inside(part_of(profile, "handshakes/kinds")), kind;
    sky_span oldest = SKY_SPAN_NONE;
    while (sky_json_next_element(&rest, &kind)) {
        sky_span version = sky_json_text(sky_json_member(kind, "version"));
        if (oldest.len == 0 || sky_json_compare(version, oldest) < 0)
            oldest = version;
    }
    return oldest;
}

static void compare_versions(const struct comparison *c)
{
    sky_span before = version_of(c->before), after = version_of(c->after);
    if (before.len == 0 && after.len == 0)
        return;
    if (after.len == 0 && number(c->after, "connects", "count") > 0)
        say(c, SKY_BASELINE_WORSE, "connections were made with %.*s, are in the clear",
            SKY_SPAN_ARGS(sky_span_head(before, 40)));
    else if (before.len == 0 && number(c->before, "connects", "count") > 0)
        say(c, SKY_BASELINE_BETTER, "connections were in the clear, are made with %.*s",
            SKY_SPAN_ARGS(sky_span_head(after, 40)));
    else if (before.len > 0 && after.len > 0 && sky_json_compare(before, after) != 0)
        say(c, sky_json_compare(after, before) < 0 ? SKY_BASELINE_WORSE : SKY_BASELINE_BETTER,
            "handshakes were %.*s or later, are %.*s or later",
            SKY_SPAN_ARGS(sky_span_head(before, 40)), SKY_SPAN_ARGS(sky_span_head(after, 40)));
}

/* With a second handshake a device can show that it keeps its ticket. */
static void compare_resumption(const struct comparison *c)
{
    bool before = number(c->before, "handshakes", "resumed") > 0;
    bool after = number(c->after, "handshakes", "resumed") > 0;
    if (before && !after && number(c->after, "handshakes", "full") > 1)
        say(c, SKY_BASELINE_WORSE, "handshakes were resumed, are all full");
    if (!before && after && number(c->before, "handshakes", "full") > 1)
        say(c, SKY_BASELINE_BETTER, "handshakes were all full, are resumed");
}

static void compare_keepalive(const struct comparison *c)
{
    double before = number(c->before, "keepAlive", "asked");
    double after = number(c->after, "keepAlive", "asked");
    if (sky_json_member(c->before, "keepAlive").len > 0 &&
        sky_json_member(c->after, "keepAlive").len > 0 && before != after)
        say(c, SKY_BASELINE_NOTE, "the keepalive was %.0f s, is %.0f s", before, after);
}

/* ---- rules ---- */

static const char not_exercised[] = "not exercised";

/* The verdict of each rule, from the worst on. */
static int rank_of(sky_span verdict)
{
    static const char *const names[] = {"failed", "warned", "passed"};
    for (size_t i = 0; i < SKY_COUNT(names); i++)
        if (sky_span_eq_str(verdict, names[i]))
            return (int)i;
    return SKY_COUNT(names);
}

static sky_span verdict_in(sky_span device, sky_span id)
{
    sky_span rest = sky_json_inside(sky_json_member(device, "rules")), rule;
    while (sky_json_next_element(&rest, &rule))
        if (sky_json_compare(sky_json_text(sky_json_member(rule, "id")), id) == 0)
            return sky_json_text(sky_json_member(rule, "verdict"));
    return sky_span_str(not_exercised);
}

/* What nothing exercises any more, or did before, is neither worse nor better; but that it is
 * broken is worse than anything. */
static void compare_rule(const struct comparison *c, sky_span id, sky_span before, sky_span after)
{
    int was = rank_of(before), is = rank_of(after), unknown = rank_of(sky_span_str(not_exercised));
    if (was == is)
        return;
    enum sky_baseline_kind kind = is < was ? SKY_BASELINE_WORSE : SKY_BASELINE_BETTER;
    if (is == unknown || (was == unknown && is == unknown - 1))
        kind = SKY_BASELINE_NOTE;
    say(c, kind, "%.*s was %.*s, is %.*s", SKY_SPAN_ARGS(sky_span_head(id, 80)),
        SKY_SPAN_ARGS(sky_span_head(before, 20)), SKY_SPAN_ARGS(sky_span_head(after, 20)));
}

static void compare_rules(const struct comparison *c, sky_span before, sky_span after)
{
    sky_span rest = sky_json_inside(sky_json_member(before, "rules")), rule;
    while (sky_json_next_element(&rest, &rule)) {
        sky_span id = sky_json_text(sky_json_member(rule, "id"));
        compare_rule(c, id, sky_json_text(sky_json_member(rule, "verdict")), verdict_in(after, id));
    }
    rest = sky_json_inside(sky_json_member(after, "rules"));
    while (sky_json_next_element(&rest, &rule)) {
        sky_span id = sky_json_text(sky_json_member(rule, "id"));
        sky_span was = verdict_in(before, id);
        if (sky_span_eq_str(was, not_exercised))
            compare_rule(c, id, was, sky_json_text(sky_json_member(rule, "verdict")));
    }
}

/* ---- devices ---- */

struct device {
    sky_span name, object;
};

static int by_name(const void *a, const void *b)
{
    const struct device *left = a, *right = b;
    return sky_json_compare(left->name, right->name);
}

/* In the order of their names; the caller frees the list. */
static struct device *devices_of(sky_span report, size_t *ret_count)
{
    sky_span rest = sky_json_inside(sky_json_member(report, "devices")), object;
    struct device *list = NULL;
    size_t count = 0, room = 0;
    while (sky_json_next_element(&rest, &object)) {
        if (count == room) {
            room = room > 0 ? 2 * room : 16;
            list = sky_mem_grow(list, room * sizeof *list);
        }
        list[count++] = (struct device){sky_json_text(sky_json_member(object, "device")), object};
    }
    if (count > 0)
        qsort(list, count, sizeof *list, by_name);
    *ret_count = count;
    return list;
}

static void compare_device(struct comparison *c, const struct device *before,
                           const struct device *after)
{
    c->device = after->name;
    c->before = sky_json_member(before->object, "profile");
    c->after = sky_json_member(after->object, "profile");
    compare_rules(c, before->object, after->object);
    if (c->before.len == 0 || c->after.len == 0)
        return;
    compare_reconnects(c);
    compare_keepalive(c);
    compare_versions(c);
    compare_resumption(c);
    compare_figures(c);
}

void sky_baseline_compare(sky_span before, sky_span after, sky_baseline_tell *tell, void *ctx)
{
    struct comparison c = {.tell = tell, .ctx = ctx};
    size_t old_count, new_count, o = 0, n = 0;
    struct device *old = devices_of(before, &old_count), *now = devices_of(after, &new_count);
    while (o < old_count || n < new_count) {
        int order = o == old_count ? 1 : n == new_count ? -1 : by_name(&old[o], &now[n]);
        if (order == 0) {
            compare_device(&c, &old[o++], &now[n++]);
            continue;
        }
        c.device = order < 0 ? old[o++].name : now[n++].name;
        say(&c, SKY_BASELINE_NOTE,
            order < 0 ? "it is not there any more" : "it was not there before");
    }
    free(old);
    free(now);
}

sky_err sky_baseline_check(sky_span report, struct sky_why *why)
{
    sky_err err = sky_json_check(report, SKY_BASELINE_DEPTH_MAX, why);
    if (err != SKY_OK)
        return err;
    report = sky_span_trim(report);
    sky_span format = sky_json_member(report, "format");
    sky_span devices = sky_json_member(report, "devices"), device;
    if (!sky_json_is_number(format) || !sky_json_is_array(devices))
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "it is no report of skymock: those begin with {\"format\":%d",
                           SKY_REPORT_FORMAT);
    if (sky_json_number(format) != SKY_REPORT_FORMAT)
        return sky_why_set(why, SKY_ERR_INVALID, "/format",
                           "it is a report of format %.*s; this skymock compares those of %d",
                           SKY_SPAN_ARGS(sky_span_head(format, 20)), SKY_REPORT_FORMAT);
    sky_span rest = sky_json_inside(devices);
    for (size_t i = 0; sky_json_next_element(&rest, &device); i++) {
        char pointer[48];
        if (sky_json_is_string(sky_json_member(device, "device")) &&
            sky_json_is_array(sky_json_member(device, "rules")))
            continue;
        snprintf(pointer, sizeof pointer, "/devices/%zu", i);
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "it is no device of a report");
    }
    return SKY_OK;
}
