#include "server/registry/door.h"

#include "protocol/base/mem.h"
#include "server/registry/rules.h"
#include "server/tls/explain.h"

static void judge_kept(struct sky_judge *judge, const enum sky_door_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sky_judge_rule(judge, sky_door_rule(rules[i]), true, " ");
}

bool sky_door_judge_version(const struct sky_door *door, struct sky_judge *judge)
{
    return sky_judge_rule(judge, sky_door_rule(SKY_RULE_TLS_VERSION),
                          door->tls_version >= SKY_TLS_1_2, "negotiated %s",
                          sky_tls_version_name(door->tls_version));
}

bool sky_door_judge(const struct sky_door *door, struct sky_judge *judge)
{
    static const enum sky_door_rule always[] = {SKY_RULE_DOOR_FIRST_BYTE, SKY_RULE_DOOR_SLOW};
    static const enum sky_door_rule tls[] = {SKY_RULE_TLS_HANDSHAKE, SKY_RULE_TLS_NO_COMMON_SUITE,
                                             SKY_RULE_TLS_TIMEOUT};
    static const enum sky_door_rule psk[] = {SKY_RULE_TLS_PSK_IDENTITY, SKY_RULE_TLS_PSK_KEY};
    static const enum sky_door_rule certificate[] = {SKY_RULE_TLS_SERVER_CERT,
                                                     SKY_RULE_TLS_CLIENT_CERT};
    judge_kept(judge, always, SKY_COUNT(always));
    if (door->tls_version == 0)
        return false;
    judge_kept(judge, tls, SKY_COUNT(tls));
    if (door->psk_device_id != 0)
        judge_kept(judge, psk, SKY_COUNT(psk));
    else
        judge_kept(judge, certificate, door->fingerprint.len > 0 ? 2 : 1);
    return sky_door_judge_version(door, judge);
}
