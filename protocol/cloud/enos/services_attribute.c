/* Attributes and tags: values under names. */
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"
#include "protocol/cloud/model.h"

/* How many members or elements, but no more than one past the limit. */
static size_t count_entries(sky_span container)
{
    size_t count = 0;
    sky_span entry, rest = sky_json_inside(container);
    while (count <= SKY_ENOS_BATCH_MAX && sky_json_next_element(&rest, &entry))
        count++;
    return count;
}

static bool names_are_sound(sky_span names)
{
    sky_span name, rest = sky_json_inside(names);
    if (!sky_json_is_array(names) || count_entries(names) > SKY_ENOS_BATCH_MAX)
        return false;
    while (sky_json_next_element(&rest, &name))
        if (!sky_json_is_string(name))
            return false;
    return true;
}

/* The asked-for values as one JSON object, each name once; all of them when no names are given. */
static sky_span select_values(struct sky_enos_request *request, sky_span names)
{
    struct sky_buf out;
    sky_span name, rest = sky_json_inside(names);
    const char *before = "";
    if (rest.len == 0)
        return request->facts->document.len > 0 ? request->facts->document : SKY_SPAN("{}");
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_add_byte(&out, '{');
    while (sky_json_next_element(&rest, &name)) {
        sky_span value = sky_latest_get(&request->latest, sky_json_text(name));
        if (value.len == 0)
            continue;
        sky_buf_addf(&out, "%s%.*s:%.*s", before, SKY_SPAN_ARGS(name), SKY_SPAN_ARGS(value));
        sky_latest_drop(&request->latest, sky_json_text(name));
        before = ",";
    }
    sky_buf_add_byte(&out, '}');
    return sky_envelope_keep(&request->effects->arena, &out);
}

static void query_values(struct sky_enos_request *request, const char *list)
{
    sky_span names = sky_json_member(request->envelope.params, list);
    if (sky_enos__refused_data(request, names_are_sound(names) ? SKY_ENOS_CODE_OK
                                                               : SKY_ENOS_CODE_QUERY_FORMAT))
        return;
    sky_enos__open_values(request);
    sky_enos__reply(request, SKY_ENOS_CODE_OK, select_values(request, names));
    sky_latest_close(&request->latest);
}

static void delete_values(struct sky_enos_request *request, const char *list,
                          const struct sky_service *service)
{
    sky_span name, names = sky_json_member(request->envelope.params, list);
    if (sky_enos__refused_data(request, names_are_sound(names) ? SKY_ENOS_CODE_OK
                                                               : SKY_ENOS_CODE_DELETE_FORMAT))
        return;
    sky_enos__open_values(request);
    sky_span rest = sky_json_inside(names);
    while (sky_json_next_element(&rest, &name))
        sky_latest_drop(&request->latest, sky_json_text(name));
    sky_enos__save_values(request, service);
    sky_enos__succeed(request);
}

/* With a model it is that which judges. */
static bool attributes_fit(const struct sky_enos_request *request)
{
    const struct sky_model_ask ask = {request->facts->model, request->envelope.text,
                                      request->judge};
    return sky_model_takes(&ask, SKY_MODEL_ATTRIBUTES, SKY_SPAN_NONE,
                           sky_json_member(request->envelope.params, "attributes"), 0, NULL);
}

static enum sky_enos_code check_attributes(sky_span params)
{
    struct sky_json_member attribute;
    sky_span attributes = sky_json_member(params, "attributes");
    sky_span rest = sky_json_inside(attributes);
    if (!sky_json_is_object(attributes) || count_entries(attributes) > SKY_ENOS_BATCH_MAX)
        return SKY_ENOS_CODE_UPDATE_FORMAT;
    while (sky_json_next_member(&rest, &attribute))
        if (sky_json_is_null(attribute.value))
            return SKY_ENOS_CODE_MODEL;
    return SKY_ENOS_CODE_OK;
}

static void handle_attribute_update(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                    struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct sky_json_member attribute;
    if (!sky_enos__open(&request, uplink, facts, judge, effects) ||
        sky_enos__refused_data(&request, check_attributes(request.envelope.params)))
        return;
    if (!attributes_fit(&request)) {
        sky_enos__fail(&request, SKY_ENOS_CODE_MODEL);
        return;
    }
    sky_enos__open_values(&request);
    sky_span rest = sky_json_inside(sky_json_member(request.envelope.params, "attributes"));
    while (sky_json_next_member(&rest, &attribute))
        sky_latest_put(&request.latest, attribute.key,
                       sky_json_compact(request.latest.arena, attribute.value));
    sky_enos__save_values(&request, &sky_enos_attribute_update);
    sky_enos__succeed(&request);
}

static void handle_attribute_query(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                   struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (sky_enos__open(&request, uplink, facts, judge, effects))
        query_values(&request, "attributes");
}

static void handle_attribute_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                    struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (sky_enos__open(&request, uplink, facts, judge, effects))
        delete_values(&request, "attributes", &sky_enos_attribute_delete);
}

/* Two editions of the documents have an alphabet each: what either takes is taken. */
static bool is_tag_key(sky_span key)
{
    static const char more[] = "_-/";
    for (size_t i = 0; i < key.len; i++) {
        char lower = (char)(key.ptr[i] | 0x20);
        bool digit = key.ptr[i] >= '0' && key.ptr[i] <= '9';
        if (!(lower >= 'a' && lower <= 'z') && !digit && memchr(more, key.ptr[i], 3) == NULL)
            return false;
    }
    return key.len > 0 && key.len <= SKY_ENOS_TAG_KEY_MAX;
}

/* The vendor publishes no code for a tag of the wrong shape, only that it is refused. */
static enum sky_enos_code check_tags(sky_span params)
{
    sky_span tag, rest = sky_json_inside(params);
    if (!sky_json_is_array(params) || count_entries(params) > SKY_ENOS_BATCH_MAX)
        return SKY_ENOS_CODE_NOT_JSON;
    while (sky_json_next_element(&rest, &tag)) {
        sky_span key = sky_json_member(tag, "tagKey");
        if (!sky_json_is_string(key) || !is_tag_key(sky_json_text(key)) ||
            !sky_json_is_string(sky_json_member(tag, "tagValue")))
            return SKY_ENOS_CODE_NOT_JSON;
    }
    return SKY_ENOS_CODE_OK;
}

/* The page of limits is stricter than the service's own, which is what the service does. */
static void judge_tag(const struct sky_enos_request *request, sky_span key, sky_span value)
{
    bool fits = key.len <= SKY_ENOS_TAG_KEY_ADVISED && value.len <= SKY_ENOS_TAG_VALUE_ADVISED;
    bool bare = sky_span_eq(value, sky_span_trim(value));
    sky_judge_rule(request->judge, ENOS_RULE(TAG_SIZE), fits && bare,
                   "tag '%.*s': a key of %zu characters, a value of %zu%s",
                   SKY_SPAN_ARGS(sky_span_head(key, 60)), key.len, value.len,
                   bare ? "" : " with blanks around it");
}

static void handle_tag_update(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    sky_span tag;
    if (!sky_enos__open(&request, uplink, facts, judge, effects) ||
        sky_enos__refused_data(&request, check_tags(request.envelope.params)))
        return;
    sky_enos__open_values(&request);
    sky_span rest = sky_json_inside(request.envelope.params);
    size_t count = count_entries(facts->document);
    while (sky_json_next_element(&rest, &tag)) {
        sky_span key = sky_json_text(sky_json_member(tag, "tagKey"));
        sky_span value = sky_json_member(tag, "tagValue");
        count += sky_latest_get(&request.latest, key).len == 0;
        sky_latest_put(&request.latest, key, value);
        judge_tag(&request, key, sky_json_text(value));
    }
    bool fits = count <= SKY_ENOS_TAGS_MAX;
    if (fits)
        sky_enos__save_values(&request, &sky_enos_tag_update);
    else
        sky_latest_close(&request.latest);
    if (!sky_enos__refused_data(&request, fits ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_NOT_JSON))
        sky_enos__succeed(&request);
}

static void handle_tag_query(const struct sky_uplink *uplink, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (sky_enos__open(&request, uplink, facts, judge, effects))
        query_values(&request, "tags");
}

static void handle_tag_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (sky_enos__open(&request, uplink, facts, judge, effects))
        delete_values(&request, "tags", &sky_enos_tag_delete);
}

const struct sky_service sky_enos_attribute_update = {.name = "attribute-update",
                                                      .document = "attributes",
                                                      .reads = SKY_READS_MODEL,
                                                      .handle = handle_attribute_update};
const struct sky_service sky_enos_attribute_query = {
    .name = "attribute-query", .document = "attributes", .handle = handle_attribute_query};
const struct sky_service sky_enos_attribute_delete = {
    .name = "attribute-delete", .document = "attributes", .handle = handle_attribute_delete};
const struct sky_service sky_enos_tag_update = {
    .name = "tag-update", .document = "tags", .handle = handle_tag_update};
const struct sky_service sky_enos_tag_query = {
    .name = "tag-query", .document = "tags", .handle = handle_tag_query};
const struct sky_service sky_enos_tag_delete = {
    .name = "tag-delete", .document = "tags", .handle = handle_tag_delete};
