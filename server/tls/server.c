#include "server/tls/server.h"

#include <mbedtls/ssl_ciphersuites.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "server/os/clock.h"
#include "server/tls/hello.h"
#include "server/tls/keylog.h"
#include "server/tls/lies.h"

enum { TLS_MAJOR = 3, TLS_1_0 = 1, TLS_1_2 = 3, CURVE_BITS_MIN = 224 };

/* ---- what is spoken ---- */

/* Key exchanges in the order they are chosen. ECDSA costs the server less than RSA. Static RSA is
 * all that the C SDKs of this field have. PSK comes last, because old clients list its suites
 * without having a key; and of its kinds the plain one only, because it costs nothing and so may
 * look its key up on the loop. */
static const mbedtls_key_exchange_type_t exchanges[] = {
    MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA, MBEDTLS_KEY_EXCHANGE_ECDHE_RSA, MBEDTLS_KEY_EXCHANGE_DHE_RSA,
    MBEDTLS_KEY_EXCHANGE_RSA, MBEDTLS_KEY_EXCHANGE_PSK};

static void list_suites(int out[SKY_TLS_SUITES_MAX], bool psk, bool curve)
{
    size_t count = 0;
    for (size_t i = 0; i < SKY_COUNT(exchanges); i++) {
        if ((exchanges[i] == MBEDTLS_KEY_EXCHANGE_PSK && !psk) ||
            (exchanges[i] == MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA && !curve) ||
            (exchanges[i] == MBEDTLS_KEY_EXCHANGE_ECDHE_RSA && !curve))
            continue;
        for (const int *suite = mbedtls_ssl_list_ciphersuites(); *suite != 0; suite++) {
            const mbedtls_ssl_ciphersuite_t *info = mbedtls_ssl_ciphersuite_from_id(*suite);
            if (info == NULL || info->key_exchange != exchanges[i])
                continue;
            SKY_ASSERT(count + 1 < SKY_TLS_SUITES_MAX);
            out[count++] = *suite;
        }
    }
    out[count] = 0;
}

/* The library's own order begins with the slowest curve; here the cheapest two for a server are the
 * first, X25519 before secp256r1 by a fifth. Half the bits of a curve are its strength
 * (RFC 8422 §8 counts those below 224 bits out; NIST SP 800-57 part 1, table 2). */
static void list_curves(mbedtls_ecp_group_id out[SKY_TLS_CURVES_MAX])
{
    size_t count = 0;
    out[count++] = MBEDTLS_ECP_DP_CURVE25519;
    out[count++] = MBEDTLS_ECP_DP_SECP256R1;
    for (const mbedtls_ecp_group_id *id = mbedtls_ecp_grp_id_list(); *id != MBEDTLS_ECP_DP_NONE;
         id++) {
        const mbedtls_ecp_curve_info *info = mbedtls_ecp_curve_info_from_grp_id(*id);
        SKY_ASSERT(count + 1 < SKY_TLS_CURVES_MAX);
        if (*id != out[0] && *id != out[1] && info->bit_size >= CURVE_BITS_MIN)
            out[count++] = *id;
    }
    out[count] = MBEDTLS_ECP_DP_NONE;
}

/* Whoever names no groups at all takes any (RFC 8422 §4). */
static bool shares_curve(const struct sky_tls_server *server, const struct sky_tls_hello *hello)
{
    for (size_t i = 0; i < hello->group_count; i++) {
        const mbedtls_ecp_curve_info *info = mbedtls_ecp_curve_info_from_tls_id(hello->groups[i]);
        for (const mbedtls_ecp_group_id *id = server->curves; *id != MBEDTLS_ECP_DP_NONE; id++)
            if (info != NULL && info->grp_id == *id)
                return true;
    }
    return hello->group_count == 0;
}

/* SHA-1 is here for devices of the clouds' early years (RFC 5246 §7.4.1.4.1 makes it the default
 * of a client that says nothing). */
static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512,
                             MBEDTLS_MD_SHA224, MBEDTLS_MD_SHA1,   MBEDTLS_MD_NONE};

/* ---- tickets ---- */

/* A session of a pre-shared key gets an empty ticket (RFC 5077 §3.3): its full handshake is as
 * cheap, and proves each time that the device still has its key. */
static int write_ticket(void *ctx, const mbedtls_ssl_session *session, unsigned char *start,
                        const unsigned char *end, size_t *ret_len, uint32_t *ret_lifetime_s)
{
    struct sky_tls_flavour *flavour = ctx;
    struct sky_tls_server *server = flavour->server;
    const mbedtls_ssl_ciphersuite_t *suite = mbedtls_ssl_ciphersuite_from_id(session->ciphersuite);
    size_t room = (size_t)(end - start), len = 0;
    *ret_len = 0;
    *ret_lifetime_s = 0;
    if (suite == NULL || mbedtls_ssl_ciphersuite_uses_psk(suite) || server->lying)
        return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
    int rc = mbedtls_ssl_session_save(session, start, room, &len);
    if (rc != 0)
        return rc;
    if (!sky_tickets_seal(&server->tickets, sky_clock_lived_ms(server->options.clock),
                          flavour->label, sky_span_of(start, len), start, room, ret_len))
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    *ret_lifetime_s = SKY_TICKET_LIFETIME_S;
    return 0;
}

static int parse_ticket(void *ctx, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
    struct sky_tls_flavour *flavour = ctx;
    struct sky_tls_server *server = flavour->server;
    sky_span plain;
    if (server->lying ||
        !sky_tickets_open(&server->tickets, sky_clock_lived_ms(server->options.clock),
                          flavour->label, ticket, len, &plain))
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    return mbedtls_ssl_session_load(session, (const unsigned char *)plain.ptr, plain.len);
}

/* ---- flavours ---- */

/* Certificates are asked for as optional even where they are required: a missing one is then
 * refused with an alert, and a foreign one is let through to be known by its fingerprint. */
static void make_flavour(struct sky_tls_flavour *self, sky_tls_find_key *find_key)
{
    struct sky_tls_server *server = self->server;
    mbedtls_ssl_config *conf = &self->conf;
    struct sky_ca_identity identities[SKY_CA_IDENTITIES_MAX];
    int failed = mbedtls_ssl_config_defaults(
        conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    SKY_ASSERT(!failed);
    mbedtls_ssl_conf_min_version(conf, TLS_MAJOR, TLS_1_0);
    mbedtls_ssl_conf_max_version(conf, TLS_MAJOR, TLS_1_2);
    mbedtls_ssl_conf_rng(conf, sky_tls_rng_random, &server->rng);
    mbedtls_ssl_conf_ciphersuites(conf, server->suites[self->label % 4]);
    mbedtls_ssl_conf_curves(conf, server->curves);
    mbedtls_ssl_conf_sig_hashes(conf, hashes);
    mbedtls_ssl_conf_renegotiation(conf, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    mbedtls_ssl_conf_session_tickets_cb(conf, write_ticket, parse_ticket, self);
    mbedtls_ssl_conf_authmode(conf, self->asks == SKY_TLS_ASKS_NOTHING
                                        ? MBEDTLS_SSL_VERIFY_NONE
                                        : MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_cert_req_ca_list(conf, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);
    mbedtls_ssl_conf_ca_chain(conf, sky_ca_trust(server->options.ca), NULL);
    sky_keylog_watch(server->options.keylog, conf);
    if (self->psk)
        mbedtls_ssl_conf_psk_cb(conf, find_key, NULL);
    size_t count = sky_ca_identities(server->options.ca, identities);
    for (size_t i = 0; i < count; i++) {
        failed = mbedtls_ssl_conf_own_cert(conf, identities[i].chain, identities[i].key);
        SKY_ASSERT(!failed);
    }
    self->made = true;
}

struct sky_tls_flavour *sky_tls_server_flavour(struct sky_tls_server *server, unsigned allows,
                                               const struct sky_tls_hello *hello,
                                               sky_tls_find_key *find_key)
{
    enum sky_tls_asks asks = SKY_TLS_ASKS_NOTHING;
    if (allows & SKY_LISTEN_CERT_REQUIRED)
        asks = SKY_TLS_REQUIRES;
    else if (allows & SKY_LISTEN_CERT_ASKED)
        asks = SKY_TLS_ASKS;
    size_t index = 4 * (size_t)asks + 2 * shares_curve(server, hello);
    index += allows & SKY_LISTEN_PSK ? 1 : 0;
    struct sky_tls_flavour *flavour = &server->flavours[index];
    if (!flavour->made)
        make_flavour(flavour, find_key);
    return flavour;
}

/* ---- the server ---- */

struct sky_tls_server *sky_tls_server_new(const struct sky_tls_options *options)
{
    struct sky_tls_server *server = sky_mem_new(sizeof *server);
    server->options = *options;
    if (options->handshakes_max == 0)
        server->options.handshakes_max = SKY_TLS_HANDSHAKES_MAX;
    sky_tls_rng_init(&server->rng);
    sky_tickets_init(&server->tickets, &server->rng);
    sky_tls_exchange_init(&server->exchange);
    server->lies = sky_lies_new(options->loop, options->ca, options->clock);
    list_curves(server->curves);
    for (size_t i = 0; i < SKY_COUNT(server->suites); i++)
        list_suites(server->suites[i], i % 2, i / 2);
    for (size_t i = 0; i < SKY_COUNT(server->flavours); i++) {
        struct sky_tls_flavour *flavour = &server->flavours[i];
        flavour->server = server;
        flavour->asks = (enum sky_tls_asks)(i / 4);
        flavour->psk = i % 2;
        flavour->label = (uint8_t)i;
        mbedtls_ssl_config_init(&flavour->conf);
    }
    return server;
}

void sky_tls_server_crowded(struct sky_tls_server *server)
{
    const struct sky_tls_options *options = &server->options;
    int64_t now_ms = options->clock->real_ms;
    server->turned_away++;
    if (server->turned_away > 1 && now_ms - server->crowd_told_ms < SKY_TLS_CROWD_MS)
        return;
    server->crowd_told_ms = now_ms;
    if (options->on_crowd != NULL)
        options->on_crowd(options->owner, server->turned_away);
}

void sky_tls_server_free(struct sky_tls_server *server)
{
    if (server == NULL)
        return;
    SKY_ASSERT(server->handshakes == 0);
    for (size_t i = 0; i < SKY_COUNT(server->flavours); i++)
        mbedtls_ssl_config_free(&server->flavours[i].conf);
    sky_lies_free(server->lies);
    sky_tls_exchange_done(&server->exchange);
    sky_tickets_done(&server->tickets);
    sky_tls_rng_done(&server->rng);
    free(server);
}
