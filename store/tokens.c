/* Login tokens handed out over HTTPS. */
#include "store/internal.h"

sky_err sky_store_put_token(struct sky_store *store, size_t place, const struct sky_token *token)
{
    SKY_ASSERT(place < SKY_STORE_TOKENS_MAX);
    return sky_store__change(store, SKY_SQL_PUT_TOKEN,
                             SKY_ARGS(SKY_INT(token->device_id), SKY_INT((int64_t)place),
                                      SKY_STR(token->id), SKY_STR(token->token),
                                      SKY_INT(token->expires_ms)));
}

sky_err sky_store_newest_token(struct sky_store *store, int64_t device_id, size_t *ret_place)
{
    sqlite3_stmt *stmt;
    sky_err err =
        sky_store__first(store, &stmt, SKY_SQL_NEWEST_TOKEN, SKY_ARGS(SKY_INT(device_id)));
    int64_t place;
    if (err == SKY_OK)
        err = sky_store__number(store, stmt, 0, 0, SKY_STORE_TOKENS_MAX - 1, &place);
    if (err == SKY_OK)
        *ret_place = (size_t)place;
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_find_token(struct sky_store *store, sky_span id, struct sky_token *ret_token)
{
    sqlite3_stmt *stmt;
    struct sky_token token;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_FIND_TOKEN, SKY_ARGS(SKY_TEXT(id)));
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, 0, token.id, sizeof token.id);
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, 1, token.token, sizeof token.token);
    if (err == SKY_OK)
        err = sky_store__time(store, stmt, 3, &token.expires_ms);
    if (err == SKY_OK) {
        token.device_id = sqlite3_column_int64(stmt, 2);
        *ret_token = token;
    }
    sky_store__end(stmt);
    return err;
}
