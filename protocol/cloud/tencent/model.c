/* The data template, as the vendor's console exports it (物模型协议; 数据模板). Its numbers are
 * strings in exports. What values fit is as the vendor's Java SDK has it (DataTemplateJson,
 * StrcutCheckUtils, ArrayCheckUtils). */
#include "protocol/cloud/tencent/model.h"

#include <float.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/rules.h"

enum {
    TEXT_MAX = 2048,
    ITEMS_MAX = 100, /* properties and events of a product */
};

/* Java's SDK refuses true and false, and of a timestamp one page has a string: whether the cloud
 * does is not known, so they are taken, and said. The unit of lengths is not told either. */
static const struct sky_model_kind_row kinds[] = {
    {"bool", SKY_MODEL_BOOL, SKY_MODEL_AS_NUMBER | SKY_MODEL_WITH_MAPPING, SKY_MODEL_AS_LITERAL, 0,
     0},
    {"int", SKY_MODEL_INT, SKY_MODEL_AS_NUMBER, 0, INT32_MIN, INT32_MAX},
    {"float", SKY_MODEL_FLOAT, SKY_MODEL_AS_NUMBER, 0, -DBL_MAX, DBL_MAX},
    {"string", SKY_MODEL_TEXT, SKY_MODEL_AS_TEXT | SKY_MODEL_IN_CHARACTERS, 0, 0, TEXT_MAX},
    {"enum", SKY_MODEL_CHOICE, SKY_MODEL_AS_NUMBER, 0, 0, 0},
    {"stringenum", SKY_MODEL_CHOICE, SKY_MODEL_AS_TEXT, 0, 0, 0},
    {"timestamp", SKY_MODEL_TIMESTAMP, SKY_MODEL_AS_NUMBER, SKY_MODEL_AS_TEXT, 0, 0},
    {"struct", SKY_MODEL_STRUCT, 0, 0, 0, 0},
    {"array", SKY_MODEL_ARRAY, 0, 0, 0, 0},
};

/* 403: an identifier that is not in the model; 406, the table's other row: a value of the wrong
 * type or out of range. A struct with a strange member is such a value. */
static const struct sky_model_code codes[] = {
    {SKY_MODEL_UNKNOWN, SKY_MODEL_STRUCT, 406},
    {SKY_MODEL_UNKNOWN, SKY_MODEL_ANY, 403},
    {SKY_MODEL_NO_ITEM, SKY_MODEL_ANY, 403},
};

/* A property has its type under "define", a member of a struct under "dataType"; the type's specs
 * stand beside its name. */
static void shape(struct sky_model_build *build, sky_span item, enum sky_model_place place,
                  struct sky_model_shape *ret_shape)
{
    static const char *const holders[] = {
        [SKY_MODEL_OF_FIELD] = "define", [SKY_MODEL_OF_MEMBER] = "dataType"};
    (void)build;
    ret_shape->specs = place == SKY_MODEL_OF_ELEMENT ? item : sky_json_member(item, holders[place]);
    ret_shape->name = sky_json_text(sky_json_member(ret_shape->specs, "type"));
}

const struct sky_cloud_model sky_tencent__model = {
    .kinds = kinds,
    .kind_count = SKY_COUNT(kinds),
    .keys = {.id = "id",
             .required = "required",
             .access = "mode",
             .min = "min",
             .max = "max",
             .length_min = "min",
             .length_max = "max",
             .mapping = "mapping",
             .members = "specs",
             .element = "arrayInfo"},
    .groups = {[SKY_MODEL_GROUP_PROPERTIES] = {.key = "properties"},
               [SKY_MODEL_GROUP_EVENTS] = {"events", NULL, "params", NULL},
               [SKY_MODEL_GROUP_SERVICES] = {"actions", "input", "output", NULL}},
    .shape = shape,
    .items_max = ITEMS_MAX,
    .codes = codes,
    .code_count = SKY_COUNT(codes),
    .code = 406,
    .rule = TEN_RULE(MODEL),
    .form_rule = TEN_RULE(MODEL_FORM),
};
