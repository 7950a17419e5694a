/* Login tokens handed out over HTTPS. */
#include "store/internal.h"

sky_err sky_store_put_token(struct sky_store *store, const struct sky_token *token)
{
    sky_err err =
        sky_store__change(store, SKY_SQL_PUT_TOKEN,
                          SKY_ARGS(SKY_STR(token->id), SKY_STR(token->token),
                                   SKY_INT(token->device_id), SKY_INT(token->expires_ms)));
    /* One token too many, should only this fail, is trimmed with the next. */
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_TRIM_TOKENS,
                             SKY_ARGS(SKY_INT(token->device_id), SKY_STR(token->id),
                                      SKY_INT(SKY_STORE_TOKENS_MAX - 1)));
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
    if (err == SKY_OK) {
        token.device_id = sqlite3_column_int64(stmt, 2);
        token.expires_ms = sqlite3_column_int64(stmt, 3);
        *ret_token = token;
    }
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_drop_tokens(struct sky_store *store, int64_t expired_before_ms)
{
    return sky_store__run(store, SKY_SQL_DROP_EXPIRED_TOKENS, SKY_ARGS(SKY_INT(expired_before_ms)));
}
