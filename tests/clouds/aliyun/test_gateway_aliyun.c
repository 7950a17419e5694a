/* What gateways do for the devices behind them, and what they are told. */
#include "tests/unit/cloud/gateway_case.h"

#include "protocol/cloud/aliyun/services.h"

#define SYS "/sys/gpk/gdn/thing/"
#define SESSION "/ext/session/gpk/gdn/combine/"
#define ASK(params) "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params "}"
#define REPLY(code, data, message, method)                                                         \
    "{\"code\":" code ",\"data\":" data ",\"id\":\"1\",\"message\":\"" message                     \
    "\",\"method\":\"" method "\",\"version\":\"1.0\"}"
#define OK(data, method) REPLY("200", data, "success", method)
#define BAD(data, method) REPLY("460", data, "request parameter error", method)
#define NAME(device) "{\"deviceName\":\"" device "\",\"productKey\":\"spk\"}"
#define NAMED(product, device) "{\"deviceName\":\"" device "\",\"productKey\":\"" product "\"}"
/* The npm SDK's fields, with their HMAC-SHA1 under "secret" (fixtures/aliyun/vectors). */
#define SHA1 "6555a9e183f3be256c030c78395465d5dbf0d78c"
#define FIELDS(sign, method)                                                                       \
    "\"productKey\":\"spk\",\"deviceName\":\"sub1\",\"clientId\":\"spk&sub1\",\"timestamp\":"      \
    "1700000000000,\"signMethod\":\"" method "\",\"sign\":\"" sign "\",\"cleanSession\":\"true\""
#define SIGNED "{" FIELDS(SHA1, "hmacsha1") "}"
#define MISSIGNED "{" FIELDS("00", "hmacsha1") "}"

#define ADD SYS "topo/add"
#define DELETE SYS "topo/delete"
#define GET SYS "topo/get"
#define FOUND SYS "list/found"
#define REGISTER SYS "sub/register"
#define UNREGISTER SYS "sub/unregister"
#define PROXY SYS "proxy/provisioning/product_register"
#define LOGIN SESSION "login"
#define LOGOUT SESSION "logout"
#define BATCH_LOGIN SESSION "batch_login"
#define BATCH_LOGOUT SESSION "batch_logout"

enum { SUB1 = 1, BOUND, ONLINE, DISABLED, ELSEWHERE, FIXED, DISALLOWED };

static const struct gateway_device devices[] = {
    {.product = "spk",
     .device = "sub1",
     .secret = "secret",
     .product_secret = "productsecret",
     .dynamic = true},
    {.product = "spk",
     .device = "bound",
     .secret = "s",
     .product_secret = "productsecret",
     .dynamic = true,
     .bound = true},
    {.product = "spk",
     .device = "online",
     .secret = "s",
     .product_secret = "productsecret",
     .dynamic = true,
     .bound = true,
     .online = true},
    {.product = "spk",
     .device = "disabled",
     .secret = "s",
     .product_secret = "productsecret",
     .dynamic = true,
     .bound = true,
     .disabled = true},
    {.product = "spk",
     .device = "elsewhere",
     .secret = "s",
     .product_secret = "productsecret",
     .dynamic = true,
     .bound_elsewhere = true},
    {.product = "fixed", .device = "fix1", .secret = "s", .product_secret = "productsecret"},
    {.product = "other",
     .device = "dis1",
     .secret = "s",
     .product_secret = "productsecret",
     .disallowed = true},
};

static const struct gateway_case topology_cases[] = {
    {.name = "npm's topo/add",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = "{\"id\":\"1\",\"version\":\"1.0\",\"params\":[" SIGNED "],\"method\":\"\"}",
     .reply_topic = ADD "_reply",
     .reply = OK("[" NAME("sub1") "]", "thing.topo.add"),
     .did = "bind 1"},
    {.name = "the C SDK's, with the other spelling, an upper-case sign and its uptime",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload =
         ASK("[{\"productKey\":\"spk\",\"deviceName\":\"sub1\",\"signmethod\":\"hmacSha256\","
             "\"sign\":\"DDBEBC901C67DDF46C3ACCBAA97CE0EF2EFB217E3C3FC3271A238313FD1ACE67\","
             "\"timestamp\":\"12345\",\"clientId\":\"spk.sub1\"}]"),
     .reply_topic = ADD "_reply",
     .reply = OK("[" NAME("sub1") "]", "thing.topo.add"),
     .did = "bind 1"},
    {.name = "plain SHA-256",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[{" FIELDS("7D4B59301E1AC84E88DF886F100E9BD261204FBA0C9C3D09A23723A5C764BF2C",
                                "Sha256") "}]"),
     .reply_topic = ADD "_reply",
     .reply = OK("[" NAME("sub1") "]", "thing.topo.add"),
     .did = "bind 1"},
    {.name = "the same device twice is added once",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[" SIGNED "," SIGNED "]"),
     .reply_topic = ADD "_reply",
     .reply = OK("[" NAME("sub1") "," NAME("sub1") "]", "thing.topo.add"),
     .did = "bind 1"},
    {.name = "a wrong signature is explained",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[" MISSIGNED "]"),
     .reply_topic = ADD "_reply",
     .reply = REPLY("401", "{}", "request auth error", "thing.topo.add"),
     .rule = "ALI-SUB-SIGN",
     .peer_rule = "ALI-SUB-SIGN",
     .suspected = true},
    {.name = "one wrong signature, and none is added",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[" SIGNED "," MISSIGNED "]"),
     .reply_topic = ADD "_reply",
     .reply = REPLY("401", "{}", "request auth error", "thing.topo.add"),
     .rule = "ALI-SUB-SIGN",
     .peer_rule = "ALI-SUB-SIGN",
     .suspected = true},
    {.name = "a signature without a method that is known",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[{" FIELDS(SHA1, "sha1") "}]"),
     .reply_topic = ADD "_reply",
     .reply = BAD("{}", "thing.topo.add"),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "a device without signature",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload =
         ASK("[{\"productKey\":\"spk\",\"deviceName\":\"sub1\",\"signMethod\":\"hmacSha1\"}]"),
     .reply_topic = ADD "_reply",
     .reply = BAD("{}", "thing.topo.add"),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "a device without clientId",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[{\"productKey\":\"spk\",\"deviceName\":\"sub1\",\"signMethod\":\"hmacSha1\","
                    "\"sign\":\"00\"}]"),
     .reply_topic = ADD "_reply",
     .reply = BAD("{}", "thing.topo.add"),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "a device without name",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[{\"productKey\":\"spk\"}]"),
     .reply_topic = ADD "_reply",
     .reply = BAD("{}", "thing.topo.add"),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "a device that nobody knows",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[" NAME("nobody") "]"),
     .reply_topic = ADD "_reply",
     .reply = REPLY("6100", "{}", "device not found", "thing.topo.add"),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "itself",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[" NAMED("gpk", "gdn") "]"),
     .reply_topic = ADD "_reply",
     .reply = REPLY("6402", "{}", "gateway can not add itself", "thing.topo.add"),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "a disabled device",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[" NAME("disabled") "]"),
     .reply_topic = ADD "_reply",
     .reply = REPLY("6204", "{}", "device forbidden", "thing.topo.add"),
     .rule = "ALI-DEVICE-DISABLED",
     .peer_rule = "ALI-DEVICE-DISABLED"},
    {.name = "a device of a product that may not stand there",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK("[" NAMED("other", "dis1") "]"),
     .reply_topic = ADD "_reply",
     .reply = BAD("{}", "thing.topo.add"),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "no list",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = ASK(SIGNED),
     .reply_topic = ADD "_reply",
     .reply = BAD("{}", "thing.topo.add"),
     .rule = "ALI-PARAMS"},
    {.name = "no JSON",
     .service = &sky_aliyun_topo_add,
     .topic = ADD,
     .payload = "add",
     .reply_topic = ADD "_reply",
     .reply = "{\"code\":460,\"data\":{},\"id\":\"\",\"message\":\"request parameter error\","
              "\"method\":\"thing.topo.add\",\"version\":\"1.0\"}",
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "one is taken away, online or not, and the gateway learns what ended",
     .service = &sky_aliyun_topo_delete,
     .topic = DELETE,
     .payload = ASK("[" NAME("bound") "," NAME("online") "]"),
     .reply_topic = DELETE "_reply",
     .reply = OK("[" NAME("bound") "," NAME("online") "]", "thing.topo.delete"),
     .did = "unbind 2 3"},
    {.name = "one that is not there",
     .service = &sky_aliyun_topo_delete,
     .topic = DELETE,
     .payload = ASK("[" NAME("bound") "," NAME("sub1") "]"),
     .reply_topic = DELETE "_reply",
     .reply = REPLY("6401", "{}", "topological relation does not exist", "thing.topo.delete"),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "one that nobody knows",
     .service = &sky_aliyun_topo_delete,
     .topic = DELETE,
     .payload = ASK("[" NAME("nobody") "]"),
     .reply_topic = DELETE "_reply",
     .reply = REPLY("6100", "{}", "device not found", "thing.topo.delete"),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "no list to take away",
     .service = &sky_aliyun_topo_delete,
     .topic = DELETE,
     .payload = ASK("{}"),
     .reply_topic = DELETE "_reply",
     .reply = BAD("{}", "thing.topo.delete"),
     .rule = "ALI-PARAMS"},
    {.name = "Link SDK 4 asks with a text for params and an empty id",
     .service = &sky_aliyun_topo_get,
     .topic = GET,
     .payload = "{\"id\":\"\",\"params\":\"{}\"}",
     .reply_topic = GET "_reply",
     .reply = "{\"code\":200,\"data\":[" NAME("bound") "," NAME("online") "," NAME(
         "disabled") "],\"id\":\"\",\"message\":\"success\",\"method\":\"thing.topo.get\","
                     "\"version\":\"1.0\"}"},
    {.name = "devices that were found",
     .service = &sky_aliyun_list_found,
     .topic = FOUND,
     .payload = ASK("[" NAME("sub1") "," NAME("never-seen@x.y:z") "]"),
     .reply_topic = FOUND "_reply",
     .reply = OK("{}", "thing.list.found")},
    {.name = "of a product that nobody has",
     .service = &sky_aliyun_list_found,
     .topic = FOUND,
     .payload = ASK("[" NAMED("nothing", "sub1") "]"),
     .reply_topic = FOUND "_reply",
     .reply = REPLY("6250", "{}", "product does not exist", "thing.list.found"),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "with a name that is too short",
     .service = &sky_aliyun_list_found,
     .topic = FOUND,
     .payload = ASK("[" NAME("abc") "]"),
     .reply_topic = FOUND "_reply",
     .reply = REPLY("6280", "{}", "device name is invalid", "thing.list.found"),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "with a blank in its name",
     .service = &sky_aliyun_list_found,
     .topic = FOUND,
     .payload = ASK("[" NAME("ab cd") "]"),
     .reply_topic = FOUND "_reply",
     .reply = REPLY("6280", "{}", "device name is invalid", "thing.list.found"),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "found without a list",
     .service = &sky_aliyun_list_found,
     .topic = FOUND,
     .payload = ASK("{}"),
     .reply_topic = FOUND "_reply",
     .reply = BAD("{}", "thing.list.found"),
     .rule = "ALI-PARAMS"},
};

#define SECRET(device, secret)                                                                     \
    "{\"productKey\":\"spk\",\"deviceName\":\"" device "\",\"deviceSecret\":\"" secret "\"}"
#define WITH_ID(device, secret)                                                                    \
    "{\"iotId\":\"abcdefghijklmnopqrst\",\"productKey\":\"spk\",\"deviceName\":\"" device          \
    "\",\"deviceSecret\":\"" secret "\"}"
#define FAILURE(product, device, code)                                                             \
    "{\"productKey\":\"" product "\",\"deviceName\":\"" device                                     \
    "\",\"errorDetail\":{\"code\":" code "}}"
#define PROXIED(device, sign)                                                                      \
    "{\"productKey\":\"spk\",\"deviceName\":\"" device                                             \
    "\",\"random\":\"12345\",\"signMethod\":\"hmacSha256\",\"sign\":\"" sign "\"}"
#define PROXY_SHA256 "1B3F6E73B0D576FC1826F2F5A86F9D56487BF03C8C4775CE44A754AD009D940D"
#define PROXY_REPLY(failures, successes)                                                           \
    OK("{\"failures\":[" failures "],\"successes\":[" successes "]}",                              \
       "thing.proxy.provisioning.product_register")

static const struct gateway_case register_cases[] = {
    {.name = "secrets of devices that are registered",
     .service = &sky_aliyun_sub_register,
     .topic = REGISTER,
     .payload = ASK("[" NAME("sub1") "," NAME("bound") "]"),
     .reply_topic = REGISTER "_reply",
     .reply =
         OK("[" WITH_ID("sub1", "secret") "," WITH_ID("bound", "s") "]", "thing.sub.register")},
    {.name = "of a product that nobody has",
     .service = &sky_aliyun_sub_register,
     .topic = REGISTER,
     .payload = ASK("[" NAMED("nothing", "sub1") "]"),
     .reply_topic = REGISTER "_reply",
     .reply = REPLY("5005", "{}", "query product info failed", "thing.sub.register"),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "of a product that does not permit it",
     .service = &sky_aliyun_sub_register,
     .topic = REGISTER,
     .payload = ASK("[" NAMED("fixed", "fix1") "]"),
     .reply_topic = REGISTER "_reply",
     .reply = REPLY("6288", "{}", "dynamic register is off", "thing.sub.register"),
     .rule = "ALI-REGISTER-DISABLED",
     .peer_rule = "ALI-REGISTER-DISABLED"},
    {.name = "of a device that nobody has entered",
     .service = &sky_aliyun_sub_register,
     .topic = REGISTER,
     .payload = ASK("[" NAME("nobody") "]"),
     .reply_topic = REGISTER "_reply",
     .reply = REPLY("6100", "{}", "device not found", "thing.sub.register"),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "of a device behind another gateway",
     .service = &sky_aliyun_sub_register,
     .topic = REGISTER,
     .payload = ASK("[" NAME("elsewhere") "]"),
     .reply_topic = REGISTER "_reply",
     .reply = REPLY("6619", "{}", "device is bound to another gateway", "thing.sub.register"),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "of no list",
     .service = &sky_aliyun_sub_register,
     .topic = REGISTER,
     .payload = ASK(NAME("sub1")),
     .reply_topic = REGISTER "_reply",
     .reply = BAD("{}", "thing.sub.register"),
     .rule = "ALI-PARAMS"},
    {.name = "what is registered no more stands behind nobody",
     .service = &sky_aliyun_sub_unregister,
     .topic = UNREGISTER,
     .payload = ASK("[" NAME("bound") "," NAME("sub1") "]"),
     .reply_topic = UNREGISTER "_reply",
     .reply = OK("{}", "thing.sub.unregister"),
     .did = "unbind 2"},
    {.name = "what never was",
     .service = &sky_aliyun_sub_unregister,
     .topic = UNREGISTER,
     .payload = ASK("[" NAME("nobody") "]"),
     .reply_topic = UNREGISTER "_reply",
     .reply = REPLY("6100", "{}", "device not found", "thing.sub.unregister"),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "with the product's secret: both lists are there",
     .service = &sky_aliyun_proxy_register,
     .topic = PROXY,
     .payload = ASK("{\"proxieds\":[" PROXIED("sub1", PROXY_SHA256) "]}"),
     .reply_topic = PROXY "_reply",
     .reply = PROXY_REPLY("", SECRET("sub1", "secret"))},
    {.name = "with the product's secret: each for itself",
     .service = &sky_aliyun_proxy_register,
     .topic = PROXY,
     .payload =
         ASK("{\"proxieds\":[" PROXIED("sub1", PROXY_SHA256) "," PROXIED("bound", "00") "," NAME(
             "sub1") "," NAME("nobody") "," NAMED("fixed", "fix1") "," NAMED("nothing", "x") "]}"),
     .reply_topic = PROXY "_reply",
     .reply = PROXY_REPLY(
         FAILURE("spk", "bound", "401") "," FAILURE("spk", "sub1", "460") "," FAILURE(
             "spk", "nobody", "6100") "," FAILURE("fixed", "fix1", "6288") "," FAILURE("nothing",
                                                                                       "x", "5005"),
         SECRET("sub1", "secret")),
     .rule = "ALI-REGISTER-SIGN",
     .peer_rule = "ALI-REGISTER-SIGN"},
    {.name = "with the product's secret: nobody is named",
     .service = &sky_aliyun_proxy_register,
     .topic = PROXY,
     .payload = ASK("[]"),
     .reply_topic = PROXY "_reply",
     .reply = BAD("{}", "thing.proxy.provisioning.product_register"),
     .rule = "ALI-PARAMS"},
};

/* The same devices, with sub1 in the topology. */
static const struct gateway_device tied[] = {
    {.product = "spk",
     .device = "sub1",
     .secret = "secret",
     .product_secret = "productsecret",
     .dynamic = true,
     .bound = true},
    {.product = "spk",
     .device = "bound",
     .secret = "s",
     .product_secret = "productsecret",
     .bound = true},
    {.product = "spk",
     .device = "online",
     .secret = "s",
     .product_secret = "productsecret",
     .bound = true,
     .online = true},
    {.product = "spk",
     .device = "disabled",
     .secret = "s",
     .product_secret = "productsecret",
     .bound = true,
     .disabled = true},
    {.product = "spk",
     .device = "elsewhere",
     .secret = "s",
     .product_secret = "productsecret",
     .bound_elsewhere = true},
};

static const struct gateway_case session_cases[] = {
    {.name = "npm's login",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload = "{\"id\":\"1\",\"params\":" SIGNED ",\"method\":\"\"}",
     .reply_topic = LOGIN "_reply",
     .reply = OK(NAME("sub1"), "combine.login"),
     .did = "login 1"},
    {.name = "the C SDK's login signs its clientId with the block",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload = "{\"id\":1,\"version\":\"1.0\",\"method\":\"combine.login\",\"params\":{"
                "\"productKey\":\"spk\",\"deviceName\":\"sub1\",\"clientId\":\"spk.sub1|_v=sdk-c-"
                "3.0.1|\",\"timestamp\":\"12345\",\"signMethod\":\"hmacSha1\",\"sign\":"
                "\"8BA0D88290CE824BA058E4ABE095DDEEBE285FC2\",\"cleanSession\":\"true\"}}",
     .reply_topic = LOGIN "_reply",
     .reply = OK(NAME("sub1"), "combine.login"),
     .did = "login 1"},
    {.name = "a login signed without that block is refused, and explained",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload =
         ASK("{\"productKey\":\"spk\",\"deviceName\":\"sub1\",\"clientId\":\"spk.sub1|_v=sdk-c-"
             "3.0.1|\",\"timestamp\":\"12345\",\"signMethod\":\"hmacSha1\",\"sign\":"
             "\"2CA5D159855A356437242289F0576D876BC32D3F\"}"),
     .reply_topic = LOGIN "_reply",
     .reply = REPLY("6287", NAME("sub1"), "sign check failed", "combine.login"),
     .rule = "ALI-SUB-SIGN",
     .peer_rule = "ALI-SUB-SIGN",
     .suspected = true},
    {.name = "the login of 2018 signs cleanSession: it is taken, and told",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload =
         ASK("{\"productKey\":\"spk\",\"deviceName\":\"sub1\",\"clientId\":\"c\",\"timestamp\":"
             "\"123\",\"signMethod\":\"hmacmd5\",\"sign\":"
             "\"53FE978E2CDDB37AA3D80E77DC732916\",\"cleanSession\":\"true\"}"),
     .reply_topic = LOGIN "_reply",
     .reply = OK(NAME("sub1"), "combine.login"),
     .did = "login 1",
     .rule = "ALI-SUB-SIGN-SESSION",
     .peer_rule = "ALI-SUB-SIGN-SESSION"},
    {.name = "a login of a device that is disabled",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload = ASK(NAME("disabled")),
     .reply_topic = LOGIN "_reply",
     .reply = REPLY("522", NAME("disabled"), "device forbidden", "combine.login"),
     .rule = "ALI-DEVICE-DISABLED",
     .peer_rule = "ALI-DEVICE-DISABLED"},
    {.name = "a login of a device that is not in the topology",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload = ASK(NAME("elsewhere")),
     .reply_topic = LOGIN "_reply",
     .reply =
         REPLY("6401", NAME("elsewhere"), "topological relation does not exist", "combine.login"),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "a login of a device that nobody knows",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload = ASK(NAME("nobody")),
     .reply_topic = LOGIN "_reply",
     .reply = REPLY("6100", NAME("nobody"), "device not found", "combine.login"),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "a login of a list is none",
     .service = &sky_aliyun_login,
     .topic = LOGIN,
     .payload = ASK("{\"deviceList\":[" SIGNED "]}"),
     .reply_topic = LOGIN "_reply",
     .reply = BAD(NAMED("", ""), "combine.login"),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "several at once, the method in each",
     .service = &sky_aliyun_batch_login,
     .topic = BATCH_LOGIN,
     .payload = ASK("{\"deviceList\":[" SIGNED "]}"),
     .reply_topic = BATCH_LOGIN "_reply",
     .reply = OK("[" NAME("sub1") "]", "combine.batch_login"),
     .did = "login 1"},
    {.name = "several at once, the method beside the list",
     .service = &sky_aliyun_batch_login,
     .topic = BATCH_LOGIN,
     .payload = ASK("{\"signMethod\":\"hmacSha1\",\"deviceList\":[{\"productKey\":\"spk\","
                    "\"deviceName\":\"sub1\",\"clientId\":\"spk&sub1\",\"timestamp\":"
                    "\"1700000000000\",\"sign\":\"" SHA1 "\",\"cleanSession\":\"true\"}]}"),
     .reply_topic = BATCH_LOGIN "_reply",
     .reply = OK("[" NAME("sub1") "]", "combine.batch_login"),
     .did = "login 1"},
    {.name = "one of several is wrong: none is in, and the answer names it",
     .service = &sky_aliyun_batch_login,
     .topic = BATCH_LOGIN,
     .payload = ASK("{\"deviceList\":[" SIGNED "," NAME("disabled") "]}"),
     .reply_topic = BATCH_LOGIN "_reply",
     .reply = REPLY("522", "[" NAME("disabled") "]", "device forbidden", "combine.batch_login"),
     .rule = "ALI-DEVICE-DISABLED",
     .peer_rule = "ALI-DEVICE-DISABLED"},
    {.name = "several without a list",
     .service = &sky_aliyun_batch_login,
     .topic = BATCH_LOGIN,
     .payload = ASK("[" SIGNED "]"),
     .reply_topic = BATCH_LOGIN "_reply",
     .reply = BAD("{}", "combine.batch_login"),
     .rule = "ALI-PARAMS"},
    {.name = "a logout",
     .service = &sky_aliyun_logout,
     .topic = LOGOUT,
     .payload = "{\"id\":\"1\",\"params\":" NAME("online") ",\"method\":\"\"}",
     .reply_topic = LOGOUT "_reply",
     .reply = OK(NAME("online"), "combine.logout"),
     .did = "logout 3"},
    {.name = "a logout of one that is not in",
     .service = &sky_aliyun_logout,
     .topic = LOGOUT,
     .payload = ASK(NAME("bound")),
     .reply_topic = LOGOUT "_reply",
     .reply = REPLY("520", NAME("bound"), "device session error", "combine.logout"),
     .rule = "ALI-SUB-ONLINE",
     .peer_rule = "ALI-SUB-ONLINE"},
    {.name = "a logout of nobody",
     .service = &sky_aliyun_logout,
     .topic = LOGOUT,
     .payload = ASK("[]"),
     .reply_topic = LOGOUT "_reply",
     .reply = BAD("{}", "combine.logout"),
     .rule = "ALI-PARAMS"},
    {.name = "a logout of several",
     .service = &sky_aliyun_batch_logout,
     .topic = BATCH_LOGOUT,
     .payload = ASK("[" NAME("online") "]"),
     .reply_topic = BATCH_LOGOUT "_reply",
     .reply = OK("[" NAME("online") "]", "combine.batch_logout"),
     .did = "logout 3"},
    {.name = "a logout of several, one of which is not in",
     .service = &sky_aliyun_batch_logout,
     .topic = BATCH_LOGOUT,
     .payload = ASK("[" NAME("online") "," NAME("bound") "]"),
     .reply_topic = BATCH_LOGOUT "_reply",
     .reply = REPLY("520", "[" NAME("bound") "]", "device session error", "combine.batch_logout"),
     .rule = "ALI-SUB-ONLINE",
     .peer_rule = "ALI-SUB-ONLINE"},
};

static void run_gateway_cases(const struct gateway_case *rows, size_t count,
                              const struct gateway_device *known, size_t known_count)
{
    struct gateway_bench bench;
    gateway_init(&bench, "aliyun", "gpk", "gdn", known, known_count);
    for (size_t i = 0; i < count; i++)
        run_gateway_case(&bench, &rows[i]);
    bench_done(&bench.base);
}

static void topologies_change_and_are_shown(void **state)
{
    (void)state;
    run_gateway_cases(topology_cases, SKY_COUNT(topology_cases), devices, SKY_COUNT(devices));
}

static void devices_behind_it_get_their_secrets(void **state)
{
    (void)state;
    run_gateway_cases(register_cases, SKY_COUNT(register_cases), devices, SKY_COUNT(devices));
}

static void devices_behind_it_log_in_and_out(void **state)
{
    (void)state;
    run_gateway_cases(session_cases, SKY_COUNT(session_cases), tied, SKY_COUNT(tied));
}

static void a_device_that_is_no_gateway_is_refused(void **state)
{
    static const struct gateway_case rows[] = {
        {.name = "topo/add",
         .service = &sky_aliyun_topo_add,
         .topic = ADD,
         .payload = ASK("[" SIGNED "]"),
         .reply_topic = ADD "_reply",
         .reply = BAD("{}", "thing.topo.add"),
         .rule = "ALI-GATEWAY"},
        {.name = "topo/get",
         .service = &sky_aliyun_topo_get,
         .topic = GET,
         .payload = ASK("{}"),
         .reply_topic = GET "_reply",
         .reply = BAD("{}", "thing.topo.get"),
         .rule = "ALI-GATEWAY"},
        {.name = "login",
         .service = &sky_aliyun_login,
         .topic = LOGIN,
         .payload = ASK(SIGNED),
         .reply_topic = LOGIN "_reply",
         .reply = BAD("{}", "combine.login"),
         .rule = "ALI-GATEWAY"},
    };
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    bench.node = SKY_NODE_DEVICE;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        run_gateway_case(&bench, &rows[i]);
    bench_done(&bench.base);
}

/* ---- posts for others ---- */

#define PACK SYS "event/property/pack/post"
#define PACK_METHOD "thing.event.property.pack.post"
#define HISTORY SYS "event/property/history/post"
#define HISTORY_METHOD "thing.event.property.history.post"
#define OF(who, rest) "{\"identity\":" who rest "}"

static const struct gateway_device posting[] = {
    {.product = "spk",
     .device = "bound",
     .bound = true,
     .document = "{\"a\":{\"value\":0,\"time\":1}}"},
    {.product = "spk", .device = "sub1"},
};

static const struct gateway_case post_cases[] = {
    {.name = "a pack for itself and for one behind it",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"a\":{\"value\":1,\"time\":5}},\"subDevices\":[" OF(
         NAME("bound"), ",\"properties\":{\"b\":{\"value\":2,\"time\":6}},"
                        "\"events\":{\"e\":{\"value\":{},\"time\":5}}") "]}"),
     .reply_topic = PACK "_reply",
     .reply = OK("{}", PACK_METHOD),
     .did = "put 0 {\"a\":{\"value\":1,\"time\":5}}, "
            "put 1 {\"a\":{\"value\":0,\"time\":1},\"b\":{\"value\":2,\"time\":6}}"},
    {.name = "a pack for one that is not behind it, and nothing is kept",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"a\":1},\"subDevices\":[" OF(
         NAME("bound"), ",\"properties\":{\"b\":2}") "," OF(NAME("sub1"),
                                                            ",\"properties\":{\"b\":2}") "]}"),
     .reply_topic = PACK "_reply",
     .reply = REPLY("6401", "{}", "topological relation does not exist", PACK_METHOD),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "a pack for nobody",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"subDevices\":[" OF(NAME("nobody"), "") "]}"),
     .reply_topic = PACK "_reply",
     .reply = REPLY("6100", "{}", "device not found", PACK_METHOD),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "a pack whose device has no name",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"subDevices\":[{\"properties\":{\"a\":1}}]}"),
     .reply_topic = PACK "_reply",
     .reply = BAD("{}", PACK_METHOD),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "a pack with a list of properties",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"subDevices\":[" OF(NAME("bound"), ",\"properties\":[]") "]}"),
     .reply_topic = PACK "_reply",
     .reply = BAD("{}", PACK_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "what was does not change what is",
     .service = &sky_aliyun_history_post,
     .topic = HISTORY,
     .payload = ASK(
         "[" OF(NAMED("gpk", "gdn"), ",\"properties\":[{\"a\":{\"value\":1,\"time\":5}}]") "," OF(
             NAME("bound"), ",\"events\":[{\"e\":{\"value\":{},\"time\":5}}]") "]"),
     .reply_topic = HISTORY "_reply",
     .reply = OK("{}", HISTORY_METHOD)},
    {.name = "another's past",
     .service = &sky_aliyun_history_post,
     .topic = HISTORY,
     .payload = ASK("[" OF(NAME("sub1"), "") "]"),
     .reply_topic = HISTORY "_reply",
     .reply = REPLY("6401", "{}", "topological relation does not exist", HISTORY_METHOD),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "a past whose properties are no list",
     .service = &sky_aliyun_history_post,
     .topic = HISTORY,
     .payload = ASK("[" OF(NAME("bound"), ",\"properties\":{}") "]"),
     .reply_topic = HISTORY "_reply",
     .reply = BAD("{}", HISTORY_METHOD),
     .rule = "ALI-PARAMS"},
};

static void a_gateway_posts_for_those_behind_it(void **state)
{
    (void)state;
    run_gateway_cases(post_cases, SKY_COUNT(post_cases), posting, SKY_COUNT(posting));
}

/* ---- limits ---- */

/* So many devices, each of them the same, in a message of this form. */
static void check_count(const struct sky_service *service, const char *topic, const char *before,
                        const char *device, const char *after, size_t count, bool fits)
{
    struct gateway_bench bench;
    struct sky_buf out;
    gateway_init(&bench, "aliyun", "gpk", "gdn", tied, 3);
    sky_buf_init(&out, 256 * 1024);
    sky_buf_addf(&out, "{\"id\":\"1\",\"params\":%s", before);
    for (size_t i = 0; i < count; i++)
        sky_buf_addf(&out, "%s%s", i > 0 ? "," : "", device);
    sky_buf_addf(&out, "%s}", after);
    sky_buf_add_byte(&out, '\0');
    struct sky_peer peers[SKY_PEERS_MAX];
    struct sky_judge judges[64];
    bench.base.uplink.topic = sky_span_str(topic);
    bench.base.uplink.payload = sky_span_str(out.bytes);
    bench.base.facts.product = &bench.product;
    bench.product.node = SKY_NODE_GATEWAY;
    size_t found = service->peers(&bench.base.uplink, &bench.base.effects.arena, peers);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count && i < SKY_COUNT(judges); i++) {
        sky_judge_init(&judges[i], &bench.base.policy);
        peers[i].judge = &judges[i];
        peers[i].known_product = &bench.products[2];
        peers[i].known = &bench.known[0];
        peers[i].bound = peers[i].online = peers[i].allowed = true;
    }
    bench.base.facts.peers = peers;
    bench.base.facts.peer_count = count;
    service->handle(&bench.base.uplink, &bench.base.facts, &bench.base.judge, &bench.base.effects);
    const struct sky_effect *reply = bench_effect(&bench.base, SKY_EFFECT_REPLY);
    if (sky_span_starts(reply->payload, SKY_SPAN("{\"code\":200,")) != fits)
        fail_msg("%s with %zu: %.*s", topic, count, SKY_SPAN_ARGS(reply->payload));
    if (!fits)
        assert_string_equal(bench.base.judge.findings[0].rule->id, "ALI-ENTRIES");
    sky_buf_done(&out);
    bench_done(&bench.base);
}

static void devices_of_one_message_are_limited_in_number(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        check_count(&sky_aliyun_pack_post, PACK, "{\"subDevices\":[", OF(NAME("online"), ""), "]}",
                    SKY_ALIYUN_SUB_DEVICES_MAX + over, !over);
        check_count(&sky_aliyun_topo_add, ADD, "[", SIGNED, "]", SKY_ALIYUN_ADD_MAX + over, !over);
        check_count(&sky_aliyun_batch_login, BATCH_LOGIN, "{\"deviceList\":[", SIGNED, "]}",
                    SKY_ALIYUN_BATCH_MAX + over, !over);
        check_count(&sky_aliyun_batch_logout, BATCH_LOGOUT, "[", NAME("online"), "]",
                    SKY_ALIYUN_BATCH_MAX + over, !over);
    }
}

static void devices_behind_a_gateway_are_limited_in_number(void **state)
{
    static const struct {
        const struct sky_service *service;
        const char *topic, *payload;
        bool online;
        const char *code;
    } rows[] = {
        {&sky_aliyun_topo_add, ADD, ASK("[" SIGNED "]"), false, "{\"code\":6400,"},
        {&sky_aliyun_login, LOGIN, ASK(SIGNED), true, "{\"code\":428,"},
        {&sky_aliyun_batch_login, BATCH_LOGIN, ASK("{\"deviceList\":[" SIGNED "]}"), true,
         "{\"code\":428,"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        for (size_t over = 0; over <= 1; over++) {
            struct gateway_bench bench;
            const struct gateway_device one = {
                .product = "spk", .device = "sub1", .secret = "secret", .bound = rows[i].online};
            gateway_init(&bench, "aliyun", "gpk", "gdn", &one, 1);
            bench.online_count = rows[i].online ? SKY_ALIYUN_BOUND_MAX - 1 + over : 0;
            bench.behind_more = rows[i].online ? 0 : SKY_ALIYUN_BOUND_MAX - 1 + over;
            gateway_send(&bench, rows[i].service, rows[i].topic, rows[i].payload);
            sky_span reply = bench_effect(&bench.base, SKY_EFFECT_REPLY)->payload;
            if (sky_span_starts(reply, sky_span_str(rows[i].code)) != (over == 1))
                fail_msg("%s with %zu more: %.*s", rows[i].topic, over, SKY_SPAN_ARGS(reply));
            bench_done(&bench.base);
        }
}

/* ---- what it is told ---- */

#define CHANGE(status)                                                                             \
    "{\"method\":\"thing.topo.change\",\"id\":\"77\",\"params\":{\"status\":" status               \
    ",\"subList\":[{\"productKey\":\"spk\",\"deviceName\":\"online\"}]},\"version\":\"1.0.0\"}"
#define NOTICE(what)                                                                               \
    "{\"method\":\"thing." what "\",\"id\":\"77\",\"params\":{},\"version\":\"1.0.0\"}"
#define ERROR(code, message) "{\"code\":" code ",\"id\":\"77\",\"message\":\"" message "\"}"

static void a_gateway_is_told_what_happens_behind_it(void **state)
{
    static const struct {
        enum sky_behind_event event;
        bool online;
        const char *topics[3], *payloads[3];
    } rows[] = {
        {SKY_BEHIND_BOUND, false, {SYS "topo/change"}, {CHANGE("0")}},
        {SKY_BEHIND_UNBOUND, false, {SYS "topo/change"}, {CHANGE("1")}},
        {SKY_BEHIND_UNBOUND,
         true,
         {"/ext/error/gpk/gdn", SYS "topo/change"},
         {ERROR("6401", "topological relation does not exist"), CHANGE("1")}},
        {SKY_BEHIND_ENABLED,
         false,
         {"/sys/spk/online/thing/enable", SYS "topo/change"},
         {NOTICE("enable"), CHANGE("2")}},
        {SKY_BEHIND_DISABLED,
         false,
         {"/sys/spk/online/thing/disable", SYS "topo/change"},
         {NOTICE("disable"), CHANGE("8")}},
        {SKY_BEHIND_DISABLED,
         true,
         {"/sys/spk/online/thing/disable", "/ext/error/gpk/gdn", SYS "topo/change"},
         {NOTICE("disable"), ERROR("522", "device forbidden"), CHANGE("8")}},
        {SKY_BEHIND_DELETED,
         true,
         {"/sys/spk/online/thing/delete", "/ext/error/gpk/gdn", SYS "topo/change"},
         {NOTICE("delete"), ERROR("521", "device deleted"), CHANGE("1")}},
        {SKY_BEHIND_OUSTED,
         false,
         {"/ext/error/gpk/gdn"},
         {ERROR("427", "device connected elsewhere")}},
    };
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    const struct sky_cloud *cloud = bench.base.uplink.cloud;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_effects *effects = &bench.base.effects;
        const struct sky_peer peer = {.product = SKY_SPAN("spk"),
                                      .device = SKY_SPAN("online"),
                                      .known = &bench.known[ONLINE - 1],
                                      .online = rows[i].online};
        sky_effects_clear(effects);
        cloud->gateway->tell(&bench.base.uplink, rows[i].event, &peer, 1, SKY_SPAN("77"), effects);
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(j < effects->count, rows[i].topics[j] != NULL);
            if (j == effects->count)
                break;
            const struct sky_effect *effect = &effects->list[j];
            assert_int_equal(effect->kind, SKY_EFFECT_PUSH);
            assert_span("told", "the topic", effect->topic, rows[i].topics[j]);
            assert_span("told", "the payload", effect->payload, rows[i].payloads[j]);
            assert_int_equal(effect->subject,
                             sky_span_starts(effect->topic, SKY_SPAN("/sys/spk")) ? ONLINE : 0);
        }
    }
    bench_done(&bench.base);
}

static void what_a_gateway_sends_for_others_comes_to_nothing(void **state)
{
    static const struct {
        int device;
        const char *payload;
    } rows[] = {
        {BOUND, "{\"code\":520,\"id\":\"5\",\"message\":\"device session error\"}"},
        {DISABLED, "{\"code\":522,\"id\":\"5\",\"message\":\"device forbidden\"}"},
        {0, NULL},
    };
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    const struct sky_cloud *cloud = bench.base.uplink.cloud;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct service_bench *base = &bench.base;
        struct sky_peer peer = {.product = SKY_SPAN("spk"), .device = SKY_SPAN("x")};
        if (rows[i].device > 0)
            peer.known = &bench.known[rows[i].device - 1];
        base->facts.peers = &peer;
        base->facts.peer_count = rows[i].device > 0;
        base->uplink.topic = SKY_SPAN("/sys/spk/x/thing/event/property/post");
        base->uplink.payload = SKY_SPAN("{\"id\":5,\"params\":{}}");
        sky_judge_init(&base->judge, &base->policy);
        sky_effects_clear(&base->effects);
        cloud->refused_publish(&base->uplink, &base->facts, &base->judge, &base->effects);
        const struct sky_effect *push = bench_effect(base, SKY_EFFECT_PUSH);
        assert_int_equal(push != NULL, rows[i].payload != NULL);
        assert_int_equal(base->judge.count, rows[i].payload != NULL);
        if (push == NULL)
            continue;
        assert_string_equal(base->judge.findings[0].rule->id, "ALI-SUB-ONLINE");
        assert_span("refused", "the topic", push->topic, "/ext/error/gpk/gdn");
        assert_span("refused", "the payload", push->payload, rows[i].payload);
    }
    bench_done(&bench.base);
}

static void one_that_was_online_is_not_taken_away_in_silence(void **state)
{
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    gateway_send(&bench, &sky_aliyun_topo_delete, DELETE, ASK("[" NAME("online") "]"));
    const struct sky_effect *push = bench_effect(&bench.base, SKY_EFFECT_PUSH);
    assert_non_null(push);
    assert_span("deleted", "the payload", push->payload,
                "{\"code\":6401,\"id\":\"1\",\"message\":\"topological relation does not exist\"}");
    bench_done(&bench.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topologies_change_and_are_shown),
        cmocka_unit_test(devices_behind_it_get_their_secrets),
        cmocka_unit_test(devices_behind_it_log_in_and_out),
        cmocka_unit_test(a_device_that_is_no_gateway_is_refused),
        cmocka_unit_test(a_gateway_posts_for_those_behind_it),
        cmocka_unit_test(devices_of_one_message_are_limited_in_number),
        cmocka_unit_test(devices_behind_a_gateway_are_limited_in_number),
        cmocka_unit_test(a_gateway_is_told_what_happens_behind_it),
        cmocka_unit_test(what_a_gateway_sends_for_others_comes_to_nothing),
        cmocka_unit_test(one_that_was_online_is_not_taken_away_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
