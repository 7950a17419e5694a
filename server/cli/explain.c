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

/* Do the fields have the form of this cloud's logins? Where any text would do, and that includes
 * tokens, what they name must be known. */
static bool is_of_cloud(bool claimed, const struct sky_claim *claim,
                        const struct sky_lookup *lookup)
{
    bool open = claim->affinity <= SKY_AFFINITY_OPEN || claim->kind == SKY_CLAIM_TOKEN;

    return claimed && (!open || lookup->product.id != 0);
}

/* Whom the fields claim to be; nobody, when they are no login of any cloud. */
static void look_up(struct sky_app *app, const struct sky_cli_device *device,
                    const struct sky_login *login, struct sky_lookup *ret_lookup)
{
    struct sky_claim claim = {0};

    bool claimed = device->cloud->claim(login, &claim);
    sky_lookup_claim(&app->registry, device->cloud, &claim, ret_lookup);
    if (is_of_cloud(claimed, &claim, ret_lookup)) {
        if (ret_lookup->device.id != 0 && ret_lookup->device.id != device->device.id)
            fprintf(stderr, "These fields are of another device: %s/%s.\n", ret_lookup->product.key,
                    ret_lookup->device.key);
        return;
    }
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        claimed = sky_clouds[i] != device->cloud && sky_clouds[i]->claim(login, &claim);
        sky_lookup_claim(&app->registry, sky_clouds[i], &claim, ret_lookup);
        if (!is_of_cloud(claimed, &claim, ret_lookup))
            continue;
        fprintf(stderr, "These fields have the form of %s, not of %s.\n", sky_clouds[i]->title,
                device->cloud->title);
        return;
    }
    *ret_lookup = (struct sky_lookup){0};
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

/* What each cloud signs for a device of these names: its form, with nobody's secret. */
static void each_form(struct sky_app *app,
                      void (*each)(struct sky_jw *jw, const struct sky_cloud *cloud,
                                   const struct sky_credentials *form),
                      struct sky_jw *jw)
{
    struct sky_product product = {.key = "PRODUCT"};
    struct sky_device device = {.key = "DEVICE"};
    struct sky_arena arena;
    char fresh[SKY_FRESH_LEN + 1];

    sky_arena_init(&arena);
    sky_rng_text(&app->rng, fresh, SKY_FRESH_LEN);
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        const struct sky_cloud *cloud = sky_clouds[i];
        struct sky_credentials form;
        cloud->make_secret(sky_span_of(fresh, SKY_FRESH_LEN), device.secret);
        const struct sky_sign_request request = {.product = &product,
                                                 .device = &device,
                                                 .now_ms = app->clock.now_ms,
                                                 .fresh = sky_span_of(fresh, SKY_FRESH_LEN)};
        cloud->sign(&request, &arena, &form);
        each(jw, cloud, &form);
    }
    sky_arena_done(&arena);
}

static void print_form(struct sky_jw *jw, const struct sky_cloud *cloud,
                       const struct sky_credentials *form)
{
    (void)jw;
    printf("  %-8s client id  %.*s\n  %-8s user name  %.*s\n", cloud->name,
           SKY_SPAN_ARGS(form->client_id), "", SKY_SPAN_ARGS(form->username));
}

static void write_form(struct sky_jw *jw, const struct sky_cloud *cloud,
                       const struct sky_credentials *form)
{
    sky_jw_object(jw);
    sky_jw_put_str(jw, "cloud", cloud->name);
    sky_jw_put_span(jw, "clientId", form->client_id);
    sky_jw_put_span(jw, "username", form->username);
    sky_jw_end_object(jw);
}

/* A `stranger` that no cloud knows is shown what each wants. `answer` and `number` are what the
 * device would see: {"connack": 4} or {"status": 200}. */
static void print_json(bool accepted, const char *answer, int number,
                       const struct sky_refusal *refusal, const struct sky_judge *judge,
                       struct sky_app *stranger)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);

    sky_buf_init(&out, OUT_MAX);
    sky_jw_object(&jw);
    sky_jw_put_bool(&jw, "accepted", accepted);
    sky_jw_put_int(&jw, answer, number);
    if (stranger != NULL) {
        sky_jw_key(&jw, "forms");
        sky_jw_array(&jw);
        each_form(stranger, write_form, &jw);
        sky_jw_end_array(&jw);
    }
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
    struct sky_lookup lookup;
    struct sky_judge judge;
    struct sky_effects unused;

    sky_effects_init(&unused);
    look_up(app, device, &login, &lookup);
    sky_judge_init(&judge, sky_lookup_policy(&app->registry, &lookup));
    sky_login_decide(&app->registry, &login, &connect, &lookup, &judge, &unused, &outcome);
    sky_effects_done(&unused);
    bool accepted = outcome.connack == SKY_CONNACK_ACCEPTED;
    struct sky_app *stranger = lookup.cloud == NULL ? app : NULL;
    if (config->json) {
        print_json(accepted, "connack", outcome.connack, &outcome.refusal, &judge, stranger);
    } else {
        print_connack(&outcome, &judge);
        if (stranger != NULL) {
            puts("\nthis is no cloud's login; they have these forms:");
            each_form(stranger, print_form, NULL);
        }
    }
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
    if (call.row == NULL) {
        sky_effects_done(&unused);
        return sky_cli_fail("%s has no login over HTTPS that takes this form",
                            device->cloud->title);
    }
    sky_lookup_claim(&app->registry, device->cloud, &claim, &lookup);
    if (lookup.device.id != 0 && lookup.device.id != device->device.id)
        fprintf(stderr, "This form is of another device: %s/%s.\n", lookup.product.key,
                lookup.device.key);
    sky_judge_init(&judge, sky_lookup_policy(&app->registry, &lookup));
    answer_call(app, &call, &request, &lookup, &judge, &unused, &answer, &refusal);
    bool accepted = answer.cause == SKY_CAUSE_NONE;
    if (config->json) {
        print_json(accepted, "status", answer.status, &refusal, &judge, NULL);
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
