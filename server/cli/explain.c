/* `skymock explain`: a login judged without a server, by the code the server judges it with. */
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/cli/cli.h"
#include "server/os/listeners.h"
#include "server/registry/login.h"

enum { OUT_MAX = 64 * 1024 };

/* The listener a device of this cloud would come in by. */
static struct sky_door door_of(const struct sky_cloud *cloud, bool tls)
{
    unsigned needs = SKY_LISTEN_MQTT | (tls ? SKY_LISTEN_TLS : SKY_LISTEN_CLEAR);
    const struct sky_listener_row *row, *best = NULL;

    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++)
        if ((row->allows & needs) == needs && (best == NULL || row->home == cloud))
            best = row;
    return (struct sky_door){.listener = best,
                             .transport = tls ? SKY_TLS : SKY_TCP,
                             .tls_version = tls ? SKY_TLS_1_2 : 0};
}

/* Whom the fields claim to be; when the cloud cannot tell, the device that was named. */
static void look_up(struct sky_app *app, const struct sky_cli_device *device, bool claimed,
                    const struct sky_claim *claim, struct sky_lookup *ret_lookup)
{
    struct sky_claim named = {.kind = SKY_CLAIM_NAMED,
                              .product = sky_span_str(device->product.key),
                              .device = sky_span_str(device->device.key),
                              .affinity = SKY_AFFINITY_NAMED};

    sky_lookup_claim(&app->registry, device->cloud, claimed ? claim : &named, ret_lookup);
    if (!claimed)
        fprintf(stderr, "These fields do not have the form of %s.\n", device->cloud->title);
    else if (ret_lookup->device.id != 0 && ret_lookup->device.id != device->device.id)
        fprintf(stderr, "These fields are of another device: %s/%s.\n", ret_lookup->product.key,
                ret_lookup->device.key);
}

/* ---- output ---- */

static void print_findings(const struct sky_judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct sky_finding *finding = &judge->findings[i];
        printf("\n%s (%s): %s\n", finding->rule->id, sky_severity_name(finding->rule->severity),
               finding->rule->statement);
        if (finding->detail[0] != '\0')
            printf("  found:  %s\n", finding->detail);
        printf("  hint:   %s\n  source: %s\n",
               sky_catalogue_hint(judge->policy->catalogue, finding->rule), finding->rule->source);
    }
}

static void print_refusal(const struct sky_refusal *refusal)
{
    const struct sky_explanation *explanation = &refusal->explanation;

    if (refusal->similar[0] != '\0')
        printf("did you mean %s?\n", refusal->similar);
    if (refusal->slipped)
        printf("\nwhat went wrong:   %s\nwhat to change:    %s\n", explanation->what,
               explanation->hint);
    if (!refusal->explained)
        return;
    printf("\nthe cloud signs:   %s\nexpected digest:   %s...\nwhat went wrong:   %s\n",
           explanation->signed_text, explanation->expected_prefix, explanation->what);
    if (explanation->hint[0] != '\0')
        printf("what to change:    %s\n", explanation->hint);
}

static const char *connack_text(uint8_t code)
{
    static const char *const texts[] = {
        [SKY_CONNACK_ACCEPTED] = "accepted",
        [SKY_CONNACK_PROTOCOL] = "unacceptable protocol version",
        [SKY_CONNACK_CLIENT_ID] = "identifier rejected",
        [SKY_CONNACK_UNAVAILABLE] = "server unavailable",
        [SKY_CONNACK_CREDENTIALS] = "bad user name or password",
        [SKY_CONNACK_NOT_AUTHORIZED] = "not authorized",
    };

    return code < SKY_COUNT(texts) ? texts[code] : "reserved";
}

/* `answer` and `number` are what the device would see: {"connack": 4} or {"status": 200}. */
static void print_json(bool accepted, const char *answer, int number,
                       const struct sky_refusal *refusal, const struct sky_judge *judge)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);

    sky_buf_init(&out, OUT_MAX);
    sky_jw_object(&jw);
    sky_jw_put_bool(&jw, "accepted", accepted);
    sky_jw_put_int(&jw, answer, number);
    sky_jw_key(&jw, "explanation");
    sky_refusal_json(refusal, judge, &out);
    sky_jw_end_object(&jw);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&out)));
    sky_buf_done(&out);
}

static void print_connack(const struct sky_login_outcome *outcome, const struct sky_judge *judge)
{
    if (outcome->connack == SKY_CONNACK_ACCEPTED)
        puts("accepted: CONNACK 0");
    else
        printf("refused: CONNACK %u, %s\n", outcome->connack, connack_text(outcome->connack));
    print_refusal(&outcome->refusal);
    print_findings(judge);
}

/* ---- the two forms of a login ---- */

static int explain_connect(const struct sky_config *config, struct sky_app *app,
                           const struct sky_cli_device *device)
{
    struct sky_door door = door_of(device->cloud, config->tls);
    const struct sky_mqtt_connect connect = {.protocol = SKY_SPAN("MQTT"),
                                             .level = 4,
                                             .level_known = true,
                                             .clean_session = true,
                                             .has_username = config->username != NULL,
                                             .has_password = config->password != NULL,
                                             .keepalive_s = config->keepalive_s,
                                             .client_id = sky_span_str(config->client_id),
                                             .username = sky_span_str(config->username),
                                             .password = sky_span_str(config->password)};
    const struct sky_login login = sky_login_of(&door, &connect);
    struct sky_login_outcome outcome = {0};
    struct sky_claim claim = {0};
    struct sky_lookup lookup;
    struct sky_judge judge;
    struct sky_effects unused;

    sky_effects_init(&unused);
    look_up(app, device, device->cloud->claim(&login, &claim), &claim, &lookup);
    sky_judge_init(&judge, sky_lookup_policy(&app->registry, &lookup));
    sky_login_decide(&app->registry, &login, &connect, &lookup, &judge, &unused, &outcome);
    sky_effects_done(&unused);
    bool accepted = outcome.connack == SKY_CONNACK_ACCEPTED;
    if (config->json)
        print_json(accepted, "connack", outcome.connack, &outcome.refusal, &judge);
    else
        print_connack(&outcome, &judge);
    return accepted ? SKY_EXIT_OK : SKY_EXIT_NO;
}

/* The call a form is meant for: the first whose claim it satisfies. */
static const struct sky_http_row *find_call(const struct sky_cloud *cloud,
                                            struct sky_http_request *request,
                                            struct sky_claim *ret_claim, struct sky_arena *arena)
{
    const struct sky_cloud_http *http = cloud->http;
    for (size_t i = 0; http != NULL && i < http->count; i++) {
        const struct sky_http_row *row = &http->rows[i];
        request->method = sky_span_str(row->method);
        request->path = sky_span_str(row->path);
        if (row->claim(request, ret_claim, arena))
            return row;
    }
    return NULL;
}

struct call {
    const struct sky_cloud *cloud;
    const struct sky_http_row *row;
};

static const struct sky_rule *rule_of_mistake(const void *ctx, enum sky_mistake mistake)
{
    const struct call *call = ctx;

    return sky_cloud_http_mistake_rule(call->cloud, call->row, mistake);
}

static void answer_call(struct sky_app *app, const struct call *call,
                        const struct sky_http_request *request, const struct sky_lookup *lookup,
                        struct sky_judge *judge, struct sky_effects *effects,
                        struct sky_http_answer *ret_answer, struct sky_refusal *ret_refusal)
{
    struct sky_suspicion suspicion = {.now_ms = app->clock.now_ms};
    struct sky_arena *arena = &effects->arena;

    call->row->answer(request, &lookup->facts, judge, effects, ret_answer);
    if (ret_answer->cause == SKY_CAUSE_SIGNATURE && call->row->suspect != NULL &&
        call->row->suspect(request, &lookup->facts, &suspicion, arena))
        sky_refusal_explain(&app->registry, lookup, &suspicion, arena, rule_of_mistake, call, judge,
                            ret_refusal);
    if (ret_answer->cause == SKY_CAUSE_UNKNOWN)
        sky_refusal_find_similar(&app->registry, lookup, ret_refusal);
}

static int explain_form(const struct sky_config *config, struct sky_app *app,
                        const struct sky_cli_device *device)
{
    struct sky_door door = {.transport = SKY_HTTPS, .tls_version = SKY_TLS_1_2};
    struct sky_http_request request = {
        .door = &door,
        .content_type = SKY_SPAN("application/x-www-form-urlencoded"),
        .body = sky_span_str(config->form),
        .advertise_host = SKY_SPAN("localhost"),
    };
    struct call call = {.cloud = device->cloud};
    struct sky_http_answer answer = {0};
    struct sky_refusal refusal = {0};
    struct sky_claim claim = {0};
    struct sky_lookup lookup;
    struct sky_judge judge;
    struct sky_effects unused;

    sky_effects_init(&unused);
    call.row = find_call(device->cloud, &request, &claim, &unused.arena);
    if (call.row == NULL)
        return sky_cli_fail("%s has no login over HTTPS that takes this form",
                            device->cloud->title);
    look_up(app, device, true, &claim, &lookup);
    sky_judge_init(&judge, sky_lookup_policy(&app->registry, &lookup));
    answer_call(app, &call, &request, &lookup, &judge, &unused, &answer, &refusal);
    bool accepted = answer.cause == SKY_CAUSE_NONE;
    if (config->json) {
        print_json(accepted, "status", answer.status, &refusal, &judge);
    } else {
        printf("%s: %s %s answers HTTP %d: %.*s\n", accepted ? "accepted" : "refused",
               call.row->method, call.row->path, answer.status, SKY_SPAN_ARGS(answer.body));
        print_refusal(&refusal);
        print_findings(&judge);
    }
    sky_effects_done(&unused);
    return accepted ? SKY_EXIT_OK : SKY_EXIT_NO;
}

int sky_cli_explain(const struct sky_config *config)
{
    struct sky_cli_device device;
    struct sky_why why;
    int status;

    if (config->form == NULL && config->client_id == NULL)
        return sky_cli_fail("give --client-id, --username and --password, or --form");
    if (sky_cli_device_find(config, &device, &why) != SKY_OK)
        status = sky_cli_fail("%s", why.reason);
    else if (config->form != NULL)
        status = explain_form(config, device.app, &device);
    else
        status = explain_connect(config, device.app, &device);
    sky_cli_device_done(&device);
    return status;
}
