#include "server/pattern/regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

struct sky_regex {
    pcre2_code *code;
};

/* Matching counts its own work (pcre2callout(3)): PCRE2 has limits for what it does from one place
 * of the text, and none for what it does from all of them, nor for how far a repeated character is
 * followed. So every item of an expression is a callout, which sees how far it has come. JIT has no
 * such limits of depth and heap, and is not used. */
enum {
    OPTIONS = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT
};

struct sky_regex *sky_regex_new(sky_span text, struct sky_why *why)
{
    PCRE2_UCHAR message[128];
    PCRE2_SIZE at = 0;
    size_t size = 0;
    int error = 0;
    if (text.len == 0 || text.len > SKY_REGEX_TEXT_MAX) {
        (void)sky_why_set(why, SKY_ERR_LIMIT, "", "a regular expression has 1 to %d bytes",
                          SKY_REGEX_TEXT_MAX);
        return NULL;
    }
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    SKY_ASSERT(context != NULL);
    pcre2_set_parens_nest_limit(context, SKY_REGEX_NEST_MAX);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.ptr, text.len, OPTIONS, &error, &at, context);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        pcre2_get_error_message(error, message, sizeof message);
        (void)sky_why_set(why, SKY_ERR_INVALID, "",
                          "not a regular expression (PCRE2): %s, at byte %zu of it",
                          (const char *)message, at);
        return NULL;
    }
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size);
    if (size > SKY_REGEX_CODE_MAX) {
        pcre2_code_free(code);
        (void)sky_why_set(why, SKY_ERR_LIMIT, "",
                          "the regular expression repeats too much: compiled it has %zu bytes, and "
                          "may have %d",
                          size, SKY_REGEX_CODE_MAX);
        return NULL;
    }
    struct sky_regex *regex = sky_mem_new(sizeof *regex);
    regex->code = code;
    return regex;
}

void sky_regex_free(struct sky_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

struct work {
    size_t done, position, max;
};

static int count_work(pcre2_callout_block *block, void *ctx)
{
    struct work *work = ctx;
    size_t now = block->current_position;
    work->done += SKY_REGEX_STEP + (now > work->position ? now - work->position : 0);
    work->position = now;
    return work->done > work->max ? PCRE2_ERROR_MATCHLIMIT : 0;
}

enum sky_regex_answer sky_regex_find(const struct sky_regex *regex, sky_span text,
                                     size_t *work_left)
{
    struct work work = {.max = *work_left < SKY_REGEX_WORK_MAX ? *work_left : SKY_REGEX_WORK_MAX};
    if (work.max == 0)
        return SKY_REGEX_GAVE_UP;
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    SKY_ASSERT(context != NULL && data != NULL);
    pcre2_set_match_limit(context, SKY_REGEX_MATCH_MAX);
    pcre2_set_depth_limit(context, SKY_REGEX_DEPTH_MAX);
    pcre2_set_heap_limit(context, SKY_REGEX_HEAP_MAX);
    pcre2_set_callout(context, count_work, &work);
    PCRE2_SPTR bytes = (PCRE2_SPTR)(text.ptr != NULL ? text.ptr : "");
    int found = pcre2_match(regex->code, bytes, text.len, 0, 0, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    *work_left -= work.done < *work_left ? work.done : *work_left;
    if (found >= 0)
        return SKY_REGEX_YES;
    return found == PCRE2_ERROR_NOMATCH ? SKY_REGEX_NO : SKY_REGEX_GAVE_UP;
}
