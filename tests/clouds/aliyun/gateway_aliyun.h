/* What the tests of gateways share: their topics, requests and answers. */
#ifndef SKY_TEST_GATEWAY_ALIYUN_H
#define SKY_TEST_GATEWAY_ALIYUN_H

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

static inline void run_gateway_cases(const struct gateway_case *rows, size_t count,
                                     const struct gateway_device *known, size_t known_count)
{
    struct gateway_bench bench;
    gateway_init(&bench, "aliyun", "gpk", "gdn", known, known_count);
    for (size_t i = 0; i < count; i++)
        run_gateway_case(&bench, &rows[i]);
    bench_done(&bench.base);
}

#endif
