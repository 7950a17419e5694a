/* A store file of which some bytes are not what they were, or the end is missing: three bytes for a
 * place, one for what stands there. A server refuses it with a reason, or opens it, answers what it
 * is asked, and closes. The pages have the sums of what is in them, or all would end there; but for
 * edits of a length that is not a multiple of four. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app_bench.h"
#include "server/os/files.h"
#include "store/topology.h"
#include "tests/support/store_sums.h"

static char file[64];
static struct sky_buf good;

static void remove_file(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[80];
    for (size_t i = 0; i < SKY_COUNT(suffixes); i++) {
        snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
        unlink(name);
    }
}

/* A store with a row or two in most of its tables. */
static void make_file(void)
{
    static const char devices[] =
        "{\"products\":[{\"cloud\":\"aliyun\",\"productKey\":\"pk\",\"productSecret\":\"ps\","
        "\"topics\":[{\"topic\":\"/{product}/{device}/user/own\",\"pub\":true,\"sub\":true}],"
        "\"devices\":[{\"deviceName\":\"device\",\"deviceSecret\":\"ds\"},"
        "{\"deviceName\":\"other\",\"deviceSecret\":\"ds\"}]}]}";
    static struct app_bench bench;
    struct sky_seed_count count;
    struct sky_product product;
    struct sky_device device;
    struct sky_why why;
    snprintf(file, sizeof file, "/dev/shm/skymock-fuzz-%ld.db", (long)getpid());
    remove_file();
    atexit(remove_file);
    SKY_ASSERT(app_open(&bench, file, &why) == SKY_OK);
    struct sky_store *store = bench.app.store;
    sky_err err = sky_fixture_text_load(store, sky_span_str(devices), &bench.app.registry.catalogue,
                                        &bench.app.rng, 1, &count, &why);
    SKY_ASSERT(err == SKY_OK);
    SKY_ASSERT(sky_store_find_device(store, SKY_SPAN("aliyun"), SKY_SPAN("pk"), SKY_SPAN("device"),
                                     &product, &device) == SKY_OK);
    SKY_ASSERT(sky_store_put_document(store, device.id, SKY_SPAN("shadow"),
                                      SKY_SPAN("{\"state\":{}}"), 1) == SKY_OK);
    for (int i = 0; i < 20; i++)
        (void)app_ask(&bench, "POST", SKY_SPAN("/api/v1/clock/advance"), SKY_SPAN_NONE,
                      SKY_SPAN("{\"ms\":1}"));
    app_close(&bench);
    sky_buf_init(&good, 16 << 20);
    SKY_ASSERT(sky_files_read(file, &good, &why) == SKY_OK && good.len > 4096);
}

static void write_damaged(sky_span edits)
{
    char *copy = sky_mem_dup(good.bytes, good.len);
    size_t len = good.len;
    for (size_t i = 0; i + 3 < edits.len; i += 4) {
        size_t at = (uint8_t)edits.ptr[i] * 65536u + (uint8_t)edits.ptr[i + 1] * 256u +
                    (uint8_t)edits.ptr[i + 2];
        if (edits.ptr[i + 3] == 'c' && i == 0)
            len = at % good.len;
        else
            copy[at % good.len] = edits.ptr[i + 3];
    }
    if (edits.len % 4 == 0)
        store_sums_mend(copy, len);
    remove_file();
    FILE *out = fopen(file, "wb");
    SKY_ASSERT(out != NULL && fwrite(copy, 1, len, out) == len && fclose(out) == 0);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const paths[] = {"/api/v1/devices",
                                        "/api/v1/products",
                                        "/api/v1/events",
                                        "/api/v1/verdicts",
                                        "/api/v1/devices/aliyun/pk/device/documents/shadow",
                                        "/api/v1/devices/aliyun/pk/device",
                                        "/api/v1/snapshots"};
    static struct app_bench bench;
    struct sky_why why = {.reason = ""};
    if (good.len == 0)
        make_file();
    if (len > 256)
        return 0;
    write_damaged(sky_span_of(bytes, len));
    sky_err err = app_open(&bench, file, &why);
    SKY_ASSERT(err == SKY_OK || (why.reason[0] != '\0' && strchr(why.reason, '\n') == NULL));
    for (size_t i = 0; err == SKY_OK && i < SKY_COUNT(paths); i++)
        (void)app_ask(&bench, "GET", sky_span_str(paths[i]), SKY_SPAN_NONE, SKY_SPAN_NONE);
    app_close(&bench);
    return 0;
}
