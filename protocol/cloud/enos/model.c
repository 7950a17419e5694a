/* The model as the vendor's API returns it (Get Thing Model; its page on data definitions). A
 * type's specs are its dataDefinition, JSON in a string as a rule. Everything that does not fit is
 * 1204. */
#include "protocol/cloud/enos/model.h"

#include <float.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/enos/rules.h"

enum { TEXT_MAX = 1024, ARRAY_MAX = 128, CODE_MODEL = 1204, MAPS_MAX = SKY_MODEL_TEXT_MAX + 128 };

/* That a number may go as a string is not documented: SKY_MODEL_AS_TEXT in `tolerated`, with a
 * form_rule, would take it. */
static const struct sky_model_kind_row kinds[] = {
    {"INT", SKY_MODEL_INT, SKY_MODEL_AS_NUMBER | SKY_MODEL_WITH_QUALITY, 0, INT32_MIN, INT32_MAX},
    {"FLOAT", SKY_MODEL_FLOAT, SKY_MODEL_AS_NUMBER | SKY_MODEL_WITH_QUALITY, 0, -DBL_MAX, DBL_MAX},
    {"DOUBLE", SKY_MODEL_DOUBLE, SKY_MODEL_AS_NUMBER | SKY_MODEL_WITH_QUALITY, 0, -DBL_MAX,
     DBL_MAX},
    {"ENUM", SKY_MODEL_CHOICE, SKY_MODEL_AS_NUMBER, 0, 0, 0},
    {"BOOL", SKY_MODEL_BOOL, SKY_MODEL_AS_LITERAL | SKY_MODEL_AS_NUMBER, 0, 0, 0},
    {"STRING", SKY_MODEL_TEXT, SKY_MODEL_AS_TEXT, 0, 1, TEXT_MAX},
    {"TIMESTAMP", SKY_MODEL_TIMESTAMP, SKY_MODEL_AS_TEXT | SKY_MODEL_AS_NUMBER, 0, 0, 0},
    {"DATE", SKY_MODEL_DATE, SKY_MODEL_AS_TEXT, 0, 0, 0},
    {"STRUCT", SKY_MODEL_STRUCT, 0, 0, 0, 0},
    {"ARRAY", SKY_MODEL_ARRAY, 0, 0, 0, ARRAY_MAX},
    {"FILE", SKY_MODEL_TEXT, SKY_MODEL_AS_TEXT, 0, 1, 0}, /* a URI */
};

/* {"dataType":"INT","dataDefinition":..}; an element is {"type":"INT"}, or as a point. An enum says
 * in its definition whether its values are texts. */
static void shape(struct sky_model_build *build, sky_span item, enum sky_model_place place,
                  struct sky_model_shape *ret_shape)
{
    sky_span type = sky_json_member(item, "dataType");
    if (place == SKY_MODEL_OF_ELEMENT && type.len == 0)
        type = sky_json_member(item, "type");
    ret_shape->name = sky_json_text(type);
    ret_shape->specs = sky_json_member(item, "dataDefinition");
    if (sky_json_is_string(ret_shape->specs) && sky_json_text(ret_shape->specs).len > 0)
        ret_shape->specs = sky_model_unwrap(build, ret_shape->specs);
    if (sky_span_eq_str(type, "\"ENUM\"") &&
        sky_span_eq_str(sky_json_member(ret_shape->specs, "enumType"), "\"STRING\""))
        ret_shape->forms = SKY_MODEL_AS_TEXT;
}

sky_span sky_enos__model_maps(const struct sky_model *model, struct sky_arena *arena)
{
    static const struct {
        const char *name;
        enum sky_model_group group;
    } rows[] = {{"tslAttributeMap", SKY_MODEL_GROUP_ATTRIBUTES},
                {"tslMeasurepointMap", SKY_MODEL_GROUP_PROPERTIES},
                {"tslEventMap", SKY_MODEL_GROUP_EVENTS},
                {"tslServiceMap", SKY_MODEL_GROUP_SERVICES}};
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, MAPS_MAX);
    sky_jw_object(&jw);
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_span map =
            sky_json_member(sky_model_text(model), sky_enos__model.groups[rows[i].group].key);
        sky_jw_key(&jw, rows[i].name);
        sky_jw_raw(&jw, sky_json_is_object(map) ? map : SKY_SPAN("{}"));
    }
    sky_jw_end_object(&jw);
    sky_span maps = sky_arena_copy(arena, sky_buf_span(&out));
    sky_buf_done(&out);
    return maps;
}

const struct sky_cloud_model sky_enos__model = {
    .kinds = kinds,
    .kind_count = SKY_COUNT(kinds),
    .keys = {.id = "identifier",
             .required = "isRequired",
             .quality = "hasQuality",
             .length_max = "maxLength",
             .mapping = "enumDesc"},
    .groups = {[SKY_MODEL_GROUP_PROPERTIES] = {.key = "measurepoints"},
               [SKY_MODEL_GROUP_ATTRIBUTES] = {.key = "attributes"},
               [SKY_MODEL_GROUP_EVENTS] = {"events", NULL, "outputData", NULL},
               [SKY_MODEL_GROUP_SERVICES] = {"services", "inputData", "outputData", NULL}},
    .shape = shape,
    .code = CODE_MODEL,
    .rule = ENOS_RULE(MODEL),
};
