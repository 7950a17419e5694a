/* Whether a cloud keeps its side of the contract: what is missing, out of bounds or another's, in
 * words for whoever writes it. */
#include <ctype.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "protocol/cloud/model_form.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/subs.h"
#include "protocol/mqtt/topic.h"

/* One cloud under examination. */
struct checking {
    const struct sky_cloud *cloud;
    struct sky_why *why;
};

#define FAIL(checking, ...) sky_why_set((checking)->why, SKY_ERR_INVALID, "", __VA_ARGS__)

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static sky_err check_identity(const struct checking *c)
{
    const struct sky_cloud *cloud = c->cloud;
    const struct sky_vocabulary *w = &cloud->words;
    const char *const words[] = {w->product_key, w->product_secret, w->device_key,
                                 w->device_secret};
    if (is_empty(cloud->name) || strlen(cloud->name) > SKY_CLOUD_NAME_MAX)
        return FAIL(c, "a cloud needs a name of 1 to %d characters", SKY_CLOUD_NAME_MAX);
    for (const char *at = cloud->name; *at != '\0'; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at))
            return FAIL(c, "%s: a cloud's name is one word of a-z and 0-9", cloud->name);
    if (is_empty(cloud->title))
        return FAIL(c, "%s: title is missing", cloud->name);
    for (size_t i = 0; i < SKY_COUNT(words); i++) {
        if (is_empty(words[i]))
            return FAIL(c, "%s: words: one of the four names is missing", cloud->name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(words[i], words[j]) == 0)
                return FAIL(c, "%s: words: two fields are called '%s'", cloud->name, words[i]);
    }
    return SKY_OK;
}

static sky_err check_limits(const struct checking *c)
{
    const struct sky_cloud_limits *l = &c->cloud->limits;
    const char *name = c->cloud->name;
    if (l->payload_max == 0 || l->topic_len_max == 0)
        return FAIL(c, "%s: limits: nothing could be published", name);
    if (l->filters_per_packet_max == 0 || l->filters_per_packet_max > SKY_MQTT_FILTERS_MAX)
        return FAIL(c, "%s: limits: filters_per_packet_max is not 1 to %d", name,
                    SKY_MQTT_FILTERS_MAX);
    if (l->filters_per_device_max == 0 || l->filters_per_device_max > SKY_SUBS_PER_DEVICE_MAX)
        return FAIL(c, "%s: limits: filters_per_device_max is not 1 to %d", name,
                    SKY_SUBS_PER_DEVICE_MAX);
    for (size_t i = 0; i < SKY_PROFILES; i++)
        if (l->keepalive[i].min_s >= l->keepalive[i].max_s)
            return FAIL(c, "%s: limits: no keepalive lies in the range of profile %zu", name, i);
    if (l->session.inflight_max == 0 || l->session.queue_max == 0 ||
        l->session.queue_bytes_max == 0 || l->session.queue_age_max_ms <= 0)
        return FAIL(c, "%s: limits: a session could hold no message", name);
    return SKY_OK;
}

/* ---- rules ---- */

static bool is_id(const char *text)
{
    if (is_empty(text) || !isupper((unsigned char)text[0]) || strchr(text, '-') == NULL)
        return false;
    for (; *text != '\0'; text++)
        if (!isupper((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '-')
            return false;
    return true;
}

static sky_err check_rules(const struct checking *c)
{
    const struct sky_rule_table *table = &c->cloud->rules;
    const char *name = c->cloud->name;
    if (is_empty(table->owner) || strcmp(table->owner, name) != 0 || !table->special)
        return FAIL(c, "%s: rules: the owner is the cloud's name, and the table special", name);
    if (table->rows == NULL || table->count == 0 || table->count > SKY_RULES_SPECIAL_MAX)
        return FAIL(c, "%s: rules: %zu rows; 1 to SKY_RULES_SPECIAL_MAX (%d) have room", name,
                    table->count, SKY_RULES_SPECIAL_MAX);
    for (size_t i = 0; i < table->count; i++) {
        const struct sky_rule *rule = &table->rows[i];
        if (!is_id(rule->id))
            return FAIL(c, "%s: rules: row %zu: the id is not of the form PREFIX-WORDS", name, i);
        if (is_empty(rule->statement) || is_empty(rule->source) || is_empty(rule->hint))
            return FAIL(c, "%s: %s: statement, source or hint is missing", name, rule->id);
        if ((unsigned)rule->severity > SKY_ERROR)
            return FAIL(c, "%s: %s: no such severity", name, rule->id);
        for (size_t p = 0; p < SKY_PROFILES; p++)
            if ((unsigned)rule->action[p] > SKY_OFF)
                return FAIL(c, "%s: %s: no such action", name, rule->id);
    }
    return SKY_OK;
}

/* Rules named elsewhere in the cloud are rows of its own table; `rule` may be NULL. */
static sky_err check_own(const struct checking *c, const char *where, const struct sky_rule *rule)
{
    const struct sky_rule_table *table = &c->cloud->rules;
    if (rule == NULL || (rule >= table->rows && rule < table->rows + table->count))
        return SKY_OK;
    return FAIL(c, "%s: %s: the rule is not one of the cloud's own", c->cloud->name, where);
}

static sky_err check_mistakes(const struct checking *c, const char *where,
                              const struct sky_mistake_rule *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum sky_mistake mistake = rows[i].mistake;
        if (mistake <= SKY_MISTAKE_NONE || mistake >= SKY_MISTAKES || rows[i].rule == NULL)
            return FAIL(c, "%s: %s: row %zu has no mistake or no rule", c->cloud->name, where, i);
        for (size_t j = 0; j < i; j++)
            if (rows[j].mistake == mistake)
                return FAIL(c, "%s: %s: %s has two rows", c->cloud->name, where,
                            sky_mistake_name(mistake));
        sky_err err = check_own(c, where, rows[i].rule);
        if (err != SKY_OK)
            return err;
    }
    return SKY_OK;
}

static sky_err check_rule_uses(const struct checking *c)
{
    const struct sky_cloud *cloud = c->cloud;
    sky_err err = check_own(c, "activation_unsubscribed", cloud->activation_unsubscribed);
    if (err == SKY_OK)
        err = check_own(c, "answer_id", cloud->answer_id);
    for (size_t i = 0; err == SKY_OK && i < SKY_LIMIT_RULES; i++)
        err = check_own(c, "limit_rules", cloud->limit_rules[i]);
    if (err == SKY_OK)
        err = check_mistakes(c, "mistake_rules", cloud->mistake_rules, cloud->mistake_rule_count);
    return err;
}

/* ---- tables ---- */

/* A filter whose braces hold nothing but the names of placeholders. */
static bool is_pattern(const char *text)
{
    if (text == NULL || strlen(text) > SKY_PATTERN_MAX ||
        !sky_topic_valid_filter(sky_span_str(text)))
        return false;
    const struct sky_topic_keys keys = {SKY_SPAN("p"), SKY_SPAN("d")};
    char filled[SKY_PATTERN_MAX + 1];
    return sky_topic_fill(sky_span_str(text), &keys, filled, sizeof filled) &&
           strpbrk(filled, "{}") == NULL;
}

/* The row before this one that has all its topics, so that it is never reached, or NULL. */
static const struct sky_topic_row *covering_row(const struct sky_topic_table *table, size_t row)
{
    const struct sky_topic_keys keys = {SKY_SPAN("p"), SKY_SPAN("d")};
    char filled[SKY_PATTERN_MAX + 1];
    if (!sky_topic_fill(sky_span_str(table->rows[row].pattern), &keys, filled, sizeof filled))
        return NULL;
    for (size_t i = 0; i < row; i++)
        if (sky_topic_within(sky_span_str(filled), sky_span_str(table->rows[i].pattern), &keys))
            return &table->rows[i];
    return NULL;
}

static sky_err check_topics(const struct checking *c)
{
    enum { RIGHTS = SKY_MAY_PUB | SKY_MAY_SUB | SKY_PUSHED | SKY_RAW | SKY_CUSTOM | SKY_ANSWER };
    const char *name = c->cloud->name;
    const struct sky_topic_table *table = c->cloud->topics;
    if (table == NULL)
        return FAIL(c, "%s: topics: there is no table", name);
    for (size_t i = 0; i < table->count; i++) {
        const struct sky_topic_row *row = &table->rows[i], *before;
        const struct sky_service *service = row->service;
        if (!is_pattern(row->pattern))
            return FAIL(c, "%s: topics: row %zu: '%s' is no pattern", name, i,
                        row->pattern != NULL ? row->pattern : "");
        before = covering_row(table, i);
        if (before != NULL)
            return FAIL(c, "%s: topics: %s: %s stands before it and takes all of it", name,
                        row->pattern, before->pattern);
        if (row->rights == 0 || row->rights & ~(unsigned)RIGHTS)
            return FAIL(c, "%s: topics: %s: no such rights", name, row->pattern);
        if (service == NULL)
            continue;
        if (is_empty(service->name) || service->handle == NULL || !(row->rights & SKY_MAY_PUB))
            return FAIL(c,
                        "%s: topics: %s: a service has a name and a handler, and devices may "
                        "publish to it",
                        name, row->pattern);
        if (service->reply != NULL && !is_pattern(service->reply))
            return FAIL(c, "%s: topics: %s: '%s' is no pattern", name, row->pattern,
                        service->reply);
    }
    return SKY_OK;
}

static sky_err check_commands(const struct checking *c)
{
    for (size_t i = 0; i < c->cloud->command_count; i++) {
        const struct sky_command_row *row = &c->cloud->commands[i];
        if (is_empty(row->kind) || row->build == NULL)
            return FAIL(c, "%s: commands: row %zu lacks kind or build", c->cloud->name, i);
        if (row->traits & SKY_COMMAND_KEPT && is_empty(row->document))
            return FAIL(c, "%s: commands: %s is kept in no document", c->cloud->name, row->kind);
        for (size_t j = 0; j < i; j++)
            if (strcmp(row->kind, c->cloud->commands[j].kind) == 0)
                return FAIL(c, "%s: commands: two are called '%s'", c->cloud->name, row->kind);
    }
    return SKY_OK;
}

static sky_err check_listeners(const struct checking *c)
{
    for (size_t i = 0; i < c->cloud->listener_count; i++) {
        const struct sky_listener_row *row = &c->cloud->listeners[i];
        if (is_empty(row->name) || row->port == 0 || row->allows == 0)
            return FAIL(c, "%s: listeners: row %zu lacks name, port or what it lets in",
                        c->cloud->name, i);
        if (row->home != c->cloud || row->allows & SKY_LISTEN_ADMIN)
            return FAIL(c, "%s: listeners: %s is for other devices than this cloud's",
                        c->cloud->name, row->name);
    }
    for (const char *const *host = c->cloud->host_names; host != NULL && *host != NULL; host++)
        if (**host == '\0')
            return FAIL(c, "%s: host_names: one is empty", c->cloud->name);
    return SKY_OK;
}

/* ---- what a cloud may have ---- */

static sky_err check_http(const struct checking *c)
{
    const struct sky_cloud_http *http = c->cloud->http;
    const char *name = c->cloud->name;
    if (http == NULL)
        return SKY_OK;
    if (http->rows == NULL || http->count == 0)
        return FAIL(c, "%s: http: no rows; a cloud without calls leaves it out", name);
    for (size_t i = 0; i < http->count; i++) {
        const struct sky_http_row *row = &http->rows[i];
        if (is_empty(row->method) || row->path == NULL || row->path[0] != '/')
            return FAIL(c, "%s: http: row %zu lacks method or path", name, i);
        if (row->claim == NULL || row->answer == NULL)
            return FAIL(c, "%s: http: %s lacks claim or answer", name, row->path);
        if (row->failure.status < 100 || row->failure.status > 599 || row->failure.body == NULL)
            return FAIL(c, "%s: http: %s: no answer for a failure of the server", name, row->path);
        sky_err err = check_mistakes(c, row->path, row->mistake_rules, row->mistake_rule_count);
        if (err != SKY_OK)
            return err;
    }
    return SKY_OK;
}

static sky_err check_psk(const struct checking *c)
{
    const struct sky_cloud_psk *psk = c->cloud->psk;
    if (psk == NULL)
        return SKY_OK;
    if (psk->claim == NULL || psk->admit == NULL || psk->guesses == NULL)
        return FAIL(c, "%s: psk: claim, admit or guesses is missing", c->cloud->name);
    sky_err err = check_own(c, "psk", psk->key_rule);
    return err != SKY_OK ? err
                         : check_mistakes(c, "psk", psk->mistake_rules, psk->mistake_rule_count);
}

static sky_err check_coap(const struct checking *c)
{
    const struct sky_cloud_coap *coap = c->cloud->coap;
    const char *name = c->cloud->name;
    if (coap == NULL)
        return SKY_OK;
    if (c->cloud->psk == NULL)
        return FAIL(c, "%s: coap: without psk nobody can open a channel", name);
    if (coap->decide == NULL)
        return FAIL(c, "%s: coap: decide is missing", name);
    if ((coap->waiting_option != 0) != (coap->waiting_path != NULL))
        return FAIL(c, "%s: coap: waiting_option and waiting_path go together", name);
    if ((coap->lifetime_ms != NULL) != (coap->lifetime_rule != NULL))
        return FAIL(c, "%s: coap: lifetime_ms and lifetime_rule go together", name);
    const struct sky_rule *const rules[] = {coap->lifetime_rule, coap->dtls_rule, coap->psk_rule,
                                            coap->cipher_rule};
    sky_err err = SKY_OK;
    for (size_t i = 0; err == SKY_OK && i < SKY_COUNT(rules); i++)
        err = check_own(c, "coap", rules[i]);
    return err;
}

static sky_err check_shadow(const struct checking *c)
{
    const struct sky_cloud_shadow *shadow = c->cloud->shadow;
    if (shadow == NULL || (!is_empty(shadow->document) && shadow->patch && shadow->seed))
        return SKY_OK;
    return FAIL(c, "%s: shadow: document, patch or seed is missing", c->cloud->name);
}

static sky_err check_model(const struct checking *c)
{
    const struct sky_cloud_model *model = c->cloud->model;
    const char *name = c->cloud->name;
    if (model == NULL)
        return SKY_OK;
    if (model->kinds == NULL || model->kind_count == 0 || model->shape == NULL ||
        is_empty(model->keys.id) || is_empty(model->groups[SKY_MODEL_GROUP_PROPERTIES].key))
        return FAIL(c, "%s: model: kinds, shape, the key of ids or of properties is missing", name);
    if (model->rule == NULL)
        return FAIL(c, "%s: model: what does not fit breaks no rule", name);
    for (size_t i = 0; i < model->kind_count; i++) {
        const struct sky_model_kind_row *row = &model->kinds[i];
        if (is_empty(row->name) || (unsigned)row->kind >= SKY_MODEL_KINDS ||
            (row->max != 0 && row->min > row->max))
            return FAIL(c, "%s: model: kinds: row %zu lacks a name, or its bounds", name, i);
        if (row->tolerated != 0 && model->form_rule == NULL)
            return FAIL(c, "%s: model: kinds: %s tolerates a form, and form_rule is missing", name,
                        row->name);
    }
    sky_err err = check_own(c, "model", model->rule);
    return err != SKY_OK ? err : check_own(c, "model", model->form_rule);
}

static sky_err check_ota(const struct checking *c)
{
    const struct sky_cloud_ota *ota = c->cloud->ota;
    if (ota == NULL || (!is_empty(ota->module) && ota->push != NULL))
        return SKY_OK;
    return FAIL(c, "%s: ota: module or push is missing", c->cloud->name);
}

static sky_err check_functions(const struct checking *c)
{
    const struct sky_cloud *cloud = c->cloud;
    const sky_span fresh =
        SKY_SPAN("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab");
    char secret[SKY_SECRET_MAX + 1] = "";
    struct sky_why reason = {0};
    if (!cloud->claim || !cloud->admit || !cloud->suspect || !cloud->sign || !cloud->make_secret)
        return FAIL(c, "%s: one of claim, admit, suspect, sign and make_secret is missing",
                    cloud->name);
    cloud->make_secret(fresh, secret);
    if (secret[0] == '\0' || memchr(secret, '\0', sizeof secret) == NULL)
        return FAIL(c, "%s: make_secret makes none", cloud->name);
    if (cloud->check_secret != NULL && cloud->check_secret(sky_span_str(secret), &reason) != SKY_OK)
        return FAIL(c, "%s: make_secret makes one that check_secret refuses: %s", cloud->name,
                    reason.reason);
    return SKY_OK;
}

sky_err sky_cloud_check(const struct sky_cloud *cloud, struct sky_why *why)
{
    static sky_err (*const checks[])(const struct checking *) = {
        check_identity, check_limits,    check_rules, check_rule_uses, check_topics,
        check_commands, check_listeners, check_http,  check_psk,       check_coap,
        check_shadow,   check_model,     check_ota,   check_functions};
    const struct checking c = {cloud, why};
    sky_err err = SKY_OK;
    for (size_t i = 0; err == SKY_OK && i < SKY_COUNT(checks); i++)
        err = checks[i](&c);
    return err;
}

/* ---- clouds side by side ---- */

static const char *listener_name(const struct sky_cloud *cloud, size_t i)
{
    return i < cloud->listener_count ? cloud->listeners[i].name : NULL;
}

static const char *http_path(const struct sky_cloud *cloud, size_t i)
{
    return cloud->http != NULL && i < cloud->http->count ? cloud->http->rows[i].path : NULL;
}

static const char *rule_id(const struct sky_cloud *cloud, size_t i)
{
    return i < cloud->rules.count ? cloud->rules.rows[i].id : NULL;
}

static const char *cloud_name(const struct sky_cloud *cloud, size_t i)
{
    return i == 0 ? cloud->name : NULL;
}

/* What a name belongs to when it must be no other's; the names of a cloud end with NULL. */
static const struct {
    const char *what;
    const char *(*name)(const struct sky_cloud *cloud, size_t i);
} unique[] = {{"clouds", cloud_name},
              {"listeners", listener_name},
              {"HTTP calls", http_path},
              {"rules", rule_id}};

/* What `other` has that `cloud` has too; the same cloud: what it has twice. */
static sky_err check_apart(const struct sky_cloud *cloud, const struct sky_cloud *other,
                           struct sky_why *why)
{
    const char *a, *b;
    for (size_t u = 0; u < SKY_COUNT(unique); u++)
        for (size_t i = 0; (a = unique[u].name(cloud, i)) != NULL; i++)
            for (size_t j = cloud == other ? i + 1 : 0; (b = unique[u].name(other, j)) != NULL; j++)
                if (strcmp(a, b) == 0)
                    return sky_why_set(why, SKY_ERR_EXISTS, "", "%s and %s: two %s are called %s",
                                       cloud->name, other->name, unique[u].what, a);
    return SKY_OK;
}

sky_err sky_clouds_check(const struct sky_cloud *const *clouds, struct sky_why *why)
{
    size_t listeners = 0, count = 0;
    for (; clouds[count] != NULL; count++) {
        if (count == SKY_CLOUDS_MAX)
            return sky_why_set(why, SKY_ERR_LIMIT, "", "more than %d clouds (SKY_CLOUDS_MAX)",
                               SKY_CLOUDS_MAX);
        sky_err err = sky_cloud_check(clouds[count], why);
        for (size_t i = 0; err == SKY_OK && i <= count; i++)
            err = check_apart(clouds[i], clouds[count], why);
        if (err != SKY_OK)
            return err;
        listeners += clouds[count]->listener_count;
    }
    if (listeners > SKY_CLOUD_LISTENERS_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, "",
                           "%zu listeners of clouds; %d (SKY_CLOUD_LISTENERS_MAX) have room",
                           listeners, SKY_CLOUD_LISTENERS_MAX);
    return SKY_OK;
}
