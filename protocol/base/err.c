#include "protocol/base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *slug;
    const char *text;
} rows[] = {[SKY_OK] = {"ok", "it worked"},
#define X(name, slug_text, sentence) [SKY_ERR_##name] = {slug_text, sentence},
            SKY_ERRORS(X)
#undef X
};

const char *sky_err_slug(sky_err err)
{
    return rows[err].slug;
}

const char *sky_err_text(sky_err err)
{
    return rows[err].text;
}

sky_err sky_why_set(struct sky_why *why, sky_err err, const char *pointer, const char *fmt, ...)
{
    if (why == NULL)
        return err;
    snprintf(why->pointer, sizeof why->pointer, "%s", pointer ? pointer : "");
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->reason, sizeof why->reason, fmt, args);
    va_end(args);
    return err;
}
