/* The table of the admin API: it dispatches, checks and documents. Rows of one path stand
 * together. */
#include "server/admin/api.h"

#include "protocol/base/mem.h"
#include "server/broker/upgrades.h"
#include "server/broker/waits.h"
#include "server/port/pull.h"
#include "store/images.h"
#include "store/snapshots.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, SKY_API_ANY, false, 0, 0, NULL                                                       \
    }
#define JSON_INT_MAX ((INT64_C(1) << 53) - 1) /* what every JSON reader takes exactly */

#define BAD                                                                                        \
    {                                                                                              \
        400, "the request is malformed; the message says where"                                    \
    }
#define MANY_REPORTS                                                                               \
    {                                                                                              \
        503, "too many reports are on their way at once"                                           \
    }
#define NONE                                                                                       \
    {                                                                                              \
        404, "there is no such device"                                                             \
    }

#define NO_CAPTURE                                                                                 \
    {                                                                                              \
        404, "there is no capture of this id"                                                      \
    }

static const struct sky_api_param secrets_query[] = {
    {"secrets", SKY_API_BOOL, false, 0, 0, "show secrets too"}, END};

static const struct sky_api_param devices_query[] = {
    {"cloud", SKY_API_TEXT, false, 0, SKY_CLOUD_NAME_MAX, "only devices of this cloud"},
    {"product", SKY_API_TEXT, false, 0, SKY_CLOUD_NAME_MAX + SKY_KEY_MAX + 1,
     "only devices of this product: cloud/key, or its key in any cloud"},
    {"limit", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "devices in one answer; default 100"},
    {"after", SKY_API_DEVICE, false, 0, 0, "go on behind this device: `next` of the last answer"},
    {"secrets", SKY_API_BOOL, false, 0, 0, "show secrets too"},
    END};

static const struct sky_api_param device_body[] = {
    {"cloud", SKY_API_TEXT, true, 0, SKY_CLOUD_NAME_MAX, "name of the cloud"},
    {"product", SKY_API_TEXT, true, 0, SKY_KEY_MAX, "key of a product that exists"},
    {"device", SKY_API_TEXT, false, 0, SKY_KEY_MAX, "key of the new device; absent: one is made"},
    {"temporary", SKY_API_BOOL, false, 0, 0,
     "true: it goes with the next reset, or restored snapshot, that covers it"},
    {"secret", SKY_API_TEXT, false, 0, SKY_SECRET_MAX, "absent: one is made"},
    {"enabled", SKY_API_BOOL, false, 0, 0, "absent: true"},
    {"assetId", SKY_API_TEXT, false, 0, SKY_KEY_MAX, "asset the device belongs to"},
    {"fingerprint", SKY_API_TEXT, false, 0, SKY_FINGERPRINT_HEX,
     "SHA-256 of the device's certificate, 64 lower-case hex digits"},
    END};

static const struct sky_api_param change_body[] = {
    {"secret", SKY_API_TEXT, false, 0, SKY_SECRET_MAX, "the new secret"},
    {"enabled", SKY_API_BOOL, false, 0, 0, "false: every login is refused"},
    {"assetId", SKY_API_TEXT, false, 0, SKY_KEY_MAX, "asset the device belongs to; empty: none"},
    {"fingerprint", SKY_API_TEXT, false, 0, SKY_FINGERPRINT_HEX,
     "SHA-256 of the device's certificate, 64 lower-case hex digits; empty: none"},
    END};

static const struct sky_api_param credentials_query[] = {
    {"tls", SKY_API_BOOL, false, 0, 0,
     "for a TLS connection, where that is part of what is signed"},
    {"dynamic", SKY_API_BOOL, false, 0, 0, "signed with the product's secret, for activation"},
    END};

static const struct sky_api_param message_body[] = {
    {"topic", SKY_API_TEXT, true, 0, SKY_MQTT_STRING_MAX, "topic name"},
    {"payload", SKY_API_TEXT, false, 0, SKY_HTTP_ADMIN_BODY_MAX, "as text; absent: empty"},
    {"payloadBase64", SKY_API_TEXT, false, 0, SKY_HTTP_ADMIN_BODY_MAX, "as bytes, instead"},
    {"qos", SKY_API_INT, false, 0, 1, "default 0"},
    END};

static const struct sky_api_param command_body[] = {
    {"kind", SKY_API_TEXT, true, 0, 64, "what the cloud calls it: property-set, service, rpc, ..."},
    {"name", SKY_API_TEXT, false, 0, SKY_MQTT_STRING_MAX, "of the service or topic, if it has one"},
    {"params", SKY_API_OBJECT, false, 0, 0, "sent with its members in this order"},
    {"payload", SKY_API_TEXT, false, 0, SKY_HTTP_ADMIN_BODY_MAX,
     "any text instead, for kinds that carry one"},
    {"waitMs", SKY_API_INT, false, 0, SKY_COMMAND_WAIT_MS_MAX,
     "how long to wait for the answer, in real time; default 5000, 0: not at all"},
    {"ttlS", SKY_API_INT, false, 0, SKY_PULL_TTL_MAX_S,
     "how many seconds it may wait for a device that fetches its commands (CoAP), in virtual time; "
     "default: two days; 0: only while the device is online"},
    END};

static const struct sky_api_param product_body[] = {
    {"config", SKY_API_ANY, false, 0, 0, "the remote configuration, any JSON; null: none"},
    {"model", SKY_API_ANY, false, 0, 0, "the vendor's thing model, an object; null: none"},
    {"subProducts", SKY_API_ANY, false, 0, 0,
     "keys of products whose devices may stand behind a gateway of this one; null: any"},
    {"forward", SKY_API_ANY, false, 0, 0, "URL that uplinks are handed to; null: none"},
    END};

static const struct sky_api_param capture_body[] = {
    {"name", SKY_API_TEXT, false, 0, SKY_CAPTURE_NAME_MAX, "to know it by"}, END};

static const struct sky_api_param topology_body[] = {
    {"subDevices", SKY_API_ARRAY, true, 0, 0,
     "all that are to stand behind it: [{\"product\", \"device\"}], or the vendor's words for "
     "that"},
    END};

static const struct sky_api_param config_body[] = {
    {"config", SKY_API_ANY, false, 0, 0, "instead of the product's, where the cloud has it so"},
    {"waitMs", SKY_API_INT, false, 0, SKY_COMMAND_WAIT_MS_MAX,
     "how long to wait for an answer, in real time; default 5000, 0: not at all"},
    END};

#define UPGRADE_WORDS                                                                              \
    {"version", SKY_API_TEXT, false, 0, SKY_OTA_VERSION_MAX, "that the device is to run; needed"}, \
        {"module", SKY_API_TEXT, false,                                                            \
         0,        64,           "of the device that is to run it; absent: the main one"},         \
        {"protocol", SKY_API_TEXT,                                                                 \
         false,      0,                                                                            \
         16,         "https (default): by a URL; mqtt: in messages, where the cloud has that"},    \
    {                                                                                              \
        "waitMs", SKY_API_INT, false, 0, SKY_UPGRADE_WAIT_MS_MAX,                                  \
            "how long to wait for the end, in real time; default 0: not at all"                    \
    }

static const struct sky_api_param upgrade_query[] = {UPGRADE_WORDS, END};
static const struct sky_api_param upgrade_body[] = {
    UPGRADE_WORDS,
    {"size", SKY_API_INT, false, 1, SKY_IMAGE_MAX, "of an image whose bytes are made up"},
    {"payloadBase64", SKY_API_TEXT, false, 0, SKY_HTTP_ADMIN_BODY_MAX, "the image itself, instead"},
    END};
static const struct sky_api_param cancel_query[] = {
    {"module", SKY_API_TEXT, false, 0, 64, "only this one's upgrade; absent: all"}, END};

#define IN_RUN                                                                                     \
    {                                                                                              \
        "run", SKY_API_BOOL, false, 0, 0, "true: of the whole run, not only since the last reset"  \
    }

#define EVENT_FILTERS                                                                              \
    {"device", SKY_API_DEVICE,                                                                     \
     false,    0,                                                                                  \
     0,        "only what this device did, and what a peer did that claims to be it"},             \
        {"product", SKY_API_PRODUCT, false, 0, 0, "only of devices of this product, cloud/key"},   \
        {"type", SKY_API_TEXT, false, 0, 0, "only these types, commas between"},                   \
        {"direction", SKY_API_TEXT, false, 0, 0, "only up, down or inside"},                       \
        {"topic", SKY_API_TEXT, false, 0, 0, "only topics that match this MQTT filter"},           \
        {"rule", SKY_API_TEXT, false, 0, 0, "only events that broke this rule"},                   \
    {                                                                                              \
        "connection", SKY_API_INT, false, 1, UINT32_MAX, "only this connection"                    \
    }

static const struct sky_api_param verify_body[] = {
    {"event", SKY_API_OBJECT, false, 0, 0, "a pattern: so many of these came"},
    {"count", SKY_API_OBJECT, false, 0, 0,
     "of them: min, default 1 (0 when max is 0), and max, default any number"},
    {"sequence", SKY_API_ARRAY, false, 0, 0,
     "patterns, instead: one after the other came, whatever lies between"},
    {"absent", SKY_API_OBJECT, false, 0, 0, "a pattern, instead: none of these came"},
    {"since", SKY_API_INT, false, 0, JSON_INT_MAX,
     "only events with a greater seq; default: those since the last reset, of whatever it reset"},
    {"waitMs", SKY_API_INT, false, 0, SKY_API_WAIT_MS_MAX,
     "real time for it to become true, default 0; max and absent must be true until it ends"},
    {"withinMs", SKY_API_INT, false, 0, SKY_CLOCK_ADVANCE_MAX_MS,
     "virtual time within which min of them, or the whole sequence, lie"},
    {"device", SKY_API_DEVICE, false, 0, 0, "only what this device did, or who claims to be it"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only what its devices did"},
    END};

static const struct sky_api_param events_query[] = {
    EVENT_FILTERS,
    {"since", SKY_API_INT, false, 0, JSON_INT_MAX, "only events with a greater seq"},
    {"limit", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "events in one answer; default 100"},
    {"order", SKY_API_TEXT, false, 0, 0, "asc (default), or desc: the newest `limit` first"},
    {"wait_ms", SKY_API_INT, false, 0, SKY_API_WAIT_MS_MAX,
     "wait so long, in real time, for `count` events; then answer with what there is"},
    {"count", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "how many to wait for; default 1"},
    IN_RUN,
    END};

static const struct sky_api_param search_body[] = {
    {"event", SKY_API_OBJECT, false, 0, 0, "the pattern of events wanted; default: all"},
    {"since", SKY_API_INT, false, 0, JSON_INT_MAX, "only events with a greater seq"},
    {"limit", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "events in one answer; default 100"},
    {"order", SKY_API_TEXT, false, 0, 4, "asc (default), or desc: the newest `limit` first"},
    {"waitMs", SKY_API_INT, false, 0, SKY_API_WAIT_MS_MAX,
     "wait so long, in real time, for `count` events; then answer with what there is"},
    {"count", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "how many to wait for; default 1"},
    {"run", SKY_API_BOOL, false, 0, 0, "of the whole run; default: of the chapter"},
    END};

static const struct sky_api_param stream_query[] = {
    EVENT_FILTERS,
    {"since", SKY_API_INT, false, 0, JSON_INT_MAX,
     "start behind this seq; default: now. The header Last-Event-ID wins"},
    END};

static const struct sky_api_param certificate_body[] = {
    {"key", SKY_API_TEXT, false, 0, 3, "ec (default) or rsa"}, END};

static const struct sky_api_param advance_body[] = {
    {"ms", SKY_API_INT, true, 0, SKY_CLOCK_ADVANCE_MAX_MS, "milliseconds"}, END};
static const struct sky_api_param set_body[] = {
    {"unixMs", SKY_API_INT, true, 0, SKY_CLOCK_END_MS,
     "milliseconds since 1970, to the end of the year 9999"},
    END};

static const struct sky_api_param verdicts_query[] = {
    {"device", SKY_API_DEVICE, false, 0, 0,
     "this device, with every rule; absent: all that were seen, with the rules they broke"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only devices of this product, cloud/key"},
    IN_RUN,
    END};
static const struct sky_api_param report_query[] = {
    {"device", SKY_API_DEVICE, false, 0, 0, "only this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only devices of this product, cloud/key"},
    IN_RUN,
    END};
static const struct sky_api_param expected_query[] = {
    {"device", SKY_API_DEVICE, false, 0, 0, "only of this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only of this product, cloud/key, and its devices"},
    END};
static const struct sky_api_param expected_body[] = {
    {"rule", SKY_API_TEXT, false, 0, 63, "id of the rule that is to be broken, or"},
    {"event", SKY_API_OBJECT, false, 0, 0, "the pattern of events that are to come"},
    {"device", SKY_API_DEVICE, false, 0, 0, "by this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "by devices of this product, cloud/key"},
    {"count", SKY_API_OBJECT, false, 0, 0,
     "{\"min\", \"max\"}: how often until the chapter ends; default: once or more"},
    END};
static const struct sky_api_param fault_body[] = {
    {"point", SKY_API_TEXT, true, 0, 64, "where: what passes there, as \"puback-down\""},
    {"action", SKY_API_TEXT, true, 0, 64, "what becomes of it, as \"withhold\""},
    {"name", SKY_API_TEXT, false, 0, SKY_FAULT_NAME_MAX, "for the journal"},
    {"device", SKY_API_DEVICE, false, 0, 0, "only what is this device's"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only what is this product's devices', cloud/key"},
    {"match", SKY_API_OBJECT, false, 0, 0, "a pattern: only what is as it says"},
    {"skip", SKY_API_INT, false, 0, JSON_INT_MAX, "so many pass first; default 0"},
    {"count", SKY_API_INT, false, 1, JSON_INT_MAX, "it happens so often; default: always"},
    {"probability", SKY_API_ANY, false, 0, 0, "0 to 1: how likely it happens; default 1"},
    {"seed", SKY_API_INT, false, 0, JSON_INT_MAX, "of its chance; absent: drawn, and shown"},
    {"forMs", SKY_API_INT, false, 1, SKY_CLOCK_ADVANCE_MAX_MS,
     "of virtual time; default: for good"},
    {"ms", SKY_API_INT, false, 1, SKY_FAULT_DELAY_MAX_MS, "of delay and reorder, in virtual time"},
    {"times", SKY_API_INT, false, 1, SKY_WIRE_COPIES_MAX,
     "of duplicate: further copies; default 1"},
    {"code", SKY_API_INT, false, 0, 255, "of set: return code, or code of every filter"},
    {"packetId", SKY_API_INT, false, 1, 65535, "of set"},
    {"sessionPresent", SKY_API_BOOL, false, 0, 0, "of set"},
    {"status", SKY_API_INT, false, 200, 599, "of set: HTTP's, or CoAP's: 404 is 4.04"},
    {"payload", SKY_API_TEXT, false, 0, SKY_FAULT_PAYLOAD_MAX, "of set"},
    {"topic", SKY_API_TEXT, false, 0, SKY_FAULT_TOPIC_MAX, "of set"},
    {"qos", SKY_API_INT, false, 0, 2, "of set"},
    {"bytes", SKY_API_INT, false, 1, SKY_MQTT_PACKET_MAX, "of corrupt: how many; default 1"},
    {"at", SKY_API_INT, false, 0, SKY_MQTT_PACKET_MAX,
     "of corrupt: the first of them, absent: by chance; of cut: so many are let through"},
    {"bytesPerS", SKY_API_INT, false, 1, INT32_MAX, "of drip"},
    {"kind", SKY_API_TEXT, false, 0, 64, "of certificate: expired, unknown-ca, ..."},
    END};
static const struct sky_api_param reset_body[] = {
    {"device", SKY_API_DEVICE, false, 0, 0, "only this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only this product, cloud/key; neither: everything"},
    {"forget", SKY_API_BOOL, false, 0, 0, "take it out of the run as well; default false"},
    END};

static const struct sky_api_param snapshot_body[] = {
    {"name", SKY_API_TEXT, true, 0, SKY_SNAPSHOT_NAME_MAX,
     "letters, digits and ._- with a letter or digit in front"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only this product, cloud/key; absent: everything"},
    END};
static const struct sky_api_param snapshot_query[] = {
    {"product", SKY_API_PRODUCT, false, 0, 0, "of this product, cloud/key"}, END};
static const struct sky_api_param restore_body[] = {
    {"product", SKY_API_PRODUCT, false, 0, 0, "that of this product, cloud/key"}, END};

#define NO_SNAPSHOT                                                                                \
    {                                                                                              \
        404, "there is no such snapshot"                                                           \
    }
#define WHICH_SNAPSHOT                                                                             \
    {                                                                                              \
        409, "several products have one of that name: say which"                                   \
    }
#define PRODUCT_PATH "/api/v1/products/{cloud}/{product}"
#define NO_PRODUCT                                                                                 \
    {                                                                                              \
        404, "there is no such product"                                                            \
    }
#define DEVICE_PATH "/api/v1/devices/{cloud}/{product}/{device}"

const struct sky_route sky_routes[] = {
    {.method = "GET",
     .path = "/health",
     .handle = sky_api_health,
     .summary = "Is the server there?",
     .schema = "Health",
     .answers = {{200, "yes"}},
     .open = true},
    {.method = "GET",
     .path = "/ready",
     .handle = sky_api_health,
     .summary = "Are fixtures loaded and all listeners open?",
     .schema = "Health",
     .answers = {{200, "yes"}},
     .open = true},
    {.method = "GET",
     .path = "/version",
     .handle = sky_api_version,
     .summary = "Which program is this, and which clouds does it play?",
     .schema = "Version",
     .answers = {{200, "version and clouds"}}},
    {.method = "GET",
     .path = "/metrics",
     .handle = sky_api_metrics,
     .summary = "Counters and gauges for Prometheus",
     .content_type = "text/plain; version=0.0.4",
     .answers = {{200, "the metrics"}}},
    {.method = "GET",
     .path = "/ca.crt",
     .handle = sky_api_ca,
     .summary = "The certificate that devices must trust",
     .content_type = "application/x-pem-file",
     .answers = {{200, "the certificate, PEM"}},
     .open = true},
    {.method = "GET",
     .path = "/openapi.json",
     .handle = sky_api_openapi,
     .summary = "This description",
     .schema = "Description",
     .answers = {{200, "OpenAPI 3.0"}}},
    {.method = "GET",
     .path = "/api/v1/products",
     .handle = sky_api_products_list,
     .summary = "List products",
     .query = secrets_query,
     .schema = "Products",
     .answers = {{200, "all products"}}},
    {.method = "POST",
     .path = "/api/v1/products",
     .handle = sky_api_products_create,
     .summary = "Load products and devices in the form of a fixture file",
     .free_body = "the content of a fixture file: {\"products\": [...]}",
     .schema = "Loaded",
     .answers = {{200, "what was added and changed"}, BAD}},
    {.method = "GET",
     .path = PRODUCT_PATH,
     .handle = sky_api_product_read,
     .summary = "Read a product, with its configuration and model",
     .query = secrets_query,
     .schema = "Product",
     .answers = {{200, "the product"}, NO_PRODUCT}},
    {.method = "PATCH",
     .path = PRODUCT_PATH,
     .handle = sky_api_product_change,
     .summary = "Change a product's texts",
     .query = secrets_query,
     .body = product_body,
     .schema = "Product",
     .answers = {{200, "the product as it is now"}, BAD, NO_PRODUCT, {413, "a text is too long"}}},
    {.method = "GET",
     .path = PRODUCT_PATH "/config",
     .handle = sky_api_product_config,
     .summary = "Read the remote configuration",
     .schema = "Config",
     .answers = {{200, "version and configuration"}, {404, "no such product, or it has none"}}},
    {.method = "PUT",
     .path = PRODUCT_PATH "/config",
     .handle = sky_api_product_config_put,
     .summary = "Set the remote configuration; devices are told by POST .../config of each",
     .free_body = "the configuration: any JSON; null: none",
     .answers = {{204, "done"}, BAD, NO_PRODUCT, {413, "it is too long"}}},
    {.method = "DELETE",
     .path = PRODUCT_PATH "/config",
     .handle = sky_api_product_config_delete,
     .summary = "Take the remote configuration away",
     .answers = {{204, "done"}, NO_PRODUCT}},
    {.method = "GET",
     .path = PRODUCT_PATH "/model",
     .handle = sky_api_product_model,
     .summary = "Read the thing model",
     .schema = "Model",
     .answers = {{200, "version and model"}, {404, "no such product, or it has none"}}},
    {.method = "PUT",
     .path = PRODUCT_PATH "/model",
     .handle = sky_api_product_model_put,
     .summary = "Set the thing model: from now on what devices report is held to it",
     .free_body = "the vendor's thing model, an object; null: none",
     .answers = {{204, "done"}, BAD, NO_PRODUCT, {413, "it is too long"}}},
    {.method = "DELETE",
     .path = PRODUCT_PATH "/model",
     .handle = sky_api_product_model_delete,
     .summary = "Take the thing model away",
     .answers = {{204, "done"}, NO_PRODUCT}},
    {.method = "GET",
     .path = "/api/v1/devices",
     .handle = sky_api_devices_list,
     .summary = "List devices",
     .query = devices_query,
     .schema = "Devices",
     .answers = {{200, "a page of devices; `next` leads to the next one"}, BAD, NONE}},
    {.method = "POST",
     .path = "/api/v1/devices",
     .handle = sky_api_devices_create,
     .summary = "Register a device",
     .query = secrets_query,
     .body = device_body,
     .schema = "Device",
     .answers = {{201, "the device"},
                 BAD,
                 {404, "there is no such cloud or product"},
                 {409, "there is such a device already"}}},
    {.method = "GET",
     .path = DEVICE_PATH,
     .handle = sky_api_device_read,
     .summary = "Read a device",
     .query = secrets_query,
     .schema = "Device",
     .answers = {{200, "the device"}, NONE}},
    {.method = "PATCH",
     .path = DEVICE_PATH,
     .handle = sky_api_device_change,
     .summary = "Change a device",
     .query = secrets_query,
     .body = change_body,
     .schema = "Device",
     .answers = {{200, "the device as it is now"}, BAD, NONE}},
    {.method = "DELETE",
     .path = DEVICE_PATH,
     .handle = sky_api_device_delete,
     .summary = "Delete a device and end its session",
     .answers = {{204, "done"}, NONE}},
    {.method = "POST",
     .path = DEVICE_PATH "/certificates",
     .handle = sky_api_device_certificate,
     .summary = "Issue a client certificate that logs the device in",
     .body = certificate_body,
     .schema = "Certificate",
     .answers = {{201, "certificate, key and authority, PEM"},
                 {404, "no such device"},
                 {409, "the authority is the user's: its key is not here"},
                 BAD}},
    {.method = "GET",
     .path = DEVICE_PATH "/credentials",
     .handle = sky_api_device_credentials,
     .summary = "What the device must send to log in",
     .query = credentials_query,
     .schema = "Credentials",
     .answers = {{200, "the fields, signed"}, NONE}},
    {.method = "POST",
     .path = DEVICE_PATH "/disconnect",
     .handle = sky_api_device_disconnect,
     .summary = "Close the device's connection",
     .answers = {{204, "done"}, NONE, {409, "it is not connected"}}},
    {.method = "POST",
     .path = DEVICE_PATH "/messages",
     .handle = sky_api_device_message,
     .summary = "Publish a message to the device, and to whoever else subscribes to its topic",
     .body = message_body,
     .schema = "Sent",
     .answers = {{202, "sent to `receivers`, or kept for them; `dropped` did not get it, for the "
                       "`reason`; `seq` is the event"},
                 BAD,
                 NONE,
                 {409,
                  "nobody would get it: the device is away for good, or does not subscribe, or "
                  "too much waits for it"},
                 {413, "no packet can carry it"}}},
    {.method = "POST",
     .path = DEVICE_PATH "/commands",
     .handle = sky_api_device_command,
     .summary = "Send the device a command of its cloud, and wait for the answer",
     .body = command_body,
     .schema = "Command",
     .answers = {{200, "the device's answer"},
                 {202, "sent, or kept until the device asks for it; not waited for"},
                 BAD,
                 {404, "no such device, or no such kind: the message lists the cloud's"},
                 {409, "it would not reach the device, which is away, or has too much waiting"},
                 {413, "no packet can carry it"},
                 {503, "too many commands wait already"},
                 {504, "the device did not answer in time"}}},
    {.method = "GET",
     .path = DEVICE_PATH "/subscriptions",
     .handle = sky_api_device_subscriptions,
     .summary = "List what the device subscribes to, there or away",
     .schema = "Subscriptions",
     .answers = {{200, "the filters of its session; none when it has no session"}, NONE}},
    {.method = "GET",
     .path = DEVICE_PATH "/topology",
     .handle = sky_api_device_topology,
     .summary = "List the devices behind a gateway",
     .schema = "Topology",
     .answers = {{200, "the devices, in the order in which they were bound"},
                 NONE,
                 {409, "it is no gateway"}}},
    {.method = "PUT",
     .path = DEVICE_PATH "/topology",
     .handle = sky_api_device_topology_put,
     .summary = "Set the devices behind a gateway, and tell it",
     .body = topology_body,
     .schema = "Topology",
     .answers = {{200, "the devices, as they are bound now"},
                 BAD,
                 {404, "there is no such device; the pointer says which"},
                 {409, "it is no gateway, or its product's subProducts has not that product"},
                 {413, "more than the cloud takes"}}},
    {.method = "POST",
     .path = DEVICE_PATH "/config",
     .handle = sky_api_device_config,
     .summary = "Push the remote configuration to the device",
     .body = config_body,
     .schema = "Command",
     .answers = {{200, "the device's answer"},
                 {202, "sent, not waited for"},
                 BAD,
                 {404, "no such device, or its cloud pushes no configuration"},
                 {409, "it would not reach the device, which is away, or has too much waiting"},
                 {413, "no packet can carry it"},
                 {503, "too many commands wait already"},
                 {504, "the device did not answer in time"}}},
    {.method = "GET",
     .path = DEVICE_PATH "/properties",
     .handle = sky_api_device_properties,
     .summary = "Read the latest values that the device posted",
     .schema = "Properties",
     .answers = {{200, "the values; none when it posted nothing"}, NONE}},
    {.method = "GET",
     .path = DEVICE_PATH "/documents",
     .handle = sky_api_device_documents,
     .summary = "List what the cloud keeps of the device: properties, tags, shadow, ...",
     .schema = "Documents",
     .answers = {{200, "names and versions"}, NONE}},
    {.method = "GET",
     .path = DEVICE_PATH "/documents/{name}",
     .handle = sky_api_device_document,
     .summary = "Read a document as it is stored",
     .schema = "Document",
     .answers = {{200, "version and document"}, {404, "no such device, or no such document"}}},
    {.method = "GET",
     .path = DEVICE_PATH "/shadow",
     .handle = sky_api_device_shadow,
     .summary = "Read the device's shadow",
     .schema = "Shadow",
     .answers = {{200, "state, metadata and version"},
                 {404, "no such device, or a cloud without shadows"}}},
    {.method = "PATCH",
     .path = DEVICE_PATH "/shadow",
     .handle = sky_api_device_shadow_patch,
     .summary = "Change what is desired of the device, and tell it",
     .free_body = "{\"desired\": {...}}, where null removes a value, or {\"desired\": null}; with "
                  "\"version\" only if that is the shadow's",
     .schema = "Shadow",
     .answers = {{200, "the shadow as it is now"},
                 BAD,
                 {404, "no such device, or a cloud without shadows"},
                 {409, "the shadow has another version"},
                 {413, "the shadow would pass the cloud's limits"}}},
    {.method = "GET",
     .path = DEVICE_PATH "/ota",
     .handle = sky_api_device_ota,
     .summary = "Read how the upgrades of the device's firmware stand",
     .schema = "Upgrades",
     .answers = {{200, "the last one of each module"},
                 {404, "no such device, or a cloud without upgrades"}}},
    {.method = "POST",
     .path = DEVICE_PATH "/ota",
     .handle = sky_api_device_ota_create,
     .summary =
         "Upgrade the device's firmware, and perhaps wait for the end. The image is made up, "
         "in the body, or is the body: then what else there is to say is in the query",
     .query = upgrade_query,
     .body = upgrade_body,
     .begin = sky_api_device_ota_begin,
     .schema = "Upgrade",
     .answers = {{202, "on its way, or waiting for the device"},
                 {200, "waited for: how it ended, well or not"},
                 BAD,
                 {404, "no such device, or a cloud without upgrades"},
                 {409, "one is under way, or the device runs that version"},
                 {413, "the image is too large, or there is no room for it"},
                 {503, "too many calls wait already"},
                 {504, "it did not end in time"}}},
    {.method = "DELETE",
     .path = DEVICE_PATH "/ota",
     .handle = sky_api_device_ota_cancel,
     .summary = "Cancel upgrades that are not over",
     .query = cancel_query,
     .answers = {{204, "done"}, BAD, {404, "no such device, or nothing to cancel"}}},
    {.method = "GET",
     .path = "/api/v1/events",
     .handle = sky_api_events_list,
     .summary = "List events, or wait for them",
     .query = events_query,
     .schema = "Events",
     .answers = {{200, "events; `next` as `since` leads on, `lost` are gone"}, BAD}},
    {.method = "POST",
     .path = "/api/v1/events/search",
     .handle = sky_api_events_search,
     .summary = "List events that match a pattern, or wait for them",
     .body = search_body,
     .schema = "Events",
     .answers = {{200, "events; `next` as `since` leads on, `lost` are gone"}, BAD}},
    {.method = "GET",
     .path = "/api/v1/events/stream",
     .handle = sky_api_events_stream,
     .summary = "Events as they happen, as server-sent events",
     .query = stream_query,
     .content_type = "text/event-stream",
     .answers = {{200, "the stream; the data of each message is an Event"}, BAD}},
    {.method = "POST",
     .path = "/api/v1/verify",
     .handle = sky_api_verify,
     .summary = "Ask whether something happened, so often, in this order, or not at all, and wait "
                "for it; what does not hold is explained",
     .body = verify_body,
     .schema = "Verified",
     .answers = {{200, "it holds, and the events that show it"},
                 BAD,
                 {406, "it does not: why, and what came near", "Verified"},
                 {507, "the journal cannot be written to the store"}}},
    {.method = "GET",
     .path = "/api/v1/clock",
     .handle = sky_api_clock_read,
     .summary = "Read the clock",
     .schema = "Clock",
     .answers = {{200, "virtual and real time"}}},
    {.method = "POST",
     .path = "/api/v1/clock/freeze",
     .handle = sky_api_clock_freeze,
     .summary = "Stop virtual time; limits on sockets, and waits of this API, stay in real time",
     .schema = "Clock",
     .answers = {{200, "the clock"}}},
    {.method = "POST",
     .path = "/api/v1/clock/advance",
     .handle = sky_api_clock_advance,
     .summary = "Move virtual time on, within the year 9999; answers when everything due has "
                "happened, in order",
     .body = advance_body,
     .schema = "Clock",
     .answers = {{200, "the clock"}, BAD}},
    {.method = "POST",
     .path = "/api/v1/clock/set",
     .handle = sky_api_clock_set,
     .summary = "Jump to a time; what is late by then happens at once, and what had some time left "
                "before a jump backwards has as much left after it",
     .body = set_body,
     .schema = "Clock",
     .answers = {{200, "the clock"}, BAD}},
    {.method = "POST",
     .path = "/api/v1/clock/resume",
     .handle = sky_api_clock_resume,
     .summary = "Let virtual time run again from where it stands",
     .schema = "Clock",
     .answers = {{200, "the clock"}}},
    {.method = "GET",
     .path = "/api/v1/forward",
     .handle = sky_api_forward,
     .summary = "What was handed to business servers (--forward), and what waits for them",
     .schema = "Forwarding",
     .answers = {{200, "in all, and for each URL"}}},
    {.method = "GET",
     .path = "/api/v1/rules",
     .handle = sky_api_rules,
     .summary = "The rules, with what is done when they are broken",
     .schema = "Rules",
     .answers = {{200, "all rules"}}},
    {.method = "GET",
     .path = "/api/v1/report.xml",
     .handle = sky_api_report_xml,
     .summary = "The verdicts of all that were seen, as JUnit XML",
     .query = report_query,
     .content_type = "application/xml",
     .answers = {{200, "a test suite for each device, a test case for each rule"},
                 BAD,
                 NONE,
                 MANY_REPORTS}},
    {.method = "GET",
     .path = "/api/v1/report.json",
     .handle = sky_api_report_json,
     .summary = "The verdicts of all that were seen, as data: what a later run is compared with",
     .query = report_query,
     .schema = "Report",
     .answers = {{200, "the run, and all that is known of each device"}, BAD, NONE, MANY_REPORTS}},
    {.method = "GET",
     .path = "/api/v1/report.html",
     .handle = sky_api_report_html,
     .summary = "The verdicts of all that were seen, as a page to read and to print",
     .query = report_query,
     .content_type = "text/html; charset=utf-8",
     .answers = {{200, "one file that needs nothing else"}, BAD, NONE, MANY_REPORTS}},
    {.method = "GET",
     .path = "/api/v1/verdicts",
     .handle = sky_api_verdicts,
     .summary = "What devices made of the rules",
     .query = verdicts_query,
     .schema = "Verdicts",
     .answers = {{200, "verdicts, with the events that prove them"}, BAD, NONE}},
    {.method = "GET",
     .path = "/api/v1/expected",
     .handle = sky_api_expected_list,
     .summary = "What is expected in this chapter",
     .query = expected_query,
     .schema = "Expectations",
     .answers = {{200, "the expectations, each with how often it came"}, BAD}},
    {.method = "POST",
     .path = "/api/v1/expected",
     .handle = sky_api_expected_create,
     .summary = "Say that a rule is to be broken: then that counts against nobody",
     .body = expected_body,
     .schema = "Expected",
     .answers = {{201, "its id"}, BAD, {409, "too many are expected already"}}},
    {.method = "DELETE",
     .path = "/api/v1/expected",
     .handle = sky_api_expected_clear,
     .summary = "Expect nothing any more",
     .query = expected_query,
     .answers = {{204, "done"}, BAD}},
    {.method = "DELETE",
     .path = "/api/v1/expected/{name}",
     .handle = sky_api_expected_delete,
     .summary = "Expect one thing no more",
     .answers = {{204, "done"}, {404, "nothing is expected under this id"}}},
    {.method = "GET",
     .path = "/api/v1/faults",
     .handle = sky_api_faults_list,
     .summary = "What is broken on purpose",
     .query = expected_query,
     .schema = "Faults",
     .answers = {{200, "the faults, each with how often it happened"}, BAD}},
    {.method = "POST",
     .path = "/api/v1/faults",
     .handle = sky_api_faults_create,
     .summary = "Break something on purpose: what, where, for whom and how often",
     .body = fault_body,
     .schema = "FaultMade",
     .answers = {{201, "its number"}, BAD, {409, "there are too many faults already"}}},
    {.method = "DELETE",
     .path = "/api/v1/faults",
     .handle = sky_api_faults_clear,
     .summary = "Break nothing any more",
     .query = expected_query,
     .answers = {{204, "done"}, BAD}},
    {.method = "DELETE",
     .path = "/api/v1/faults/{name}",
     .handle = sky_api_faults_delete,
     .summary = "End one fault",
     .answers = {{204, "done"}, {404, "there is no fault of this number"}}},
    {.method = "GET",
     .path = "/api/v1/snapshots",
     .handle = sky_api_snapshots_list,
     .summary = "List snapshots, in the order in which they were taken",
     .query = snapshot_query,
     .schema = "Snapshots",
     .answers = {{200, "the snapshots"}, BAD}},
    {.method = "POST",
     .path = "/api/v1/snapshots",
     .handle = sky_api_snapshots_create,
     .summary = "Keep the state of everything, or of one product, to go back to: registry, "
                "documents, tokens, sessions with what waits in them, faults; of everything: the "
                "clock, too",
     .body = snapshot_body,
     .schema = "Snapshot",
     .answers = {{201, "the snapshot"},
                 BAD,
                 NO_PRODUCT,
                 {409, "there is one of that name, or too much is kept already"}}},
    {.method = "GET",
     .path = "/api/v1/snapshots/{name}",
     .handle = sky_api_snapshot_read,
     .summary = "Read when a snapshot was taken, and of what",
     .query = snapshot_query,
     .schema = "Snapshot",
     .answers = {{200, "the snapshot"}, BAD, NO_SNAPSHOT, WHICH_SNAPSHOT}},
    {.method = "DELETE",
     .path = "/api/v1/snapshots/{name}",
     .handle = sky_api_snapshot_delete,
     .summary = "Delete a snapshot",
     .query = snapshot_query,
     .answers = {{204, "done"}, BAD, NO_SNAPSHOT, WHICH_SNAPSHOT}},
    {.method = "POST",
     .path = "/api/v1/snapshots/{name}/restore",
     .handle = sky_api_snapshot_restore,
     .summary = "Go back to a snapshot; connections of devices that this changes, or whose "
                "sessions it changes, close, and no others",
     .query = snapshot_query,
     .body = restore_body,
     .answers = {{204, "done"}, BAD, NO_SNAPSHOT, WHICH_SNAPSHOT}},
    {.method = "POST",
     .path = "/api/v1/reset",
     .handle = sky_api_reset,
     .summary =
         "Forget sessions and documents, devices as the fixtures have them or as they were made, "
         "and begin a new chapter of events and verdicts; of all of them: the clock as the machine "
         "has it, too",
     .body = reset_body,
     .answers = {{204, "done"}, BAD, NONE}},
    {.method = "POST",
     .path = "/api/v1/reload",
     .handle = sky_api_reload,
     .summary = "Read the fixtures again, as SIGHUP does, and answer when they are in force",
     .schema = "Reloaded",
     .answers = {{200, "what was read, and what that changed"},
                 {409, "the server was started without fixtures"},
                 {422, "some file is wrong; the message says which, where and why, and nothing is "
                       "changed"},
                 {500, "the store took a part of it only"},
                 {503, "too many calls wait already"}}},
    {.method = "GET",
     .path = "/api/v1/captures",
     .handle = sky_api_captures_list,
     .summary = "List the captures",
     .schema = "Captures",
     .answers = {{200, "running and stopped"}}},
    {.method = "POST",
     .path = "/api/v1/captures",
     .handle = sky_api_captures_create,
     .summary = "Capture what devices and skymock say, in the clear, from now on",
     .body = capture_body,
     .schema = "CaptureBegun",
     .answers = {{201, "its id"}, BAD, {409, "there are too many; delete one"}}},
    {.method = "GET",
     .path = "/api/v1/captures/{name}",
     .handle = sky_api_capture_read,
     .summary = "What a capture has so far, as pcapng for Wireshark",
     .content_type = "application/x-pcapng",
     .answers = {{200, "the file"}, NO_CAPTURE}},
    {.method = "DELETE",
     .path = "/api/v1/captures/{name}",
     .handle = sky_api_capture_delete,
     .summary = "Stop a capture and forget it",
     .answers = {{204, "done"}, NO_CAPTURE}},
    {.method = "POST",
     .path = "/api/v1/captures/{name}/stop",
     .handle = sky_api_capture_stop,
     .summary = "Stop a capture; it can still be read",
     .answers = {{204, "done"}, NO_CAPTURE}},
};

const size_t sky_route_count = SKY_COUNT(sky_routes);
