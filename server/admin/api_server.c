/* The server itself: is it there, what is it, how is it doing. */
#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/broker/delivery.h"
#include "server/port/coap.h"
#include "server/tls/server.h"
#include "store/lost.h"

/* Listeners are open before the first request can come, so being there is being ready. */
void sky_api_health(struct sky_api *api)
{
    sky_jw_object(&api->jw);
    sky_jw_put_str(&api->jw, "status", "ok");
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 200);
}

static void put_commands(struct sky_jw *jw, const struct sky_cloud *cloud)
{
    sky_jw_key(jw, "commands");
    sky_jw_array(jw);
    for (size_t i = 0; i < cloud->command_count; i++) {
        sky_jw_object(jw);
        sky_jw_put_str(jw, "kind", cloud->commands[i].kind);
        if (cloud->commands[i].about != NULL)
            sky_jw_put_str(jw, "about", cloud->commands[i].about);
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
}

void sky_api_version(struct sky_api *api)
{
    char started[SKY_TIME_TEXT_MAX];
    struct sky_jw *jw = &api->jw;
    sky_jw_object(jw);
    sky_jw_put_str(jw, "version", SKY_VERSION);
    sky_time_text(api->app->clock.wall_base_ms, started);
    sky_jw_put_str(jw, "started", started);
    sky_jw_key(jw, "clouds");
    sky_jw_array(jw);
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        sky_jw_object(jw);
        sky_jw_put_str(jw, "name", sky_clouds[i]->name);
        sky_jw_put_str(jw, "title", sky_clouds[i]->title);
        put_commands(jw, sky_clouds[i]);
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    sky_jw_key(jw, "listeners");
    sky_jw_object(jw);
    for (size_t i = 0; i < api->app->net.listener_count; i++)
        sky_jw_put_int(jw, api->app->net.listeners[i].row->name, api->app->net.listeners[i].port);
    sky_jw_end_object(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}

static void put_counts(struct sky_jw *jw, const struct sky_forward_bounds *held,
                       const uint64_t counts[SKY_FORWARD_COUNTS])
{
    static const char *const names[SKY_FORWARD_COUNTS] = {[SKY_FORWARD_COUNT_TAKEN] = "taken",
                                                          [SKY_FORWARD_COUNT_REFUSED] = "refused",
                                                          [SKY_FORWARD_COUNT_LOST] = "lost",
                                                          [SKY_FORWARD_COUNT_TRIES] =
                                                              "triesFailed"};
    sky_jw_put_int(jw, "waiting", (int64_t)held->messages);
    sky_jw_put_int(jw, "waitingBytes", (int64_t)held->bytes);
    for (size_t i = 0; i < SKY_FORWARD_COUNTS; i++)
        sky_jw_put_int(jw, names[i], (int64_t)counts[i]);
}

void sky_api_forward(struct sky_api *api)
{
    const struct sky_forward_queue *queue = &api->app->forward.queue;
    struct sky_jw *jw = &api->jw;
    char url[SKY_URL_MAX + 1];
    sky_jw_object(jw);
    put_counts(jw, &queue->held, queue->counts);
    sky_jw_key(jw, "targets");
    sky_jw_array(jw);
    for (const struct sky_forward_target *target = queue->targets; target != NULL;
         target = target->next) {
        sky_jw_object(jw);
        sky_jw_put_span(jw, "url", sky_forward_shown(target, url));
        put_counts(jw, &target->held, target->counts);
        sky_jw_put_bool(jw, "failing", target->failing > 0);
        if (target->reason[0] != '\0')
            sky_jw_put_str(jw, "reason", target->reason);
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}

static void put_turns(struct sky_buf *out, const struct sky_turns *turns)
{
    uint64_t count = 0;
    sky_buf_addf(out, "# HELP skymock_loop_turn_seconds how long each turn of the loop kept all "
                      "others waiting\n# TYPE skymock_loop_turn_seconds histogram\n");
    for (size_t i = 0; i < SKY_TURNS_BOUNDS; i++) {
        count += turns->counts[i];
        sky_buf_addf(out, "skymock_loop_turn_seconds_bucket{le=\"%g\"} %llu\n",
                     (double)sky_turns_bounds_us[i] / 1e6, (unsigned long long)count);
    }
    count += turns->counts[SKY_TURNS_BOUNDS];
    sky_buf_addf(out,
                 "skymock_loop_turn_seconds_bucket{le=\"+Inf\"} %llu\n"
                 "skymock_loop_turn_seconds_sum %.6f\nskymock_loop_turn_seconds_count %llu\n",
                 (unsigned long long)count, (double)turns->sum_us / 1e6, (unsigned long long)count);
}

struct metric {
    const char *name, *type, *help;
    uint64_t value;
};

static void put_metrics(const struct metric *rows, size_t count, struct sky_buf *out)
{
    for (size_t i = 0; i < count; i++)
        sky_buf_addf(out, "# HELP skymock_%s %s\n# TYPE skymock_%s %s\nskymock_%s %llu\n",
                     rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name,
                     (unsigned long long)rows[i].value);
}

static void put_forward(const struct sky_forward_queue *queue, struct sky_buf *out)
{
    const struct metric rows[] = {
        {"forward_waiting", "gauge", "messages that wait to be forwarded", queue->held.messages},
        {"forward_waiting_bytes", "gauge", "memory that they take", queue->held.bytes},
        {"forward_taken_total", "counter", "messages forwarded",
         queue->counts[SKY_FORWARD_COUNT_TAKEN]},
        {"forward_refused_total", "counter", "messages whose target refused them for good",
         queue->counts[SKY_FORWARD_COUNT_REFUSED]},
        {"forward_lost_total", "counter", "messages lost for want of room, or given up",
         queue->counts[SKY_FORWARD_COUNT_LOST]},
        {"forward_tries_failed_total", "counter", "tries of messages that are tried again",
         queue->counts[SKY_FORWARD_COUNT_TRIES]},
    };
    put_metrics(rows, SKY_COUNT(rows), out);
}

/* The exposition format of Prometheus, version 0.0.4. */
void sky_api_metrics(struct sky_api *api)
{
    const struct sky_app *app = api->app;
    struct sky_journal_stats journal;
    sky_journal_stats(app->journal, &journal);
    struct sky_store_lost lost;
    sky_store_lost(app->store, &lost);
    const struct metric rows[] = {
        {"connections", "gauge", "open TCP connections", app->net.conn_count},
        {"connections_accepted_total", "counter", "TCP connections accepted", app->net.accepted},
        {"connections_turned_away_total", "counter", "TCP connections closed for want of room",
         app->net.turned_away.count},
        {"accepts_failed_total", "counter",
         "tries to accept a TCP connection that the system refused; whoever came waits",
         app->net.not_given.count},
        {"connections_outgrown_total", "counter",
         "TCP connections closed because most of what waited for all peers waited for them",
         app->net.pending.ended},
        {"pending_output_bytes", "gauge", "memory of what waits for all peers to be read",
         app->net.pending.bytes},
        {"pending_output_bytes_max", "gauge", "memory that it may take", SKY_PENDING_MAX},
        {"message_bytes", "gauge",
         "memory of messages that devices have not acknowledged, or that wait for them",
         app->broker.message_bytes},
        {"message_bytes_max", "gauge", "memory that those that wait may take",
         SKY_MESSAGE_BYTES_MAX},
        {"http_connections", "gauge", "open HTTP connections", sky_http_count(app->http)},
        {"devices", "gauge", "devices in the registry", sky_store_count_devices(app->store)},
        {"devices_online", "gauge", "devices with a session and a connection",
         app->registry.online + sky_coap_port_online(app->coap)},
        {"coap_channels", "gauge", "open DTLS sessions", sky_coap_port_channels(app->coap)},
        {"tls_handshakes_turned_away_total", "counter", "TLS handshakes ended for want of room",
         app->net.tls->turned_away},
        {"dtls_handshakes_turned_away_total", "counter", "DTLS handshakes ended for want of room",
         sky_coap_port_turned_away(app->coap)},
        {"events_total", "counter", "events recorded", journal.recorded},
        {"events_lost_total", "counter", "events that can no longer be read", journal.evicted},
        {"findings_total", "counter", "broken rules recorded", journal.findings},
        {"journal_bytes", "gauge", "bytes of events in memory", journal.bytes_used},
        {"journal_bytes_max", "gauge", "bytes of events that memory holds", journal.bytes_max},
        {"journal_page_bytes", "gauge", "bytes of events in the store", journal.page_bytes},
        {"store_refusals_total", "counter",
         "statements that the store's database refused: disk full, I/O error", lost.refused},
        {"store_batches_lost_total", "counter", "turns whose changes the store has lost",
         lost.batches},
        {"store_commits_lost_total", "counter",
         "changes that were lost when the store was opened, for its log is damaged", lost.commits},
        {"store_damage_total", "counter",
         "times that a page or a row of the store held what was never written", lost.damaged},
    };
    put_metrics(rows, SKY_COUNT(rows), &api->out);
    put_forward(&app->forward.queue, &api->out);
    put_turns(&api->out, &app->turns);
    sky_api_send_text(api, api->route->content_type);
}
