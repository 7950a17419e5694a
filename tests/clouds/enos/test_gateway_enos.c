/* A gateway's topology, its registrations, and how devices behind it come online and go. */
#include "tests/unit/cloud/gateway_case.h"

#include <stdlib.h>

#include "auth/explain.h"
#include "protocol/cloud/enos/services.h"

#define TOPO "/sys/gw/g1/thing/topo/"
#define COMBINE "/ext/session/gw/g1/combine/"
#define REGISTER "/sys/gw/g1/thing/device/register"
#define REQUEST(method, params)                                                                    \
    "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params ",\"method\":\"" method "\"}"
#define OK_REPLY "{\"id\":\"1\",\"code\":200,\"data\":{}}"
#define SAYS(code, text, data)                                                                     \
    "{\"id\":\"1\",\"code\":" code ",\"message\":\"" text "\",\"data\":" data "}"
#define FAILS(code, text) SAYS(code, text, "{}")
#define NO_LISTS "{\"loginedSubDevices\":[],\"failedSubDevices\":[]}"
#define KEYS(pk, dk) "{\"productKey\":\"" pk "\",\"deviceKey\":\"" dk "\"}"
#define NAMED(pk, dk) "\"productKey\":\"" pk "\",\"deviceKey\":\"" dk "\""
#define FAILED(pk, dk) "{\"deviceKey\":\"" dk "\",\"productKey\":\"" pk "\"}"

/* Who they are is in their keys. */
enum { FREE = 1, BOUND, ONLINE, OTHERS, LOCKED, BARRED, NODE, ACTIVE_ONE, STATIC_ONE, CERT };
static const struct gateway_device devices[] = {
    {"subPk001", "subDk001", "SubSecret0000000001", "ProdSecret000000001", .dynamic = true},
    {"pk", "bound", "s", "p", .dynamic = true, .bound = true},
    {"pk", "online", "s", "p", .bound = true, .online = true},
    {"pk", "others", "s", "p", .bound = true, .bound_elsewhere = true, .online_elsewhere = true},
    {"pk", "locked", "s", "p", .bound = true, .disabled = true},
    {"barred", "b", "s", "p", .disallowed = true},
    {"gateways", "g2", "s", "p", .node = SKY_NODE_GATEWAY},
    {"pk", "active", "s", "p", .dynamic = true, .bound = true},
    {"static", "d", "s", "p", .bound = true},
    {"cert", "c", "s", "p", .bound = true},
};

/* What every SDK signs for the first of them: see fixtures/enos/vectors/sub-device.json. */
#define J_SIGN "78457018209ff8874f41f63c4854893b1c1207175480460e27f7878900527d1f"
#define J_SHA1 "8dd1f9f36b5a6a24cb5e2cfc1139b62704a1b7c7"
#define J_MD5 "202d399e4778568cf4dab54c2fb43c39"
#define J_PRODUCT "97e73c357b978765048308a2074ae8c00dc54852517845c06c1ed0d8c90cc8bf"
#define N_SIGN "91F47496F10E8957553AFA4FE5584153AF6915C56C03EAF4940FB18B45A3EA8B"
#define C_SIGN "F5393290B7CDCC5CDFEAD971D5944CBA1773BA95062A4B6A37623DCC53EDF581"
#define C_DOC_SIGN "A2FD49FDF358D6BABCD455E563E358F086FA30F8D48CFC355C1903F04D95A8B1"
#define C_TOPO "8CE2C7F438C6570CE3727C7AE077342E746A98A138AB3766E3A1F2501F4FBE31"
#define J_BATCH "33cee668877ba7ecb39b5bc54715ec70e821d9b5e601375f47e972d2df169b4e"
#define P_BATCH "0ca605e65387ef2e36558348107277d6b8c865ffcc0bb0156f9eec5fa950dc33"
/* The hash of clientIdc, deviceKey, productKey, timestamp1 and the secret "s"; of the product's,
 * "p". */
#define BOUND_SIGN "51eeea4a0b4d6f82ca4da43d5e53406e505dcfc9a070c129a36ca0a130440d35"
#define BOUND_PRODUCT "fd37fd4728446add8dbf0671db1e9d0a00637afc93300409aed788a8a53342a9"
#define ONLINE_SIGN "5071e8a9554f72879f192ad10066a966a07e0e4295c5fcd37307443a8aecff7f"
#define OTHERS_SIGN "8602e35b42d01558d2318330dbdc56b7473168e51490b2b1409af2c4b712beb4"
#define LOCKED_SIGN "bfe1c77c2250f4e56bf92e4db786e92fd72ee503be024201fc60aa8f01abdba9"
#define ACTIVE_PRODUCT "c8d5d6bfd4225933c84f71d446d749e2a97e35abf0bad9673c9be850e4118039"
#define STATIC_PRODUCT "c4dc2dde9f87213b96c8f173c0f5bf696afe39841395c9d7d3750e66387648ca"
#define CERT_SIGN "ae301dfa7cb1b624063decbd2b8bf926bb020e77cd89bb9d5e11e1d8df650458"

#define SUB                                                                                        \
    "{" NAMED(                                                                                     \
        "subPk001",                                                                                \
        "subDk001") ",\"clientId\":\"subPk001.subDk001.1564988853275\","                           \
                    "\"timestamp\":\"1564988853275\",\"signMethod\":\"sha256\",\"sign\":\"" J_SIGN \
                    "\"}"

#define LOGIN(pk, dk, sign, more)                                                                  \
    "{" NAMED(                                                                                     \
        pk,                                                                                        \
        dk) ",\"clientId\":\"c\",\"timestamp\":\"1\",\"signMethod\":\"sha256\",\"sign\":\"" sign   \
            "\"" more "}"

#define ADD_ROW(params_)                                                                           \
    .service = &sky_enos_topo_add, .topic = TOPO "add",                                            \
    .payload = REQUEST("thing.topo.add", params_), .reply_topic = TOPO "add_reply"
#define DELETE_ROW(params_)                                                                        \
    .service = &sky_enos_topo_delete, .topic = TOPO "delete",                                      \
    .payload = REQUEST("thing.topo.delete", params_), .reply_topic = TOPO "delete_reply"

#define BEHIND                                                                                     \
    FAILED("pk", "bound")                                                                          \
    "," FAILED("pk", "online") "," FAILED("pk", "others") "," FAILED("pk", "locked") "," FAILED(   \
        "pk", "active") "," FAILED("static", "d") "," FAILED("cert", "c")

static const struct gateway_case topo_cases[] = {
    {.name = "a device is added", ADD_ROW("[" SUB "]"), .reply = OK_REPLY, .did = "bind 1"},
    {.name = "as the C SDK signs it",
     ADD_ROW("[{" NAMED("subPk001",
                        "subDk001") ",\"clientId\":\"subPk001.subDk001\",\"timestamp\":"
                                    "\"123456\",\"signmethod\":\"hmacSha256\",\"sign\":\"" C_TOPO
                                    "\"}]"),
     .reply = OK_REPLY,
     .did = "bind 1"},
    {.name = "or with the product's secret",
     ADD_ROW("[{" NAMED("subPk001", "subDk001") ",\"clientId\":\"subPk001.subDk001.1564988853275\","
                                                "\"timestamp\":\"1564988853275\",\"signMethod\":"
                                                "\"sha256\",\"sign\":\"" J_PRODUCT "\"}]"),
     .reply = OK_REPLY,
     .did = "bind 1"},
    {.name = "742: the product's secret, where it activates nobody",
     ADD_ROW("[" LOGIN("static", "d", STATIC_PRODUCT, "") "]"),
     .reply = FAILS("742", "static&d:the signature is wrong;"),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN",
     .suspected = true},
    {.name = "742: also when it says so",
     ADD_ROW("[" LOGIN("static", "d", STATIC_PRODUCT, ",\"secureMode\":\"3\"") "]"),
     .reply = FAILS("742", "static&d:the signature is wrong;"),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN",
     .suspected = true},
    {.name = "742: a wrong signature",
     ADD_ROW("[{" NAMED("subPk001", "subDk001") ",\"clientId\":\"x\",\"timestamp\":\"1\","
                                                "\"signMethod\":\"sha256\",\"sign\":\"" J_SIGN
                                                "\"}]"),
     .reply = FAILS("742", "subPk001&subDk001:the signature is wrong;"),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN",
     .suspected = true},
    {.name = "742: a method that nobody has",
     ADD_ROW("[{" NAMED("subPk001", "subDk001") ",\"clientId\":\"x\",\"timestamp\":\"1\","
                                                "\"signMethod\":\"crc32\",\"sign\":\"" J_SIGN
                                                "\"}]"),
     .reply = FAILS("742", "subPk001&subDk001:the signature is wrong;"),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN"},
    {.name = "1255: one that does not exist fails the call",
     ADD_ROW("[" SUB ",{" NAMED("pk", "nobody") "}]"),
     .reply = FAILS("1255", "pk&nobody:the device does not exist;"),
     .rule = "ENOS-SUB-KNOWN"},
    {.name = "1255: a gateway",
     ADD_ROW("[{" NAMED("gateways", "g2") "}]"),
     .reply = FAILS("1255", "gateways&g2:the device is itself a gateway;"),
     .rule = "ENOS-SUB-ALLOWED"},
    {.name = "1255: of a product that may not",
     ADD_ROW("[{" NAMED("barred", "b") "}]"),
     .reply = FAILS("1255", "barred&b:the device may not be added to the gateway;"),
     .rule = "ENOS-SUB-ALLOWED"},
    {.name = "1255: no list",
     ADD_ROW("{}"),
     .reply = FAILS("1255", "Add topo failed"),
     .rule = "ENOS-PARAMS"},
    {.name = "1255: no key",
     ADD_ROW("[{\"productKey\":\"pk\"}]"),
     .reply = FAILS("1255", "Add topo failed"),
     .rule = "ENOS-PARAMS"},
    {.name = "nobody is added", ADD_ROW("[]"), .reply = OK_REPLY},
    {.name = "a device is removed",
     DELETE_ROW("[" KEYS("pk", "bound") "]"),
     .reply = OK_REPLY,
     .did = "unbind 2"},
    {.name = "1256: one that is online is not",
     DELETE_ROW("[" KEYS("pk", "online") "]"),
     .reply = FAILS("1256", "pk&online:the device is still online;"),
     .rule = "ENOS-SUB-ONLINE"},
    {.name = "1256: nor one of another",
     DELETE_ROW("[" KEYS("subPk001", "subDk001") "]"),
     .reply = FAILS("1256", "subPk001&subDk001:the device is not a sub-device of the gateway;"),
     .rule = "ENOS-SUB-BEHIND"},
    {.name = "1256: nor one that does not exist",
     DELETE_ROW("[" KEYS("pk", "nobody") "]"),
     .reply = FAILS("1256", "pk&nobody:the device does not exist;"),
     .rule = "ENOS-SUB-KNOWN"},
    {.name = "one that can be removed makes a success",
     DELETE_ROW("[" KEYS("pk", "online") "," KEYS("pk", "bound") "," KEYS("pk", "bound") "]"),
     .reply = OK_REPLY,
     .did = "unbind 2",
     .rule = "ENOS-SUB-ONLINE"},
    {.name = "nobody is removed", DELETE_ROW("[]"), .reply = OK_REPLY},
    {.name = "1256: no list",
     DELETE_ROW("\"all\""),
     .reply = FAILS("1256", "Delete topo failed"),
     .rule = "ENOS-PARAMS"},
    {.name = "who is there is told",
     .service = &sky_enos_topo_get,
     .topic = TOPO "get",
     .payload = REQUEST("thing.topo.get", "{}"),
     .reply_topic = TOPO "get_reply",
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":[" BEHIND "]}"},
};

#define FRESH_KEY "abcdefghij"
#define FRESH_SECRET "klmnopqrstuvwxyzABCDEFGHIJKLMNOP"
#define NEW(pk, dk)                                                                                \
    "{\"assetId\":\"\",\"productKey\":\"" pk "\",\"deviceKey\":\"" dk                              \
    "\",\"deviceSecret\":\"" FRESH_SECRET "\"}"
#define NEW_NAME "\"timezone\":\"+08:00\",\"deviceName\":{\"defaultValue\":\"x\"}"
#define REGISTER_ROW(params_)                                                                      \
    .service = &sky_enos_register, .topic = REGISTER,                                              \
    .payload = REQUEST("thing.device.register", params_), .reply_topic = REGISTER "_reply"

static const struct gateway_case register_cases[] = {
    {.name = "devices are registered, and answered in their order",
     REGISTER_ROW("[{\"productKey\":\"pk\",\"deviceKey\":\"n1\"},{\"productKey\":\"static\","
                  "\"deviceKey\":\"n2\"," NEW_NAME ",\"deviceAttributes\":{},\"deviceDesc\":"
                  "\"\"}]"),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":[" NEW("pk", "n1") "," NEW("static", "n2") "]}",
     .did = "register n1 n2"},
    {.name = "without a key one is made up",
     REGISTER_ROW("[{\"productKey\":\"pk\"," NEW_NAME "}]"),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":[" NEW("pk", FRESH_KEY) "]}",
     .did = "register " FRESH_KEY},
    {.name = "the name of the old form is text",
     REGISTER_ROW("[{\"productKey\":\"pk\",\"timezone\":\"+08:00\",\"deviceName\":\"x\"}]"),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":[" NEW("pk", FRESH_KEY) "]}",
     .did = "register " FRESH_KEY},
    {.name = "1200: a product alone is too little",
     REGISTER_ROW("[{\"productKey\":\"pk\"}]"),
     .reply = FAILS("1200", "Payload cannot be parsed"),
     .rule = "ENOS-PARAMS"},
    {.name = "1200: a name without a time zone, too",
     REGISTER_ROW("[{\"productKey\":\"pk\",\"deviceName\":\"x\"}]"),
     .reply = FAILS("1200", "Payload cannot be parsed"),
     .rule = "ENOS-PARAMS"},
    {.name = "1200: a key that no topic could carry",
     REGISTER_ROW("[{\"productKey\":\"pk\",\"deviceKey\":\"a/b\"}]"),
     .reply = FAILS("1200", "Payload cannot be parsed"),
     .rule = "ENOS-PARAMS"},
    {.name = "1200: no list",
     REGISTER_ROW("{}"),
     .reply = FAILS("1200", "Payload cannot be parsed"),
     .rule = "ENOS-PARAMS"},
    {.name = "1200: of no product",
     REGISTER_ROW("[{\"productKey\":\"none\",\"deviceKey\":\"n1\"}]"),
     .reply = FAILS("1200", "none&n1:the product does not exist;"),
     .rule = "ENOS-SUB-KNOWN"},
    {.name = "702: a key that is there fails the call, and nothing is registered",
     REGISTER_ROW("[{\"productKey\":\"pk\",\"deviceKey\":\"n1\"}," KEYS("pk", "bound") "]"),
     .reply = FAILS("702", "pk&bound:the device key already exists;"),
     .rule = "ENOS-SUB-KEY"},
    {.name = "702: and one that comes twice",
     REGISTER_ROW("[" KEYS("pk", "n1") "," KEYS("pk", "n1") "]"),
     .reply = FAILS("702", "pk&n1:the device key already exists;"),
     .rule = "ENOS-SUB-KEY"},
    {.name = "nobody is registered",
     REGISTER_ROW("[]"),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":[]}"},
};

#define LOGIN_ROW(params_)                                                                         \
    .service = &sky_enos_combine_login, .topic = COMBINE "login",                                  \
    .payload = REQUEST("combine.login", params_), .reply_topic = COMBINE "login_reply"
#define LOGOUT_ROW(params_)                                                                        \
    .service = &sky_enos_combine_logout, .topic = COMBINE "logout",                                \
    .payload = REQUEST("combine.logout", params_), .reply_topic = COMBINE "logout_reply"
#define IN(pk, dk) "{\"assetId\":\"a1\"," NAMED(pk, dk) "}"
#define IN_WITH(pk, dk, secret)                                                                    \
    "{\"assetId\":\"a1\"," NAMED(pk, dk) ",\"deviceSecret\":\"" secret "\"}"
#define CAME_IN(pk, dk) SAYS("200", "success", IN(pk, dk))
#define STAYS_OUT(code, text, pk, dk) SAYS(code, text, KEYS(pk, dk))
#define MADE_SECRET "abcdefghijklmnopqrstuvwxyzABCDEF"

static const struct gateway_case login_cases[] = {
    {.name = "a device comes online",
     LOGIN_ROW(LOGIN("pk", "bound", BOUND_SIGN, "")),
     .reply = CAME_IN("pk", "bound"),
     .did = "login 2"},
    {.name = "the last gateway to log it in has it",
     LOGIN_ROW(LOGIN("pk", "others", OTHERS_SIGN, ",\"secureMode\":\"2\"")),
     .reply = CAME_IN("pk", "others"),
     .did = "login 4"},
    {.name = "it may come again",
     LOGIN_ROW(LOGIN("pk", "online", ONLINE_SIGN, ",\"secureMode\":2")),
     .reply = CAME_IN("pk", "online"),
     .did = "login 3"},
    {.name = "705: nobody",
     LOGIN_ROW(LOGIN("pk", "nobody", BOUND_SIGN, "")),
     .reply = STAYS_OUT("705", "Device not found", "pk", "nobody"),
     .rule = "ENOS-SUB-KNOWN"},
    {.name = "740: not in the topology",
     LOGIN_ROW(SUB),
     .reply = STAYS_OUT("740", "Not a sub-device of the gateway", "subPk001", "subDk001"),
     .rule = "ENOS-SUB-BEHIND"},
    {.name = "723: disabled",
     LOGIN_ROW(LOGIN("pk", "locked", LOCKED_SIGN, "")),
     .reply = STAYS_OUT("723", "Device is disabled", "pk", "locked"),
     .peer_rule = "ENOS-DEVICE-DISABLED"},
    {.name = "746: a product of certificates",
     LOGIN_ROW(LOGIN("cert", "c", CERT_SIGN, "")),
     .reply = STAYS_OUT("746", "Certificate login is required", "cert", "c"),
     .peer_rule = "ENOS-CERT-REQUIRED"},
    {.name = "742: a wrong signature",
     LOGIN_ROW(LOGIN("pk", "bound", ONLINE_SIGN, "")),
     .reply = STAYS_OUT("742", "Signature check failed", "pk", "bound"),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN",
     .suspected = true},
    {.name = "742: none at all",
     LOGIN_ROW(KEYS("pk", "bound")),
     .reply = STAYS_OUT("742", "Signature check failed", "pk", "bound"),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN"},
    {.name = "a login with the product's secret fetches the device's",
     LOGIN_ROW(LOGIN("pk", "bound", BOUND_PRODUCT, ",\"secureMode\":\"3\"")),
     .reply = SAYS("200", "success", IN_WITH("pk", "bound", MADE_SECRET)),
     .did = "login 2, give 2"},
    {.name = "also when it does not say so",
     LOGIN_ROW(LOGIN("pk", "bound", BOUND_PRODUCT, "")),
     .reply = SAYS("200", "success", IN_WITH("pk", "bound", MADE_SECRET)),
     .did = "login 2, give 2"},
    {.name = "742: it says so, and signs with its own",
     LOGIN_ROW(LOGIN("pk", "bound", BOUND_SIGN, ",\"secureMode\":\"3\"")),
     .reply = STAYS_OUT("742", "Signature check failed", "pk", "bound"),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN",
     .suspected = true},
    {.name = "770: where that is switched off",
     LOGIN_ROW(LOGIN("static", "d", STATIC_PRODUCT, ",\"secureMode\":\"3\"")),
     .reply = STAYS_OUT("770", "Dynamic activation is not allowed", "static", "d"),
     .peer_rule = "ENOS-DYNAMIC-DISABLED"},
    {.name = "770: or when it has its secret in use",
     LOGIN_ROW(LOGIN("pk", "active", ACTIVE_PRODUCT, ",\"secureMode\":\"3\"")),
     .reply = STAYS_OUT("770", "Dynamic activation is not allowed", "pk", "active"),
     .peer_rule = "ENOS-DYNAMIC-ALREADY-ACTIVE"},
    {.name = "1220: no keys",
     LOGIN_ROW("{}"),
     .reply = FAILS("1220", "Payload format error"),
     .rule = "ENOS-PARAMS"},
    {.name = "a device goes",
     LOGOUT_ROW(KEYS("pk", "online")),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":" KEYS("pk", "online") "}",
     .did = "logout 3"},
    {.name = "nobody goes",
     LOGOUT_ROW(KEYS("pk", "nobody")),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":" KEYS("pk", "nobody") "}"},
    {.name = "who is not there goes",
     LOGOUT_ROW(KEYS("pk", "bound")),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":" KEYS("pk", "bound") "}"},
    {.name = "740: who is another's stays",
     LOGOUT_ROW(KEYS("pk", "others")),
     .reply = STAYS_OUT("740", "Not a sub-device of the gateway", "pk", "others"),
     .rule = "ENOS-SUB-BEHIND"},
    {.name = "a bare number is echoed as one",
     .service = &sky_enos_combine_logout,
     .topic = COMBINE "logout",
     .payload = "{\"id\":123,\"version\":\"1.1\",\"params\":" KEYS("pk", "bound") "}",
     .reply_topic = COMBINE "logout_reply",
     .reply = "{\"id\":123,\"code\":200,\"data\":" KEYS("pk", "bound") "}"},
};

#define BATCH_ROW(params_)                                                                         \
    .service = &sky_enos_combine_batch, .topic = COMBINE "login/batch",                            \
    .payload = REQUEST("combine.login.batch", params_), .reply_topic = COMBINE "login/batch_reply"
#define BATCH(list)                                                                                \
    "{\"clientId\":\"c\",\"timestamp\":\"1\",\"signMethod\":\"sha256\",\"subDevices\":[" list "]}"
#define ITEM(pk, dk, sign) "{" NAMED(pk, dk) ",\"sign\":\"" sign "\"}"
#define LISTS(in, failed) "{\"loginedSubDevices\":[" in "],\"failedSubDevices\":[" failed "]}"

static const struct gateway_case batch_cases[] = {
    {.name = "several come online",
     BATCH_ROW(BATCH(ITEM("pk", "bound", BOUND_SIGN) ", " ITEM("pk", "others", OTHERS_SIGN))),
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":" LISTS(IN("pk", "bound") "," IN("pk", "others"),
                                                           "") "}",
     .did = "login 2 4"},
    {.name = "those that can, when one is disabled",
     BATCH_ROW(BATCH(ITEM("pk", "locked", LOCKED_SIGN) "," ITEM("pk", "bound", BOUND_SIGN))),
     .reply = SAYS("723", "pk&locked:Device is disabled;",
                   LISTS(IN("pk", "bound"), FAILED("pk", "locked"))),
     .did = "login 2",
     .peer_rule = "ENOS-DEVICE-DISABLED"},
    {.name = "the first that fails gives the code",
     BATCH_ROW(BATCH(ITEM("pk", "nobody", BOUND_SIGN) "," ITEM("pk", "locked", LOCKED_SIGN))),
     .reply = SAYS("705", "pk&nobody:Device not found;pk&locked:Device is disabled;",
                   LISTS("", FAILED("pk", "nobody") "," FAILED("pk", "locked"))),
     .rule = "ENOS-SUB-KNOWN",
     .peer_rule = "ENOS-DEVICE-DISABLED"},
    {.name = "with the product's secret for one of them",
     BATCH_ROW(BATCH("{" NAMED("pk", "bound") ",\"secureMode\":3,\"sign\":\"" BOUND_PRODUCT "\"}")),
     .reply =
         "{\"id\":\"1\",\"code\":200,\"data\":" LISTS(IN_WITH("pk", "bound", MADE_SECRET), "") "}",
     .did = "give 2, login 2"},
    {.name = "a wrong signature is explained with what the batch states once",
     BATCH_ROW(BATCH(ITEM("pk", "bound", ONLINE_SIGN))),
     .reply = SAYS("742", "pk&bound:Signature check failed;", LISTS("", FAILED("pk", "bound"))),
     .rule = "ENOS-SUB-SIGN",
     .peer_rule = "ENOS-SUB-SIGN",
     .suspected = true},
    {.name = "1220: no list, yet two in the answer",
     BATCH_ROW("{\"clientId\":\"c\"}"),
     .reply = SAYS("1220", "Payload format error", NO_LISTS),
     .rule = "ENOS-PARAMS"},
    {.name = "1220: no JSON, yet two lists",
     .service = &sky_enos_combine_batch,
     .topic = COMBINE "login/batch",
     .payload = "{\"id\":\"1\"",
     .reply_topic = COMBINE "login/batch_reply",
     .reply = "{\"code\":1220,\"message\":\"Payload format error\",\"data\":" NO_LISTS "}",
     .rule = "ENOS-PAYLOAD-JSON"},
};

/* The first device, as each SDK logs it in; it is in the topology here. */
#define SDK_ROW(fields_, sign_)                                                                    \
    LOGIN_ROW("{" NAMED("subPk001", "subDk001") "," fields_ ",\"sign\":\"" sign_ "\"}"),           \
        .reply = CAME_IN("subPk001", "subDk001"), .did = "login 1"
#define SDK_BATCH_ROW(fields_, sign_)                                                              \
    BATCH_ROW("{" fields_ ",\"subDevices\":[" ITEM("subPk001", "subDk001", sign_) "]}"),           \
        .reply = "{\"id\":\"1\",\"code\":200,\"data\":" LISTS(IN("subPk001", "subDk001"), "") "}", \
        .did = "login 1"
#define J_CLIENT "\"clientId\":\"subPk001.subDk001.1564988853275\",\"timestamp\":\"1564988853275\""
#define C_CLIENT "\"clientId\":\"subPk001subDk001\",\"timestamp\":\"123456\""

static const struct gateway_case sdk_cases[] = {
    {.name = "Java", SDK_ROW(J_CLIENT ",\"signMethod\":\"sha256\",\"secureMode\":\"2\"", J_SIGN)},
    {.name = "an old one, sha1", SDK_ROW(J_CLIENT ",\"signMethod\":\"hmacSha1\"", J_SHA1)},
    {.name = "an old one, md5", SDK_ROW(J_CLIENT ",\"signMethod\":\"md5\"", J_MD5)},
    {.name = "Python: False, and a method of another name",
     SDK_ROW(J_CLIENT ",\"signMethod\":\"hmacsha256\",\"cleanSession\":\"False\","
                      "\"secureMode\":\"2\"",
             J_SIGN)},
    {.name = "without a method it is sha256", SDK_ROW(J_CLIENT, J_SIGN)},
    {.name = "Node.js: a number",
     SDK_ROW("\"clientId\":\"subDk001\",\"timestamp\":1564988853275,\"signMethod\":\"sha256\"",
             N_SIGN)},
    {.name = "C: uptime",
     SDK_ROW(C_CLIENT ",\"signMethod\":\"Sha256\",\"cleanSession\":\"true\"", C_SIGN)},
    {.name = "C, and the page's content",
     SDK_ROW(C_CLIENT ",\"signMethod\":\"Sha256\",\"cleanSession\":\"true\"", C_DOC_SIGN)},
    {.name = "Java's batch",
     SDK_BATCH_ROW("\"clientId\":\"login.batch\",\"timestamp\":\"1564988853275\","
                   "\"signMethod\":\"sha256\"",
                   J_BATCH)},
    {.name = "Python's batch: seconds with a fraction",
     SDK_BATCH_ROW("\"clientId\":\"login.batch\",\"timestamp\":\"1564988853.2751234\","
                   "\"signMethod\":\"hmacsha256\"",
                   P_BATCH)},
};

static void init(struct gateway_bench *bench, const struct gateway_device *list, size_t count)
{
    gateway_init(bench, "enos", "gw", "g1", list, count);
    for (size_t i = 0; i < count; i++)
        snprintf(bench->known[i].asset_id, sizeof bench->known[i].asset_id, "a1");
    if (count == SKY_COUNT(devices)) {
        bench->known[ACTIVE_ONE - 1].state = SKY_DEVICE_ACTIVE;
        bench->products[CERT - 1].require_certificate = true;
    }
}

static void run_all(const struct gateway_case *rows, size_t count)
{
    struct gateway_bench *bench = sky_mem_new(sizeof *bench);
    init(bench, devices, SKY_COUNT(devices));
    for (size_t i = 0; i < count; i++) {
        run_gateway_case(bench, &rows[i]);
    }
    bench_done(&bench->base);
    free(bench);
}

static void topologies_are_kept(void **state)
{
    (void)state;
    run_all(topo_cases, SKY_COUNT(topo_cases));
}

static void the_products_secret_is_recognised(void **state)
{
    static const char *const modes[] = {"", ",\"secureMode\":\"3\""};
    struct gateway_bench *bench = sky_mem_new(sizeof *bench);
    struct sky_explanation said;
    (void)state;
    init(bench, devices, SKY_COUNT(devices));
    for (size_t i = 0; i < SKY_COUNT(modes); i++) {
        struct sky_suspicion suspicion = {.now_ms = 0};
        char payload[512];
        snprintf(payload, sizeof payload,
                 REQUEST("thing.topo.add", "[" LOGIN("static", "d", STATIC_PRODUCT, "%s") "]"),
                 modes[i]);
        gateway_send(bench, &sky_enos_topo_add, TOPO "add", payload);
        assert_true(sky_enos_topo_add.suspect(&bench->base.uplink, &bench->peers[0], &suspicion,
                                              &bench->base.effects.arena));
        sky_explain(&suspicion, &said);
        assert_int_equal(said.mistake, SKY_MISTAKE_PRODUCT_SECRET);
    }
    bench_done(&bench->base);
    free(bench);
}

/* The finding of the gateway says whose signature it is. */
static void whoever_signs_is_judged(void **state)
{
    struct gateway_bench *bench = sky_mem_new(sizeof *bench);
    (void)state;
    init(bench, devices, SKY_COUNT(devices));
    gateway_send(bench, &sky_enos_combine_login, COMBINE "login",
                 REQUEST("combine.login", LOGIN("pk", "bound", ONLINE_SIGN, "")));
    const struct sky_judge *judges[] = {&bench->base.judge, bench->peers[0].judge};
    for (size_t i = 0; i < SKY_COUNT(judges); i++) {
        assert_int_equal(judges[i]->count, 1);
        assert_string_equal(judges[i]->findings[0].rule->id, "ENOS-SUB-SIGN");
        assert_non_null(strstr(judges[i]->findings[0].detail, "bound"));
    }
    bench_done(&bench->base);
    free(bench);
}

static void devices_are_registered(void **state)
{
    (void)state;
    run_all(register_cases, SKY_COUNT(register_cases));
}

static void devices_come_and_go(void **state)
{
    (void)state;
    run_all(login_cases, SKY_COUNT(login_cases));
}

static void several_come_at_once(void **state)
{
    (void)state;
    run_all(batch_cases, SKY_COUNT(batch_cases));
}

static void every_sdk_signs_in_its_own_way(void **state)
{
    struct gateway_device first = devices[FREE - 1];
    struct gateway_bench *bench = sky_mem_new(sizeof *bench);
    (void)state;
    first.bound = true;
    init(bench, &first, 1);
    for (size_t i = 0; i < SKY_COUNT(sdk_cases); i++)
        run_gateway_case(bench, &sdk_cases[i]);
    bench_done(&bench->base);
    free(bench);
}

/* Whatever it asks: only a gateway has devices behind it. */
static void others_than_gateways_are_refused(void **state)
{
    static const struct gateway_case rows[] = {
        {.name = "1255",
         ADD_ROW("[" SUB "]"),
         .reply = FAILS("1255", "The sender is not a gateway"),
         .rule = "ENOS-GATEWAY"},
        {.name = "1256",
         DELETE_ROW("[" KEYS("pk", "bound") "]"),
         .reply = FAILS("1256", "The sender is not a gateway"),
         .rule = "ENOS-GATEWAY"},
        {.name = "1200",
         .service = &sky_enos_topo_get,
         .topic = TOPO "get",
         .payload = REQUEST("thing.topo.get", "{}"),
         .reply_topic = TOPO "get_reply",
         .reply = FAILS("1200", "The sender is not a gateway"),
         .rule = "ENOS-GATEWAY"},
        {.name = "1200",
         REGISTER_ROW("[]"),
         .reply = FAILS("1200", "The sender is not a gateway"),
         .rule = "ENOS-GATEWAY"},
        {.name = "740",
         LOGIN_ROW(LOGIN("pk", "bound", BOUND_SIGN, "")),
         .reply = FAILS("740", "The sender is not a gateway"),
         .rule = "ENOS-GATEWAY"},
        {.name = "740",
         BATCH_ROW(BATCH("")),
         .reply = SAYS("740", "The sender is not a gateway", NO_LISTS),
         .rule = "ENOS-GATEWAY"},
    };
    struct gateway_bench *bench = sky_mem_new(sizeof *bench);
    (void)state;
    init(bench, devices, SKY_COUNT(devices));
    bench->node = SKY_NODE_DEVICE;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        run_gateway_case(bench, &rows[i]);
    bench->base.uplink.transport = SKY_DTLS;
    gateway_send(bench, &sky_enos_topo_get, TOPO "get", REQUEST("thing.topo.get", "{}"));
    assert_int_equal(bench_effect(&bench->base, SKY_EFFECT_REPLY)->coap_code, SKY_COAP_FORBIDDEN);
    bench_done(&bench->base);
    free(bench);
}

/* It may not subscribe to what answers: it is told without. */
static void who_speaks_for_another_is_told(void **state)
{
    struct service_bench bench;
    struct sky_peer peer = {.product = SKY_SPAN("pk"), .device = SKY_SPAN("bound")};
    (void)state;
    bench_init(&bench, "enos", "gw", "g1");
    bench.facts.peers = &peer;
    bench.facts.peer_count = 1;
    bench.uplink.topic = SKY_SPAN("/sys/pk/bound/thing/measurepoint/post");
    bench.uplink.payload = SKY_SPAN(REQUEST("thing.measurepoint.post", "{}"));
    sky_enos_refuse_publish(&bench.uplink, &bench.facts, &bench.judge, &bench.effects);
    const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUSH);
    assert_span("1009", "the topic", push->topic, "/sys/pk/bound/thing/measurepoint/post_reply");
    assert_span("1009", "the reply", push->payload,
                FAILS("1009", "The sub-device is not logged in by this gateway"));
    bench_done(&bench);
}

static void so_many_are_online_and_no_more(void **state)
{
    struct gateway_bench *bench = sky_mem_new(sizeof *bench);
    static const struct gateway_case last = {.name = "the last",
                                             LOGIN_ROW(LOGIN("pk", "bound", BOUND_SIGN, "")),
                                             .reply = CAME_IN("pk", "bound"),
                                             .did = "login 2"};
    static const struct gateway_case over = {
        .name = "700: one more",
        LOGIN_ROW(LOGIN("pk", "bound", BOUND_SIGN, "")),
        .reply = STAYS_OUT("700", "Too many sub-devices are online", "pk", "bound"),
        .rule = "ENOS-SUB-COUNT"};
    static const struct gateway_case there = {.name = "one that is there",
                                              LOGIN_ROW(LOGIN("pk", "online", ONLINE_SIGN, "")),
                                              .reply = CAME_IN("pk", "online"),
                                              .did = "login 3"};
    (void)state;
    init(bench, devices, SKY_COUNT(devices));
    bench->online_count = SKY_ENOS_ONLINE_MAX - 1;
    run_gateway_case(bench, &last);
    bench->online_count = SKY_ENOS_ONLINE_MAX;
    run_gateway_case(bench, &over);
    run_gateway_case(bench, &there);
    bench_done(&bench->base);
    free(bench);
}

static void lists_are_limited_per_message(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out;
        struct sky_peer *peers = sky_mem_new(SKY_PEERS_MAX * sizeof *peers);
        bench_init(&bench, "enos", "gw", "g1");
        sky_buf_init(&out, SKY_ENOS_MESSAGE_MAX);
        sky_buf_add_str(&out, "{\"id\":\"1\",\"version\":\"1.0\",\"params\":[");
        for (int i = 0; i < SKY_PEERS_MAX + over; i++)
            sky_buf_addf(&out, "%s" KEYS("pk", "d%d"), i > 0 ? "," : "", i);
        sky_buf_add_str(&out, "]}");
        bench.uplink.topic = SKY_SPAN(TOPO "delete");
        bench.uplink.payload = sky_buf_span(&out);
        bench.facts.peers = peers;
        bench.facts.peer_count =
            sky_enos_topo_delete.peers(&bench.uplink, &bench.effects.arena, peers);
        assert_int_equal(bench.facts.peer_count, SKY_PEERS_MAX);
        const struct sky_product product = {.node = SKY_NODE_GATEWAY};
        bench.facts.product = &product;
        sky_judge_init(&bench.judge, &bench.policy);
        sky_enos_topo_delete.handle(&bench.uplink, &bench.facts, &bench.judge, &bench.effects);
        sky_span reply = bench_effect(&bench, SKY_EFFECT_REPLY)->payload;
        assert_int_equal(sky_span_contains(reply, SKY_SPAN("Delete topo failed")), over);
        sky_buf_done(&out);
        bench_done(&bench);
        free(peers);
    }
}

static void gateways_are_told_of_their_devices(void **state)
{
    static const struct {
        enum sky_behind_event event;
        size_t count;
        const char *topic, *payload;
    } rows[] = {
        {SKY_BEHIND_DISABLED, 1, COMBINE "disable",
         "{\"id\":\"1000000001\",\"version\":\"1.0\",\"params\":" KEYS(
             "pk", "d1") ",\"method\":\"combine.disable\"}"},
        {SKY_BEHIND_ENABLED, 1, COMBINE "enable",
         "{\"id\":\"1000000001\",\"version\":\"1.0\",\"params\":" KEYS(
             "pk", "d1") ",\"method\":\"combine.enable\"}"},
        {SKY_BEHIND_DELETED, 2, COMBINE "delete",
         "{\"id\":\"1000000001\",\"version\":\"1.0\",\"params\":[" KEYS("pk", "d1") "," KEYS(
             "pk", "d2") "],\"method\":\"combine.delete\"}"},
        {SKY_BEHIND_BOUND, 1, NULL, NULL},
        {SKY_BEHIND_UNBOUND, 1, NULL, NULL},
        {SKY_BEHIND_OUSTED, 1, NULL, NULL},
    };
    const struct sky_peer peers[] = {{.product = SKY_SPAN("pk"), .device = SKY_SPAN("d1")},
                                     {.product = SKY_SPAN("pk"), .device = SKY_SPAN("d2")}};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "gw", "g1");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_effects_clear(&bench.effects);
        bench.uplink.cloud->gateway->tell(&bench.uplink, rows[i].event, peers, rows[i].count,
                                          SKY_SPAN("1000000001"), &bench.effects);
        const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUSH);
        assert_int_equal(push != NULL, rows[i].topic != NULL);
        if (push == NULL)
            continue;
        assert_span("told", "the topic", push->topic, rows[i].topic);
        assert_span("told", "the payload", push->payload, rows[i].payload);
    }
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topologies_are_kept),
        cmocka_unit_test(the_products_secret_is_recognised),
        cmocka_unit_test(whoever_signs_is_judged),
        cmocka_unit_test(devices_are_registered),
        cmocka_unit_test(devices_come_and_go),
        cmocka_unit_test(several_come_at_once),
        cmocka_unit_test(every_sdk_signs_in_its_own_way),
        cmocka_unit_test(others_than_gateways_are_refused),
        cmocka_unit_test(who_speaks_for_another_is_told),
        cmocka_unit_test(so_many_are_online_and_no_more),
        cmocka_unit_test(lists_are_limited_per_message),
        cmocka_unit_test(gateways_are_told_of_their_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
