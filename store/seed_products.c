#include "store/seed_products.h"

#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/url.h"

/* ---- a product's rules ---- */

enum { RULE_TEXT_MAX = 128 };

/* Is there a line for the rule of "ID=action" already? */
static bool has_line(sky_span lines, sky_span text)
{
    sky_span line, id, line_id, action;
    if (!sky_span_cut(text, '=', &id, &action))
        return false;
    while (sky_span_next(&lines, '\n', &line))
        if (sky_span_cut(line, '=', &line_id, &action) && sky_span_eq(id, line_id))
            return true;
    return false;
}

static void read_rule(struct sky_seed_reader *reader, const char *id, const char *action,
                      struct sky_buf *lines)
{
    char text[RULE_TEXT_MAX + 2]; /* a newline and the NUL behind */
    struct sky_why why;
    int len = snprintf(text, sizeof text, "%s%s%s", id, action ? "=" : "", action ? action : "");
    if (len > RULE_TEXT_MAX || strchr(text, '\n') != NULL) {
        sky_seed_error(reader, "\"%s\" is no rule override; write \"ID=action\" in one line",
                       sky_seed_show(text).text);
        return;
    }
    const struct sky_seed_config *config = reader->config;
    if (config->check_rule && !config->check_rule(config->ctx, sky_span_str(text), &why))
        sky_seed_error(reader, "%s", why.reason);
    else if (has_line(sky_buf_span(lines), sky_span_str(text)))
        sky_seed_error(reader, "a second override of the same rule; keep one");
    else
        sky_buf_addf(lines, "%s\n", text);
}

static void read_rules(struct sky_seed_reader *reader, const cJSON *map,
                       struct sky_seed_product *product)
{
    size_t count = (size_t)cJSON_GetArraySize(map), index = 0;
    if (count > SKY_SEED_RULES_MAX) {
        sky_seed_error(reader, "%zu overrides; %d is the most", count, SKY_SEED_RULES_MAX);
        return;
    }
    const cJSON *entry;
    cJSON_ArrayForEach (entry, map) {
        bool named = cJSON_IsObject(map);
        size_t mark =
            named ? sky_seed_down_key(reader, entry->string) : sky_seed_down_index(reader, index);
        if (sky_seed_is(reader, entry, SKY_SEED_STRING))
            read_rule(reader, named ? entry->string : entry->valuestring,
                      named ? entry->valuestring : NULL, &product->rules);
        sky_seed_up(reader, mark);
        index++;
    }
}

/* ---- a product's topics ---- */

/* What stands in the braces of a placeholder, as our own name for it, or NULL. Every cloud's words
 * are understood everywhere: people paste from whichever console they know. */
static const char *placeholder(const struct sky_seed_config *config, sky_span name)
{
    if (sky_span_eq_str(name, "product") || sky_span_eq_str(name, "device"))
        return name.ptr[0] == 'p' ? "{product}" : "{device}";
    for (size_t i = 0; i < config->cloud_count; i++) {
        if (sky_span_eq_str(name, config->clouds[i].product_key))
            return "{product}";
        if (sky_span_eq_str(name, config->clouds[i].device_key))
            return "{device}";
    }
    return NULL;
}

/* Copies `topic` with every spelling of a placeholder, "${name}" or "{name}", turned into ours. */
static bool normalise(struct sky_seed_reader *reader, sky_span topic, const char *product_word,
                      const char *device_word, struct sky_buf *out)
{
    while (topic.len > 0) {
        bool dollar = sky_span_starts(topic, SKY_SPAN("${"));
        if (!dollar && topic.ptr[0] != '{') {
            sky_buf_add_byte(out, (uint8_t)topic.ptr[0]);
            topic = sky_span_tail(topic, 1);
            continue;
        }
        sky_span name, rest;
        if (!sky_span_cut(sky_span_tail(topic, dollar ? 2 : 1), '}', &name, &rest)) {
            sky_seed_error(reader, "a '{' without its '}'");
            return false;
        }
        const char *ours = placeholder(reader->config, name);
        if (ours == NULL) {
            sky_seed_error(reader, "unknown placeholder {%.*s}; use ${%s} or ${%s}",
                           name.len > SKY_SEED_SHOWN_MAX ? 0 : (int)name.len, name.ptr,
                           product_word, device_word);
            return false;
        }
        sky_buf_add_str(out, ours);
        topic = rest;
    }
    return true;
}

/* MQTT 3.1.1 §4.7.1: '#' alone in the last level, '+' alone in its level. */
static bool wildcards_fit(sky_span pattern)
{
    const char *end = pattern.ptr + pattern.len;
    sky_span level;
    while (sky_span_next(&pattern, '/', &level)) {
        bool hash = sky_span_contains(level, SKY_SPAN("#"));
        bool plus = sky_span_contains(level, SKY_SPAN("+"));
        if ((hash || plus) && level.len > 1)
            return false;
        if (hash && level.ptr + level.len != end)
            return false;
    }
    return true;
}

static void add_topic(struct sky_seed_reader *reader, struct sky_seed_product *product,
                      const struct sky_product_topic *topic)
{
    for (size_t i = 0; i < product->topic_count; i++)
        if (strcmp(product->topics[i].pattern, topic->pattern) == 0)
            return sky_seed_error(reader, "the same topic is at index %zu; merge the two", i);
    product->topics[product->topic_count++] = *topic;
}

static void read_pattern(struct sky_seed_reader *reader, const char *text,
                         struct sky_seed_product *product, struct sky_product_topic *topic)
{
    const struct sky_seed_cloud *words = &reader->config->clouds[product->cloud];
    struct sky_buf pattern;
    sky_buf_init(&pattern, SKY_PATTERN_MAX);
    if (!normalise(reader, sky_span_str(text), words->product_key, words->device_key, &pattern))
        goto out;
    if (pattern.overflow)
        sky_seed_error(reader, "the topic is longer than %d bytes", SKY_PATTERN_MAX);
    else if (pattern.len == 0)
        sky_seed_error(reader, "the topic is empty");
    else if (!wildcards_fit(sky_buf_span(&pattern)))
        sky_seed_error(reader, "'+' must be a whole level, '#' the whole last one");
    else if (sky_span_copy(sky_buf_span(&pattern), topic->pattern, sizeof topic->pattern))
        add_topic(reader, product, topic);
out:
    sky_buf_done(&pattern);
}

static void read_topic(struct sky_seed_reader *reader, const cJSON *value,
                       struct sky_seed_product *product)
{
    struct sky_seed_field fields[] = {
        {"topic", SKY_SEED_STRING, true, NULL},
        {"pub", SKY_SEED_BOOL, false, NULL},
        {"sub", SKY_SEED_BOOL, false, NULL},
    };
    if (!sky_seed_object(reader, value, fields, SKY_COUNT(fields), NULL))
        return;
    struct sky_product_topic topic = {
        .pub = sky_seed_bool(&fields[1], false),
        .sub = sky_seed_bool(&fields[2], false),
    };
    if (!topic.pub && !topic.sub)
        sky_seed_error(reader, "a topic without any right; set \"pub\" or \"sub\" to true");
    if (fields[0].value == NULL)
        return;
    size_t mark = sky_seed_down_key(reader, "topic");
    read_pattern(reader, fields[0].value->valuestring, product, &topic);
    sky_seed_up(reader, mark);
}

static void read_topics(struct sky_seed_reader *reader, const cJSON *list,
                        struct sky_seed_product *product)
{
    int count = cJSON_GetArraySize(list);
    if (count > SKY_PRODUCT_TOPICS_MAX) {
        sky_seed_error(reader, "%d topics; %d is the most", count, SKY_PRODUCT_TOPICS_MAX);
        return;
    }
    const cJSON *value;
    size_t index = 0;
    cJSON_ArrayForEach (value, list) {
        size_t mark = sky_seed_down_index(reader, index++);
        read_topic(reader, value, product);
        sky_seed_up(reader, mark);
    }
}

/* ---- products ---- */

static bool read_cloud(struct sky_seed_reader *reader, const cJSON *value, size_t *ret_cloud)
{
    const struct sky_seed_config *config = reader->config;
    char known[SKY_WHY_REASON_MAX / 2] = "";
    size_t len = 0;
    for (size_t i = 0; i < config->cloud_count && len < sizeof known; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "",
                                config->clouds[i].name);
    const cJSON *cloud = cJSON_GetObjectItemCaseSensitive(value, "cloud");
    if (cloud == NULL) {
        sky_seed_error(reader, "\"cloud\" is missing; known: %s", known);
        return false;
    }
    size_t mark = sky_seed_down_key(reader, "cloud");
    bool string = sky_seed_is(reader, cloud, SKY_SEED_STRING), found = false;
    for (size_t i = 0; string && i < config->cloud_count && !found; i++) {
        found = strcmp(cloud->valuestring, config->clouds[i].name) == 0;
        *ret_cloud = found ? i : *ret_cloud;
    }
    if (string && !found)
        sky_seed_error(reader, "unknown cloud \"%s\"; known: %s",
                       sky_seed_show(cloud->valuestring).text, known);
    sky_seed_up(reader, mark);
    return found;
}

/* Another cloud's word for something has this cloud's word in the fields: in a product the first
 * two rows after "cloud", in a device the first two. */
static const char *other_words(const struct sky_seed_reader *reader, const char *name,
                               const struct sky_seed_field *fields, size_t count)
{
    bool device = strcmp(fields[0].name, "cloud") != 0;
    SKY_ASSERT(count > 2);
    for (size_t i = 0; i < reader->config->cloud_count; i++) {
        const struct sky_seed_cloud *words = &reader->config->clouds[i];
        if (strcmp(name, device ? words->device_key : words->product_key) == 0)
            return fields[device ? 0 : 1].name;
        if (strcmp(name, device ? words->device_secret : words->product_secret) == 0)
            return fields[device ? 1 : 2].name;
    }
    return NULL;
}

/* The fields that hold lists; each is read where it stands. */
static void read_lists(struct sky_seed_reader *reader, const struct sky_seed_field *topics,
                       const struct sky_seed_field *rules, struct sky_seed_product *product)
{
    if (topics->value != NULL) {
        size_t mark = sky_seed_down_key(reader, topics->name);
        read_topics(reader, topics->value, product);
        sky_seed_up(reader, mark);
    }
    if (rules->value != NULL) {
        size_t mark = sky_seed_down_key(reader, rules->name);
        read_rules(reader, rules->value, product);
        sky_seed_up(reader, mark);
    }
}

/* ---- a product's texts ---- */

const char *const sky_seed_text_names[SKY_SEED_TEXTS] = {
    [SKY_SEED_CONFIG] = SKY_PRODUCT_CONFIG,
    [SKY_SEED_MODEL] = SKY_PRODUCT_MODEL,
    [SKY_SEED_SUB_PRODUCTS] = SKY_PRODUCT_SUB_PRODUCTS,
    [SKY_SEED_FORWARD] = SKY_PRODUCT_FORWARD,
};
static const size_t text_max[SKY_SEED_TEXTS] = {
    [SKY_SEED_CONFIG] = SKY_SEED_CONFIG_MAX,
    [SKY_SEED_MODEL] = SKY_SEED_MODEL_MAX,
    [SKY_SEED_SUB_PRODUCTS] = SKY_SEED_SUB_PRODUCTS_MAX * (SKY_KEY_MAX * 2 + 3) + 2,
    [SKY_SEED_FORWARD] = SKY_URL_MAX,
};

static void read_node(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                      const struct sky_seed_cloud *words, struct sky_product *product)
{
    if (field->value == NULL)
        return;
    for (int i = 0; i < SKY_NODE_KINDS; i++) {
        if (strcmp(field->value->valuestring, sky_node_name((enum sky_node)i)) != 0)
            continue;
        product->node = (enum sky_node)i;
        if (product->node != SKY_NODE_DEVICE && !words->has_gateways)
            sky_seed_error_at(reader, field->name, "%s has no gateways; leave the field out",
                              words->name);
        return;
    }
    sky_seed_error_at(reader, field->name,
                      "unknown node type \"%s\"; known: device, gateway, sub-device",
                      sky_seed_show(field->value->valuestring).text);
}

static void read_sub_products(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                              struct sky_seed_product *product)
{
    const cJSON *key;
    size_t index = 0;
    if (field->value == NULL)
        return;
    size_t mark = sky_seed_down_key(reader, field->name);
    if (product->product.node != SKY_NODE_GATEWAY)
        sky_seed_error(reader, "only a gateway has sub-devices: set \"nodeType\" to \"gateway\"");
    if (cJSON_GetArraySize(field->value) > SKY_SEED_SUB_PRODUCTS_MAX)
        sky_seed_error(reader, "%d products; %d is the most", cJSON_GetArraySize(field->value),
                       SKY_SEED_SUB_PRODUCTS_MAX);
    cJSON_ArrayForEach (key, field->value) {
        struct sky_why why;
        size_t at = sky_seed_down_index(reader, index++);
        if (sky_seed_is(reader, key, SKY_SEED_STRING) &&
            sky_seed_check_key("a product's key", sky_span_str(key->valuestring), &why) != SKY_OK)
            sky_seed_error(reader, "%s", why.reason);
        sky_seed_up(reader, at);
    }
    (void)sky_json_print(&product->texts[SKY_SEED_SUB_PRODUCTS], field->value);
    sky_seed_up(reader, mark);
}

static void read_config(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                        struct sky_buf *text)
{
    if (field->value != NULL && !cJSON_IsNull(field->value) && !sky_json_print(text, field->value))
        sky_seed_error_at(reader, field->name, "the configuration is longer than %d bytes",
                          SKY_SEED_CONFIG_MAX);
}

/* JSON as it stands, or the path of a file that holds it. */
static void read_model(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                       struct sky_seed_product *product)
{
    const struct sky_seed_config *config = reader->config;
    struct sky_buf *text = &product->texts[SKY_SEED_MODEL];
    struct sky_why why = {.pointer = ""};
    sky_err err = SKY_OK;
    if (field->value == NULL)
        return;
    if (cJSON_IsObject(field->value))
        err = sky_json_print(text, field->value)
                  ? SKY_OK
                  : sky_why_set(&why, SKY_ERR_LIMIT, "", "the model is longer than %d bytes",
                                SKY_SEED_MODEL_MAX);
    else if (!cJSON_IsString(field->value))
        err = sky_why_set(&why, SKY_ERR_INVALID, "",
                          "expected the vendor's thing model, an object, or the path of a file "
                          "that holds it");
    else if (config->read_model == NULL)
        err = sky_why_set(&why, SKY_ERR_INVALID, "",
                          "files are read only for fixtures that are files themselves; put the "
                          "model here, as an object");
    else
        err = config->read_model(config->ctx, field->value->valuestring, text, &why);
    if (err == SKY_OK && config->check_model != NULL)
        err = config->check_model(config->ctx, product->cloud, sky_buf_span(text), &why);
    if (err != SKY_OK)
        sky_seed_error_below(reader, field->name, &why);
}

static void read_forward(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                         struct sky_buf *text)
{
    if (field->value == NULL)
        return;
    sky_span url = sky_span_str(field->value->valuestring);
    struct sky_url parts;
    if (!sky_url_parse(url, &parts) || !sky_buf_add(text, url))
        sky_seed_error_at(reader, field->name,
                          "\"%s\" is no URL; give http://HOST[:PORT]/PATH, or the same with https, "
                          "%d bytes at most",
                          sky_seed_show(field->value->valuestring).text, SKY_URL_MAX);
}

bool sky_seed_read_product(struct sky_seed_reader *reader, const cJSON *value,
                           struct sky_seed_product *ret_product)
{
    enum {
        CLOUD,
        KEY,
        SECRET,
        DEVICES,
        DYNAMIC,
        CERTIFICATE,
        HTTPS,
        ASSET,
        TOPICS,
        RULES,
        NODE,
        SUB_PRODUCTS,
        CONFIG,
        MODEL,
        FORWARD,
        FIELDS
    };
    *ret_product = (struct sky_seed_product){.cloud = 0};
    sky_buf_init(&ret_product->rules, SKY_SEED_RULES_MAX * (RULE_TEXT_MAX + 1));
    for (size_t i = 0; i < SKY_SEED_TEXTS; i++)
        sky_buf_init(&ret_product->texts[i], text_max[i]);
    if (!sky_seed_is(reader, value, SKY_SEED_OBJECT) ||
        !read_cloud(reader, value, &ret_product->cloud))
        return false;
    const struct sky_seed_cloud *words = &reader->config->clouds[ret_product->cloud];
    struct sky_seed_field fields[FIELDS] = {
        [CLOUD] = {"cloud", SKY_SEED_STRING, true, NULL},
        [KEY] = {words->product_key, SKY_SEED_STRING, true, NULL},
        [SECRET] = {words->product_secret, SKY_SEED_STRING, false, NULL},
        [DEVICES] = {"devices", SKY_SEED_LIST, false, NULL},
        [DYNAMIC] = {"dynamicActivation", SKY_SEED_BOOL, false, NULL},
        [CERTIFICATE] = {"requireCertificate", SKY_SEED_BOOL, false, NULL},
        [HTTPS] = {"httpsAuth", SKY_SEED_BOOL, false, NULL},
        [ASSET] = {"assetId", SKY_SEED_STRING, false, NULL},
        [TOPICS] = {"topics", SKY_SEED_LIST, false, NULL},
        [RULES] = {"rules", SKY_SEED_MAP, false, NULL},
        [NODE] = {"nodeType", SKY_SEED_STRING, false, NULL},
        [SUB_PRODUCTS] = {"subProducts", SKY_SEED_LIST, false, NULL},
        [CONFIG] = {"config", SKY_SEED_ANY, false, NULL},
        [MODEL] = {"model", SKY_SEED_ANY, false, NULL},
        [FORWARD] = {"forward", SKY_SEED_STRING, false, NULL},
    };
    (void)sky_seed_object(reader, value, fields, FIELDS, other_words);
    struct sky_product *product = &ret_product->product;
    (void)sky_span_copy(sky_span_str(words->name), product->cloud, sizeof product->cloud);
    bool named = sky_seed_key(reader, &fields[KEY], product->key);
    (void)sky_seed_text(reader, &fields[SECRET], product->secret, SKY_SECRET_MAX);
    (void)sky_seed_text(reader, &fields[ASSET], ret_product->asset_id, SKY_KEY_MAX);
    product->dynamic_activation = sky_seed_bool(&fields[DYNAMIC], false);
    product->require_certificate = sky_seed_bool(&fields[CERTIFICATE], false);
    product->https_auth = sky_seed_bool(&fields[HTTPS], true);
    if (product->dynamic_activation &&
        cJSON_GetObjectItemCaseSensitive(value, words->product_secret) == NULL)
        sky_seed_error_at(reader, "dynamicActivation",
                          "devices fetch their secret with the product's: \"%s\" is missing",
                          words->product_secret);
    read_lists(reader, &fields[TOPICS], &fields[RULES], ret_product);
    read_node(reader, &fields[NODE], words, product);
    read_sub_products(reader, &fields[SUB_PRODUCTS], ret_product);
    read_config(reader, &fields[CONFIG], &ret_product->texts[SKY_SEED_CONFIG]);
    read_model(reader, &fields[MODEL], ret_product);
    read_forward(reader, &fields[FORWARD], &ret_product->texts[SKY_SEED_FORWARD]);
    ret_product->value = value;
    ret_product->devices = fields[DEVICES].value;
    return named;
}

void sky_seed_product_done(struct sky_seed_product *product)
{
    sky_buf_done(&product->rules);
    for (size_t i = 0; i < SKY_SEED_TEXTS; i++)
        sky_buf_done(&product->texts[i]);
}

/* ---- devices ---- */

static bool read_fingerprint(sky_span text, char out[SKY_FINGERPRINT_HEX + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ':')
            continue;
        char lower = c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c;
        bool digit = (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f');
        if (!digit || len == SKY_FINGERPRINT_HEX)
            return false;
        out[len++] = lower;
    }
    out[len] = '\0';
    return len == SKY_FINGERPRINT_HEX;
}

static void read_certificate(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                             char out[SKY_FINGERPRINT_HEX + 1])
{
    const struct sky_seed_config *config = reader->config;
    if (field->value == NULL)
        return;
    struct sky_why why = {.reason = "expected a certificate in PEM, or the SHA-256 fingerprint of "
                                    "one: 64 hexadecimal digits, colons allowed"};
    sky_span text = sky_span_trim(sky_span_str(field->value->valuestring));
    char found[SKY_FINGERPRINT_HEX + 1] = "";
    bool good;
    if (sky_span_contains(text, SKY_SPAN("-----BEGIN")) && config->certificate_fingerprint != NULL)
        good = config->certificate_fingerprint(config->ctx, text, found, &why) == SKY_OK;
    else
        good = read_fingerprint(text, found);
    if (good)
        memcpy(out, found, sizeof found);
    else
        sky_seed_error_at(reader, field->name, "%s", why.reason);
}

static void read_secret(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                        const struct sky_seed_cloud *cloud, char out[SKY_SECRET_MAX + 1])
{
    struct sky_why why;
    if (!sky_seed_text(reader, field, out, SKY_SECRET_MAX) || out[0] == '\0')
        return;
    if (cloud->check_secret != NULL && cloud->check_secret(sky_span_str(out), &why) != SKY_OK)
        sky_seed_error_at(reader, field->name, "%s", why.reason);
}

/* As other_words(), for what names a device: the API's words too. */
static const char *other_keys(const struct sky_seed_reader *reader, const char *name,
                              const struct sky_seed_field *fields, size_t count)
{
    SKY_ASSERT(count == 2);
    if (strcmp(name, "product") == 0 || strcmp(name, "device") == 0)
        return fields[name[0] == 'd'].name;
    for (size_t i = 0; i < reader->config->cloud_count; i++) {
        if (strcmp(name, reader->config->clouds[i].product_key) == 0)
            return fields[0].name;
        if (strcmp(name, reader->config->clouds[i].device_key) == 0)
            return fields[1].name;
    }
    return NULL;
}

bool sky_seed_read_sub_device(struct sky_seed_reader *reader, const cJSON *value, size_t cloud,
                              char ret_product[SKY_KEY_MAX + 1], char ret_device[SKY_KEY_MAX + 1])
{
    const struct sky_seed_cloud *words = &reader->config->clouds[cloud];
    struct sky_seed_field fields[] = {
        {words->product_key, SKY_SEED_STRING, true, NULL},
        {words->device_key, SKY_SEED_STRING, true, NULL},
    };
    return sky_seed_object(reader, value, fields, SKY_COUNT(fields), other_keys) &&
           sky_seed_key(reader, &fields[0], ret_product) &&
           sky_seed_key(reader, &fields[1], ret_device);
}

static void check_sub_devices(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                              const struct sky_seed_product *product)
{
    char keys[2][SKY_KEY_MAX + 1];
    const cJSON *value;
    size_t index = 0;
    if (field->value == NULL)
        return;
    size_t mark = sky_seed_down_key(reader, field->name);
    if (product->product.node != SKY_NODE_GATEWAY)
        sky_seed_error(reader, "only a gateway has sub-devices: set the product's \"nodeType\" to "
                               "\"gateway\"");
    if (cJSON_GetArraySize(field->value) > SKY_SEED_SUB_DEVICES_MAX)
        sky_seed_error(reader, "%d devices; %d is the most", cJSON_GetArraySize(field->value),
                       SKY_SEED_SUB_DEVICES_MAX);
    cJSON_ArrayForEach (value, field->value) {
        size_t at = sky_seed_down_index(reader, index++);
        (void)sky_seed_read_sub_device(reader, value, product->cloud, keys[0], keys[1]);
        sky_seed_up(reader, at);
    }
    sky_seed_up(reader, mark);
}

bool sky_seed_read_device(struct sky_seed_reader *reader, const cJSON *value,
                          const struct sky_seed_product *product,
                          struct sky_seed_device *ret_device)
{
    enum { KEY, SECRET, ENABLED, CERTIFICATE, ASSET, SHADOW, SUB_DEVICES, FIELDS };
    const struct sky_seed_cloud *cloud = &reader->config->clouds[product->cloud];
    struct sky_seed_field fields[FIELDS] = {
        [KEY] = {cloud->device_key, SKY_SEED_STRING, true, NULL},
        [SECRET] = {cloud->device_secret, SKY_SEED_STRING, false, NULL},
        [ENABLED] = {"enabled", SKY_SEED_BOOL, false, NULL},
        [CERTIFICATE] = {"certificate", SKY_SEED_STRING, false, NULL},
        [ASSET] = {"assetId", SKY_SEED_STRING, false, NULL},
        [SHADOW] = {"shadow", SKY_SEED_OBJECT, false, NULL},
        [SUB_DEVICES] = {"subDevices", SKY_SEED_LIST, false, NULL},
    };
    *ret_device = (struct sky_seed_device){.enabled = true};
    if (!sky_seed_object(reader, value, fields, FIELDS, other_words))
        return false;
    bool named = sky_seed_key(reader, &fields[KEY], ret_device->key);
    read_secret(reader, &fields[SECRET], cloud, ret_device->secret);
    (void)sky_seed_text(reader, &fields[ASSET], ret_device->asset_id, SKY_KEY_MAX);
    if (fields[ASSET].value == NULL)
        memcpy(ret_device->asset_id, product->asset_id, sizeof ret_device->asset_id);
    read_certificate(reader, &fields[CERTIFICATE], ret_device->fingerprint);
    ret_device->enabled = sky_seed_bool(&fields[ENABLED], true);
    ret_device->shadow = fields[SHADOW].value;
    ret_device->sub_devices = fields[SUB_DEVICES].value;
    check_sub_devices(reader, &fields[SUB_DEVICES], product);
    return named;
}
