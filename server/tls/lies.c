#include "server/tls/lies.h"

#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/os/clock.h"
#include "server/os/worker.h"
#include "server/tls/der.h"
#include "server/tls/rng.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define WRONG_NAME "wrong-name.invalid" /* nobody has it (RFC 6761 §6.4) */

static const char *const names[] = {[SKY_LIE_NONE] = "",
#define X(name, text) [SKY_LIE_##name] = text,
                                    SKY_LIES(X)
#undef X
};

struct sky_lies {
    uv_loop_t *loop;
    uv_work_t work;
    struct sky_ca *ca;
    const struct sky_clock *clock;
    struct sky_ca_waiter authority; /* until that is there */
    struct sky_ca_waiter *waiters;
    struct sky_tls_rng rng;
    mbedtls_pk_context weak_key;
    mbedtls_x509_crt certificates[SKY_LIE_COUNT][SKY_CA_IDENTITIES_MAX];
    mbedtls_pk_context *keys[SKY_LIE_COUNT][SKY_CA_IDENTITIES_MAX];
    bool making, ready;
    int64_t now_ms;
};

const char *sky_lie_name(enum sky_lie lie)
{
    SKY_ASSERT((unsigned)lie < SKY_LIE_COUNT);
    return names[lie];
}

/* ---- making them; on a worker, which then is the only one to touch `lies` ---- */

/* With the user's own certificate the authority's key is not here: what is left are those that it
 * has not signed. */
static bool needs_authority(enum sky_lie lie)
{
    return lie != SKY_LIE_UNKNOWN_CA && lie != SKY_LIE_SELF_SIGNED;
}

/* An order for the usual certificate with this key, but for the lie. */
static void bend(struct sky_lies *lies, enum sky_lie lie, const struct sky_ca_identity *usual,
                 struct sky_buf *room, struct sky_certificate_order *order)
{
    static const char *const wrong[] = {WRONG_NAME};
    switch (lie) {
    case SKY_LIE_EXPIRED:
        order->from_ms = order->now_ms - 365 * DAY_MS;
        order->until_ms = order->now_ms - DAY_MS;
        break;
    case SKY_LIE_NOT_YET_VALID:
        order->from_ms = order->now_ms + 365 * DAY_MS;
        order->until_ms = order->now_ms + 2 * 365 * DAY_MS;
        break;
    case SKY_LIE_WRONG_NAME:
        sky_der_add_alt_names(room, wrong, 1);
        order->subject = "CN=" WRONG_NAME ",O=skymock";
        order->alt_names = sky_buf_span(room);
        break;
    case SKY_LIE_UNKNOWN_CA:
        order->issuer = "CN=nobody's CA,O=nobody";
        order->issuer_key = usual->key;
        break;
    case SKY_LIE_SELF_SIGNED:
        order->issuer = order->subject;
        order->issuer_key = usual->key;
        break;
    case SKY_LIE_LARGE:
        sky_der_add_filler(room, 'x', SKY_LIE_LARGE_SIZE - order->alt_names.len);
        order->comment = sky_buf_span(room);
        break;
    case SKY_LIE_WEAK_KEY:
        order->subject_key = &lies->weak_key;
        order->sha1 = true;
        break;
    case SKY_LIE_NONE:
    case SKY_LIE_COUNT:
        break;
    }
}

static void make(struct sky_lies *lies, enum sky_lie lie, size_t index,
                 const struct sky_ca_identity *usual)
{
    struct sky_certificate_order order = {.role = SKY_CERTIFICATE_SERVER,
                                          .subject = SKY_CA_SERVER_NAME,
                                          .issuer = SKY_CA_ROOT_NAME,
                                          .subject_key = usual->key,
                                          .issuer_key = sky_ca_signing_key(lies->ca),
                                          .alt_names = sky_ca_alt_names(lies->ca),
                                          .now_ms = lies->now_ms};
    struct sky_buf room;
    if (order.issuer_key == NULL && needs_authority(lie))
        return;
    if (lie == SKY_LIE_WEAK_KEY && !mbedtls_pk_can_do(usual->key, MBEDTLS_PK_RSA))
        return;
    sky_buf_init(&room, SKY_CERTIFICATE_DER_MAX);
    bend(lies, lie, usual, &room, &order);
    if (sky_certificate_make(&order, &lies->rng, &lies->certificates[lie][index]) == SKY_OK)
        lies->keys[lie][index] = order.subject_key;
    sky_buf_done(&room);
}

static void on_work(uv_work_t *work)
{
    struct sky_lies *lies = SKY_CONTAINER_OF(work, struct sky_lies, work);
    struct sky_ca_identity usual[SKY_CA_IDENTITIES_MAX];
    if (lies->loop != NULL)
        sky_worker_step_back();
    size_t count = sky_ca_identities(lies->ca, usual);
    sky_err err =
        sky_certificate_make_key(SKY_KEY_RSA_WEAK, &lies->weak_key, sky_tls_rng_random, &lies->rng);
    SKY_ASSERT(err == SKY_OK);
    for (enum sky_lie lie = SKY_LIE_NONE + 1; lie < SKY_LIE_COUNT; lie++)
        for (size_t i = 0; i < count; i++)
            make(lies, lie, i, &usual[i]);
}

static void on_worked(uv_work_t *work, int status)
{
    struct sky_lies *lies = SKY_CONTAINER_OF(work, struct sky_lies, work);
    (void)status;
    lies->ready = true;
    while (lies->waiters != NULL) {
        struct sky_ca_waiter *waiter = lies->waiters;
        sky_lies_forget(lies, waiter);
        waiter->ready(waiter);
    }
}

static void on_authority(struct sky_ca_waiter *waiter)
{
    struct sky_lies *lies = SKY_CONTAINER_OF(waiter, struct sky_lies, authority);
    if (lies->loop == NULL) {
        on_work(&lies->work);
        on_worked(&lies->work, 0);
        return;
    }
    int rc = uv_queue_work(lies->loop, &lies->work, on_work, on_worked);
    SKY_ASSERT(rc == 0);
}

/* ---- from outside ---- */

struct sky_lies *sky_lies_new(uv_loop_t *loop, struct sky_ca *ca, const struct sky_clock *clock)
{
    struct sky_lies *lies = sky_mem_new(sizeof *lies);
    lies->loop = loop;
    lies->ca = ca;
    lies->clock = clock;
    lies->authority.ready = on_authority;
    sky_tls_rng_init(&lies->rng);
    mbedtls_pk_init(&lies->weak_key);
    for (enum sky_lie lie = 0; lie < SKY_LIE_COUNT; lie++)
        for (size_t i = 0; i < SKY_CA_IDENTITIES_MAX; i++)
            mbedtls_x509_crt_init(&lies->certificates[lie][i]);
    return lies;
}

void sky_lies_free(struct sky_lies *lies)
{
    if (lies == NULL)
        return;
    SKY_ASSERT(lies->waiters == NULL);
    for (enum sky_lie lie = 0; lie < SKY_LIE_COUNT; lie++)
        for (size_t i = 0; i < SKY_CA_IDENTITIES_MAX; i++)
            mbedtls_x509_crt_free(&lies->certificates[lie][i]);
    mbedtls_pk_free(&lies->weak_key);
    sky_tls_rng_done(&lies->rng);
    free(lies);
}

const char *sky_lies_refusal(const struct sky_lies *lies, enum sky_lie lie)
{
    return sky_ca_is_brought(lies->ca) && needs_authority(lie)
               ? "it has to be signed by the authority brought with --tls-ca, whose key is not here"
               : NULL;
}

void sky_lies_prepare(struct sky_lies *lies)
{
    if (lies->making)
        return;
    lies->making = true;
    lies->now_ms = lies->clock->real_ms;
    sky_ca_when_ready(lies->ca, &lies->authority);
}

bool sky_lies_ready(const struct sky_lies *lies)
{
    return lies->ready;
}

void sky_lies_when_ready(struct sky_lies *lies, struct sky_ca_waiter *waiter)
{
    SKY_ASSERT(!waiter->waiting);
    sky_lies_prepare(lies);
    if (lies->ready) {
        waiter->ready(waiter);
        return;
    }
    waiter->waiting = true;
    DL_APPEND(lies->waiters, waiter);
}

void sky_lies_forget(struct sky_lies *lies, struct sky_ca_waiter *waiter)
{
    if (!waiter->waiting)
        return;
    waiter->waiting = false;
    DL_DELETE(lies->waiters, waiter);
}

size_t sky_lies_identities(struct sky_lies *lies, enum sky_lie lie,
                           struct sky_ca_identity out[SKY_CA_IDENTITIES_MAX])
{
    SKY_ASSERT(lies->ready && (unsigned)lie < SKY_LIE_COUNT);
    size_t count = 0;
    for (size_t i = 0; i < SKY_CA_IDENTITIES_MAX; i++)
        if (lies->keys[lie][i] != NULL)
            out[count++] = (struct sky_ca_identity){.chain = &lies->certificates[lie][i],
                                                    .key = lies->keys[lie][i]};
    return count;
}
