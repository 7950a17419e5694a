#include "server/registry/door.h"

#include "protocol/base/mem.h"
#include "protocol/cloud/admit.h"
#include "server/registry/rules.h"
#include "server/tls/explain.h"
#include "server/tls/rules.h"

bool sky_door_judge_version(const struct sky_door *door, struct sky_judge *judge)
{
    return sky_judge_rule(judge, sky_tls_rule(SKY_RULE_TLS_VERSION),
                          door->tls_version >= SKY_TLS_1_2, "negotiated %s",
                          sky_tls_version_name(door->tls_version));
}

bool sky_door_judge(const struct sky_door *door, struct sky_judge *judge)
{
    sky_judge_kept(judge, sky_door_rule(SKY_RULE_DOOR_FIRST_BYTE));
    sky_judge_kept(judge, sky_door_rule(SKY_RULE_DOOR_SLOW));
    if (sky_door_is_websocket(door))
        sky_judge_kept(judge, sky_door_rule(SKY_RULE_DOOR_WEBSOCKET));
    if (door->tls_version == 0)
        return false;
    sky_judge_kept(judge, sky_tls_rule(SKY_RULE_TLS_HANDSHAKE));
    sky_judge_kept(judge, sky_tls_rule(SKY_RULE_TLS_NO_COMMON_SUITE));
    sky_judge_kept(judge, sky_tls_rule(SKY_RULE_TLS_TIMEOUT));
    if (door->psk_device_id != 0) {
        sky_judge_kept(judge, sky_tls_rule(SKY_RULE_TLS_PSK_IDENTITY));
        sky_judge_kept(judge, sky_tls_rule(SKY_RULE_TLS_PSK_KEY));
    } else {
        sky_judge_kept(judge, sky_tls_rule(SKY_RULE_TLS_SERVER_CERT));
        if (door->fingerprint.len > 0)
            sky_judge_kept(judge, sky_tls_rule(SKY_RULE_TLS_CLIENT_CERT));
    }
    return sky_door_judge_version(door, judge);
}
