/* The whole content of a store as text, for comparing before and after. */
#ifndef SKY_TESTS_STORE_DUMP_H
#define SKY_TESTS_STORE_DUMP_H

#include "store/internal.h"

/* Appends every row of every table, in order. False when the database cannot be read. */
static inline bool store_dump(struct sky_store *store, struct sky_buf *out)
{
    static const char *const tables[] = {"product",
                                         "product_topic",
                                         "product_document",
                                         "device",
                                         "topology",
                                         "document",
                                         "token",
                                         "session",
                                         "subscription",
                                         "message",
                                         "image",
                                         "page",
                                         "note",
                                         "snapshot",
                                         "snapshot_product",
                                         "snapshot_product_topic",
                                         "snapshot_product_document",
                                         "snapshot_device",
                                         "snapshot_document",
                                         "snapshot_token",
                                         "snapshot_topology",
                                         "snapshot_session"};
    bool done = true;
    for (size_t i = 0; i < SKY_COUNT(tables); i++) {
        char sql[64];
        sqlite3_stmt *stmt = NULL;
        snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", tables[i]);
        done = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) == SQLITE_OK && done;
        sky_buf_addf(out, "%s\n", tables[i]);
        while (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW) {
            for (int column = 0; column < sqlite3_column_count(stmt); column++) {
                const char *text = (const char *)sqlite3_column_text(stmt, column);
                sky_buf_addf(out, "%s|", text ? text : "NULL");
            }
            sky_buf_add_byte(out, '\n');
        }
        done = sqlite3_finalize(stmt) == SQLITE_OK && done;
    }
    return done && !out->overflow;
}

#endif
