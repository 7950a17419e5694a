/* `skymock sign`: the fields of a login, and whole command lines that send them. */
#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"
#include "server/app.h"
#include "server/cli/cli.h"
#include "server/cli/served.h"
#include "server/os/listeners.h"
#include "server/registry/credentials.h"
#include "server/registry/fixture_files.h"
#include "server/registry/lookup.h"

enum { COMMAND_MAX = 8192, KEEPALIVE_S = 60 };

struct signing {
    const struct sky_cloud *cloud;
    const struct sky_product *product;
    const struct sky_device *device;
    struct sky_sign_request request;
    struct sky_credentials credentials, over_tls; /* as asked for, and over TLS */
    struct sky_cli_place place;
    const struct sky_config *config;
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

/* A listener to connect to. */
struct target {
    const struct sky_listener_row *row; /* NULL: there is none */
    uint16_t port;
};

static struct target find_listener(const struct signing *signing, unsigned needs, bool tls)
{
    const struct sky_listener_row *row;
    struct target best = {0};
    int best_points = 0;

    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++) {
        bool open = (row->allows & needs) == needs && signing->place.ports[i] != 0;
        int points = open ? fitness(row, signing->cloud, tls) : 0;
        if (points > best_points && !(row->allows & SKY_LISTEN_ADMIN)) {
            best = (struct target){row, signing->place.ports[i]};
            best_points = points;
        }
    }
    return best;
}

/* How sure it is that any payload is right there: no service listens, and the topic is no answer to
 * one, which has raw bytes, or the service takes raw bytes. */
static int freedom(const struct sky_topic_row *row)
{
    if (row->service == NULL)
        return row->rights & SKY_RAW ? 2 : 3;
    return strcmp(row->service->name, "raw") == 0 ? 2 : 1;
}

/* A topic to try: one the device may publish to, without a wildcard in its pattern. */
static void find_topic(const struct signing *signing, char *out, size_t size)
{
    struct sky_topic_keys keys = {sky_span_str(signing->product->key),
                                  sky_span_str(signing->device->key)};
    const struct sky_topic_table *topics = signing->cloud->topics;
    const struct sky_topic_row *best = NULL;

    for (size_t i = 0; i < topics->count; i++) {
        const struct sky_topic_row *row = &topics->rows[i];
        bool usable =
            (row->rights & SKY_MAY_PUB) && !sky_topic_has_wildcard(sky_span_str(row->pattern));
        if (usable && (best == NULL || freedom(row) > freedom(best)))
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

static void add_authority(struct sky_buf *line, const struct signing *signing, uint16_t port)
{
    const char *host = signing->place.host;

    sky_buf_addf(line, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

/* mosquitto_pub with something to send, or mosquitto_sub where the secret is to come. */
static void begin_mqtt(struct sky_buf *line, const struct signing *signing, uint16_t port)
{
    sky_span secret = signing->credentials.secret_topic;

    sky_buf_addf(line, "%s -h %s -p %u",
                 secret.len > 0 ? "mosquitto_sub -C 1 -W 10" : "mosquitto_pub", signing->place.host,
                 port);
}

static void add_mqtt_fields(struct sky_buf *line, const struct signing *signing,
                            const struct sky_credentials *given)
{
    char topic[SKY_PATTERN_MAX + 2 * SKY_KEY_MAX];

    sky_buf_addf(line, " -V mqttv311 -k %d", KEEPALIVE_S);
    add_option(line, "-i", given->client_id);
    add_option(line, "-u", given->username);
    if (given->password.len > 0)
        add_option(line, "-P", given->password);
    if (given->secret_topic.len > 0) {
        add_option(line, "-t", given->secret_topic);
        return;
    }
    find_topic(signing, topic, sizeof topic);
    add_option(line, "-t", sky_span_str(topic));
    add_option(line, "-m", SKY_SPAN("{}"));
}

static bool needs_certificate(const struct signing *signing, const struct sky_listener_row *row)
{
    return (row->allows & SKY_LISTEN_CERT_REQUIRED) ||
           (signing->tls && signing->product->require_certificate);
}

static void write_mqtt(struct sky_buf *line, const struct signing *signing)
{
    bool tls = signing->tls || signing->credentials.tls_only;
    unsigned needs = SKY_LISTEN_MQTT | (tls ? SKY_LISTEN_TLS : SKY_LISTEN_CLEAR);
    const struct target target = find_listener(signing, needs, tls);

    if (target.row == NULL || signing->credentials.client_id.len == 0)
        return;
    begin_mqtt(line, signing, target.port);
    if (tls)
        sky_buf_add_str(line, " --cafile ca.crt");
    if (needs_certificate(signing, target.row))
        sky_buf_add_str(line, " --cert device.crt --key device.key");
    add_mqtt_fields(line, signing, tls ? &signing->over_tls : &signing->credentials);
}

/* OpenSSL would offer certificate suites too, and those win: SDKs list pre-shared key suites they
 * have no key for. */
static void write_psk_mqtt(struct sky_buf *line, const struct signing *signing)
{
    unsigned needs = SKY_LISTEN_MQTT | SKY_LISTEN_TLS | SKY_LISTEN_PSK;
    const struct target target = find_listener(signing, needs, true);

    if (target.row == NULL)
        return;
    begin_mqtt(line, signing, target.port);
    add_option(line, "--psk-identity", signing->over_tls.psk_identity);
    add_option(line, "--psk", signing->over_tls.psk_key_hex);
    sky_buf_add_str(line, " --ciphers PSK-AES128-CBC-SHA:@SECLEVEL=0 --tls-version tlsv1.2");
    add_mqtt_fields(line, signing, &signing->over_tls);
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

static void write_psk_coap(struct sky_buf *line, const struct signing *signing, uint16_t port)
{
    const struct sky_credentials *given = &signing->credentials;

    sky_buf_addf(line, "coap-client-openssl -m %.*s", SKY_SPAN_ARGS(given->coap_method));
    if (sky_span_eq_str(given->coap_method, "post"))
        add_option(line, "-e", SKY_SPAN("{}"));
    add_option(line, "-u", given->psk_identity);
    if (!add_raw_key(line, given->psk_key_hex)) {
        sky_buf_clear(line);
        return;
    }
    /* UDP to a name would try ::1 first, where nobody answers. */
    bool local = strcmp(signing->place.host, "localhost") == 0;
    sky_buf_add_str(line, " 'coaps://");
    if (local)
        sky_buf_addf(line, "127.0.0.1:%u", port);
    else
        add_authority(line, signing, port);
    sky_buf_addf(line, "%.*s'", SKY_SPAN_ARGS(given->coap_path));
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
    const struct target dtls = find_listener(signing, SKY_LISTEN_DTLS, true);

    if (signing->credentials.psk_identity.len == 0)
        return;
    if (is_for_dtls(signing, dtls.row))
        write_psk_coap(line, signing, dtls.port);
    else
        write_psk_mqtt(line, signing);
}

static void write_https(struct sky_buf *line, const struct signing *signing)
{
    unsigned needs = SKY_LISTEN_HTTP | SKY_LISTEN_TLS;
    const struct target target = find_listener(signing, needs, false);

    if (target.row == NULL || signing->credentials.https_path.len == 0 ||
        !signing->product->https_auth)
        return;
    sky_buf_add_str(line, "curl --cacert ca.crt");
    add_option(line, "-d", signing->credentials.https_form);
    sky_buf_add_str(line, " https://");
    add_authority(line, signing, target.port);
    sky_buf_add(line, signing->credentials.https_path);
}

/* ---- what has to be fetched before ---- */

static void add_admin(struct sky_buf *line, const struct signing *signing)
{
    const struct sky_listener_row *row;

    sky_buf_add_str(line, "http://");
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++)
        if (row->allows & SKY_LISTEN_ADMIN)
            add_authority(line, signing, signing->place.ports[i]);
}

static void write_ca(struct sky_buf *line, const struct signing *signing)
{
    bool tls = signing->tls || signing->credentials.tls_only;

    if (!tls && signing->credentials.https_path.len == 0)
        return;
    sky_buf_add_str(line, "curl -s -o ca.crt ");
    add_admin(line, signing);
    sky_buf_add_str(line, "/ca.crt");
}

/* A certificate is issued once, and replaces the one before. */
static void write_certificate(struct sky_buf *line, const struct signing *signing)
{
    unsigned needs = SKY_LISTEN_MQTT | SKY_LISTEN_TLS;
    const struct target target = find_listener(signing, needs, true);

    if (!signing->tls || target.row == NULL || !needs_certificate(signing, target.row))
        return;
    sky_buf_add_str(line, "curl -s --json '{}'");
    if (signing->config->admin_token != NULL)
        sky_buf_add_str(line, " -H \"Authorization: Bearer $SKYMOCK_ADMIN_TOKEN\"");
    sky_buf_add_byte(line, ' ');
    add_admin(line, signing);
    sky_buf_addf(line, "/api/v1/devices/%s/%s/%s/certificates", signing->cloud->name,
                 signing->product->key, signing->device->key);
    sky_buf_add_str(line, " | python3 -c 'import json, sys; a = json.load(sys.stdin); "
                          "open(\"device.crt\", \"w\").write(a[\"certificate\"]); "
                          "open(\"device.key\", \"w\").write(a[\"key\"])'"
                          " # issue a certificate first");
}

typedef void line_writer(struct sky_buf *line, const struct signing *signing);
static line_writer *const writers[] = {write_ca, write_certificate, write_mqtt, write_psk,
                                       write_https};
enum { WRITERS = SKY_COUNT(writers) };

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

    for (size_t i = 0; i < SKY_COUNT(fields); i++)
        if (fields[i].value.len > 0)
            printf("%-14s %.*s\n", fields[i].label, SKY_SPAN_ARGS(fields[i].value));
}

static void print_text(const struct signing *signing)
{
    print_fields(signing);
    puts("");
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
    sky_credentials_tell(&jw, signing->cloud, &signing->request);
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

/* Every server makes one up for a device whose fixture names none: two loads differ in it. */
static bool has_made_up_secret(const struct sky_cli_device *device)
{
    const struct sky_config *config = &device->config;
    struct sky_fixture_result loaded;
    struct sky_store *store;
    struct sky_product product;
    struct sky_device other;
    struct sky_rng rng;
    struct sky_why why;

    if (strcmp(config->store, ":memory:") != 0 || config->seeded ||
        sky_store_open(":memory:", &store, &why) != SKY_OK)
        return false;
    bool differs =
        sky_rng_init(&rng, &why) == SKY_OK &&
        sky_fixture_files_load(store, &config->fixtures, &device->app->registry.catalogue, &rng, 0,
                               NULL, &loaded, &why) == SKY_OK &&
        sky_store_find_device(store, sky_span_str(device->cloud->name),
                              sky_span_str(device->product.key), sky_span_str(device->device.key),
                              &product, &other) == SKY_OK &&
        strcmp(other.secret, device->device.secret) != 0;
    sky_store_close(store);
    return differs;
}

/* Why no line could work: what stands in the way, and what to do about it. NULL: nothing does. */
static const char *obstacle(const struct sky_config *config, const struct sky_cli_device *device)
{
    if (!device->device.enabled)
        return "the device is disabled: enable it first (fixture or PATCH: \"enabled\": true)";
    if (config->dynamic && device->product.secret[0] == '\0')
        return "the product has no secret to fetch the device's with: add it to the fixture";
    if (config->dynamic && !device->product.dynamic_activation)
        return "the product's devices may not fetch their secret: \"dynamicActivation\": true in "
               "its fixture permits it";
    if (config->dynamic && device->device.state == SKY_DEVICE_ACTIVE)
        return "the device has been online with its secret: POST /api/v1/reset with its name as "
               "\"device\" makes it new";
    if (!config->dynamic &&
        (device->device.secret[0] == '\0' || (!config->url_given && has_made_up_secret(device))))
        return "no secret yet: activate first (--dynamic), or ask the server that made one up "
               "(--url, --store)";
    if (!config->dynamic && !config->tls && device->product.require_certificate)
        return "the product's devices log in with a certificate: sign with --tls";
    return NULL;
}

static void sign(const struct sky_config *config, struct sky_cli_device *device,
                 const struct sky_cli_place *place)
{
    struct signing signing = {.cloud = device->cloud,
                              .product = &device->product,
                              .device = &device->device,
                              .place = *place,
                              .config = config,
                              .tls = config->tls};
    struct sky_sign_request over_tls;
    struct sky_arena arena;
    char fresh[SKY_FRESH_LEN + 1];

    sky_arena_init(&arena);
    sky_rng_text(&device->app->rng, fresh, SKY_FRESH_LEN);
    signing.request = over_tls =
        (struct sky_sign_request){.product = &device->product,
                                  .device = &device->device,
                                  .dynamic = config->dynamic,
                                  .tls = config->tls,
                                  .now_ms = device->app->clock.now_ms,
                                  .fresh = sky_span_of(fresh, SKY_FRESH_LEN)};
    over_tls.tls = true;
    device->cloud->sign(&signing.request, &arena, &signing.credentials);
    device->cloud->sign(&over_tls, &arena, &signing.over_tls);
    if (config->json)
        print_json(&signing);
    else
        print_text(&signing);
    sky_arena_done(&arena);
}

int sky_cli_sign(const struct sky_config *config)
{
    struct sky_cli_place place;
    struct sky_cli_device device;
    struct sky_why why;
    int status = SKY_EXIT_OK;

    sky_cli_place_standard(&place);
    sky_err err = config->url_given ? sky_cli_device_ask(config, &device, &place, &why)
                                    : sky_cli_device_find(config, &device, &why);
    const char *trouble = err == SKY_OK ? obstacle(config, &device) : why.reason;
    if (trouble == NULL)
        sign(config, &device, &place);
    else if (err == SKY_OK)
        status = sky_cli_fail("%.200s: %s", config->args.list[0], trouble);
    else
        status = sky_cli_fail("%s", trouble);
    sky_cli_device_done(&device);
    return status;
}
