/* The document of a run in pieces, as a member of a greater one. */
#include "server/suite/result.h"

static void begin(const cJSON *run, struct sky_buf *out)
{
    struct sky_jw jw = sky_jw(out);
    const cJSON *each;
    sky_jw_object(&jw);
    cJSON_ArrayForEach (each, run) {
        if (each->string == NULL || strcmp(each->string, "cases") == 0)
            continue;
        sky_jw_key(&jw, each->string);
        sky_json_print(out, each);
        jw.comma = true;
    }
    sky_jw_key(&jw, "cases");
    sky_jw_array(&jw);
}

static void put_case(const cJSON *one_case, bool first, struct sky_buf *out)
{
    if (!first)
        sky_buf_add_byte(out, ',');
    sky_json_print(out, one_case);
}

static void end(const cJSON *run, struct sky_buf *out)
{
    (void)run;
    sky_buf_add_str(out, "]}");
}

const struct sky_result_form sky_result_json = {.begin = begin, .one_case = put_case, .end = end};
