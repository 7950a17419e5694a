/* The handlers that routes name, each in the api_*.c of its subject. */
#ifndef SKY_SERVER_ADMIN_HANDLERS_H
#define SKY_SERVER_ADMIN_HANDLERS_H

#include <stdbool.h>

struct sky_api;

#define SKY_API_HANDLERS(X)                                                                        \
    X(console)                                                                                     \
    X(console_api)                                                                                 \
    X(console_file)                                                                                \
    X(health)                                                                                      \
    X(version)                                                                                     \
    X(metrics)                                                                                     \
    X(ca)                                                                                          \
    X(openapi)                                                                                     \
    X(products_list)                                                                               \
    X(products_create)                                                                             \
    X(product_read)                                                                                \
    X(product_change)                                                                              \
    X(product_config)                                                                              \
    X(product_config_put)                                                                          \
    X(product_config_delete)                                                                       \
    X(product_model)                                                                               \
    X(product_model_put)                                                                           \
    X(product_model_delete)                                                                        \
    X(device_topology)                                                                             \
    X(device_topology_put)                                                                         \
    X(device_config)                                                                               \
    X(devices_list)                                                                                \
    X(devices_create)                                                                              \
    X(device_read)                                                                                 \
    X(device_change)                                                                               \
    X(device_delete)                                                                               \
    X(device_certificate)                                                                          \
    X(device_credentials)                                                                          \
    X(device_disconnect)                                                                           \
    X(device_twin)                                                                                 \
    X(device_message)                                                                              \
    X(device_command)                                                                              \
    X(device_shadow)                                                                               \
    X(device_shadow_patch)                                                                         \
    X(device_properties)                                                                           \
    X(device_ota)                                                                                  \
    X(device_ota_create)                                                                           \
    X(device_ota_cancel)                                                                           \
    X(device_subscriptions)                                                                        \
    X(device_documents)                                                                            \
    X(device_document)                                                                             \
    X(events_list)                                                                                 \
    X(events_search)                                                                               \
    X(events_stream)                                                                               \
    X(verify)                                                                                      \
    X(clock_read)                                                                                  \
    X(clock_freeze)                                                                                \
    X(clock_advance)                                                                               \
    X(clock_set)                                                                                   \
    X(clock_resume)                                                                                \
    X(forward)                                                                                     \
    X(rules)                                                                                       \
    X(report_xml)                                                                                  \
    X(report_json)                                                                                 \
    X(report_html)                                                                                 \
    X(verdicts)                                                                                    \
    X(expected_list)                                                                               \
    X(expected_create)                                                                             \
    X(expected_clear)                                                                              \
    X(expected_delete)                                                                             \
    X(faults_list)                                                                                 \
    X(faults_points)                                                                               \
    X(faults_create)                                                                               \
    X(faults_clear)                                                                                \
    X(faults_delete)                                                                               \
    X(suites_list)                                                                                 \
    X(suite_read)                                                                                  \
    X(runs_list)                                                                                   \
    X(runs_create)                                                                                 \
    X(run_read)                                                                                    \
    X(run_delete)                                                                                  \
    X(run_stop)                                                                                    \
    X(run_done)                                                                                    \
    X(snapshots_list)                                                                              \
    X(snapshots_create)                                                                            \
    X(snapshot_read)                                                                               \
    X(snapshot_delete)                                                                             \
    X(snapshot_restore)                                                                            \
    X(reset)                                                                                       \
    X(reload)                                                                                      \
    X(captures_list)                                                                               \
    X(captures_create)                                                                             \
    X(capture_read)                                                                                \
    X(capture_stop)                                                                                \
    X(capture_delete)
#define X(name) void sky_api_##name(struct sky_api *api);
SKY_API_HANDLERS(X)
#undef X
void sky_api_device_ota_begin(struct sky_api *api, bool welcome);

/* Reads the suites that a run is asked for: route->make, see api.h. */
struct sky_api_made;
struct sky_catalogue;
struct sky_api_made *sky_api_runs_make(const struct sky_catalogue *rules, cJSON *body);

#endif
