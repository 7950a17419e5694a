/* The first line as a regular expression, the rest as the text that it looks at: it is refused with
 * a reason, or answers within the work it may do, and the same each time. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/pattern/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_why why = {.reason = ""};
    sky_span rest = sky_span_of(bytes, len > 64 * 1024 ? 64 * 1024 : len), line = SKY_SPAN_NONE;
    (void)sky_span_next(&rest, '\n', &line);
    struct sky_regex *regex = sky_regex_new(line, &why);
    if (regex == NULL) {
        SKY_ASSERT(why.reason[0] != '\0' && why.pointer[0] == '\0');
        return 0;
    }
    SKY_ASSERT(line.len > 0 && line.len <= SKY_REGEX_TEXT_MAX);
    size_t left = SKY_REGEX_WORKS_MAX, again = SKY_REGEX_WORKS_MAX, none = 0;
    enum sky_regex_answer answer = sky_regex_find(regex, rest, &left);
    SKY_ASSERT(sky_regex_find(regex, rest, &again) == answer && left == again);
    SKY_ASSERT(left <= SKY_REGEX_WORKS_MAX);
    SKY_ASSERT(left >= SKY_REGEX_WORKS_MAX - SKY_REGEX_WORK_MAX - 2 * rest.len - 1000);
    (void)sky_regex_find(regex, rest, &none);
    sky_regex_free(regex);
    return 0;
}
