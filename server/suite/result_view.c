#include "server/suite/result_view.h"

#include <math.h>
#include <string.h>

/* ---- reading ---- */

int64_t sky_result__number(const cJSON *object, const char *key)
{
    const cJSON *value = sky_json_get(object, key);
    bool good = cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble < 1e15;
    return good ? (int64_t)value->valuedouble : -1;
}

const cJSON *sky_result__list(const cJSON *object, const char *key)
{
    const cJSON *list = sky_json_get(object, key);
    return cJSON_IsArray(list) && list->child != NULL ? list : NULL;
}

struct sky_result_view sky_result__case(const cJSON *one_case)
{
    const char *state = sky_json_text_of(one_case, "state");
    struct sky_result_view view = {.json = one_case,
                                   .suite = sky_json_text_of(one_case, "suite"),
                                   .id = sky_json_text_of(one_case, "case"),
                                   .title = sky_json_text_of(one_case, "title"),
                                   .source = sky_json_text_of(one_case, "source"),
                                   .device = sky_json_text_of(one_case, "device"),
                                   .reason = sky_json_text_of(one_case, "reason"),
                                   .state = SKY_RESULT_OPEN,
                                   .grade = SKY_GRADE_IDLE,
                                   .ms = sky_result__number(one_case, "ms")};
    if (strcmp(state, "left") == 0)
        view.state = SKY_RESULT_LEFT;
    else if (strcmp(state, "ended") == 0 &&
             sky_grade_parse(sky_json_text_of(one_case, "verdict"), &view.grade))
        view.state = SKY_RESULT_ENDED;
    return view;
}

const char *sky_result__verdict(const struct sky_result_view *view)
{
    return view->state == SKY_RESULT_ENDED  ? sky_grade_name(view->grade)
           : view->state == SKY_RESULT_LEFT ? "left out"
                                            : "not ended";
}

void sky_result__count(const cJSON *run, sky_result_counts ret_counts)
{
    const cJSON *each;
    memset(ret_counts, 0, sizeof(sky_result_counts));
    cJSON_ArrayForEach (each, sky_json_get(run, "cases")) {
        struct sky_result_view view = sky_result__case(each);
        if (view.state != SKY_RESULT_LEFT)
            ret_counts[view.state == SKY_RESULT_ENDED ? (size_t)view.grade : SKY_GRADES]++;
    }
}

size_t sky_result__left(const cJSON *run)
{
    const cJSON *each;
    size_t count = 0;
    cJSON_ArrayForEach (each, sky_json_get(run, "cases"))
        count += sky_result__case(each).state == SKY_RESULT_LEFT;
    return count;
}

const char *sky_result__interrupted(const cJSON *run)
{
    const char *words = sky_json_get_str(run, "interrupted");
    if (words != NULL)
        return words;
    return strcmp(sky_json_text_of(run, "state"), "ended") == 0 ? NULL
                                                                : "the run did not come to its end";
}

const char *sky_result__worst(const cJSON *run, const sky_result_counts counts)
{
    if (counts[SKY_GRADE_FAILED] > 0)
        return sky_grade_name(SKY_GRADE_FAILED);
    if (counts[SKY_GRADES] > 0 || sky_result__interrupted(run) != NULL)
        return "interrupted";
    if (counts[SKY_GRADE_IDLE] > 0 || counts[SKY_GRADE_WARNED] + counts[SKY_GRADE_PASSED] == 0)
        return sky_grade_name(SKY_GRADE_IDLE);
    return sky_grade_name(counts[SKY_GRADE_WARNED] > 0 ? SKY_GRADE_WARNED : SKY_GRADE_PASSED);
}

/* ---- pieces of text ---- */

void sky_result__time(int64_t ms, struct sky_buf *out)
{
    if (ms >= 60000)
        sky_buf_addf(out, "%lld min %lld s", (long long)(ms / 60000),
                     (long long)(ms % 60000 / 1000));
    else if (ms >= 1000)
        sky_buf_addf(out, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    else
        sky_buf_addf(out, "%lld ms", (long long)ms);
}

void sky_result__step(const struct sky_result_view *view, struct sky_buf *out)
{
    const cJSON *step = sky_json_get(view->json, "step");
    const char *text = sky_json_text_of(step, "text");
    if (!cJSON_IsObject(step))
        return;
    if (*text == '\0')
        text = sky_json_text_of(step, "name");
    sky_buf_addf(out, "step %lld: %s", (long long)sky_result__number(step, "index") + 1, text);
}

void sky_result__events(const cJSON *events, struct sky_buf *out)
{
    const cJSON *each;
    size_t count = 0;
    cJSON_ArrayForEach (each, events)
        if (cJSON_IsNumber(each))
            sky_buf_addf(out, "%s%.0f", count++ > 0 ? " " : "", each->valuedouble);
}

static void put_number(const cJSON *number, struct sky_buf *out)
{
    if (cJSON_IsNumber(number) && isfinite(number->valuedouble))
        sky_buf_addf(out, "%.10g", number->valuedouble);
}

/* "reconnect-intervals, warned: constant: it came back after 5000, 5000, 5000 ms". */
void sky_result__measure(const cJSON *measure, struct sky_buf *out)
{
    const cJSON *value = sky_json_get(measure, "value"), *each;
    sky_buf_add_str(out, sky_json_text_of(measure, "measure"));
    if (*sky_json_text_of(measure, "of") != '\0')
        sky_buf_addf(out, " (%s)", sky_json_text_of(measure, "of"));
    sky_buf_addf(out, ", %s: ", sky_json_text_of(measure, "grade"));
    if (*sky_json_text_of(measure, "reason") != '\0') { /* it begins with class or value */
        sky_buf_add_str(out, sky_json_text_of(measure, "reason"));
        return;
    }
    sky_buf_add_str(out, sky_json_text_of(measure, "class"));
    if (cJSON_IsNumber(value)) {
        put_number(value, out);
        sky_buf_addf(out, " %s", sky_json_text_of(measure, "unit"));
    }
    cJSON_ArrayForEach (each, sky_result__list(measure, "figures")) {
        sky_buf_add_byte(out, ' ');
        put_number(each, out);
    }
}
