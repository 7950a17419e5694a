/* What this cloud's HTTP calls have in common. Private to this folder. */
#ifndef SKY_TENCENT_HTTP_H
#define SKY_TENCENT_HTTP_H

#include "protocol/cloud/tencent/login.h"

#define SKY_TENCENT_HTTP_FAILURE                                                                   \
    "{\"Response\":{\"Error\":{\"Code\":\"InternalError\",\"Message\":\"internal error\"},"        \
    "\"RequestId\":\"\"}}"

/* The X-TC- headers, and what is signed by them. */
struct sky_tencent_tc {
    sky_span algorithm, timestamp, nonce, signature;
    struct sky_recipe recipe;
    bool complete; /* nothing is missing, and the algorithm is an HMAC that is known */
};
void sky_tencent__read_tc(const struct sky_http_request *request, struct sky_arena *arena,
                          struct sky_tencent_tc *ret_tc);
/* SDKs encode the hex text or the digest's bytes; either is taken in every call. */
enum sky_encoding sky_tencent__encoding_of(sky_span signature, enum sky_digest digest);

/* A member as text; numbers as the integers they are signed as. */
sky_span sky_tencent__member(sky_span body, const char *key, struct sky_arena *arena);

/* {"Response":{"Error":...}} */
sky_span sky_tencent__fault_body(const char *name, const char *message,
                                 const struct sky_facts *facts, struct sky_arena *arena);

/* POST /device/publish and /device/reportlog, as struct sky_http_row has them. */
bool sky_tencent__device_claim(const struct sky_http_request *request, struct sky_claim *ret_claim,
                               struct sky_arena *arena);
bool sky_tencent__device_suspect(const struct sky_http_request *request,
                                 const struct sky_facts *facts, struct sky_suspicion *ret_suspicion,
                                 struct sky_arena *arena);
void sky_tencent__publish_answer(const struct sky_http_request *request,
                                 const struct sky_facts *facts, struct sky_judge *judge,
                                 struct sky_effects *effects, struct sky_http_answer *ret_answer);
void sky_tencent__log_answer(const struct sky_http_request *request, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects,
                             struct sky_http_answer *ret_answer);

/* POST /cgi-bin/report-log */
bool sky_tencent__old_log_claim(const struct sky_http_request *request, struct sky_claim *ret_claim,
                                struct sky_arena *arena);
bool sky_tencent__old_log_suspect(const struct sky_http_request *request,
                                  const struct sky_facts *facts,
                                  struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
void sky_tencent__old_log_answer(const struct sky_http_request *request,
                                 const struct sky_facts *facts, struct sky_judge *judge,
                                 struct sky_effects *effects, struct sky_http_answer *ret_answer);

#endif
