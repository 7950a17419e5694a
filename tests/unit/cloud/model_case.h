/* A cloud's model and what it says of values, as rows of a table. */
#ifndef SKY_TEST_MODEL_CASE_H
#define SKY_TEST_MODEL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "protocol/cloud/model_form.h"

struct value_case {
    const char *name, *value;
    enum sky_model_fault_kind kind;
    int code;
};

static inline const struct sky_cloud_model *model_form(const char *cloud)
{
    return sky_cloud_find(sky_span_str(cloud))->model;
}

static inline struct sky_model *model_of(const char *cloud, const char *text)
{
    struct sky_model *model = NULL;
    struct sky_model_whys whys;
    if (sky_model_compile(model_form(cloud), sky_span_str(text), &model, &whys) != SKY_OK)
        fail_msg("%s: '%s': %s", cloud, whys.list[0].pointer, whys.list[0].reason);
    return model;
}

/* Each value by itself, as what one of its reports has it. */
static inline void run_values(const struct sky_model *model, enum sky_model_part part,
                              const char *id, const struct value_case *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct value_case *row = &rows[i];
        struct sky_model_fault fault;
        char text[SKY_MODEL_SENTENCE_MAX];
        sky_span value = sky_span_str(row->value);
        struct sky_why why;
        if (sky_json_check(value, SKY_JSON_DEPTH_MAX, &why) != SKY_OK)
            fail_msg("row %zu: %s: %s", i, row->value, why.reason);
        enum sky_model_fault_kind kind = sky_model_check_value(
            model, part, sky_span_str(id), sky_span_str(row->name), value, 0, &fault);
        sky_model_say(&fault, text, sizeof text);
        assert_true(text[0] != '\0');
        if (kind != row->kind || fault.kind != row->kind || fault.code != row->code)
            fail_msg("%s: %.60s: kind %d, code %d: %s", row->name, row->value, (int)kind,
                     fault.code, text);
    }
}

struct broken_case {
    const char *text, *pointer, *words; /* of the first why */
};

static inline void run_broken(const char *cloud, const struct broken_case *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sky_model *model = NULL;
        struct sky_model_whys whys;
        sky_err err =
            sky_model_compile(model_form(cloud), sky_span_str(rows[i].text), &model, &whys);
        if (err == SKY_OK)
            fail_msg("%s is taken", rows[i].text);
        assert_null(model);
        if (strcmp(whys.list[0].pointer, rows[i].pointer) != 0 ||
            strstr(whys.list[0].reason, rows[i].words) == NULL)
            fail_msg("%s\n'%s' '%s': '%s'", rows[i].text, rows[i].words, whys.list[0].pointer,
                     whys.list[0].reason);
    }
}

/* JSON without the burden of escaping it. */
#define TEXT(...) #__VA_ARGS__

#endif
