/* TSL, as the vendor's console exports it (help pages 88250 and 213902): types and their specs, and
 * the codes of its validator (page 44542, the log's 63xx). */
#include "protocol/cloud/aliyun/model.h"

#include <float.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/rules.h"

enum {
    TEXT_MAX = 10240, /* 2048 in older editions of the page */
    ARRAY_MAX = 512,
};

/* A bool and an enum go as their number: the table of codes has true and false under 6308. What
 * unit a text's length has is not said; bytes are what the C SDK counts. */
static const struct sky_model_kind_row kinds[] = {
    {"int", SKY_MODEL_INT, SKY_MODEL_AS_NUMBER, 0, INT32_MIN, INT32_MAX},
    {"float", SKY_MODEL_FLOAT, SKY_MODEL_AS_NUMBER, 0, -(double)FLT_MAX, (double)FLT_MAX},
    {"double", SKY_MODEL_DOUBLE, SKY_MODEL_AS_NUMBER, 0, -DBL_MAX, DBL_MAX},
    {"bool", SKY_MODEL_BOOL, SKY_MODEL_AS_NUMBER | SKY_MODEL_WITH_MAPPING, 0, 0, 0},
    {"enum", SKY_MODEL_CHOICE, SKY_MODEL_AS_NUMBER, 0, 0, 0},
    {"text", SKY_MODEL_TEXT, SKY_MODEL_AS_TEXT, 0, 0, TEXT_MAX},
    {"date", SKY_MODEL_TIMESTAMP, SKY_MODEL_AS_TEXT, 0, 0, 0},
    {"struct", SKY_MODEL_STRUCT, 0, 0, 0, 0},
    {"array", SKY_MODEL_ARRAY, 0, 0, 0, ARRAY_MAX},
};

/* Of an unknown property both 6304 and 6320 are printed; devices and rule engine were seen to get
 * 6304. What the list has no number for is a parameter error. */
static const struct sky_model_code codes[] = {
    {SKY_MODEL_NO_ITEM, SKY_MODEL_ANY, 6313},  {SKY_MODEL_UNKNOWN, SKY_MODEL_ANY, 6304},
    {SKY_MODEL_MISSING, SKY_MODEL_ANY, 6302},  {SKY_MODEL_ELEMENT, SKY_MODEL_ANY, 6325},
    {SKY_MODEL_SIZE, SKY_MODEL_ARRAY, 6324},   {SKY_MODEL_TYPE, SKY_MODEL_INT, 6306},
    {SKY_MODEL_RANGE, SKY_MODEL_INT, 6306},    {SKY_MODEL_TYPE, SKY_MODEL_FLOAT, 6307},
    {SKY_MODEL_RANGE, SKY_MODEL_FLOAT, 6307},  {SKY_MODEL_TYPE, SKY_MODEL_DOUBLE, 6322},
    {SKY_MODEL_RANGE, SKY_MODEL_DOUBLE, 6322}, {SKY_MODEL_TYPE, SKY_MODEL_BOOL, 6308},
    {SKY_MODEL_ENUM, SKY_MODEL_BOOL, 6308},    {SKY_MODEL_TYPE, SKY_MODEL_CHOICE, 6309},
    {SKY_MODEL_ENUM, SKY_MODEL_CHOICE, 6309},  {SKY_MODEL_TYPE, SKY_MODEL_TEXT, 6310},
    {SKY_MODEL_LENGTH, SKY_MODEL_TEXT, 6310},  {SKY_MODEL_TYPE, SKY_MODEL_TIMESTAMP, 6311},
    {SKY_MODEL_TYPE, SKY_MODEL_STRUCT, 6312},  {SKY_MODEL_TYPE, SKY_MODEL_ARRAY, 6328},
};

/* {"dataType":{"type":..,"specs":..}}; an element is {"type":..,"specs":..} itself. */
static void shape(struct sky_model_build *build, sky_span item, enum sky_model_place place,
                  struct sky_model_shape *ret_shape)
{
    (void)build;
    sky_span holder = place == SKY_MODEL_OF_ELEMENT ? item : sky_json_member(item, "dataType");
    ret_shape->name = sky_json_text(sky_json_member(holder, "type"));
    ret_shape->specs = sky_json_member(holder, "specs");
}

/* The console adds these to every model, made of its properties. */
static const char *const own_events[] = {"post", NULL};
static const char *const own_services[] = {"set", "get", NULL};

const struct sky_cloud_model sky_aliyun__model = {
    .kinds = kinds,
    .kind_count = SKY_COUNT(kinds),
    .keys = {.id = "identifier",
             .required = "required",
             .access = "accessMode",
             .min = "min",
             .max = "max",
             .length_max = "length",
             .size = "size",
             .element = "item"},
    .groups = {[SKY_MODEL_GROUP_PROPERTIES] = {.key = "properties"},
               [SKY_MODEL_GROUP_EVENTS] = {"events", NULL, "outputData", own_events},
               [SKY_MODEL_GROUP_SERVICES] = {"services", "inputData", "outputData", own_services}},
    .shape = shape,
    .codes = codes,
    .code_count = SKY_COUNT(codes),
    .code = 460,
    .rule = ALI_RULE(MODEL),
};
