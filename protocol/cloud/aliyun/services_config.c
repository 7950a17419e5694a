/* Remote configuration (help page 89308): a file of the product's that its devices download. */
#include "auth/digest.h"
#include "auth/text.h"
#include "protocol/cloud/aliyun/request.h"
#include "protocol/cloud/files.h"

enum { CONFIG_ID_CHARS = 32 };

/* The six members that the C SDK wants, in the document's order. The digest's name has this
 * spelling here and another one in upgrades: the C SDK compares each letter by letter. */
static sky_span config_json(const struct sky_facts *facts, struct sky_arena *arena)
{
    uint8_t digest[SKY_DIGEST_MAX];
    char hex[SKY_DIGEST_HEX_MAX + 1];
    sky_digest_hash(SKY_SHA256, &facts->config, 1, digest);
    sky_hex_lower(sky_span_of(digest, sky_digest_len(SKY_SHA256)), hex);
    sky_span name = sky_file_config_name(facts->product->id, facts->config, arena);
    return sky_arena_printf(
        arena,
        "{\"configId\":\"%.*s\",\"configSize\":%zu,\"sign\":\"%s\",\"signMethod\":\"Sha256\","
        "\"url\":\"%.*s%.*s\",\"getType\":\"file\"}",
        CONFIG_ID_CHARS, hex, facts->config.len, hex, SKY_SPAN_ARGS(facts->link),
        SKY_SPAN_ARGS(name));
}

static struct sky_aliyun_fault config_fault(const struct sky_aliyun_request *request)
{
    sky_span params = request->envelope.params;
    if (!sky_json_reads(sky_json_text(sky_json_member(params, "configScope")), "product") ||
        !sky_json_reads(sky_json_text(sky_json_member(params, "getType")), "file"))
        return sky_aliyun__fault(
            SKY_ALIYUN_PARAMETER,
            "params must be {\"configScope\":\"product\",\"getType\":\"file\"}");
    return SKY_ALIYUN_SOUND;
}

/* That there is no configuration is not the device's fault. */
static void handle_config_get(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, config_fault(&request)))
        return;
    if (facts->config.len > 0 && facts->product != NULL)
        sky_aliyun__succeed(&request, config_json(facts, &effects->arena));
    else
        sky_aliyun__reply(&request, SKY_ALIYUN_NO_CONFIG, SKY_SPAN("{}"));
}

const struct sky_service sky_aliyun_config_get = {.name = "config-get",
                                                  .reads = SKY_READS_DEVICE | SKY_READS_CONFIG |
                                                           SKY_READS_LINK,
                                                  .handle = handle_config_get};

/* Devices need not answer: the C SDK does only when it cannot take it. */
sky_span sky_aliyun__build_config(const struct sky_uplink *to,
                                  const struct sky_command_request *request,
                                  struct sky_effects *effects)
{
    if (request->facts->config.len == 0 || request->facts->product == NULL) {
        (void)sky_why_set(request->why, SKY_ERR_INVALID, "/kind",
                          "the product has no configuration; PUT "
                          "/api/v1/products/aliyun/%.*s/config sets one",
                          SKY_SPAN_ARGS(to->product));
        return SKY_SPAN_NONE;
    }
    return sky_aliyun__call(to, SKY_SPAN("thing/config/push"),
                            config_json(request->facts, &effects->arena), request->id, effects);
}
