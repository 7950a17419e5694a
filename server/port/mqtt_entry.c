/* How packets of devices come in: through the one entry, where faults may have their hands on them.
 */
#include "server/port/mqtt_private.h"

#include "protocol/mqtt/rules.h"
#include "server/broker/behind.h"
#include "server/registry/login.h"

/* Back into the input, in front of what has come meanwhile. */
static void put_back(struct sky_conn *conn, sky_span bytes)
{
    struct sky_buf behind = conn->work->in;
    sky_buf_init(&sky_conn_work(conn)->in, behind.max);
    sky_buf_add(&conn->work->in, bytes);
    sky_buf_add(&conn->work->in, sky_buf_span(&behind));
    sky_buf_done(&behind);
}

/* A packet that a fault had its hands on: it was delayed, comes once more, or is not what the
 * device sent. What is wrong with it is then nothing that the device did, nor what is right. */
static void handle_again(void *owner, sky_span bytes)
{
    struct sky_conn *conn = owner;
    const struct sky_session *session = conn->state;
    struct sky_party *party = session != NULL ? session->party : NULL;
    bool excused = sky_journal_is_excused(conn->net->journal);
    struct sky_rule_set exercised;
    struct sky_mqtt_packet packet;
    struct sky_mqtt_flaw flaw;
    char what[128] = "a fault has left no whole packet";
    bool was_late = conn->late;
    if (conn->closing)
        return;
    conn->late = false;
    if (party != NULL)
        exercised = party->chapter.exercised;
    enum sky_mqtt_result result = sky_mqtt_decode(bytes, SKY_MQTT_PACKET_MAX, &packet, &flaw);
    if (result == SKY_MQTT_OK) {
        sky_mqtt__handle(conn, &packet, bytes);
        if (session != NULL && !conn->closing)
            sky_mqtt__note_life(conn);
    } else {
        if (result == SKY_MQTT_BAD)
            sky_mqtt_flaw_text(&flaw, what, sizeof what);
        sky_mqtt__malformed(
            conn, result == SKY_MQTT_BAD ? flaw.rule : sky_mqtt_rule(SKY_MQTT_RULE_TRUNCATED), what,
            bytes);
    }
    if (excused && party != NULL)
        party->chapter.exercised = exercised;
    if (conn->waits)
        put_back(conn, bytes); /* until its turn comes */
    else if (was_late)
        sky_conn_offer(conn);
}

/* Whose packet is it, where that is not the one who has logged in? */
static void attribute(struct sky_conn *conn, const struct sky_mqtt_packet *packet,
                      struct sky_in *in)
{
    struct sky_session *session = conn->state;
    struct sky_lookup lookup = {0};
    if (packet->type == SKY_MQTT_CONNECT && session == NULL) {
        const struct sky_mqtt_connect *connect = &packet->as.connect;
        const struct sky_login login = sky_login_of(conn->door, connect);
        if (connect->level_known && sky_login_recognise(conn->net->registry, &login, &lookup)) {
            in->head.device_id = lookup.device.id;
            in->product_id = lookup.product.id;
        }
        in->later = true;
    } else if (packet->type == SKY_MQTT_PUBLISH && session != NULL &&
               session->work->behind != NULL) {
        in->head.device_id =
            sky_behind_addressee(sky_mqtt__port(conn)->broker, session, packet->as.publish.topic)
                ->device_id;
    }
}

bool sky_mqtt__enter(struct sky_conn *conn, const struct sky_mqtt_packet *packet, sky_span rest)
{
    struct sky_wire *wire = sky_mqtt__port(conn)->broker->wire;
    const enum sky_point point = sky_mqtt__point(packet->type);
    if (sky_wire_is_armed(wire, point)) {
        struct sky_in in = {.point = point,
                            .head = sky_conn_event(conn, SKY_EVENT_NOTE, SKY_UP),
                            .bytes = sky_span_head(rest, packet->size),
                            .packet = packet,
                            .from = {.conn = conn},
                            .again = handle_again};
        attribute(conn, packet, &in);
        if (!sky_wire_enter(wire, &in)) {
            conn->late = packet->type == SKY_MQTT_CONNECT && !conn->closing;
            if (conn->late && sky_wire_holds(wire, conn))
                sky_conn_forgive(conn);
            return false;
        }
    }
    sky_mqtt__handle(conn, packet, rest);
    return true;
}
