/* `skymock sign`: the fields of a login, and whole command lines that send them. */
#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/mqtt/topic.h"
#include "server/app.h"
#include "server/cli/cli.h"
#include "server/os/listeners.h"
#include "server/registry/credentials.h"
#include "server/registry/lookup.h"

enum { COMMAND_MAX = 8192, KEEPALIVE_S = 60 };

struct signing {
    const struct sky_cloud *cloud;
    const struct sky_product *product;
    const struct sky_device *device;
    struct sky_credentials credentials;
    bool tls;
};

/* ---- where to connect ---- */

/* The listener that suits best: the cloud's own before a general one, no certificate needed
 * before one needed, and for TLS one that speaks nothing else. */
static int fitness(const struct sky_listener_row *row, const struct sky_cloud *cloud, bool tls)
{
    int points = row->home == cloud ? 4 : row->home == NULL ? 2 : 0;

    if (points > 0 && tls && !(row->allows & SKY_LISTEN_CLEAR))
        points++;
    return points;
}

static const struct sky_listener_row *find_listener(const struct sky_cloud *cloud, unsigned needs,
                                                    bool tls)
{
    const struct sky_listener_row *row, *best = NULL;
    int best_points = 0;

    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++) {
        int points = (row->allows & needs) == needs ? fitness(row, cloud, tls) : 0;
        if (points > best_points && !(row->allows & SKY_LISTEN_ADMIN)) {
            best = row;
            best_points = points;
        }
    }
    return best;
}

/* A topic to try: one the device may publish to, without a wildcard in its pattern, and better
 * one that no service listens to, so that any payload is right. */
static void find_topic(const struct signing *signing, char *out, size_t size)
{
    struct sky_topic_keys keys = {sky_span_str(signing->product->key),
                                  sky_span_str(signing->device->key)};
    const struct sky_topic_row *best = NULL;

    for (size_t i = 0; i < signing->cloud->topic_count; i++) {
        const struct sky_topic_row *row = &signing->cloud->topics[i];
        bool usable =
            (row->rights & SKY_MAY_PUB) && !sky_topic_has_wildcard(sky_span_str(row->pattern));
        if (usable && (best == NULL || (best->service != NULL && row->service == NULL)))
            best = row;
    }
    if (best == NULL || !sky_topic_fill(sky_span_str(best->pattern), &keys, out, size))
        (void)sky_span_copy(SKY_SPAN("test"), out, size);
}

/* ---- command lines ---- */

/* As one word of a POSIX shell. */
static void add_quoted(struct sky_buf *line, sky_span text)
{
    sky_buf_add_byte(line, '\'');
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\'')
            sky_buf_add_str(line, "'\\''");
        else
            sky_buf_add_byte(line, (uint8_t)text.ptr[i]);
    sky_buf_add_byte(line, '\'');
}

static void add_option(struct sky_buf *line, const char *option, sky_span value)
{
    sky_buf_addf(line, " %s ", option);
    add_quoted(line, value);
}

static void add_mqtt_fields(struct sky_buf *line, const struct signing *signing)
{
    const struct sky_credentials *given = &signing->credentials;
    char topic[SKY_PATTERN_MAX + 2 * SKY_KEY_MAX];

    find_topic(signing, topic, sizeof topic);
    sky_buf_addf(line, " -V mqttv311 -k %d", KEEPALIVE_S);
    add_option(line, "-i", given->client_id);
    add_option(line, "-u", given->username);
    add_option(line, "-t", sky_span_str(topic));
    add_option(line, "-m", SKY_SPAN("{}"));
}

static void write_mqtt(struct sky_buf *line, const struct signing *signing)
{
    unsigned needs = SKY_LISTEN_MQTT | (signing->tls ? SKY_LISTEN_TLS : SKY_LISTEN_CLEAR);
    const struct sky_listener_row *row = find_listener(signing->cloud, needs, signing->tls);

    if (row == NULL || signing->credentials.client_id.len == 0)
        return;
    sky_buf_addf(line, "mosquitto_pub -h localhost -p %u", row->port);
    if (signing->tls)
        sky_buf_add_str(line, " --cafile ca.crt");
    if (signing->tls && (row->allows & SKY_LISTEN_CERT_REQUIRED))
        sky_buf_add_str(line, " --cert device.crt --key device.key");
    add_mqtt_fields(line, signing);
    if (signing->credentials.password.len > 0)
        add_option(line, "-P", signing->credentials.password);
}

/* Over TLS with the pre-shared key no password is sent: the key was the proof. OpenSSL would offer
 * certificate suites too, and those win: SDKs list pre-shared key suites they have no key for. */
static void write_psk_mqtt(struct sky_buf *line, const struct signing *signing)
{
    unsigned needs = SKY_LISTEN_MQTT | SKY_LISTEN_TLS | SKY_LISTEN_PSK;
    const struct sky_listener_row *row = find_listener(signing->cloud, needs, true);

    if (row == NULL)
        return;
    sky_buf_addf(line, "mosquitto_pub -h localhost -p %u", row->port);
    add_option(line, "--psk-identity", signing->credentials.psk_identity);
    add_option(line, "--psk", signing->credentials.psk_key_hex);
    sky_buf_add_str(line, " --ciphers PSK-AES128-CBC-SHA:@SECLEVEL=0 --tls-version tlsv1.2");
    add_mqtt_fields(line, signing);
}

/* coap-client (Debian has one for each TLS library) takes the key as it is, so it is written in the
 * notation of bash; a key with a zero byte cannot be an argument at all. */
static bool add_raw_key(struct sky_buf *line, sky_span hex)
{
    uint8_t key[SKY_PSK_KEY_MAX];
    size_t len = 0;
    bool decoded = sky_hex_decode(hex, key, sizeof key, &len);

    SKY_ASSERT(decoded);
    if (memchr(key, 0, len) != NULL)
        return false;
    sky_buf_add_str(line, " -k $'");
    for (size_t i = 0; i < len; i++)
        sky_buf_addf(line, "\\x%02x", key[i]);
    return sky_buf_add_str(line, "'");
}

static void write_psk_coap(struct sky_buf *line, const struct signing *signing,
                           const struct sky_listener_row *row)
{
    const struct sky_credentials *given = &signing->credentials;

    sky_buf_addf(line, "coap-client-openssl -m %.*s", SKY_SPAN_ARGS(given->coap_method));
    if (sky_span_eq_str(given->coap_method, "post"))
        add_option(line, "-e", SKY_SPAN("{}"));
    add_option(line, "-u", given->psk_identity);
    if (add_raw_key(line, given->psk_key_hex))
        sky_buf_addf(line, " 'coaps://127.0.0.1:%u%.*s'", row->port,
                     SKY_SPAN_ARGS(given->coap_path));
    else
        sky_buf_clear(line);
}

/* The cloud itself says which of its doors this identity is for. */
static bool is_for_dtls(const struct signing *signing, const struct sky_listener_row *row)
{
    struct sky_door door = {.listener = row, .transport = SKY_DTLS, .tls_version = SKY_TLS_1_2};
    struct sky_claim claim;

    return row != NULL &&
           signing->cloud->psk->claim(&door, signing->credentials.psk_identity, &claim);
}

static void write_psk(struct sky_buf *line, const struct signing *signing)
{
    const struct sky_listener_row *dtls = find_listener(signing->cloud, SKY_LISTEN_DTLS, true);

    if (signing->credentials.psk_identity.len == 0)
        return;
    if (is_for_dtls(signing, dtls))
        write_psk_coap(line, signing, dtls);
    else
        write_psk_mqtt(line, signing);
}

static void write_https(struct sky_buf *line, const struct signing *signing)
{
    unsigned needs = SKY_LISTEN_HTTP | SKY_LISTEN_TLS;
    const struct sky_listener_row *row = find_listener(signing->cloud, needs, false);

    if (row == NULL || signing->credentials.https_path.len == 0)
        return;
    sky_buf_add_str(line, "curl --cacert ca.crt");
    add_option(line, "-d", signing->credentials.https_form);
    sky_buf_addf(line, " https://localhost:%u%.*s", row->port,
                 SKY_SPAN_ARGS(signing->credentials.https_path));
}

typedef void line_writer(struct sky_buf *line, const struct signing *signing);
static line_writer *const writers[] = {write_mqtt, write_psk, write_https};
enum { WRITERS = sizeof writers / sizeof writers[0] };

/* ---- output ---- */

static void print_fields(const struct signing *signing)
{
    const struct {
        const char *label;
        sky_span value;
    } fields[] = {
        {"client id", signing->credentials.client_id},
        {"username", signing->credentials.username},
        {"password", signing->credentials.password},
        {"PSK identity", signing->credentials.psk_identity},
        {"PSK key (hex)", signing->credentials.psk_key_hex},
        {"HTTPS path", signing->credentials.https_path},
        {"HTTPS form", signing->credentials.https_form},
        {"CoAP path", signing->credentials.coap_path},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].value.len > 0)
            printf("%-14s %.*s\n", fields[i].label, SKY_SPAN_ARGS(fields[i].value));
}

static void print_text(const struct signing *signing)
{
    bool certificate = signing->tls || signing->credentials.https_path.len > 0;

    print_fields(signing);
    printf("\n%s", certificate ? "curl -o ca.crt http://localhost:8080/ca.crt\n" : "");
    for (size_t i = 0; i < WRITERS; i++) {
        struct sky_buf line;
        sky_buf_init(&line, COMMAND_MAX);
        writers[i](&line, signing);
        if (line.len > 0)
            printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&line)));
        sky_buf_done(&line);
    }
}

static void print_json(const struct signing *signing)
{
    struct sky_buf out, line;
    struct sky_jw jw = sky_jw(&out);

    sky_buf_init(&out, SIZE_MAX);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "cloud", signing->cloud->name);
    sky_jw_put_str(&jw, "product", signing->product->key);
    sky_jw_put_str(&jw, "device", signing->device->key);
    sky_credentials_write(&jw, &signing->credentials);
    sky_jw_key(&jw, "commands");
    sky_jw_array(&jw);
    for (size_t i = 0; i < WRITERS; i++) {
        sky_buf_init(&line, COMMAND_MAX);
        writers[i](&line, signing);
        if (line.len > 0)
            sky_jw_str(&jw, sky_buf_span(&line));
        sky_buf_done(&line);
    }
    sky_jw_end_array(&jw);
    sky_jw_end_object(&jw);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&out)));
    sky_buf_done(&out);
}

static void sign(const struct sky_config *config, struct sky_cli_device *device)
{
    struct signing signing = {.cloud = device->cloud,
                              .product = &device->product,
                              .device = &device->device,
                              .tls = config->tls};
    struct sky_arena arena;
    char fresh[SKY_FRESH_LEN + 1];

    sky_rng_text(&device->app->rng, fresh, SKY_FRESH_LEN);
    struct sky_sign_request request = {.product = &device->product,
                                       .device = &device->device,
                                       .dynamic = config->dynamic,
                                       .tls = config->tls,
                                       .now_ms = device->app->clock.now_ms,
                                       .fresh = sky_span_of(fresh, SKY_FRESH_LEN)};
    sky_arena_init(&arena);
    device->cloud->sign(&request, &arena, &signing.credentials);
    if (config->json)
        print_json(&signing);
    else
        print_text(&signing);
    sky_arena_done(&arena);
}

int sky_cli_sign(const struct sky_config *config)
{
    struct sky_cli_device device;
    struct sky_why why;
    int status = SKY_EXIT_OK;

    if (sky_cli_device_find(config, &device, &why) == SKY_OK)
        sign(config, &device);
    else
        status = sky_cli_fail("%s", why.reason);
    sky_cli_device_done(&device);
    return status;
}
