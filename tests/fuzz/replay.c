/* Feeds files, or all files below folders, to a fuzz target: what was found once stays found, on
 * any compiler and without libFuzzer. */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "protocol/base/mem.h"

enum { INPUT_MAX = 1024 * 1024 };

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *bytes = sky_mem_new(INPUT_MAX);
    size_t len = fread(bytes, 1, INPUT_MAX, file);
    fclose(file);
    bytes = sky_mem_grow(bytes, len); /* exact, so that a sanitizer sees one byte too many */
    fprintf(stderr, "%s: %zu bytes\n", path, len);
    int failed = LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
    return failed;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    int failed = 0;
    FTS *tree = argc > 1 ? fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    for (FTSENT *entry; tree != NULL && (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info == FTS_F) {
            failed |= replay(entry->fts_path);
            count++;
        }
    }
    if (tree != NULL)
        fts_close(tree);
    fprintf(stderr, "%zu inputs\n", count);
    return failed != 0 || count == 0; /* an empty corpus tests nothing */
}
