/* The admin API by its own table: the first byte chooses the route, the first line is what stands
 * in the path's places and the query, the rest is the body. Each is answered once, in JSON where it
 * says so, and never with 500; what is refused has changed no device. */
#include "app_bench.h"

enum { PATH_MAX_HERE = 512, RENEWED_EVERY = 100 };

/* Not without a loop, or a disk. */
static bool is_asked(const struct sky_route *route)
{
    return strstr(route->path, "/reload") == NULL && strstr(route->path, "/captures") == NULL &&
           strstr(route->path, "/stream") == NULL && strstr(route->path, "/runs") == NULL &&
           strstr(route->path, "/ca.crt") == NULL && strstr(route->path, "/certificates") == NULL &&
           strstr(route->path, "/report") == NULL && strstr(route->path, "/metrics") == NULL &&
           strstr(route->path, "/ota") == NULL;
}

/* The route's path with a name in each place: what the line says, or the device there is. */
static bool make_path(const struct sky_route *route, sky_span *names, char out[PATH_MAX_HERE])
{
    struct sky_buf path;
    sky_buf_init(&path, PATH_MAX_HERE - 1);
    for (const char *c = route->path; *c != '\0'; c++) {
        if (*c != '{') {
            sky_buf_add_byte(&path, (uint8_t)*c);
            continue;
        }
        const char *end = strchr(c, '}');
        sky_span given = SKY_SPAN_NONE, key = sky_span_of(c + 1, (size_t)(end - c - 1));
        (void)sky_span_next(names, ',', &given);
        if (given.len == 0)
            given = sky_span_eq_str(key, "cloud")     ? SKY_SPAN("aliyun")
                    : sky_span_eq_str(key, "product") ? SKY_SPAN("pk")
                    : sky_span_eq_str(key, "device")  ? SKY_SPAN("device")
                                                      : SKY_SPAN("1");
        sky_buf_add(&path, given);
        c = end;
    }
    bool fits = !path.overflow && path.len > 0;
    if (fits)
        (void)sky_span_copy(sky_buf_span(&path), out, PATH_MAX_HERE);
    sky_buf_done(&path);
    return fits && strlen(out) > 0;
}

static void open_app(struct app_bench *bench)
{
    static const char devices[] =
        "{\"products\":[{\"cloud\":\"aliyun\",\"productKey\":\"pk\",\"productSecret\":\"ps\","
        "\"devices\":[{\"deviceName\":\"device\",\"deviceSecret\":\"ds\"}]}]}";
    struct sky_seed_count count;
    struct sky_why why;
    app_close(bench);
    SKY_ASSERT(app_open(bench, (char[]){":memory:"}, &why) == SKY_OK);
    SKY_ASSERT(sky_fixture_text_load(bench->app.store, sky_span_str(devices),
                                     &bench->app.registry.catalogue, &bench->app.rng,
                                     bench->app.clock.now_ms, &count, &why) == SKY_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct app_bench bench;
    static unsigned asked;
    char path[PATH_MAX_HERE];
    sky_span line = SKY_SPAN_NONE, names, query;
    if (len < 1 || len > 8 * 1024)
        return 0;
    const struct sky_route *route = &sky_routes[bytes[0] % sky_route_count];
    sky_span rest = sky_span_of(bytes + 1, len - 1);
    (void)sky_span_next(&rest, '\n', &line);
    if (!sky_span_cut(line, '?', &names, &query))
        names = line, query = SKY_SPAN_NONE;
    if (!is_asked(route) || !make_path(route, &names, path))
        return 0;
    if (asked++ % RENEWED_EVERY == 0)
        open_app(&bench);
    size_t devices = sky_store_count_devices(bench.app.store);
    int status = app_ask(&bench, route->method, sky_span_str(path), query, rest);
    SKY_ASSERT(status != 500);
    SKY_ASSERT(status < 400 || sky_store_count_devices(bench.app.store) == devices);
    return 0;
}
