/* A device's HTTP call, answered by its cloud. */
#ifndef SKY_TEST_HTTP_CASE_H
#define SKY_TEST_HTTP_CASE_H

#include "tests/unit/cloud/login_case.h"

struct http_bench {
    struct login_bench login;
    struct sky_http_request request;
    struct sky_http_answer answer;
    const struct sky_http_row *row;
    char headers[512];
};

static inline const struct sky_http_row *http_row(const struct sky_cloud *cloud, const char *path)
{
    for (size_t i = 0; i < cloud->http->count; i++)
        if (strcmp(cloud->http->rows[i].path, path) == 0)
            return &cloud->http->rows[i];
    fail_msg("no call %s", path);
    return NULL;
}

static inline void http_begin(struct http_bench *b, const char *path, const char *content_type)
{
    b->login.door.transport = SKY_HTTPS;
    b->row = http_row(b->login.cloud, path);
    b->request = (struct sky_http_request){.door = &b->login.door,
                                           .method = SKY_SPAN("POST"),
                                           .path = sky_span_str(path),
                                           .content_type = sky_span_str(content_type),
                                           .advertise_host = SKY_SPAN("127.0.0.1"),
                                           .advertise_port = 1883};
}

/* Calls with a body; further header lines may be in `extra`. Returns the answer's body. */
static inline const char *http_call(struct http_bench *b, const char *body, const char *extra)
{
    struct login_bench *l = &b->login;
    sky_judge_init(&l->judge, &l->policy);
    sky_effects_clear(&l->effects);
    snprintf(b->headers, sizeof b->headers, "Host: example:443\r\nContent-Length: %zu\r\n%s",
             strlen(body), extra);
    b->request.headers = sky_span_str(b->headers);
    b->request.body = sky_span_str(body);
    b->answer = (struct sky_http_answer){0};
    b->row->answer(&b->request, &l->facts, &l->judge, &l->effects, &b->answer);
    assert_true(b->answer.status != 0 && b->answer.body.len > 0);
    assert_true(b->answer.body.len < 256); /* what the vendors' SDKs can hold */
    assert_false(sky_span_contains(b->answer.body, SKY_SPAN(": ")));
    return b->answer.body.ptr; /* the arena ends it with a NUL */
}

#endif
