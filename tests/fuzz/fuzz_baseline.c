/* Two texts, one behind a line "==", as an earlier report and a later one: each is refused with a
 * reason, or compares; with itself nothing is worse or better, and worse one way is not worse the
 * other. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/judge/baseline.h"

static void count(void *ctx, enum sky_baseline_kind kind, sky_span device, const char *what)
{
    size_t *counts = ctx;
    (void)device;
    SKY_ASSERT(kind <= SKY_BASELINE_NOTE && what[0] != '\0');
    SKY_ASSERT(sky_baseline_kind_name(kind)[0] != '\0');
    counts[kind]++;
}

static bool is_report(sky_span text)
{
    struct sky_why why = {.reason = ""};
    sky_err err = sky_baseline_check(text, &why);
    SKY_ASSERT(err == SKY_OK || (err == SKY_ERR_INVALID && why.reason[0] != '\0'));
    return err == SKY_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char line[] = "\n==\n";
    const sky_span all = sky_span_of(bytes, len);
    const char *found = len > 0 ? memmem(bytes, len, line, strlen(line)) : NULL;
    sky_span before = found != NULL ? sky_span_head(all, (size_t)(found - all.ptr)) : all;
    sky_span after = found != NULL ? sky_span_tail(all, before.len + strlen(line)) : all;
    bool good = is_report(before), both = is_report(after) && good;
    if (good) {
        size_t same[SKY_BASELINE_NOTE + 1] = {0};
        sky_baseline_compare(before, before, count, same);
        SKY_ASSERT(same[SKY_BASELINE_WORSE] == 0 && same[SKY_BASELINE_BETTER] == 0);
    }
    if (both) {
        size_t there[SKY_BASELINE_NOTE + 1] = {0}, back[SKY_BASELINE_NOTE + 1] = {0};
        sky_baseline_compare(before, after, count, there);
        sky_baseline_compare(after, before, count, back);
        SKY_ASSERT((there[SKY_BASELINE_BETTER] == 0) || (back[SKY_BASELINE_WORSE] > 0));
    }
    return 0;
}
