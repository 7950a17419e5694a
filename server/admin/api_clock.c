/* Virtual time. */
#include "server/admin/api.h"

static void put_time(struct sky_jw *jw, const char *text_key, const char *number_key,
                     int64_t unix_ms)
{
    char text[SKY_TIME_TEXT_MAX];
    sky_time_text(unix_ms, text);
    sky_jw_put_str(jw, text_key, text);
    sky_jw_put_int(jw, number_key, unix_ms);
}

void sky_api_clock_read(struct sky_api *api)
{
    struct sky_clock *clock = &api->app->clock;
    struct sky_jw *jw = &api->jw;
    sky_jw_object(jw);
    put_time(jw, "time", "unixMs", clock->now_ms);
    put_time(jw, "realTime", "realUnixMs", clock->real_ms);
    sky_jw_put_bool(jw, "frozen", clock->frozen);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}

static void record(struct sky_api *api, const char *what)
{
    sky_api_record(api->app, SKY_EVENT_CLOCK, 0, what);
    sky_api_clock_read(api);
}

void sky_api_clock_freeze(struct sky_api *api)
{
    sky_clock_freeze(&api->app->clock);
    record(api, "freeze");
}

void sky_api_clock_resume(struct sky_api *api)
{
    sky_clock_resume(&api->app->clock);
    record(api, "resume");
}

void sky_api_clock_advance(struct sky_api *api)
{
    struct sky_clock *clock = &api->app->clock;
    int64_t by_ms = sky_api_body_int(api, "ms", 0);
    sky_clock_update(clock);
    if (by_ms > SKY_CLOCK_END_MS - clock->now_ms) {
        sky_api_error(api, 400, "invalid", "/ms",
                      "virtual time ends with the year 9999: it can advance by %lld at most",
                      (long long)(SKY_CLOCK_END_MS - clock->now_ms));
        return;
    }
    sky_clock_advance(clock, by_ms);
    record(api, "advance");
}

void sky_api_clock_set(struct sky_api *api)
{
    sky_clock_set(&api->app->clock, sky_api_body_int(api, "unixMs", 0));
    record(api, "set");
}
