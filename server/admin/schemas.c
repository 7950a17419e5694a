/* The forms of the API's answers: rows of the routes name one, members name others. */
#include "protocol/base/mem.h"
#include "server/admin/api.h"

#define OPTIONAL SKY_API_OPTIONAL
#define NULLABLE SKY_API_NULLABLE
#define LIST SKY_API_LIST
#define MAP SKY_API_MAP
#define CUT SKY_API_CUT

#define X(name, text) "|" text
static const char event_types[] = SKY_EVENT_TYPES(X);
#undef X
static const char severities[] = "info|warning|error";
static const char actions[] = "enforce|report|off";
static const char verdicts[] = "not exercised|passed|warned|failed";

#define CLOCK_TIME                                                                                 \
    {                                                                                              \
        "time", SKY_API_TEXT, 0, NULL, "virtual time, RFC 3339, UTC"                               \
    }
#define REAL_TIME                                                                                  \
    {                                                                                              \
        "realTime", SKY_API_TEXT, 0, NULL, "the machine's time, RFC 3339, UTC"                     \
    }

/* What a device sends to log in. */
#define WAY_IN                                                                                     \
    {"clientId", SKY_API_TEXT, OPTIONAL, NULL, "of the MQTT CONNECT"},                             \
        {"username", SKY_API_TEXT, OPTIONAL, NULL, "of the MQTT CONNECT"},                         \
        {"password", SKY_API_TEXT, OPTIONAL, NULL, "of the MQTT CONNECT"},                         \
        {"pskIdentity", SKY_API_TEXT, OPTIONAL, NULL, "of a TLS connection with a shared key"},    \
        {"pskKeyHex", SKY_API_TEXT, OPTIONAL, NULL, "the shared key, hex"},                        \
        {"httpsPath", SKY_API_TEXT, OPTIONAL, NULL, "where to log in over HTTPS first"},           \
        {"httpsForm", SKY_API_TEXT, OPTIONAL, NULL, "what to post there"},                         \
        {"coapMethod", SKY_API_TEXT, OPTIONAL, NULL, "of the request that logs in over CoAP"},     \
        {"coapPath", SKY_API_TEXT, OPTIONAL, NULL, "of the request that logs in over CoAP"},       \
    {                                                                                              \
        "secretTopic", SKY_API_TEXT, OPTIONAL, NULL, "on which the device's secret comes"          \
    }

/* Bytes are text, or they are not. */
#define PAYLOAD_FORMS                                                                              \
    {"payload", SKY_API_TEXT, OPTIONAL, NULL, "the payload, when it is UTF-8"},                    \
        {"payloadBase64", SKY_API_TEXT, OPTIONAL, NULL, "the payload, when it is not UTF-8"},      \
    {                                                                                              \
        "json", SKY_API_ANY, OPTIONAL, NULL, "the payload, when it is JSON"                        \
    }

#define FORWARDED                                                                                  \
    {"waiting", SKY_API_INT, 0, NULL, "messages that are not taken yet"},                          \
        {"waitingBytes", SKY_API_INT, 0, NULL, "memory that they take"},                           \
        {"taken", SKY_API_INT, 0, NULL, "messages answered with 2xx"},                             \
        {"refused", SKY_API_INT, 0, NULL, "messages refused for good"},                            \
        {"lost", SKY_API_INT, 0, NULL, "messages lost for want of room, or given up"},             \
    {                                                                                              \
        "triesFailed", SKY_API_INT, 0, NULL, "tries of messages that are tried again"              \
    }

#define RULE                                                                                       \
    {"id", SKY_API_TEXT, 0, NULL, "of the rule"},                                                  \
        {"owner", SKY_API_TEXT, 0, NULL, "the cloud or the protocol whose rule it is"},            \
        {"severity", SKY_API_TEXT, 0, severities, "how bad it is to break it"},                    \
        {"statement", SKY_API_TEXT, 0, NULL, "the rule itself"},                                   \
        {"hint", SKY_API_TEXT, 0, NULL, "what to do about a device that breaks it"},               \
    {                                                                                              \
        "source", SKY_API_TEXT, 0, NULL, "where it is written"                                     \
    }

#define VERDICT                                                                                    \
    {"device", SKY_API_TEXT, 0, NULL, "cloud/product/device, or what a stranger can be told by"},  \
        {"registered", SKY_API_BOOL, 0, NULL, "it is a device; false: a stranger"},                \
    {                                                                                              \
        "verdict", SKY_API_TEXT, 0, verdicts, "the worst of its rules"                             \
    }

#define TRAFFIC                                                                                    \
    {"up", SKY_API_OBJECT, 0, "MessageCounts", "from the device"},                                 \
    {                                                                                              \
        "down", SKY_API_OBJECT, 0, "MessageCounts", "to the device"                                \
    }

/* Any field of an event may be there. */
#define FIELD(key, kind) {key, kind, OPTIONAL, NULL, NULL},
#define FIELD_TEXT(name, key) FIELD(key, SKY_API_TEXT)
#define FIELD_HEX(name, key) FIELD(key, SKY_API_TEXT)
#define FIELD_INT(name, key) FIELD(key, SKY_API_INT)
#define FIELD_BOOL(name, key) FIELD(key, SKY_API_BOOL)
#define FIELD_BYTES(name, key) PAYLOAD_FORMS,
#define FIELD_JSON(name, key) {key, SKY_API_OBJECT, FORM_OF_##name, NULL},
#define FORM_OF_FILTERS OPTIONAL | CUT | LIST, "Filter"
#define FORM_OF_EXPLANATION OPTIONAL | CUT, "Explanation"
#define X(name, key, kind) FIELD_##kind(name, key)

#define MEMBERS(...)                                                                               \
    (const struct sky_api_member[])                                                                \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

const struct sky_api_schema sky_api_schemas[] = {
    {"Error", MEMBERS({"error", SKY_API_OBJECT, 0, "Problem", "why there is no other answer"})},
    {"Problem", MEMBERS({"code", SKY_API_TEXT, 0, NULL, "one word, for programs"},
                        {"message", SKY_API_TEXT, 0, NULL, "one sentence, for people"},
                        {"pointer", SKY_API_TEXT, 0, NULL,
                         "JSON pointer into the body; empty: not about a member"})},
    {"Health", MEMBERS({"status", SKY_API_TEXT, 0, "ok", "the server is there"})},
    {"Version",
     MEMBERS({"version", SKY_API_TEXT, 0, NULL, "of the program"},
             {"started", SKY_API_TEXT, 0, NULL,
              "when this process did, in real time, RFC 3339, UTC; another value: another process"},
             {"clouds", SKY_API_OBJECT, LIST, "Cloud", "that it plays"},
             {"listeners", SKY_API_INT, MAP, NULL, "port of each open listener, by its name"})},
    {"Cloud", MEMBERS({"name", SKY_API_TEXT, 0, NULL, "in paths and names of devices"},
                      {"title", SKY_API_TEXT, 0, NULL, "for people"},
                      {"commands", SKY_API_OBJECT, LIST, "CommandKind", "that it has"})},
    {"CommandKind", MEMBERS({"kind", SKY_API_TEXT, 0, NULL, "of POST .../commands"},
                            {"about", SKY_API_TEXT, OPTIONAL, NULL, "what is to be given"})},
    {"Description",
     MEMBERS({"openapi", SKY_API_TEXT, 0, NULL, "version of OpenAPI"},
             {"info", SKY_API_OBJECT, 0, NULL, "title and version"},
             {"security", SKY_API_OBJECT, LIST, NULL, "the token, where the server has one"},
             {"paths", SKY_API_OBJECT, MAP, NULL, "operations, by path and method"},
             {"components", SKY_API_OBJECT, 0, NULL, "schemas, and how the token is sent"})},
    {"Products", MEMBERS({"products", SKY_API_OBJECT, LIST, "Product", "all of them"})},
    {"Product",
     MEMBERS({"cloud", SKY_API_TEXT, 0, NULL, "name of its cloud"},
             {"product", SKY_API_TEXT, 0, NULL, "its key"},
             {"dynamicActivation", SKY_API_BOOL, 0, NULL, "devices may fetch their secrets"},
             {"requireCertificate", SKY_API_BOOL, 0, NULL, "devices need a certificate to log in"},
             {"httpsAuth", SKY_API_BOOL, 0, NULL, "devices may log in over HTTPS first"},
             {"nodeType", SKY_API_TEXT, 0, "device|gateway|sub-device",
              "a sub-device comes by a gateway only"},
             {"config", SKY_API_ANY, OPTIONAL, NULL, "its remote configuration; of one product"},
             {"model", SKY_API_ANY, OPTIONAL, NULL, "its thing model; of one product"},
             {"subProducts", SKY_API_TEXT, LIST | OPTIONAL, NULL,
              "whose devices may stand behind a gateway; of one product"},
             {"forward", SKY_API_TEXT, OPTIONAL, NULL,
              "URL that uplinks are handed to; of one product"},
             {"secret", SKY_API_TEXT, OPTIONAL, NULL, "with `secrets` only"})},
    {"Config", MEMBERS({"version", SKY_API_INT, 0, NULL, "grows with every change"},
                       {"config", SKY_API_ANY, 0, NULL, "any JSON"})},
    {"Model", MEMBERS({"version", SKY_API_INT, 0, NULL, "grows with every change"},
                      {"model", SKY_API_ANY, 0, NULL, "in the vendor's form"})},
    {"Topology",
     MEMBERS({"subDevices", SKY_API_OBJECT, LIST, "SubDevice", "that stand behind the gateway"})},
    {"SubDevice", MEMBERS({"product", SKY_API_TEXT, 0, NULL, "key of its product"},
                          {"device", SKY_API_TEXT, 0, NULL, "its key"},
                          {"online", SKY_API_BOOL, 0, NULL, "by this gateway"})},
    {"Loaded",
     MEMBERS({"productsAdded", SKY_API_INT, 0, NULL, "that were not there"},
             {"productsChanged", SKY_API_INT, 0, NULL, "that were there, and are different now"},
             {"devicesAdded", SKY_API_INT, 0, NULL, "that were not there"},
             {"devicesChanged", SKY_API_INT, 0, NULL, "that were there, and are different now"})},
    {"Captures", MEMBERS({"captures", SKY_API_OBJECT, LIST, "Capture", "oldest first"})},
    {"Capture", MEMBERS({"id", SKY_API_INT, 0, NULL, "in the paths"},
                        {"name", SKY_API_TEXT, NULLABLE, NULL, "as it was given"},
                        {"running", SKY_API_BOOL, 0, NULL, "false: it was stopped"},
                        {"began", SKY_API_TEXT, 0, NULL, "real time, RFC 3339, UTC"},
                        {"packets", SKY_API_INT, 0, NULL, "that were captured"},
                        {"lost", SKY_API_INT, 0, NULL, "of those, the oldest, for want of room"},
                        {"bytes", SKY_API_INT, 0, NULL, "that are held"})},
    {"CaptureBegun", MEMBERS({"id", SKY_API_INT, 0, NULL, "of the capture"})},
    {"Reloaded",
     MEMBERS({"files", SKY_API_INT, 0, NULL, "that were read"},
             {"productsAdded", SKY_API_INT, 0, NULL, "that were not there"},
             {"productsChanged", SKY_API_INT, 0, NULL, "that were there, and are different now"},
             {"devicesAdded", SKY_API_INT, 0, NULL, "that were not there"},
             {"devicesChanged", SKY_API_INT, 0, NULL, "that were there, and are different now"})},
    {"Subscriptions",
     MEMBERS({"online", SKY_API_BOOL, 0, NULL, "it is connected"},
             {"kept", SKY_API_BOOL, 0, NULL, "the session outlives the connection"},
             {"gateway", SKY_API_DEVICE, OPTIONAL, NULL,
              "by which it is online, whose session it is, and of which only filters to this "
              "device's topics are shown"},
             {"since", SKY_API_TEXT, OPTIONAL, NULL, "connected: virtual time, RFC 3339, UTC"},
             {"awaySince", SKY_API_TEXT, OPTIONAL, NULL, "with a session to come back to"},
             {"subscriptions", SKY_API_OBJECT, LIST, "Subscription", "by filter"})},
    {"Subscription", MEMBERS({"filter", SKY_API_TEXT, 0, NULL, "as it was subscribed to"},
                             {"qos", SKY_API_INT, 0, NULL, "that was granted"})},
    {"Devices", MEMBERS({"devices", SKY_API_OBJECT, LIST, "Device", "one page of them"},
                        {"next", SKY_API_DEVICE, NULLABLE, NULL,
                         "`after` of the next page; null: this is the last"})},
    {"Device",
     MEMBERS({"name", SKY_API_DEVICE, 0, NULL, "cloud/product/device"},
             {"cloud", SKY_API_TEXT, 0, NULL, "name of its cloud"},
             {"product", SKY_API_TEXT, 0, NULL, "key of its product"},
             {"device", SKY_API_TEXT, 0, NULL, "its key"},
             {"enabled", SKY_API_BOOL, 0, NULL, "false: every login is refused"},
             {"state", SKY_API_TEXT, 0, "active|inactive", "active once it has logged in"},
             {"secretIssued", SKY_API_BOOL, 0, NULL, "it fetched its secret by activation"},
             {"assetId", SKY_API_TEXT, NULLABLE, NULL, "asset the device belongs to"},
             {"fingerprint", SKY_API_TEXT, NULLABLE, NULL, "SHA-256 of its certificate, hex"},
             {"temporary", SKY_API_BOOL, OPTIONAL, NULL, "it goes with the next reset"},
             {"secret", SKY_API_TEXT, OPTIONAL, NULL, "with `secrets` only"},
             {"oldSecret", SKY_API_TEXT, OPTIONAL | NULLABLE, NULL,
              "before activation gave it the new one"},
             {"online", SKY_API_BOOL, 0, NULL, "it is connected"},
             {"connection", SKY_API_INT, OPTIONAL, NULL, "its connection, as events name it"},
             {"keepAlive", SKY_API_INT, OPTIONAL, NULL,
              "seconds, as it asked for in the CONNECT of its MQTT connection; 0: none"},
             {"gateway", SKY_API_DEVICE, OPTIONAL, NULL, "by which it is online"},
             {"lastSeen", SKY_API_TEXT, NULLABLE, NULL, "virtual time, RFC 3339, UTC"},
             {"published", SKY_API_INT, OPTIONAL, NULL, "messages from it, in its session"},
             {"delivered", SKY_API_INT, OPTIONAL, NULL, "messages to it, in its session"},
             {"subscriptions", SKY_API_INT, OPTIONAL, NULL, "of its session"},
             {"credentials", SKY_API_OBJECT, OPTIONAL, "Credentials",
              "of a new device whose key was made, or that is temporary"})},
    {"Certificate",
     MEMBERS({"certificate", SKY_API_TEXT, 0, NULL, "of the device, PEM"},
             {"key", SKY_API_TEXT, 0, NULL, "its private key, PEM; it is not kept here"},
             {"ca", SKY_API_TEXT, 0, NULL, "the certificate that the device must trust, PEM"},
             {"fingerprint", SKY_API_TEXT, 0, NULL, "SHA-256 of the certificate, hex"})},
    {"Credentials",
     MEMBERS(WAY_IN,
             {"tls", SKY_API_OBJECT, OPTIONAL, "WayIn", "the same for a connection over TLS"},
             {"dynamic", SKY_API_OBJECT, OPTIONAL, "WayIn",
              "to fetch the device's secret, where its product permits that"})},
    {"WayIn", MEMBERS(WAY_IN)},
    {"Sent",
     MEMBERS({"seq", SKY_API_INT, 0, NULL, "of the event"},
             {"receivers", SKY_API_INT, 0, NULL, "how many get it, or will"},
             {"dropped", SKY_API_INT, OPTIONAL, NULL, "how many subscribe and do not get it"},
             {"reason", SKY_API_TEXT, OPTIONAL, NULL, "why the last of them does not"},
             {"online", SKY_API_BOOL, 0, NULL, "the device is connected"})},
    {"Command",
     MEMBERS(
         {"id", SKY_API_TEXT, 0, NULL, "that the command was sent with"},
         {"answered", SKY_API_BOOL, 0, NULL, "the device's answer is here; false: only `seq` is"},
         {"seq", SKY_API_INT, OPTIONAL, NULL, "of the event"},
         {"answerId", SKY_API_TEXT, OPTIONAL, NULL, "that the device answered with, if another"},
         {"topic", SKY_API_TEXT, OPTIONAL, NULL, "of the answer"}, PAYLOAD_FORMS,
         {"elapsedMs", SKY_API_INT, OPTIONAL, NULL, "that the answer took, in real time"})},
    {"Properties", MEMBERS({"version", SKY_API_INT, 0, NULL, "counts changes"},
                           {"properties", SKY_API_OBJECT, 0, NULL,
                            "the latest value of each, as the cloud keeps it"})},
    {"Documents",
     MEMBERS({"documents", SKY_API_OBJECT, LIST, "DocumentName", "all of the device's"})},
    {"DocumentName", MEMBERS({"name", SKY_API_TEXT, 0, NULL, "of the document"},
                             {"version", SKY_API_INT, 0, NULL, "counts changes"})},
    {"Document", MEMBERS({"version", SKY_API_INT, 0, NULL, "counts changes"},
                         {"document", SKY_API_OBJECT, 0, NULL, "as it is stored"})},
    {"Shadow",
     MEMBERS({"state", SKY_API_OBJECT, 0, "ShadowTree", "the values"},
             {"metadata", SKY_API_OBJECT, 0, "ShadowTree", "a timestamp for each value"},
             {"version", SKY_API_INT, 0, NULL, "counts changes"},
             {"timestamp", SKY_API_INT, OPTIONAL, NULL, "of the last change, seconds since 1970"})},
    {"ShadowTree",
     MEMBERS({"reported", SKY_API_OBJECT, OPTIONAL, NULL, "by the device"},
             {"desired", SKY_API_OBJECT, OPTIONAL, NULL, "by the application"},
             {"delta", SKY_API_OBJECT, OPTIONAL, NULL, "desired, and not so reported"})},
    {"Upgrades",
     MEMBERS(
         {"upgrades", SKY_API_OBJECT, LIST, "Upgrade", "the last one of each module"},
         {"versions", SKY_API_TEXT, MAP, NULL, "what each module reported last; may be empty"})},
    {"Upgrade",
     MEMBERS(
         {"module", SKY_API_TEXT, 0, NULL, "that is upgraded"},
         {"reported", SKY_API_TEXT, OPTIONAL, NULL, "the version it reported last"},
         {"version", SKY_API_TEXT, 0, NULL, "to which"},
         {"file", SKY_API_TEXT, 0, NULL, "name of the image, as in its URL"},
         {"md5", SKY_API_TEXT, 0, NULL, "of the image"},
         {"sha256", SKY_API_TEXT, 0, NULL, "of the image"},
         {"step", SKY_API_TEXT, OPTIONAL, NULL, "where the device said it is, in its words"},
         {"code", SKY_API_TEXT, OPTIONAL, NULL, "that the device sent with it"},
         {"desc", SKY_API_TEXT, OPTIONAL, NULL, "likewise"},
         {"reason", SKY_API_TEXT, OPTIONAL, NULL, "why it failed"},
         {"state", SKY_API_TEXT, 0, "queued|notified|in-progress|succeeded|failed|canceled", NULL},
         {"status", SKY_API_TEXT, OPTIONAL, NULL, "the cloud's own name of the state"},
         {"percent", SKY_API_INT, OPTIONAL, NULL, "that the device reported"},
         {"size", SKY_API_INT, 0, NULL, "bytes of the image"},
         {"streamId", SKY_API_INT, OPTIONAL, NULL, "number of an image that goes in messages"},
         {"createdMs", SKY_API_INT, OPTIONAL, NULL, "virtual Unix time, as those that follow"},
         {"notifiedMs", SKY_API_INT, OPTIONAL, NULL, "when the device was told"},
         {"startedMs", SKY_API_INT, OPTIONAL, NULL, "when it reported progress"},
         {"endedMs", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"urlMs", SKY_API_INT, OPTIONAL, NULL, "when the URL was handed out last"},
         {"chunked", SKY_API_BOOL, 0, NULL, "the image goes in messages, not by a URL"},
         {"due", SKY_API_BOOL, 0, NULL, "the device has to be told, or told again"})},
    {"Events",
     MEMBERS({"events", SKY_API_OBJECT, LIST, "Event", "that the filters let through"},
             {"next", SKY_API_INT, 0, NULL, "`since` of the next page"},
             {"first", SKY_API_INT, 0, NULL, "seq of the oldest event there is"},
             {"last", SKY_API_INT, 0, NULL, "seq of the newest event there is"},
             {"lost", SKY_API_INT, 0, NULL, "how many old events there was no room for"})},
    {"Verified",
     MEMBERS({"holds", SKY_API_BOOL, 0, NULL, "is it so?"},
             {"count", SKY_API_INT, 0, NULL, "events that match; of a sequence: steps reached"},
             {"events", SKY_API_INT, LIST, NULL,
              "seq of the first 1000 of them; with withinMs: of those close enough"},
             {"lost", SKY_API_INT, OPTIONAL, NULL,
              "events that it was about and the journal has no room for any more: an absence, or a "
              "`max`, is not known to hold then"},
             {"why", SKY_API_TEXT, OPTIONAL, NULL, "what was different, when it does not hold"},
             {"nearest", SKY_API_OBJECT, LIST | OPTIONAL, "Miss",
              "the three that came nearest: fewest differences first, of equals the newest"})},
    {"Miss", MEMBERS({"seq", SKY_API_INT, 0, NULL, "of the event"},
                     {"differs", SKY_API_OBJECT, LIST, "Difference", "in what: the first 8"})},
    {"Difference",
     MEMBERS({"pointer", SKY_API_TEXT, 0, NULL, "to a member of the pattern, or into the payload"},
             {"wanted", SKY_API_ANY, NULLABLE, NULL, "a value, or what it was to be in words"},
             {"found", SKY_API_ANY, NULLABLE, NULL, "a value, or in words"})},
    {"Event",
     MEMBERS(
         {"seq", SKY_API_INT, 0, NULL, "its number, counted from 1"}, CLOCK_TIME, REAL_TIME,
         {"type", SKY_API_TEXT, 0, event_types + 1, "what happened"},
         {"direction", SKY_API_TEXT, 0, "up|down|inside", "up: from the device, down: to it"},
         {"transport", SKY_API_TEXT, OPTIONAL, "tcp|tls|dtls|http|https|ws|wss", "what carried it"},
         {"connection", SKY_API_INT, OPTIONAL, NULL, "number of the connection"},
         {"device", SKY_API_DEVICE, NULLABLE, NULL, "that it is proven to be; null: none"},
         SKY_EVENT_FIELDS(X){"cut", SKY_API_BOOL, OPTIONAL, NULL,
                             "a member was longer than is kept"},
         {"findings", SKY_API_OBJECT, LIST, "Finding", "the rules it broke"},
         {"findingsLost", SKY_API_INT, OPTIONAL, NULL, "how many more there was no room for"},
         {"refused", SKY_API_TEXT, OPTIONAL, NULL, "id of the rule for which it was refused"})},
    {"Filter", MEMBERS({"filter", SKY_API_TEXT, 0, NULL, "of topics"},
                       {"qos", SKY_API_INT, OPTIONAL, NULL, "that was asked for"},
                       {"code", SKY_API_INT, OPTIONAL, NULL, "of the SUBACK"})},
    {"Explanation",
     MEMBERS({"mistake", SKY_API_TEXT, OPTIONAL, NULL, "that was recognised"},
             {"secondMistake", SKY_API_TEXT, OPTIONAL, NULL, "made beside it"},
             {"what", SKY_API_TEXT, OPTIONAL, NULL, "the device did"},
             {"hint", SKY_API_TEXT, OPTIONAL, NULL, "what to do about it"},
             {"signedText", SKY_API_TEXT, OPTIONAL, NULL, "that was due to be signed"},
             {"sentText", SKY_API_TEXT, OPTIONAL, NULL, "that the device signed in its place"},
             {"expectedPrefix", SKY_API_TEXT, OPTIONAL, NULL, "how the right signature begins"},
             {"rule", SKY_API_TEXT, OPTIONAL, NULL, "id of the rule that was broken"},
             {"similar", SKY_API_TEXT, OPTIONAL, NULL, "what is registered under similar names"},
             {"note", SKY_API_TEXT, OPTIONAL, NULL, "what the explanation lacks"})},
    {"Finding",
     MEMBERS({"rule", SKY_API_TEXT, 0, NULL, "its id"},
             {"severity", SKY_API_TEXT, OPTIONAL, severities, "how bad it is to break it"},
             {"statement", SKY_API_TEXT, OPTIONAL, NULL, "the rule itself"},
             {"hint", SKY_API_TEXT, OPTIONAL, NULL, "what to do about it"},
             {"source", SKY_API_TEXT, OPTIONAL, NULL, "where it is written"},
             {"detail", SKY_API_TEXT, 0, NULL, "what the device did"},
             {"action", SKY_API_TEXT, 0, actions, "what was done about it"})},
    {"Clock",
     MEMBERS(CLOCK_TIME, {"unixMs", SKY_API_INT, 0, NULL, "the same, milliseconds since 1970"},
             REAL_TIME, {"realUnixMs", SKY_API_INT, 0, NULL, "the same, milliseconds since 1970"},
             {"frozen", SKY_API_BOOL, 0, NULL, "virtual time stands still"})},
    {"Forwarding",
     MEMBERS(FORWARDED, {"targets", SKY_API_OBJECT, LIST, "ForwardTarget", "the latest of them"})},
    {"ForwardTarget",
     MEMBERS({"url", SKY_API_TEXT, 0, NULL, "without user name, password and query"}, FORWARDED,
             {"failing", SKY_API_BOOL, 0, NULL, "something waits that it did not take"},
             {"reason", SKY_API_TEXT, OPTIONAL, NULL, "why the last message was not taken"})},
    {"Rules", MEMBERS({"rules", SKY_API_OBJECT, LIST, "Rule", "all of them"})},
    {"Rule", MEMBERS(RULE, {"action", SKY_API_TEXT, 0, actions, "what is done when it is broken"})},
    {"Verdicts",
     MEMBERS({"devices", SKY_API_OBJECT, LIST, "Verdict", "devices, and who claimed to be one"},
             {"verdict", SKY_API_TEXT, 0, verdicts, "the worst of them"},
             {"lost", SKY_API_INT, OPTIONAL, NULL, "how many more there was no room for"})},
    {"Report",
     MEMBERS(
         {"format", SKY_API_INT, 0, NULL, "of this document: 1"},
         {"run", SKY_API_OBJECT, 0, "ReportRun", "what the report is about"},
         {"verdict", SKY_API_TEXT, 0, verdicts, "the worst of the devices"},
         {"devicesBy", SKY_API_OBJECT, 0, "VerdictCounts", "how many devices"},
         {"rulesBy", SKY_API_OBJECT, 0, "VerdictCounts", "how many rules, of all devices"},
         {"lost", SKY_API_INT, 0, NULL, "strangers that there was no room for"},
         {"expected", SKY_API_OBJECT, LIST, "Expectation", "of this chapter"},
         {"suites", SKY_API_OBJECT, LIST, "SuiteRun", "runs of suites, with these devices"},
         {"devices", SKY_API_OBJECT, LIST, "ReportDevice", "devices, and who claimed to be one"})},
    {"ReportRun",
     MEMBERS({"version", SKY_API_TEXT, 0, NULL, "of the program"},
             {"profile", SKY_API_TEXT, 0, "seed|current", "of the rules"},
             {"seed", SKY_API_INT, NULLABLE, NULL, "of chance, when one was given"},
             {"scope", SKY_API_TEXT, 0, NULL, "a device or product; empty: everybody"},
             {"whole", SKY_API_BOOL, 0, NULL, "the whole run; false: since the last reset"},
             {"started", SKY_API_TEXT, 0, NULL, "the machine's time at the start, RFC 3339, UTC"},
             {"ended", SKY_API_TEXT, 0, NULL, "the machine's time of the report, RFC 3339, UTC"},
             CLOCK_TIME, {"events", SKY_API_INT, 0, NULL, "of these devices, that can be read"},
             {"eventsLost", SKY_API_INT, 0, NULL, "old events there was no room for"})},
    {"VerdictCounts",
     MEMBERS({"notExercised", SKY_API_INT, 0, NULL, NULL}, {"passed", SKY_API_INT, 0, NULL, NULL},
             {"warned", SKY_API_INT, 0, NULL, NULL}, {"failed", SKY_API_INT, 0, NULL, NULL})},
    {"ReportDevice",
     MEMBERS(VERDICT,
             {"cloud", SKY_API_TEXT, OPTIONAL, NULL, "name of its cloud, when it is known"},
             {"rulesBy", SKY_API_OBJECT, 0, "VerdictCounts", "how many of the rules told of it"},
             {"events", SKY_API_INT, 0, NULL, "of its own, that can be read"},
             {"notExercised", SKY_API_TEXT, LIST, NULL, "ids of rules that nothing touched"},
             {"rules", SKY_API_OBJECT, LIST, "RuleVerdict", "all others that speak of it"},
             {"profile", SKY_API_OBJECT, OPTIONAL, "Profile",
              "how it behaves; absent: it was never heard of"})},
    {"Verdict",
     MEMBERS(VERDICT,
             {"rules", SKY_API_OBJECT, LIST, "RuleVerdict", "that it broke; of one device: all"},
             {"profile", SKY_API_OBJECT, OPTIONAL, "Profile", "how it behaves; of one device"})},
    {"RuleVerdict",
     MEMBERS(
         RULE, {"verdict", SKY_API_TEXT, 0, verdicts, "what the device made of it"},
         {"detail", SKY_API_TEXT, OPTIONAL, NULL, "what it did; with the rest only if it broke it"},
         {"mistake", SKY_API_TEXT, OPTIONAL, NULL, "the mistake that was recognised"},
         {"what", SKY_API_TEXT, OPTIONAL, NULL, "the device did, in the words of the mistake"},
         {"explanation", SKY_API_OBJECT, OPTIONAL, "Explanation", "of the newest event"},
         {"refused", SKY_API_BOOL, OPTIONAL, NULL, "it was turned away for it"},
         {"count", SKY_API_INT, OPTIONAL, NULL, "how often"},
         {"events", SKY_API_INT, LIST | OPTIONAL, NULL,
          "seq of the first and last that prove it"})},
    {"Profile",
     MEMBERS(
         {"observedMs", SKY_API_INT, 0, NULL, "virtual time between its first act and its last"},
         {"connects", SKY_API_OBJECT, OPTIONAL, "Connects", "its logins over MQTT"},
         {"keepAlive", SKY_API_OBJECT, OPTIONAL, "KeepAlive", "of these connections"},
         {"reconnects", SKY_API_OBJECT, OPTIONAL, "Reconnects", "how it comes back"},
         {"duplicates", SKY_API_OBJECT, 0, "Duplicates", "what it sent more than once"},
         {"messages", SKY_API_OBJECT, 0, "Messages", "from it and to it"},
         {"topics", SKY_API_OBJECT, LIST, "TopicTraffic", "the first 32"},
         {"otherTopics", SKY_API_OBJECT, 0, "Traffic", "all others together"},
         {"subscriptions", SKY_API_OBJECT, 0, "FilterCounts", "that it asked for"},
         {"handshakes", SKY_API_OBJECT, 0, "Handshakes", "TLS and DTLS"},
         {"httpLogins", SKY_API_OBJECT, 0, "HttpLogins", "calls in its name"},
         {"commands", SKY_API_OBJECT, 0, "CommandTimes", "to it"})},
    {"Connects", MEMBERS({"count", SKY_API_INT, 0, NULL, "all of them"},
                         {"refused", SKY_API_INT, 0, NULL, "that the cloud turned away"},
                         {"clean", SKY_API_INT, 0, NULL, "let in, with clean session 1"},
                         {"kept", SKY_API_INT, 0, NULL, "let in, with clean session 0"})},
    {"KeepAlive",
     MEMBERS({"asked", SKY_API_INT, 0, NULL, "seconds, at the last login"},
             {"longestSilenceMs", SKY_API_INT, 0, NULL, "virtual time between two packets"},
             {"late", SKY_API_INT, 0, NULL, "silences longer than it"},
             {"missed", SKY_API_INT, 0, NULL, "silences of 1.5 times it"})},
    {"Reconnects",
     MEMBERS({"count", SKY_API_INT, 0, NULL, "intervals that were seen"},
             {"class", SKY_API_TEXT, 0, "none|constant|linear|exponential|exponential-jitter",
              "how the intervals grow; none: fewer than 3, or no order in them"},
             {"intervalsMs", SKY_API_INT, LIST, NULL,
              "from the end of a connection to the next CONNECT, in virtual time: the last 32; "
              "of equal ones in a row the first"})},
    {"Duplicates",
     MEMBERS({"resent", SKY_API_INT, 0, NULL, "publishes with DUP"},
             {"idsReused", SKY_API_INT, 0, NULL,
              "publishes without it, under a packet id that was not acknowledged"},
             {"retransmitted", SKY_API_INT, 0, NULL, "CoAP messages that had come before"})},
    {"Messages", MEMBERS(TRAFFIC, {"qosUp", SKY_API_INT, LIST, NULL, "messages with QoS 0, 1, 2"},
                         {"qosDown", SKY_API_INT, LIST, NULL, "messages with QoS 0, 1, 2"})},
    {"TopicTraffic", MEMBERS({"topic", SKY_API_TEXT, 0, NULL, "as it was published to"}, TRAFFIC)},
    {"Traffic", MEMBERS(TRAFFIC)},
    {"MessageCounts", MEMBERS({"messages", SKY_API_INT, 0, NULL, "how many"},
                              {"bytes", SKY_API_INT, 0, NULL, "of their payloads"})},
    {"FilterCounts", MEMBERS({"filters", SKY_API_INT, 0, NULL, "in its SUBSCRIBE packets"},
                             {"refused", SKY_API_INT, 0, NULL, "answered with 0x80"},
                             {"ended", SKY_API_INT, 0, NULL, "UNSUBSCRIBE packets"})},
    {"Handshakes", MEMBERS({"full", SKY_API_INT, 0, NULL, "with keys exchanged"},
                           {"resumed", SKY_API_INT, 0, NULL, "with a session ticket"},
                           {"failed", SKY_API_INT, 0, NULL, "that are known to be its own"},
                           {"kinds", SKY_API_OBJECT, LIST, "Handshake", "at most 4"})},
    {"Handshake", MEMBERS({"kind", SKY_API_TEXT, 0, "tls|tls-psk|dtls", "what it is"},
                          {"version", SKY_API_TEXT, 0, NULL, "of the protocol"},
                          {"cipher", SKY_API_TEXT, 0, NULL, "suite"},
                          {"full", SKY_API_INT, 0, NULL, "with keys exchanged"},
                          {"resumed", SKY_API_INT, 0, NULL, "with a session ticket"},
                          {"longestMs", SKY_API_INT, OPTIONAL, NULL, "real time that one took"})},
    {"HttpLogins", MEMBERS({"count", SKY_API_INT, 0, NULL, "all of them"},
                           {"refused", SKY_API_INT, 0, NULL, "that were turned away"})},
    {"CommandTimes", MEMBERS({"sent", SKY_API_INT, 0, NULL, "to the device"},
                             {"answered", SKY_API_INT, 0, NULL, "with the id of one of the last 8"},
                             {"shortestMs", SKY_API_INT, OPTIONAL, NULL,
                              "virtual time to an answer, of the last 16"},
                             {"medianMs", SKY_API_INT, OPTIONAL, NULL, "the same in the middle"},
                             {"longestMs", SKY_API_INT, OPTIONAL, NULL, "the longest"})},
    {"Expectations", MEMBERS({"expected", SKY_API_OBJECT, LIST, "Expectation", "of this chapter"})},
    {"Expectation",
     MEMBERS({"id", SKY_API_INT, 0, NULL, "under which it is dropped"},
             {"rule", SKY_API_TEXT, OPTIONAL, NULL, "id of the rule that is to be broken, or"},
             {"event", SKY_API_OBJECT, OPTIONAL, NULL, "the pattern of events that are to come"},
             {"device", SKY_API_DEVICE, OPTIONAL, NULL, "by this device"},
             {"product", SKY_API_PRODUCT, OPTIONAL, NULL, "by devices of this product"},
             {"count", SKY_API_OBJECT, 0, "Bounds", "how often"},
             {"came", SKY_API_INT, 0, NULL, "how often it came so far"})},
    {"Bounds",
     MEMBERS({"min", SKY_API_INT, 0, NULL, "so often at least"},
             {"max", SKY_API_INT, OPTIONAL, NULL, "so often at most; absent: any number"})},
    {"Snapshots", MEMBERS({"snapshots", SKY_API_OBJECT, LIST, "Snapshot", "in order of time"})},
    {"Snapshot",
     MEMBERS({"name", SKY_API_TEXT, 0, NULL, "one of its product"},
             {"product", SKY_API_PRODUCT, OPTIONAL, NULL, "all it holds; absent: everything"},
             {"created", SKY_API_TEXT, 0, NULL, "the machine's time, RFC 3339, UTC"}, CLOCK_TIME,
             {"unixMs", SKY_API_INT, 0, NULL, "virtual time, milliseconds since 1970"},
             {"frozen", SKY_API_BOOL, 0, NULL, "virtual time stood still"},
             {"devices", SKY_API_INT, 0, NULL, "that it holds; temporary ones are not held"},
             {"bytes", SKY_API_INT, 0, NULL, "that it takes"})},
    {"Expected", MEMBERS({"id", SKY_API_INT, 0, NULL, "under which it is dropped"})},
    {"Faults", MEMBERS({"faults", SKY_API_OBJECT, LIST, "Fault", "in the order of their making"})},
    {"Fault",
     MEMBERS(
         {"id", SKY_API_INT, 0, NULL, "under which it is ended"},
         {"point", SKY_API_TEXT, 0, NULL, "where"},
         {"action", SKY_API_TEXT, 0, NULL, "what; its arguments stand beside it"},
         {"name", SKY_API_TEXT, OPTIONAL, NULL, NULL},
         {"device", SKY_API_DEVICE, OPTIONAL, NULL, "only what is this device's"},
         {"product", SKY_API_PRODUCT, OPTIONAL, NULL, "only what is this product's devices'"},
         {"match", SKY_API_OBJECT, OPTIONAL, NULL, "a pattern"},
         {"skip", SKY_API_INT, OPTIONAL, NULL, "so many pass first"},
         {"count", SKY_API_INT, OPTIONAL, NULL, "it happens so often; absent: always"},
         {"probability", SKY_API_ANY, OPTIONAL, NULL, "how likely it happens"},
         {"seed", SKY_API_INT, 0, NULL, "of its chance"},
         {"forMs", SKY_API_INT, OPTIONAL, NULL, "of virtual time"},
         {"ms", SKY_API_INT, OPTIONAL, NULL, NULL}, {"times", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"code", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"packetId", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"sessionPresent", SKY_API_BOOL, OPTIONAL, NULL, NULL},
         {"status", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"payload", SKY_API_TEXT, OPTIONAL, NULL, NULL},
         {"merge", SKY_API_OBJECT, OPTIONAL, NULL, NULL},
         {"topic", SKY_API_TEXT, OPTIONAL, NULL, NULL}, {"qos", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"bytes", SKY_API_INT, OPTIONAL, NULL, NULL}, {"at", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"bytesPerS", SKY_API_INT, OPTIONAL, NULL, NULL},
         {"kind", SKY_API_TEXT, OPTIONAL, NULL, NULL},
         {"fired", SKY_API_INT, 0, NULL, "how often it happened"},
         {"spent", SKY_API_BOOL, 0, NULL, "it happens no more"})},
    {"FaultPoints",
     MEMBERS({"points", SKY_API_OBJECT, LIST, "FaultPoint", "where faults can be put"},
             {"arguments", SKY_API_OBJECT, LIST, "FaultArgument", "beside point and action"},
             {"certificates", SKY_API_TEXT, LIST, NULL, "what `kind` of certificate can be"})},
    {"FaultPoint",
     MEMBERS({"point", SKY_API_TEXT, 0, NULL, "its name"},
             {"direction", SKY_API_TEXT, 0, "up|down|inside", "of what passes there"},
             {"actions", SKY_API_TEXT, LIST, NULL, "that can be done there"},
             {"fields", SKY_API_TEXT, LIST, NULL, "that `set` can change there"},
             {"refusals", SKY_API_TEXT, MAP, NULL, "why the other actions cannot be done there"})},
    {"FaultArgument",
     MEMBERS({"name", SKY_API_TEXT, 0, NULL, "of the member; it may come twice, for other actions"},
             {"kind", SKY_API_TEXT, 0, "text|integer|number|boolean|object", NULL},
             {"actions", SKY_API_TEXT, LIST, NULL, "that take it"},
             {"required", SKY_API_BOOL, 0, NULL, "these actions are refused without it"},
             {"min", SKY_API_INT, OPTIONAL, NULL, "of the number; of a text: bytes"},
             {"max", SKY_API_INT, OPTIONAL, NULL, "likewise"},
             {"about", SKY_API_TEXT, 0, NULL, "what it is, and in which unit and time"})},
    {"FaultMade", MEMBERS({"id", SKY_API_INT, 0, NULL, "under which it is ended"})},
    {"Suites", MEMBERS({"suites", SKY_API_OBJECT, LIST, "SuiteSummary", "by name"})},
    {"SuiteSummary",
     MEMBERS({"suite", SKY_API_TEXT, 0, NULL, "its name"}, {"title", SKY_API_TEXT, 0, NULL, NULL},
             {"suites", SKY_API_TEXT, LIST, NULL, "that it is made of, if it has no cases"},
             {"cases", SKY_API_OBJECT, LIST, "SuiteCase", NULL})},
    {"SuiteCase",
     MEMBERS({"case", SKY_API_TEXT, 0, NULL, "its id"}, {"title", SKY_API_TEXT, 0, NULL, NULL},
             {"source", SKY_API_TEXT, 0, NULL, "the clause or document behind it"})},
    {"Suite", MEMBERS({"$schema", SKY_API_TEXT, OPTIONAL, NULL, "for editors"},
                      {"suite", SKY_API_TEXT, 0, NULL, "its name"},
                      {"title", SKY_API_TEXT, OPTIONAL, NULL, NULL},
                      {"about", SKY_API_TEXT, OPTIONAL, NULL, NULL},
                      {"fits", SKY_API_ANY, OPTIONAL, NULL, "which devices it is for"},
                      {"suites", SKY_API_TEXT, OPTIONAL | LIST, NULL, "that it is made of"},
                      {"cases", SKY_API_ANY, OPTIONAL | LIST, NULL, "with their steps"})},
    {"SuiteRunBegun", MEMBERS({"id", SKY_API_TEXT, 0, NULL, "of the run"})},
    {"SuiteRuns", MEMBERS({"runs", SKY_API_OBJECT, LIST, "SuiteRunHead", "oldest first"})},
#define RUN_MEMBERS                                                                                \
    {"format", SKY_API_INT, 0, NULL, "1"}, {"id", SKY_API_TEXT, 0, NULL, NULL},                    \
        {"runner", SKY_API_BOOL, 0, NULL, "somebody does the commands of its steps"},              \
        {"state", SKY_API_TEXT, 0, "running|ended|stopped", NULL},                                 \
        {"interrupted", SKY_API_TEXT, OPTIONAL, NULL, "why it was stopped"},                       \
        {"started", SKY_API_TEXT, 0, NULL, "the machine's time, RFC 3339, UTC"},                   \
        {"startedUnixMs", SKY_API_INT, 0, NULL, NULL},                                             \
        {"ms", SKY_API_INT, 0, NULL, "real time it took"},                                         \
        {"verdict", SKY_API_TEXT, 0, "passed|warned|not exercised|failed", NULL},                  \
        {"counts", SKY_API_OBJECT, 0, "SuiteCounts", "of cases"},                                  \
        {"devices", SKY_API_DEVICE, LIST, NULL, NULL},                                             \
    {                                                                                              \
        "suites", SKY_API_OBJECT, LIST, "SuiteHead", NULL                                          \
    }
    {"SuiteRunHead", MEMBERS(RUN_MEMBERS)},
    {"SuiteRun", MEMBERS(RUN_MEMBERS, {"cases", SKY_API_OBJECT, LIST, "SuiteResult", NULL})},
    {"SuiteHead",
     MEMBERS({"suite", SKY_API_TEXT, 0, NULL, NULL}, {"title", SKY_API_TEXT, 0, NULL, NULL})},
    {"SuiteCounts",
     MEMBERS({"passed", SKY_API_INT, 0, NULL, NULL}, {"warned", SKY_API_INT, 0, NULL, NULL},
             {"notExercised", SKY_API_INT, 0, NULL, NULL}, {"failed", SKY_API_INT, 0, NULL, NULL})},
    {"SuiteResult",
     MEMBERS({"suite", SKY_API_TEXT, 0, NULL, NULL}, {"case", SKY_API_TEXT, 0, NULL, NULL},
             {"title", SKY_API_TEXT, 0, NULL, NULL}, {"source", SKY_API_TEXT, 0, NULL, NULL},
             {"device", SKY_API_DEVICE, 0, NULL, NULL},
             {"state", SKY_API_TEXT, 0, "waiting|running|ended|stopped|left",
              "left: it does not fit the device"},
             {"verdict", SKY_API_TEXT, OPTIONAL, "passed|warned|not exercised|failed", NULL},
             {"ms", SKY_API_INT, OPTIONAL, NULL, "real time it took"},
             {"since", SKY_API_INT, OPTIONAL, NULL, "the last event before its first step"},
             {"reason", SKY_API_TEXT, OPTIONAL, NULL, "in a sentence"},
             {"waits", SKY_API_TEXT, OPTIONAL, NULL, "what for, before its first step"},
             {"step", SKY_API_OBJECT, OPTIONAL, "SuiteStep", "that is at work, or decided"},
             {"events", SKY_API_INT, OPTIONAL | LIST, NULL, "that show it"},
             {"measures", SKY_API_ANY, OPTIONAL | LIST, NULL, "figures with their grades"},
             {"notes", SKY_API_TEXT, OPTIONAL | LIST, NULL, "what else happened"})},
    {"SuiteStep",
     MEMBERS({"index", SKY_API_INT, 0, NULL, "0: the first"}, {"name", SKY_API_TEXT, 0, NULL, NULL},
             {"text", SKY_API_TEXT, 0, NULL, NULL})},
};
#undef RUN_MEMBERS

#undef X

const size_t sky_api_schema_count = SKY_COUNT(sky_api_schemas);
