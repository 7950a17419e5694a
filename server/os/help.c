#include "server/os/help.h"

#include "protocol/base/span.h"

void sky_help_wrap(FILE *out, size_t column, size_t indent, const char *text)
{
    sky_span rest = sky_span_str(text), word;
    bool begun = false;

    while (sky_span_next(&rest, ' ', &word)) {
        size_t needs = word.len + (begun ? 1 : 0);
        if (column + needs > SKY_HELP_WIDTH && column > indent) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            begun = false;
            needs = word.len;
        }
        fprintf(out, "%s%.*s", begun ? " " : "", SKY_SPAN_ARGS(word));
        column += needs;
        begun = true;
    }
    fputc('\n', out);
}
