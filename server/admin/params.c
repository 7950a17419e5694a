/* What routes take. A row: name, kind, whether it must be there, its bounds, what it says. */
#include "server/admin/params.h"

#include "protocol/base/mem.h"
#include "server/broker/upgrades.h"
#include "server/broker/waits.h"
#include "server/port/pull.h"
#include "server/suite/run.h"
#include "store/images.h"
#include "store/snapshots.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, SKY_API_ANY, false, 0, 0, NULL                                                       \
    }
enum { QUERY_TEXT_MAX = SKY_API_PARAM_MAX - 1 }; /* bytes, where nothing else bounds them */
#define JSON_INT_MAX ((INT64_C(1) << 53) - 1)    /* what every JSON reader takes exactly */

const struct sky_api_param sky_params_secrets_query[] = {
    {"secrets", SKY_API_BOOL, false, 0, 0, "show secrets too"}, END};

const struct sky_api_param sky_params_devices_query[] = {
    {"cloud", SKY_API_TEXT, false, 0, SKY_CLOUD_NAME_MAX, "only devices of this cloud"},
    {"product", SKY_API_TEXT, false, 0, SKY_CLOUD_NAME_MAX + SKY_KEY_MAX + 1,
     "only devices of this product: cloud/key, or its key in any cloud"},
    {"online", SKY_API_BOOL, false, 0, 0, "true: only devices that are online; false: the others"},
    {"text", SKY_API_TEXT, false, 1, SKY_SPAN_PART_MAX,
     "only devices in whose name, cloud/product/device, this stands, in any case of ASCII letters"},
    {"limit", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "devices in one answer; default 100"},
    {"after", SKY_API_DEVICE, false, 0, 0, "go on behind this device: `next` of the last answer"},
    {"secrets", SKY_API_BOOL, false, 0, 0, "show secrets too"},
    END};

const struct sky_api_param sky_params_device_body[] = {
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

const struct sky_api_param sky_params_change_body[] = {
    {"secret", SKY_API_TEXT, false, 0, SKY_SECRET_MAX, "the new secret"},
    {"enabled", SKY_API_BOOL, false, 0, 0, "false: every login is refused"},
    {"assetId", SKY_API_TEXT, false, 0, SKY_KEY_MAX, "asset the device belongs to; empty: none"},
    {"fingerprint", SKY_API_TEXT, false, 0, SKY_FINGERPRINT_HEX,
     "SHA-256 of the device's certificate, 64 lower-case hex digits; empty: none"},
    END};

const struct sky_api_param sky_params_credentials_query[] = {
    {"tls", SKY_API_BOOL, false, 0, 0,
     "for a TLS connection, where that is part of what is signed"},
    {"dynamic", SKY_API_BOOL, false, 0, 0, "signed with the product's secret, for activation"},
    END};

const struct sky_api_param sky_params_message_body[] = {
    {"topic", SKY_API_TEXT, true, 0, SKY_MQTT_STRING_MAX, "topic name"},
    {"payload", SKY_API_TEXT, false, 0, SKY_HTTP_ADMIN_BODY_MAX, "as text; absent: empty"},
    {"payloadBase64", SKY_API_TEXT, false, 0, SKY_HTTP_ADMIN_BODY_MAX, "as bytes, instead"},
    {"size", SKY_API_INT, false, 0, SKY_MQTT_PACKET_MAX, "of a payload that is made up, instead"},
    {"qos", SKY_API_INT, false, 0, 1, "default 0"},
    END};

const struct sky_api_param sky_params_command_body[] = {
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

const struct sky_api_param sky_params_product_body[] = {
    {"config", SKY_API_ANY, false, 0, 0, "the remote configuration, any JSON; null: none"},
    {"model", SKY_API_ANY, false, 0, 0, "the vendor's thing model, an object; null: none"},
    {"subProducts", SKY_API_ANY, false, 0, 0,
     "keys of products whose devices may stand behind a gateway of this one; null: any"},
    {"forward", SKY_API_ANY, false, 0, 0, "URL that uplinks are handed to; null: none"},
    END};

const struct sky_api_param sky_params_capture_body[] = {
    {"name", SKY_API_TEXT, false, 0, SKY_CAPTURE_NAME_MAX, "to know it by"}, END};

const struct sky_api_param sky_params_topology_body[] = {
    {"subDevices", SKY_API_ARRAY, true, 0, 0,
     "all that are to stand behind it: [{\"product\", \"device\"}], or the vendor's words for "
     "that"},
    END};

const struct sky_api_param sky_params_config_body[] = {
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

const struct sky_api_param sky_params_upgrade_query[] = {UPGRADE_WORDS, END};
const struct sky_api_param sky_params_upgrade_body[] = {
    UPGRADE_WORDS,
    {"size", SKY_API_INT, false, 1, SKY_IMAGE_MAX, "of an image whose bytes are made up"},
    {"payloadBase64", SKY_API_TEXT, false, 0, SKY_HTTP_ADMIN_BODY_MAX, "the image itself, instead"},
    END};
const struct sky_api_param sky_params_cancel_query[] = {
    {"module", SKY_API_TEXT, false, 0, 64, "only this one's upgrade; absent: all"}, END};

#define IN_RUN                                                                                     \
    {                                                                                              \
        "run", SKY_API_BOOL, false, 0, 0, "true: of the whole run, not only since the last reset"  \
    }

#define BEFORE_ABOUT                                                                               \
    "only events with a smaller seq; order=desc, and before=SEQ of the last event of a page: the " \
    "page behind it, of older ones"
#define TEXT_ABOUT                                                                                 \
    "only events in which this stands as it is, in any case of ASCII letters: in the device's "    \
    "name, topic, payload, filters, any other text, or the rules that it broke"

#define EVENT_FILTERS                                                                              \
    {"device", SKY_API_DEVICE,                                                                     \
     false,    0,                                                                                  \
     0,        "only what this device did, and what a peer did that claims to be it"},             \
        {"product", SKY_API_PRODUCT, false, 0, 0, "only of devices of this product, cloud/key"},   \
        {"type", SKY_API_TEXT, false, 0, QUERY_TEXT_MAX, "only these types, commas between"},      \
        {"direction", SKY_API_TEXT, false, 0, QUERY_TEXT_MAX, "only up, down or inside"},          \
        {"topic", SKY_API_TEXT,   false,                                                           \
         0,       QUERY_TEXT_MAX, "only topics that match this MQTT filter"},                      \
        {"rule", SKY_API_TEXT, false, 0, QUERY_TEXT_MAX, "only events that broke this rule"},      \
        {"refused", SKY_API_BOOL, false, 0, 0, "true: only what was refused; false: the rest"},    \
        {"text", SKY_API_TEXT, false, 1, SKY_PATTERN_TEXT_MAX, TEXT_ABOUT},                        \
    {                                                                                              \
        "connection", SKY_API_INT, false, 1, UINT32_MAX, "only this connection"                    \
    }

const struct sky_api_param sky_params_verify_body[] = {
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

const struct sky_api_param sky_params_events_query[] = {
    EVENT_FILTERS,
    {"since", SKY_API_INT, false, 0, JSON_INT_MAX, "only events with a greater seq"},
    {"before", SKY_API_INT, false, 1, JSON_INT_MAX, BEFORE_ABOUT},
    {"limit", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "events in one answer; default 100"},
    {"order", SKY_API_TEXT, false, 0, QUERY_TEXT_MAX,
     "asc (default), or desc: the newest `limit` first"},
    {"wait_ms", SKY_API_INT, false, 0, SKY_API_WAIT_MS_MAX,
     "wait so long, in real time, for `count` events; then answer with what there is"},
    {"waitMs", SKY_API_INT, false, 0, SKY_API_WAIT_MS_MAX,
     "the same, as the body of a search has it"},
    {"count", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "how many to wait for; default 1"},
    IN_RUN,
    END};

const struct sky_api_param sky_params_search_body[] = {
    {"event", SKY_API_OBJECT, false, 0, 0, "the pattern of events wanted; default: all"},
    {"since", SKY_API_INT, false, 0, JSON_INT_MAX, "only events with a greater seq"},
    {"before", SKY_API_INT, false, 1, JSON_INT_MAX, BEFORE_ABOUT},
    {"limit", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "events in one answer; default 100"},
    {"order", SKY_API_TEXT, false, 0, 4, "asc (default), or desc: the newest `limit` first"},
    {"waitMs", SKY_API_INT, false, 0, SKY_API_WAIT_MS_MAX,
     "wait so long, in real time, for `count` events; then answer with what there is"},
    {"count", SKY_API_INT, false, 1, SKY_API_PAGE_MAX, "how many to wait for; default 1"},
    {"run", SKY_API_BOOL, false, 0, 0, "of the whole run; default: of the chapter"},
    END};

const struct sky_api_param sky_params_stream_query[] = {
    EVENT_FILTERS,
    {"since", SKY_API_INT, false, 0, JSON_INT_MAX,
     "start behind this seq; default: now. The header Last-Event-ID wins"},
    END};

const struct sky_api_param sky_params_certificate_body[] = {
    {"key", SKY_API_TEXT, false, 0, 3, "ec (default) or rsa"}, END};

const struct sky_api_param sky_params_advance_body[] = {
    {"ms", SKY_API_INT, true, 0, SKY_CLOCK_ADVANCE_MAX_MS, "milliseconds"}, END};
const struct sky_api_param sky_params_set_body[] = {
    {"unixMs", SKY_API_INT, true, 0, SKY_CLOCK_END_MS,
     "milliseconds since 1970, to the end of the year 9999"},
    END};

const struct sky_api_param sky_params_verdicts_query[] = {
    {"device", SKY_API_DEVICE, false, 0, 0,
     "this device, with every rule; absent: all that were seen, with the rules they broke"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only devices of this product, cloud/key"},
    IN_RUN,
    END};
const struct sky_api_param sky_params_report_query[] = {
    {"device", SKY_API_DEVICE, false, 0, 0, "only this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only devices of this product, cloud/key"},
    IN_RUN,
    END};
const struct sky_api_param sky_params_expected_query[] = {
    {"device", SKY_API_DEVICE, false, 0, 0, "only of this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only of this product, cloud/key, and its devices"},
    END};
const struct sky_api_param sky_params_expected_body[] = {
    {"rule", SKY_API_TEXT, false, 0, 63, "id of the rule that is to be broken, or"},
    {"event", SKY_API_OBJECT, false, 0, 0, "the pattern of events that are to come"},
    {"device", SKY_API_DEVICE, false, 0, 0, "by this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "by devices of this product, cloud/key"},
    {"count", SKY_API_OBJECT, false, 0, 0,
     "{\"min\", \"max\"}: how often until the chapter ends; default: once or more"},
    END};
const struct sky_api_param sky_params_fault_body[] = {
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
     "how many milliseconds of virtual time it lasts; default: for good"},
    {"ms", SKY_API_INT, false, 1, SKY_FAULT_DELAY_MAX_MS,
     "of delay and reorder: milliseconds of virtual time"},
    {"times", SKY_API_INT, false, 1, SKY_WIRE_COPIES_MAX,
     "of duplicate: further copies; default 1"},
    {"code", SKY_API_INT, false, 0, 255, "of set: return code, or code of every filter"},
    {"packetId", SKY_API_INT, false, 1, 65535, "of set: number of the packet"},
    {"sessionPresent", SKY_API_BOOL, false, 0, 0, "of set: flag of the CONNACK"},
    {"status", SKY_API_INT, false, 200, 599, "of set: HTTP's, or CoAP's: 404 is 4.04"},
    {"payload", SKY_API_TEXT, false, 0, SKY_FAULT_PAYLOAD_MAX, "of set: another payload, as text"},
    {"merge", SKY_API_OBJECT, false, 0, 0, "of set: members of a JSON payload (RFC 7396)"},
    {"topic", SKY_API_TEXT, false, 0, SKY_FAULT_TOPIC_MAX, "of set: another topic"},
    {"qos", SKY_API_INT, false, 0, 2, "of set: another QoS"},
    {"bytes", SKY_API_INT, false, 1, SKY_MQTT_PACKET_MAX, "of corrupt: how many; default 1"},
    {"at", SKY_API_INT, false, 0, SKY_MQTT_PACKET_MAX,
     "of corrupt: the first of them, absent: by chance; of cut: so many are let through"},
    {"bytesPerS", SKY_API_INT, false, 1, INT32_MAX, "of drip: bytes a second, in real time"},
    {"kind", SKY_API_TEXT, false, 0, 64, "of certificate: expired, unknown-ca, ..."},
    END};
const struct sky_api_param sky_params_reset_body[] = {
    {"device", SKY_API_DEVICE, false, 0, 0, "only this device"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only this product, cloud/key; neither: everything"},
    {"forget", SKY_API_BOOL, false, 0, 0, "take it out of the run as well; default false"},
    END};

const struct sky_api_param sky_params_snapshot_body[] = {
    {"name", SKY_API_TEXT, true, 0, SKY_SNAPSHOT_NAME_MAX,
     "letters, digits and ._- with a letter or digit in front"},
    {"product", SKY_API_PRODUCT, false, 0, 0, "only this product, cloud/key; absent: everything"},
    END};
const struct sky_api_param sky_params_snapshot_query[] = {
    {"product", SKY_API_PRODUCT, false, 0, 0, "of this product, cloud/key"}, END};
const struct sky_api_param sky_params_restore_body[] = {
    {"product", SKY_API_PRODUCT, false, 0, 0, "that of this product, cloud/key"}, END};

const struct sky_api_param sky_params_run_body[] = {
    {"suite", SKY_API_ANY, false, 0, 0, "the name of a built-in one, or a suite itself"},
    {"suites", SKY_API_ARRAY, false, 0, 0, "several of them, instead"},
    {"device", SKY_API_DEVICE, false, 0, 0, "that is put to the test"},
    {"devices", SKY_API_ARRAY, false, 0, 0, "several, side by side, instead"},
    {"case", SKY_API_TEXT, false, 0, 2 * SKY_SUITE_NAME_MAX + 1,
     "only the case of this id, or SUITE/ID"},
    {"cases", SKY_API_ARRAY, false, 0, 0, "only these cases"},
    {"runner", SKY_API_BOOL, false, 0, 0,
     "true: whoever asks follows the run as events, does the commands of `run` steps when it is "
     "told `task`, and says so by `done`; the run stops when its stream goes away"},
    {"setup", SKY_API_BOOL, false, 0, 0, "true: and wants to do something before each case"},
    END};
const struct sky_api_param sky_params_run_done_body[] = {
    {"task", SKY_API_INT, false, 1, JSON_INT_MAX, "number of the task that is done"},
    {"exit", SKY_API_INT, false, 0, 255, "its exit status; default 0"},
    {"reason", SKY_API_TEXT, false, 0, 500, "why it failed"},
    {"note", SKY_API_TEXT, false, 0, 500, "a sentence that is told with the case at work"},
    {"gone", SKY_API_BOOL, false, 0, 0, "true: the device will not come back by itself"},
    END};
