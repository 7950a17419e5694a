#include "server/tls/explain.h"

#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "server/tls/rules.h"

/* An alert and what it says when a client sends it (RFC 5246 §7.2.2, RFC 4279 §2). */
struct alert_row {
    int alert;
    const char *name, *says;
};

static const struct alert_row alerts[] = {
    {0, "close_notify", "it ended the handshake in good order, giving no reason"},
    {10, "unexpected_message", "it did not expect the message it got"},
    {20, "bad_record_mac", "it could not decrypt what the server sent"},
    {21, "decryption_failed", "it could not decrypt what the server sent"},
    {22, "record_overflow", "a record of the server was too long for it"},
    {30, "decompression_failure", "it could not decompress what the server sent"},
    {40, "handshake_failure", "it found nothing acceptable in what the server chose"},
    {41, "no_certificate", "it has no certificate to show"},
    {42, "bad_certificate", "it refused the server's certificate"},
    {43, "unsupported_certificate", "it cannot use a certificate of this kind"},
    {44, "certificate_revoked", "it takes the server's certificate for revoked"},
    {45, "certificate_expired",
     "by its clock the server's certificate is not valid: check the device's time"},
    {46, "certificate_unknown", "it refused the server's certificate for a reason it did not name"},
    {47, "illegal_parameter", "it found a field out of range"},
    {48, "unknown_ca",
     "it does not trust the authority behind the server's certificate: give it "
     "the CA certificate of this server"},
    {49, "access_denied", "it took the certificate but will not go on"},
    {50, "decode_error", "it could not parse a message of the server"},
    {51, "decrypt_error", "it could not verify the server's signature or Finished"},
    {60, "export_restriction", "it saw an export cipher"},
    {70, "protocol_version", "it does not speak the version of TLS that the server chose"},
    {71, "insufficient_security", "it wants stronger ciphers than were chosen"},
    {80, "internal_error", "something failed inside it: often too little memory for the handshake"},
    {86, "inappropriate_fallback", "it takes the lower version for an attack"},
    {90, "user_canceled", "it cancelled the handshake"},
    {100, "no_renegotiation", "it refused to renegotiate"},
    {110, "unsupported_extension", "it got an extension it had not asked for"},
    {112, "unrecognized_name", "it does not know the server name"},
    {115, "unknown_psk_identity", "it does not know the PSK identity"},
    {120, "no_application_protocol", "it wants another application protocol"},
};

static const struct alert_row *find_alert(int alert)
{
    for (size_t i = 0; i < SKY_COUNT(alerts); i++)
        if (alerts[i].alert == alert)
            return &alerts[i];
    return NULL;
}

const char *sky_tls_alert_name(int alert)
{
    const struct alert_row *row = find_alert(alert);
    return row != NULL ? row->name : "unassigned";
}

const char *sky_tls_version_name(uint16_t version)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    if (version >> 8 == 3 && (version & 0xff) < SKY_COUNT(names))
        return names[version & 0xff];
    return version == 0x0002 ? "SSL 2.0" : "an unknown version";
}

/* ---- reading the evidence ---- */

static bool is_signalling(uint16_t suite)
{
    return suite == 0x00ff || suite == 0x5600 || (suite & 0x0f0f) == 0x0a0a; /* RFC 8701 */
}

static bool is_tls13(uint16_t suite)
{
    return suite >> 8 == 0x13;
}

/* By number, for the library does not know them all (IANA, TLS Cipher Suites). */
static bool is_psk(uint16_t suite)
{
    static const struct {
        uint16_t first, last;
    } ranges[] = {{0x002c, 0x002e}, {0x008a, 0x0095}, {0x00a8, 0x00b9},
                  {0xc033, 0xc03b}, {0xc064, 0xc06f}, {0xc08e, 0xc09b},
                  {0xc0a4, 0xc0ab}, {0xccab, 0xccae}, {0xd001, 0xd005}};
    for (size_t i = 0; i < SKY_COUNT(ranges); i++)
        if (suite >= ranges[i].first && suite <= ranges[i].last)
            return true;
    return false;
}

static bool offers_only(const struct sky_tls_hello *hello, bool (*is_kind)(uint16_t suite))
{
    size_t found = 0;
    for (size_t i = 0; i < hello->suite_count; i++) {
        if (is_signalling(hello->suites[i]))
            continue;
        if (!is_kind(hello->suites[i]))
            return false;
        found++;
    }
    return found > 0;
}

static bool is_about_certificate(int alert)
{
    return (alert >= 42 && alert <= 46) || alert == 48;
}

/* ---- saying it ---- */

static void say(struct sky_tls_failure *failure, enum sky_tls_rule rule, const char *fmt, ...)
    SKY_PRINTF(3, 4);

static void say(struct sky_tls_failure *failure, enum sky_tls_rule rule, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    failure->rule = sky_tls_rule(rule);
    vsnprintf(failure->reason, sizeof failure->reason, fmt, args);
    va_end(args);
}

enum { NAME_HINT_MAX = 96 };

/* For a server certificate that was refused: whether it was by name. */
static void hint_at_name(const struct sky_tls_evidence *evidence, char out[NAME_HINT_MAX])
{
    const struct sky_tls_hello *hello = evidence->hello;
    out[0] = '\0';
    if (hello != NULL && hello->server_name[0] != '\0' && !evidence->name_covered)
        snprintf(out, NAME_HINT_MAX, "; the certificate does not carry '%.40s' (see --san)",
                 hello->server_name);
}

static void explain_alert(const struct sky_tls_evidence *evidence, struct sky_tls_failure *failure)
{
    const struct alert_row *row = find_alert(evidence->alert_received);
    const char *says = row != NULL ? row->says : "no specification gives it a meaning";
    char name[NAME_HINT_MAX] = "";
    enum sky_tls_rule rule = SKY_RULE_TLS_HANDSHAKE;
    if (is_about_certificate(evidence->alert_received)) {
        rule = SKY_RULE_TLS_SERVER_CERT;
        hint_at_name(evidence, name);
    } else if (evidence->alert_received == MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION) {
        rule = SKY_RULE_TLS_VERSION;
    }
    say(failure, rule, "the client sent alert %d (%s): %s%s", evidence->alert_received,
        sky_tls_alert_name(evidence->alert_received), says, name);
}

static void explain_left(const struct sky_tls_evidence *evidence, struct sky_tls_failure *failure)
{
    static const char *const when[] = {
        [SKY_TLS_STEP_HELLO] = "before its ClientHello was complete",
        [SKY_TLS_STEP_FLIGHT] = "before the server had answered its ClientHello",
        [SKY_TLS_STEP_CERTIFICATE] =
            "when it was asked for a certificate: it does not trust the server's, or has none",
        [SKY_TLS_STEP_KEY] = "after the server's certificate: it probably does not trust it",
        [SKY_TLS_STEP_PROOF] = "before it had signed with its certificate's key",
        [SKY_TLS_STEP_FINISHED] = "before its Finished",
        [SKY_TLS_STEP_OPEN] = "after the handshake",
    };
    if (evidence->kept_waiting && evidence->step < SKY_TLS_STEP_CERTIFICATE) {
        say(failure, SKY_RULE_TLS_HANDSHAKE,
            "the client closed the connection without an alert, while the server was making its "
            "certificates");
        failure->rule = NULL;
        return;
    }
    bool refused = evidence->step == SKY_TLS_STEP_KEY && evidence->suite != 0 &&
                   !is_psk((uint16_t)evidence->suite);
    const char *then = refused || evidence->step != SKY_TLS_STEP_KEY
                           ? when[evidence->step]
                           : "when its PSK identity was due";
    char name[NAME_HINT_MAX] = "";
    if (refused)
        hint_at_name(evidence, name);
    say(failure, refused ? SKY_RULE_TLS_SERVER_CERT : SKY_RULE_TLS_HANDSHAKE,
        "the client closed the connection without an alert, %s%s", then, name);
}

static void explain_timeout(const struct sky_tls_evidence *evidence,
                            struct sky_tls_failure *failure)
{
    static const char *const due[] = {
        [SKY_TLS_STEP_HELLO] = "a complete ClientHello",
        [SKY_TLS_STEP_FLIGHT] = "the server's own answer",
        [SKY_TLS_STEP_CERTIFICATE] = "the client's Certificate",
        [SKY_TLS_STEP_KEY] = "ClientKeyExchange",
        [SKY_TLS_STEP_PROOF] = "CertificateVerify",
        [SKY_TLS_STEP_FINISHED] = "the client's Finished",
        [SKY_TLS_STEP_OPEN] = "nothing any more",
    };
    say(failure, SKY_RULE_TLS_TIMEOUT, "the handshake %s: still waiting for %s",
        evidence->end == SKY_TLS_END_CROWD ? "made room for others, being the slowest of very many"
                                           : "took too long",
        due[evidence->step]);
}

static void explain_suites(const struct sky_tls_evidence *evidence, struct sky_tls_failure *failure)
{
    const struct sky_tls_hello *hello = evidence->hello;
    if (hello == NULL)
        say(failure, SKY_RULE_TLS_NO_COMMON_SUITE, "no cipher suite in common");
    else if (offers_only(hello, is_tls13))
        say(failure, SKY_RULE_TLS_VERSION,
            "the client offers TLS 1.3 only; this server speaks TLS 1.0 to 1.2");
    else if (offers_only(hello, is_psk) && !(evidence->allows & SKY_LISTEN_PSK))
        say(failure, SKY_RULE_TLS_NO_COMMON_SUITE,
            "the client offers pre-shared keys only, and this port takes none");
    else if (offers_only(hello, is_psk))
        say(failure, SKY_RULE_TLS_NO_COMMON_SUITE,
            "the client offers pre-shared keys with RSA or Diffie-Hellman only; plain PSK suites "
            "are spoken here");
    else
        say(failure, SKY_RULE_TLS_NO_COMMON_SUITE,
            "none of the %zu cipher suites offered can be used: not spoken here, or no curve, "
            "signature hash or certificate type in common",
            hello->suite_count);
}

static void explain_hello(const struct sky_tls_evidence *evidence, struct sky_tls_failure *failure)
{
    const struct sky_tls_hello *hello = evidence->hello;
    if (evidence->code == MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION)
        say(failure, SKY_RULE_TLS_VERSION, "the client offers at most %s; TLS 1.2 is asked for",
            hello != NULL ? sky_tls_version_name(hello->version) : "an unknown version");
    else if (hello == NULL)
        say(failure, SKY_RULE_TLS_HANDSHAKE,
            "what came is no TLS ClientHello, though its first byte (0x16) says so");
    else
        explain_suites(evidence, failure);
}

static void explain_key(const struct sky_tls_evidence *evidence, struct sky_tls_failure *failure)
{
    if (evidence->psk_refused)
        say(failure, SKY_RULE_TLS_PSK_IDENTITY,
            "the PSK identity was refused (alert 115, unknown_psk_identity)");
    else if (evidence->suite != 0 && is_psk((uint16_t)evidence->suite))
        say(failure, SKY_RULE_TLS_PSK_KEY,
            "the identity is known, but the client's Finished was made with another key");
    else
        say(failure, SKY_RULE_TLS_HANDSHAKE,
            "the client's Finished does not decrypt: its key exchange and the server's disagree");
}

static bool is_key_error(const struct sky_tls_evidence *evidence)
{
    return evidence->psk_refused || (evidence->step == SKY_TLS_STEP_FINISHED &&
                                     (evidence->code == MBEDTLS_ERR_SSL_INVALID_MAC ||
                                      evidence->code == MBEDTLS_ERR_SSL_INVALID_RECORD ||
                                      evidence->code == MBEDTLS_ERR_SSL_BAD_HS_FINISHED));
}

static void explain_other(const struct sky_tls_evidence *evidence, struct sky_tls_failure *failure)
{
    char text[120];
    mbedtls_strerror(evidence->code, text, sizeof text);
    if (evidence->step == SKY_TLS_STEP_CERTIFICATE || evidence->step == SKY_TLS_STEP_PROOF)
        say(failure, SKY_RULE_TLS_CLIENT_CERT, "%s: %s",
            evidence->step == SKY_TLS_STEP_PROOF
                ? "the client's signature does not fit the certificate it showed"
                : "the client's certificate cannot be read",
            text);
    else if (evidence->step == SKY_TLS_STEP_OPEN)
        say(failure, SKY_RULE_TLS_HANDSHAKE, "a record after the handshake is broken: %s", text);
    else
        say(failure, SKY_RULE_TLS_HANDSHAKE, "the handshake failed: %s", text);
}

static const char *who_ended(const struct sky_tls_evidence *evidence)
{
    if (evidence->alert_received != SKY_TLS_NO_ALERT && evidence->end != SKY_TLS_END_TIMEOUT)
        return "alert";
    bool answered = evidence->step > SKY_TLS_STEP_FLIGHT && evidence->step < SKY_TLS_STEP_OPEN;
    if (answered && evidence->end == SKY_TLS_END_PEER_LEFT)
        return "left";
    return answered && evidence->end == SKY_TLS_END_TIMEOUT ? "timeout" : "refused";
}

void sky_tls_explain(const struct sky_tls_evidence *evidence, struct sky_tls_failure *ret_failure)
{
    struct sky_tls_failure failure = {.alert_sent = evidence->alert_sent,
                                      .alert_received = evidence->alert_received,
                                      .ended = who_ended(evidence)};
    if (evidence->end == SKY_TLS_END_TIMEOUT || evidence->end == SKY_TLS_END_CROWD)
        explain_timeout(evidence, &failure);
    else if (evidence->alert_received != SKY_TLS_NO_ALERT)
        explain_alert(evidence, &failure);
    else if (evidence->end == SKY_TLS_END_PEER_LEFT)
        explain_left(evidence, &failure);
    else if (evidence->certificate_missing)
        say(&failure, SKY_RULE_TLS_CLIENT_CERT,
            "this port requires a client certificate, and the client sent none");
    else if (evidence->step == SKY_TLS_STEP_HELLO)
        explain_hello(evidence, &failure);
    else if (is_key_error(evidence))
        explain_key(evidence, &failure);
    else
        explain_other(evidence, &failure);
    *ret_failure = failure;
}

/* ---- the offer ---- */

static void add_versions(struct sky_buf *text, const struct sky_tls_hello *hello)
{
    if (hello->version_count == 0)
        sky_buf_addf(text, "up to %s", sky_tls_version_name(hello->version));
    bool first = true;
    for (size_t i = 0; i < hello->version_count; i++) {
        if (hello->versions[i] >> 8 != 3)
            continue; /* RFC 8701 */
        sky_buf_addf(text, "%s%s", first ? "" : ", ", sky_tls_version_name(hello->versions[i]));
        first = false;
    }
}

static void add_suites(struct sky_buf *text, const struct sky_tls_hello *hello)
{
    sky_buf_add_str(text, "; suites");
    for (size_t i = 0; i < hello->suite_count && !text->overflow; i++) {
        const mbedtls_ssl_ciphersuite_t *info = mbedtls_ssl_ciphersuite_from_id(hello->suites[i]);
        const char *sep = i > 0 ? "," : "";
        if (info != NULL)
            sky_buf_addf(text, "%s %s", sep, info->name);
        else
            sky_buf_addf(text, "%s 0x%04x", sep, hello->suites[i]);
    }
}

static void add_groups(struct sky_buf *text, const struct sky_tls_hello *hello)
{
    for (size_t i = 0; i < hello->group_count && !text->overflow; i++) {
        const mbedtls_ecp_curve_info *info = mbedtls_ecp_curve_info_from_tls_id(hello->groups[i]);
        const char *sep = i > 0 ? ", " : "; groups ";
        if (info != NULL)
            sky_buf_addf(text, "%s%s", sep, info->name);
        else
            sky_buf_addf(text, "%s0x%04x", sep, hello->groups[i]);
    }
}

void sky_tls_offer_text(const struct sky_tls_hello *hello, char out[SKY_TLS_OFFERED_MAX])
{
    static const char cut[] = "...";
    struct sky_buf text;
    sky_buf_init(&text, SKY_TLS_OFFERED_MAX - sizeof cut);
    add_versions(&text, hello);
    if (hello->server_name[0] != '\0')
        sky_buf_addf(&text, "; server name %s", hello->server_name);
    if (hello->record_max > 0)
        sky_buf_addf(&text, "; records of at most %u bytes", hello->record_max);
    add_groups(&text, hello);
    add_suites(&text, hello);
    snprintf(out, SKY_TLS_OFFERED_MAX, "%.*s%s", SKY_SPAN_ARGS(sky_buf_span(&text)),
             text.overflow ? cut : "");
    sky_buf_done(&text);
}
