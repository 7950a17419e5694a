#include "server/net/client_id.h"

#include "protocol/base/assert.h"
#include "server/registry/sessions.h"

enum { KEY = '\0' }; /* in the place of the device's: no client id has it (MQTT 3.1.1 §1.5.3) */

static sky_span key_of(const struct sky_conn *conn)
{
    const struct sky_session *session = sky_session_find(conn->net->registry, conn->device_id);
    return session != NULL ? sky_span_str(sky_session_key(session)) : SKY_SPAN_NONE;
}

/* Puts `with` in the place of the `len` bytes at `at`. */
static sky_span replace(sky_span text, const char *at, size_t len, sky_span with,
                        char out[SKY_CLIENT_ID_KEPT])
{
    size_t before = (size_t)(at - text.ptr);
    sky_span behind = sky_span_tail(text, before + len);
    SKY_ASSERT(before + with.len + behind.len <= SKY_CLIENT_ID_KEPT);
    memcpy(out, text.ptr, before);
    memcpy(out + before, with.ptr, with.len);
    memcpy(out + before + with.len, sky_span_chars(behind), behind.len);
    return sky_span_of(out, before + with.len + behind.len);
}

void sky_conn_called(struct sky_conn *conn, sky_span client_id)
{
    static const char mark = KEY;
    char out[SKY_CLIENT_ID_KEPT];
    sky_span form = sky_span_head(client_id, SKY_CLIENT_ID_KEPT), key = key_of(conn);
    const char *at =
        key.len > 0 && form.len > 0 ? memmem(form.ptr, form.len, key.ptr, key.len) : NULL;
    if (at != NULL)
        form = replace(form, at, key.len, sky_span_of(&mark, sizeof mark), out);
    sky_texts_give(&conn->net->client_ids, conn->client_id);
    conn->client_id = form.len > 0 ? sky_texts_take(&conn->net->client_ids, form) : NULL;
}

sky_span sky_conn_client_id(const struct sky_conn *conn, char out[SKY_CLIENT_ID_KEPT])
{
    if (conn->client_id == NULL)
        return SKY_SPAN_NONE;
    sky_span form = sky_text_span(conn->client_id);
    const char *at = memchr(form.ptr, KEY, form.len);
    if (at == NULL)
        return form;
    sky_span key = key_of(conn);
    return key.len > 0 ? replace(form, at, 1, key, out) : SKY_SPAN_NONE;
}
