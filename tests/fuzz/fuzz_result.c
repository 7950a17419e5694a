/* The document of a run of suites, any JSON or a good one with any texts in it, as lines, JUnit, a
 * page and JSON: XML that is well formed, and lines without control characters, whatever a device
 * has had a hand in. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/json_tree.h"
#include "protocol/base/utf8.h"
#include "server/suite/result.h"

enum { DEPTH_MAX = 64, NAME_MAX_HERE = 64 };

/* Are all elements closed in order, all else text? Not of a page, whose elements need not be. */
static void check_xml(sky_span text)
{
    sky_span open[DEPTH_MAX];
    size_t depth = 0;
    SKY_ASSERT(sky_utf8_valid(text) == text.len);
    while (text.len > 0) {
        char c = text.ptr[0];
        SKY_ASSERT((uint8_t)c >= 0x20 || c == '\n' || c == '\t');
        text = sky_span_tail(text, 1);
        if (c != '<')
            continue;
        size_t len = 0;
        bool quoted = false;
        for (; len < text.len && (quoted || text.ptr[len] != '>'); len++) {
            SKY_ASSERT(text.ptr[len] != '<');
            quoted ^= text.ptr[len] == '"';
        }
        SKY_ASSERT(len < text.len && len > 0);
        sky_span tag = sky_span_head(text, len), name = tag, rest;
        text = sky_span_tail(text, len + 1);
        (void)sky_span_cut(tag, ' ', &name, &rest);
        if (tag.ptr[0] == '?' || tag.ptr[0] == '!' || tag.ptr[len - 1] == '/')
            continue;
        if (tag.ptr[0] != '/') {
            SKY_ASSERT(depth < DEPTH_MAX);
            open[depth++] = name;
        } else {
            SKY_ASSERT(depth > 0 && sky_span_eq(open[--depth], sky_span_tail(name, 1)));
        }
    }
    SKY_ASSERT(depth == 0);
}

static void check_line(struct sky_buf *out)
{
    for (size_t i = 0; i < out->len; i++)
        SKY_ASSERT((uint8_t)out->bytes[i] >= 0x20 && out->bytes[i] != 0x7f);
    sky_buf_clear(out);
}

/* A page has scripts of nobody's: each '<' of a text is written as an entity. */
static void check_page(sky_span page)
{
    SKY_ASSERT(sky_utf8_valid(page) == page.len);
    SKY_ASSERT(!sky_span_contains_nocase(page, SKY_SPAN("<script")));
    SKY_ASSERT(!sky_span_contains_nocase(page, SKY_SPAN("<img")));
}

static void tell(const cJSON *run)
{
    const cJSON *one;
    struct sky_buf out;
    sky_buf_init(&out, SIZE_MAX);
    SKY_ASSERT(sky_result_exit(run) >= 0 && sky_result_exit(run) <= 2);
    cJSON_ArrayForEach (one, sky_json_get(run, "cases")) {
        sky_result_line(one, true, &out);
        check_line(&out);
    }
    sky_result_summary(run, &out);
    check_line(&out);
    sky_result_junit(run, &out);
    check_xml(sky_buf_span(&out));
    sky_buf_clear(&out);
    sky_result_html(run, &out);
    check_page(sky_buf_span(&out));
    sky_buf_done(&out);
}

/* The same text in every place where a device, a suite or a person may have put it. */
static void tell_with(const char *text, const char *state, const char *verdict)
{
    static const char *const places[] = {"suite",  "case",   "title", "source",
                                         "device", "reason", "waits"};
    cJSON *run = cJSON_CreateObject(), *one = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        cJSON_AddStringToObject(one, places[i], text);
    cJSON_AddStringToObject(one, "state", state);
    cJSON_AddStringToObject(one, "verdict", verdict);
    cJSON_AddNumberToObject(one, "ms", 12);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(one, "notes"), cJSON_CreateString(text));
    cJSON *step = cJSON_AddObjectToObject(one, "step");
    cJSON_AddNumberToObject(step, "index", 0);
    cJSON_AddStringToObject(step, "name", text);
    cJSON_AddStringToObject(step, "text", text);
    cJSON_AddStringToObject(run, "state", state);
    cJSON_AddStringToObject(run, "interrupted", text);
    cJSON_AddStringToObject(run, "started", text);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(run, "devices"), cJSON_CreateString(text));
    cJSON *suite = cJSON_CreateObject();
    cJSON_AddStringToObject(suite, "suite", text);
    cJSON_AddStringToObject(suite, "title", text);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(run, "suites"), suite);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(run, "cases"), one);
    tell(run);
    cJSON_Delete(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const states[] = {"ended", "stopped", "running", "waiting", "left"};
    static const char *const verdicts[] = {"passed", "warned", "failed", "not exercised", "?"};
    char text[2048];
    cJSON *tree;
    sky_span in = sky_span_of(bytes, len);
    if (len > 0 && sky_span_copy(sky_span_tail(in, 1), text, sizeof text))
        tell_with(text, states[bytes[0] % 5], verdicts[bytes[0] / 5 % 5]);
    if (sky_json_parse(in, SKY_JSON_DEPTH_MAX, &tree, NULL) == SKY_OK) {
        tell(tree);
        cJSON_Delete(tree);
    }
    return 0;
}
