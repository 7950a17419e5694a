/* A script of subscriptions, of few subscribers to few filters, against a plain list of them: who
 * receives a topic, with which QoS, how many there are and which. */
#include <stdio.h>

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/subs.h"
#include "protocol/mqtt/topic.h"

enum { SUBSCRIBERS = 6, MODEL_MAX = 64, STEPS_MAX = 200, NAME_MAX_HERE = 24 };

static struct {
    char filter[NAME_MAX_HERE];
    uint32_t subscriber;
    uint8_t qos;
} model[MODEL_MAX];
static size_t model_count;

/* Levels out of few words, so that filters meet topics. */
static void make_name(uint8_t byte, uint8_t more, bool wild, char out[NAME_MAX_HERE])
{
    static const char *const words[] = {"a", "b", "", "$s", "+", "c", "a", "+"};
    size_t levels = 1 + byte % 4, bits = more;
    out[0] = '\0';
    for (size_t i = 0; i < levels; i++, bits >>= 2) {
        size_t word = (bits + (byte >> 2) * i) % SKY_COUNT(words);
        strcat(out, i > 0 ? "/" : "");
        strcat(out, words[word][0] == '+' && !wild ? "b" : words[word]);
    }
    if (wild && byte & 0x80)
        strcat(out, "/#");
}

static size_t find(uint32_t subscriber, const char *filter)
{
    size_t at = 0;
    while (at < model_count &&
           (model[at].subscriber != subscriber || strcmp(model[at].filter, filter) != 0))
        at++;
    return at;
}

static void add(struct sky_subs *subs, uint32_t subscriber, const char *filter, uint8_t qos)
{
    size_t at = find(subscriber, filter);
    SKY_ASSERT(sky_subs_has(subs, subscriber, sky_span_str(filter)) == (at < model_count));
    if (at == MODEL_MAX)
        return;
    SKY_ASSERT(sky_subs_add(subs, subscriber, sky_span_str(filter), qos) == SKY_OK);
    if (at == model_count)
        model_count++;
    model[at].subscriber = subscriber;
    model[at].qos = qos;
    snprintf(model[at].filter, sizeof model[at].filter, "%s", filter);
}

static void take_away(struct sky_subs *subs, uint32_t subscriber, const char *filter)
{
    size_t at = find(subscriber, filter);
    SKY_ASSERT(sky_subs_remove(subs, subscriber, sky_span_str(filter)) == (at < model_count));
    if (at < model_count)
        model[at] = model[--model_count];
}

static void drop(struct sky_subs *subs, uint32_t subscriber)
{
    sky_subs_drop(subs, subscriber);
    for (size_t at = model_count; at-- > 0;)
        if (model[at].subscriber == subscriber)
            model[at] = model[--model_count];
}

static void match(struct sky_subs *subs, const char *topic, struct sky_receivers *found)
{
    int qos[SUBSCRIBERS];
    size_t due = 0;
    memset(qos, -1, sizeof qos);
    for (size_t i = 0; i < model_count; i++)
        if (sky_topic_matches(sky_span_str(model[i].filter), sky_span_str(topic)) &&
            qos[model[i].subscriber] < model[i].qos)
            qos[model[i].subscriber] = model[i].qos;
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        due += qos[i] >= 0;
    sky_subs_match(subs, sky_span_str(topic), found);
    SKY_ASSERT(found->count == due);
    for (size_t i = 0; i < found->count; i++) {
        SKY_ASSERT(found->list[i].subscriber < SUBSCRIBERS);
        SKY_ASSERT(qos[found->list[i].subscriber] == found->list[i].qos);
        qos[found->list[i].subscriber] = -2; /* each once */
    }
}

static void count_one(void *ctx, sky_span filter, uint8_t qos)
{
    size_t *count = ctx;
    char text[NAME_MAX_HERE];
    SKY_ASSERT(qos <= 1 && sky_span_copy(filter, text, sizeof text));
    ++*count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_subs *subs = sky_subs_new();
    struct sky_receivers found = {0};
    model_count = 0;
    for (size_t step = 0; step < STEPS_MAX && len >= 3; step++, bytes += 3, len -= 3) {
        char name[NAME_MAX_HERE];
        uint32_t subscriber = bytes[0] / 8 % SUBSCRIBERS;
        bool wild = bytes[0] % 8 < 5;
        uint64_t generation = sky_subs_generation(subs);
        make_name(bytes[1], bytes[2], wild, name);
        if (wild ? !sky_topic_valid_filter(sky_span_str(name))
                 : !sky_topic_valid_name(sky_span_str(name)))
            continue;
        if (bytes[0] % 8 < 3)
            add(subs, subscriber, name, bytes[0] >> 7);
        else if (wild)
            take_away(subs, subscriber, name);
        else if (bytes[0] % 8 == 5)
            drop(subs, subscriber);
        else
            match(subs, name, &found);
        SKY_ASSERT(sky_subs_generation(subs) >= generation);
    }
    for (uint32_t i = 0; i < SUBSCRIBERS; i++) {
        size_t count = 0, due = 0;
        for (size_t at = 0; at < model_count; at++)
            due += model[at].subscriber == i;
        sky_subs_each(subs, i, count_one, &count);
        SKY_ASSERT(count == due && sky_subs_count(subs, i) == due);
    }
    sky_receivers_done(&found);
    sky_subs_free(subs);
    return 0;
}
