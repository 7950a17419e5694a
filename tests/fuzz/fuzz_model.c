/* Any text as a model of each cloud, and any other, behind a line "==", as what a device reports by
 * it: a model is refused with reasons, or takes or refuses the report, as a whole as value by
 * value, and every fault has a place, a code and a sentence. */
#include <stdlib.h>

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "protocol/cloud/model.h"

struct tally {
    sky_span message;
    size_t faults, missing;
    bool no_item;
};

static void check_fault(void *ctx, const struct sky_model_fault *fault)
{
    struct tally *tally = ctx;
    char pointer[SKY_WHY_POINTER_MAX], text[SKY_MODEL_SENTENCE_MAX];
    SKY_ASSERT(fault->kind != SKY_MODEL_FINE);
    SKY_ASSERT((fault->code == 0) == (fault->kind == SKY_MODEL_FORM));
    sky_json_pointer(tally->message, fault->value, pointer, sizeof pointer);
    SKY_ASSERT(pointer[0] == '\0' || pointer[0] == '/');
    sky_model_say(fault, text, sizeof text);
    SKY_ASSERT(text[0] != '\0');
    tally->faults++;
    tally->missing += fault->kind == SKY_MODEL_MISSING;
    tally->no_item |= fault->kind == SKY_MODEL_NO_ITEM;
}

static void report(const struct sky_model *model, enum sky_model_part part, sky_span id,
                   sky_span message, sky_span object)
{
    struct tally tally = {.message = message};
    struct sky_json_member member;
    sky_span rest = sky_json_is_object(object) ? sky_json_inside(object) : SKY_SPAN_NONE;
    size_t faults =
        sky_model_check(model, part, id, object, SKY_MODEL_COMPLETE, check_fault, &tally);
    SKY_ASSERT(faults == tally.faults && tally.missing <= faults);
    size_t wrong = 0;
    while (sky_json_next_member(&rest, &member)) {
        struct sky_model_fault fault;
        wrong += sky_model_check_value(model, part, id, member.key, member.value, 0, &fault) !=
                 SKY_MODEL_FINE;
        SKY_ASSERT((fault.kind == SKY_MODEL_NO_ITEM) == tally.no_item);
    }
    SKY_ASSERT(tally.no_item || !sky_json_is_object(object) || wrong == faults - tally.missing);
}

/* The report itself, and each of its values under the id it has. */
static void reports(const struct sky_model *model, sky_span message)
{
    static const enum sky_model_part parts[] = {SKY_MODEL_PROPERTIES, SKY_MODEL_ATTRIBUTES,
                                                SKY_MODEL_EVENT, SKY_MODEL_SERVICE_IN,
                                                SKY_MODEL_SERVICE_OUT};
    struct sky_json_member member;
    for (size_t i = 0; i < SKY_COUNT(parts); i++) {
        sky_span rest = sky_json_is_object(message) ? sky_json_inside(message) : SKY_SPAN_NONE;
        report(model, parts[i], SKY_SPAN_NONE, message, message);
        while (parts[i] >= SKY_MODEL_EVENT && sky_json_next_member(&rest, &member))
            report(model, parts[i], member.key, message, member.value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char line[] = "\n==\n";
    const char *found = len > 0 ? memmem(bytes, len, line, strlen(line)) : NULL;
    sky_span all = sky_span_of(bytes, len), message = SKY_SPAN("{}");
    sky_span text = found != NULL ? sky_span_head(all, (size_t)(found - all.ptr)) : all;
    if (found != NULL)
        message = sky_span_trim(sky_span_tail(all, text.len + strlen(line)));
    bool sound = sky_json_check(message, 24, NULL) == SKY_OK;
    for (size_t c = 0; sky_clouds[c] != NULL; c++) {
        struct sky_model *model = NULL;
        struct sky_model_whys whys;
        if (sky_model_compile(sky_clouds[c]->model, text, &model, &whys) != SKY_OK) {
            SKY_ASSERT(model == NULL && whys.count > 0 && whys.count <= SKY_MODEL_WHYS_MAX);
            for (size_t i = 0; i < whys.count; i++)
                SKY_ASSERT(whys.list[i].reason[0] != '\0');
            continue;
        }
        if (sound)
            reports(model, message);
        sky_model_free(model);
    }
    return 0;
}
