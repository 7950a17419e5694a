/* The serving terminal's lines: one for each refusal, and never so many that they cost the devices
 * anything. */
#include <poll.h>
#include <unistd.h>
#include <utlist.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/cli/refusals.h"
#include "server/journal/json.h"
#include "server/journal/line.h"

/* A line that nobody takes must not hold the loop: a pipe has room for PIPE_BUF when it polls. */
static bool write_line(struct sky_buf *line)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    sky_buf_add_byte(line, '\n');
    return !line->overflow && poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) &&
           write(STDERR_FILENO, line->bytes, line->len) == (ssize_t)line->len;
}

static void on_rest(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_cli_refusals *refusals = SKY_CONTAINER_OF(timer, struct sky_cli_refusals, rest);
    struct sky_buf line;
    (void)now_ms;
    sky_buf_init(&line, SKY_REFUSAL_LINE_MAX);
    sky_buf_addf(&line,
                 "skymock: %llu more refusals are not shown here; \"skymock events\" has all",
                 (unsigned long long)refusals->hidden);
    if (write_line(&line))
        refusals->hidden = 0;
    else
        sky_clock_patience(&refusals->app->clock, timer, SKY_REFUSALS_REST_MS, on_rest);
    sky_buf_done(&line);
}

static bool may_print(struct sky_cli_refusals *refusals)
{
    int64_t now_ms = refusals->app->clock.real_ms;
    int64_t earned = (now_ms - refusals->earned_ms) / SKY_REFUSALS_EACH_MS;

    if (earned != 0) { /* or the machine's clock was set back */
        refusals->earned_ms = now_ms;
        refusals->lines += earned > 0 ? earned : 0;
    }
    if (refusals->lines > SKY_REFUSALS_BURST)
        refusals->lines = SKY_REFUSALS_BURST;
    return refusals->lines > 0 && refusals->lines-- > 0;
}

static void hide(struct sky_cli_refusals *refusals)
{
    if (refusals->hidden++ == 0)
        sky_clock_patience(&refusals->app->clock, &refusals->rest, SKY_REFUSALS_REST_MS, on_rest);
}

/* Not every event says who was at the other end; its connection does. */
static void add_peer(const struct sky_net *net, const struct sky_event *event, cJSON *tree)
{
    struct sky_conn *conn;
    char peer[64];

    if (sky_event_get(event, SKY_F_PEER) != NULL)
        return;
    DL_FOREACH (net->conns, conn) {
        if (conn->id != event->head.connection)
            continue;
        sky_conn_peer(conn, peer, sizeof peer);
        cJSON_AddStringToObject(tree, "peer", peer);
        if (sky_event_get(event, SKY_F_LISTENER) == NULL)
            cJSON_AddStringToObject(tree, "listener", conn->door->listener->name);
        return;
    }
}

static void print(struct sky_cli_refusals *refusals, struct sky_cursor *cursor,
                  const struct sky_event *event)
{
    const struct sky_event_printer printer = {.cursor = cursor,
                                              .catalogue = &refusals->app->registry.catalogue,
                                              .names = &refusals->names};
    struct sky_buf json, line;
    struct sky_jw jw = sky_jw(&json);
    struct sky_why why;
    cJSON *tree;

    sky_buf_init(&json, SIZE_MAX);
    sky_buf_init(&line, SKY_REFUSAL_LINE_MAX);
    sky_event_print(&printer, event, &jw);
    if (sky_json_parse(sky_buf_span(&json), SKY_JSON_DEPTH_MAX, &tree, &why) == SKY_OK) {
        add_peer(&refusals->app->net, event, tree);
        sky_refusal_line(tree, &line);
        cJSON_Delete(tree);
    }
    if (!write_line(&line))
        hide(refusals);
    sky_buf_done(&line);
    sky_buf_done(&json);
}

/* A handshake that ends because its key was refused has been told already. */
static bool is_repeated(const struct sky_cli_refusals *refusals, const struct sky_event *event)
{
    return event->head.type == SKY_EVENT_TLS_HANDSHAKE &&
           event->head.connection == refusals->connection;
}

static void on_turn(void *ctx)
{
    struct sky_cli_refusals *refusals = ctx;
    const struct sky_event_filter filter = {.findings = true};
    struct sky_journal_stats stats;
    struct sky_cursor cursor;
    struct sky_event event;
    bool more;

    sky_journal_stats(refusals->app->journal, &stats);
    uint64_t from = refusals->seen + 1;
    refusals->seen = stats.last_seq > refusals->seen ? stats.last_seq : refusals->seen;
    if (stats.findings == refusals->findings)
        return;
    refusals->findings = stats.findings;
    sky_cursor_init(&cursor, refusals->app->journal, from);
    while (sky_cursor_search(&cursor, &filter, SIZE_MAX, &event, &more)) {
        if (event.refused.len == 0 || is_repeated(refusals, &event))
            continue;
        refusals->connection = event.head.connection;
        if (may_print(refusals))
            print(refusals, &cursor, &event);
        else
            hide(refusals);
    }
    sky_cursor_done(&cursor);
}

void sky_cli_refusals_open(struct sky_cli_refusals *refusals, struct sky_app *app)
{
    struct sky_journal_stats stats;

    refusals->app = app;
    refusals->names.store = app->store;
    refusals->lines = SKY_REFUSALS_BURST;
    refusals->earned_ms = app->clock.real_ms;
    sky_journal_stats(app->journal, &stats);
    refusals->seen = stats.last_seq;
    refusals->findings = stats.findings;
    app->on_turn = on_turn;
    app->on_turn_ctx = refusals;
}
