/* A gateway's topology, and the devices behind it that get their secrets, log in and out. */
#include "tests/clouds/aliyun/gateway_aliyun.h"

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
     .dynamic = true,
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
    {.name = "of a product that may not stand behind this gateway's",
     .service = &sky_aliyun_sub_register,
     .topic = REGISTER,
     .payload = ASK("[" NAMED("other", "dis1") "]"),
     .reply_topic = REGISTER "_reply",
     .reply = REPLY("460", "{}", "request parameter error", "thing.sub.register"),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
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

static void a_device_that_is_logged_in_is_in_use(void **state)
{
    static const struct {
        const struct sky_service *service;
        const char *topic, *payload;
    } rows[] = {{&sky_aliyun_login, LOGIN, ASK(SIGNED)},
                {&sky_aliyun_batch_login, BATCH_LOGIN, ASK("{\"deviceList\":[" SIGNED "]}")}};
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", tied, SKY_COUNT(tied));
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        bench.known[0].state = SKY_DEVICE_INACTIVE;
        gateway_send(&bench, rows[i].service, rows[i].topic, rows[i].payload);
        const struct sky_effect *use = bench_effect(&bench.base, SKY_EFFECT_ONLINE);
        assert_non_null(use);
        assert_int_equal(use->subject, 1);
        bench.known[0].state = SKY_DEVICE_ACTIVE;
        gateway_send(&bench, rows[i].service, rows[i].topic, rows[i].payload);
        assert_null(bench_effect(&bench.base, SKY_EFFECT_ONLINE));
    }
    bench_done(&bench.base);
}

/* For the gateway and for the device: an event of either says what turned it away. */
static void who_is_turned_away_is_refused_by_a_rule(void **state)
{
    static const struct {
        const struct sky_service *service;
        const char *topic, *payload, *rule;
    } rows[] = {
        {&sky_aliyun_topo_add, ADD, ASK("[" NAMED("gpk", "gdn") "]"), "ALI-SUB-DEVICE"},
        {&sky_aliyun_topo_add, ADD, ASK("[" NAMED("other", "dis1") "]"), "ALI-SUB-DEVICE"},
        {&sky_aliyun_topo_add, ADD, ASK("[" MISSIGNED "]"), "ALI-SUB-SIGN"},
        {&sky_aliyun_topo_delete, DELETE, ASK("[" NAME("sub1") "]"), "ALI-SUB-DEVICE"},
        {&sky_aliyun_sub_register, REGISTER, ASK("[" NAME("elsewhere") "]"), "ALI-SUB-DEVICE"},
        {&sky_aliyun_login, LOGIN, ASK(NAME("elsewhere")), "ALI-SUB-DEVICE"},
        {&sky_aliyun_logout, LOGOUT, ASK(NAME("bound")), "ALI-SUB-ONLINE"},
    };
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        gateway_send(&bench, rows[i].service, rows[i].topic, rows[i].payload);
        const struct sky_rule *rules[] = {bench.base.judge.refused, bench.judges[0].refused};
        for (size_t j = 0; j < SKY_COUNT(rules); j++) {
            assert_non_null(rules[j]);
            assert_string_equal(rules[j]->id, rows[i].rule);
        }
        assert_true(bench.peers[0].cause != SKY_CAUSE_NONE);
    }
    bench_done(&bench.base);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topologies_change_and_are_shown),
        cmocka_unit_test(devices_behind_it_get_their_secrets),
        cmocka_unit_test(devices_behind_it_log_in_and_out),
        cmocka_unit_test(a_device_that_is_logged_in_is_in_use),
        cmocka_unit_test(who_is_turned_away_is_refused_by_a_rule),
        cmocka_unit_test(a_device_that_is_no_gateway_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
