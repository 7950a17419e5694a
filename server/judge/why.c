/* Why a claim does not hold, in a sentence for who wrote the firmware. */
#include "protocol/base/utf8.h"
#include "server/judge/private.h"

enum { SHOWN_MAX = 10, DIFFERS_MAX = 3, TEXT_MAX = 600 };

/* ---- words ---- */

/* What is said in words of others: cut, at a character, when it is long. */
static void add_text(struct sky_buf *out, sky_span text)
{
    size_t fits = text.len <= TEXT_MAX ? text.len : sky_utf8_valid(sky_span_head(text, TEXT_MAX));
    sky_buf_add(out, sky_span_head(text, fits));
    if (fits < text.len)
        sky_buf_add_str(out, "...");
}

/* "publish", "publishes", "connects or connacks", "events". */
static void add_types(struct sky_buf *out, uint64_t types, bool many)
{
    size_t said = 0;
    if (types == 0)
        sky_buf_add_str(out, many ? "events" : "event");
    for (int type = 0; type < SKY_EVENT_TYPE_COUNT; type++) {
        if (!(types >> type & 1))
            continue;
        sky_span name = sky_span_str(sky_event_type_name((enum sky_event_type)type));
        bool hisses = sky_span_ends(name, SKY_SPAN("sh")) || sky_span_ends(name, SKY_SPAN("s"));
        sky_buf_add_str(out, said++ > 0 ? " or " : "");
        sky_buf_add(out, name);
        sky_buf_add_str(out, !many ? "" : hisses ? "es" : "s");
    }
}

static void add_topic(struct sky_buf *out, const struct sky_wanted *wanted)
{
    if (wanted->topic == NULL)
        return;
    sky_buf_add_str(out, " to ");
    add_text(out, sky_span_str(wanted->topic));
}

/* " with params.temp >= 20": what follows after type and topic. */
static void add_rest(struct sky_buf *out, const struct sky_wanted *wanted)
{
    struct sky_buf text;
    if (wanted->rest == NULL)
        return;
    sky_buf_init(&text, SKY_VERIFY_WHY_MAX);
    sky_pattern_say(wanted->rest, &text);
    sky_span said = sky_buf_span(&text), event = SKY_SPAN("event");
    bool any = sky_span_starts(said, event);
    sky_buf_add_str(out, any ? "" : " with type ");
    add_text(out, any ? sky_span_tail(said, event.len) : said);
    sky_buf_done(&text);
}

/* "3 publishes to TOPIC with params.temp >= 20"; `count` 0: "publish to ...". */
static void add_wanted(struct sky_buf *out, uint64_t count, const struct sky_wanted *wanted)
{
    if (count > 0)
        sky_buf_addf(out, "%llu ", (unsigned long long)count);
    add_types(out, wanted->types, count > 1);
    add_topic(out, wanted);
    add_rest(out, wanted);
}

/* "seq 4, 9, 12 and 40 more". */
static void add_seqs(struct sky_buf *out, const uint64_t *seqs, size_t listed, uint64_t count)
{
    size_t shown = listed < SHOWN_MAX ? listed : SHOWN_MAX;
    for (size_t i = 0; i < shown; i++)
        sky_buf_addf(out, "%s%llu", i > 0 ? ", " : "seq ", (unsigned long long)seqs[i]);
    if (shown < count)
        sky_buf_addf(out, " and %llu more", (unsigned long long)(count - shown));
}

/* ---- the nearest ---- */

/* "/payload/params/temp" as "params.temp". */
static void add_pointer(struct sky_buf *out, const char *pointer)
{
    sky_span rest = sky_span_tail(sky_span_str(pointer), 1), step;
    if (sky_span_starts(rest, SKY_SPAN("payload/")))
        rest = sky_span_tail(rest, strlen("payload/"));
    for (size_t i = 0; sky_span_next(&rest, '/', &step); i++) {
        sky_buf_add_str(out, i > 0 ? "." : "");
        sky_buf_add(out, step);
    }
}

static void add_difference(struct sky_buf *out, const struct sky_difference *difference)
{
    sky_span wanted = sky_span_str(difference->wanted), no = SKY_SPAN("not ");
    if (strcmp(difference->pointer, "/not") == 0 && sky_span_starts(wanted, no)) {
        sky_buf_addf(out, "it is %s", difference->wanted + no.len);
        return;
    }
    add_pointer(out, difference->pointer);
    sky_buf_addf(out, " is %s", difference->found);
}

/* One of another type is no near miss to talk about. */
static bool is_of_type(const struct sky_wanted *wanted, const struct sky_verify_miss *miss)
{
    bool other = false;
    for (size_t i = 0; i < miss->differs && i < SKY_PATTERN_DIFFERENCES_MAX; i++)
        other = other || strcmp(miss->list[i].pointer, "/type") == 0;
    return wanted->types == 0 || !other;
}

static void add_nearest(struct sky_buf *out, const struct sky_wanted *wanted,
                        const struct sky_verify_miss *misses, size_t miss_count)
{
    const struct sky_verify_miss *miss = misses;
    while (miss < misses + miss_count && !is_of_type(wanted, miss))
        miss++;
    if (miss == misses + miss_count)
        return;
    size_t told =
        miss->differs < SKY_PATTERN_DIFFERENCES_MAX ? miss->differs : SKY_PATTERN_DIFFERENCES_MAX;
    size_t shown = told < DIFFERS_MAX ? told : DIFFERS_MAX;
    sky_buf_addf(out, "; nearest: seq %llu, ", (unsigned long long)miss->seq);
    for (size_t i = 0; i < shown; i++) {
        sky_buf_add_str(out, i == 0 ? "" : i + 1 < miss->differs ? ", " : " and ");
        add_difference(out, &miss->list[i]);
    }
    if (shown < miss->differs)
        sky_buf_addf(out, " and %zu more", miss->differs - shown);
}

static const char *article(const char *noun)
{
    return strchr("aeiou", noun[0]) != NULL ? "an" : "a";
}

/* What there was, when nothing was of the right type. */
static void add_others(const struct sky_verify *verify, struct sky_buf *out)
{
    bool refused = verify->seen.refused_seq != 0;
    bool last = refused && verify->seen.refused_seq == verify->seen.last_seq;
    if (verify->seen.all == 0) {
        sky_buf_add_str(out, "; nothing happened");
        return;
    }
    if (refused)
        sky_buf_addf(out, "; %s a refused %s, seq %llu, %s",
                     last ? "the last event is" : "there is",
                     sky_event_type_name(verify->seen.refused_type),
                     (unsigned long long)verify->seen.refused_seq, verify->seen.refused_by);
    const char *type = sky_event_type_name(verify->seen.last_type);
    if (!last)
        sky_buf_addf(out, "; the last event is %s %s, seq %llu", article(type), type,
                     (unsigned long long)verify->seen.last_seq);
}

/* Not one came: how far did those come that there are? */
static void say_none(const struct sky_verify *verify, const struct sky_wanted *wanted,
                     const struct sky_verify_miss *misses, size_t miss_count, struct sky_buf *out)
{
    uint64_t of_type = verify->seen.of_type, to_topic = verify->seen.to_topic;
    if (of_type == 0) {
        sky_buf_add_str(out, "no ");
        add_types(out, wanted->types, false);
        sky_buf_add_str(out, " at all");
        add_others(verify, out);
        return;
    }
    bool there = to_topic > 0 && wanted->rest != NULL;
    uint64_t count = there ? to_topic : of_type;
    sky_buf_addf(out, "%llu ", (unsigned long long)count);
    add_types(out, wanted->types, count > 1);
    if (there)
        add_topic(out, wanted);
    sky_buf_add_str(out, ", none");
    if (!there)
        add_topic(out, wanted);
    add_rest(out, wanted);
    add_nearest(out, wanted, misses, miss_count);
}

/* ---- the sentence ---- */

/* What must not be there is often what breaks a rule: then which one matters most. */
static void say_unwanted(const struct sky_verify *verify, struct sky_buf *out)
{
    sky_buf_add_str(out, ", where none is wanted");
    if (verify->broke_seq != 0)
        sky_buf_addf(out, "; seq %llu broke %s", (unsigned long long)verify->broke_seq,
                     verify->broke);
}

static void say_event(const struct sky_verify *verify, const struct sky_verify_miss *misses,
                      size_t miss_count, struct sky_buf *out)
{
    const struct sky_wanted *wanted = verify->wanted;
    unsigned long long min = verify->min, max = verify->max;
    if (verify->count == 0) {
        say_none(verify, wanted, misses, miss_count, out);
        if (verify->min > 1)
            sky_buf_addf(out, "; %llu are wanted", min);
        return;
    }
    add_wanted(out, verify->count, wanted);
    sky_buf_add_str(out, ": ");
    add_seqs(out, verify->events, verify->event_count, verify->count);
    if (verify->count > verify->max && max == 0)
        say_unwanted(verify, out);
    else if (verify->count > verify->max)
        sky_buf_addf(out, ", where %llu at the most %s wanted", max, max == 1 ? "is" : "are");
    else if (verify->count < verify->min)
        sky_buf_addf(out, ", where %llu are wanted", min);
    else
        sky_buf_addf(out,
                     ", but no %llu of them within %lld ms: the closest take %lld ms, from seq "
                     "%llu to %llu",
                     min, (long long)verify->within_ms, (long long)verify->span_ms,
                     (unsigned long long)verify->closest[0],
                     (unsigned long long)verify->closest[verify->closest_count - 1]);
    if (verify->count < verify->min)
        add_nearest(out, wanted, misses, miss_count);
}

static void say_sequence(const struct sky_verify *verify, const struct sky_verify_miss *misses,
                         size_t miss_count, struct sky_buf *out)
{
    const struct sky_wanted *missing = sky_verify__missing(verify);
    size_t steps = verify->wanted_count, reached = (size_t)verify->count;
    if (missing == NULL) {
        sky_buf_addf(out, "all %zu steps came, but not within %lld ms: the quickest took %lld ms, ",
                     steps, (long long)verify->within_ms, (long long)verify->span_ms);
        add_seqs(out, verify->closest, steps, steps);
        return;
    }
    sky_buf_addf(out, "step %zu of %zu, ", reached + 1, steps);
    add_wanted(out, 0, missing);
    sky_buf_add_str(out, ", did not come");
    if (reached > 0) {
        sky_buf_addf(out, " behind step %zu, ", reached);
        add_wanted(out, 0, missing - 1);
        sky_buf_addf(out, ", seq %llu", (unsigned long long)missing[-1].first_seq);
    }
    if (verify->seen.early_seq != 0)
        sky_buf_addf(out, "; seq %llu is one, but came before",
                     (unsigned long long)verify->seen.early_seq);
    sky_buf_add_str(out, reached > 0 ? "; behind that: " : "; ");
    if (reached > 0 && verify->seen.all == 0)
        sky_buf_add_str(out, "nothing");
    else
        say_none(verify, missing, misses, miss_count, out);
}

void sky_verify__say(const struct sky_verify *verify, const struct sky_verify_scope *scope,
                     const struct sky_verify_miss *misses, size_t miss_count, struct sky_buf *out)
{
    if (scope->name.len > 0) {
        add_text(out, scope->name);
        sky_buf_add_str(out, ": ");
    }
    bool unknown = sky_verify_state(verify, true) == SKY_VERIFY_HOLDS; /* for what is lost */
    if (unknown)
        sky_buf_add_str(out, "nothing that is there speaks against it, but not everything is");
    else if (verify->form == SKY_CLAIM_SEQUENCE)
        say_sequence(verify, misses, miss_count, out);
    else
        say_event(verify, misses, miss_count, out);
    if (scope->lost > 0)
        sky_buf_addf(out, "; %llu older events are lost", (unsigned long long)scope->lost);
    if (unknown)
        sky_buf_add_str(out, ": ask with a later `since`, or give the journal more room "
                             "(--journal-bytes, --journal-events)");
}
