#include "server/registry/fixture_files.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/assert.h"
#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "protocol/base/similar.h"
#include "server/os/files.h"
#include "server/registry/lookup.h"
#include "server/registry/products.h"
#include "server/tls/certificate.h"

enum {
    CLOUDS_MAX = 16,
    SHOWN_PATH_MAX = 120, /* bytes of a path that is repeated in a command to be copied */
};

struct loading {
    const struct sky_catalogue *catalogue;
    struct sky_rng *rng;
    int64_t now_ms;
    struct sky_seed_cloud clouds[CLOUDS_MAX];
    struct sky_strings files;   /* paths found, owned */
    struct sky_strings *suites; /* those of device suites; NULL: they are passed over */
    FILE *errors;
    size_t error_count;
    bool within; /* a transaction of the caller's */
    struct sky_why first;
    struct sky_strings *pieces;    /* of what was written; NULL: not wanted */
    struct sky_strings gateways;   /* pieces to come behind those: they name devices of others */
    struct sky_strings *elsewhere; /* devices that a scratch store does not know */
};

static void report_line(struct loading *loading, const char *line)
{
    if (loading->error_count++ == 0)
        (void)sky_why_set(&loading->first, SKY_ERR_INVALID, "", "%.300s", line);
    if (loading->errors != NULL)
        fprintf(loading->errors, "%s\n", line);
}

static void report(struct loading *loading, const char *path, const char *pointer,
                   const char *reason)
{
    char *line;
    int len = asprintf(&line, "%s: %s%s%s", path, pointer, *pointer != '\0' ? ": " : "", reason);

    SKY_ASSERT(len > 0);
    report_line(loading, line);
    free(line);
}

struct file_at_hand {
    struct loading *loading;
    const char *path;
};

/* ---- finding ---- */

_Static_assert(SKY_FIXTURE_FILES_MAX == 10000, "as is said");

static void add_file(struct loading *loading, const char *path)
{
    struct sky_strings *files = &loading->files;

    if (files->count < SKY_FIXTURE_FILES_MAX)
        sky_strings_add(files, path);
    else
        report(loading, path, "", "it is one more than the 10000 fixture files that are read");
}

/* A device suite, which may stand beside fixtures, as its schema may. */
static bool is_suite(const char *path)
{
    struct sky_buf text;
    struct sky_why why;
    cJSON *tree = NULL;

    sky_buf_init(&text, SKY_FIXTURE_SUITE_MAX);
    /* Without the word it is none; fixtures need not be parsed twice to know that. */
    bool is_one = sky_files_read(path, &text, &why) == SKY_OK && text.len > 0 &&
                  memmem(text.bytes, text.len, "\"suite\"", 7) != NULL &&
                  sky_json_parse(sky_buf_span(&text), SKY_JSON_DEPTH_MAX, &tree, &why) == SKY_OK &&
                  sky_json_get(tree, "suite") != NULL && sky_json_get(tree, "products") == NULL;
    cJSON_Delete(tree);
    sky_buf_done(&text);
    return is_one;
}

static void add_suite(struct loading *loading, const char *path)
{
    if (loading->suites != NULL)
        sky_strings_add(loading->suites, path);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The caller frees it. */
static char *path_in(const char *folder, const char *name)
{
    char *path;
    int len = asprintf(&path, "%s/%s", folder, name);

    SKY_ASSERT(len > 0);
    return path;
}

static void walk_folder(struct loading *loading, const char *folder, int depth);

/* Takes the entry if it is of the sort asked for: a *.json file, or a folder. */
static void walk_entry(struct loading *loading, const char *folder, const char *name, bool folders,
                       int depth)
{
    char *path = path_in(folder, name);
    bool json = sky_span_ends(sky_span_str(name), SKY_SPAN(".json")) &&
                !sky_span_ends(sky_span_str(name), SKY_SPAN(".schema.json"));
    struct stat info;

    if (stat(path, &info) != 0)
        report(loading, path, "", strerror(errno));
    else if (folders && S_ISDIR(info.st_mode))
        walk_folder(loading, path, depth + 1);
    else if (!folders && json && S_ISREG(info.st_mode) && is_suite(path))
        add_suite(loading, path);
    else if (!folders && json && S_ISREG(info.st_mode))
        add_file(loading, path);
    free(path);
}

/* A folder is its own *.json files; one without any stands for the folders in it. So what lies
 * beside a cloud's fixtures in folders of its own (test vectors, scripts) is left alone. */
static void walk_folder(struct loading *loading, const char *folder, int depth)
{
    struct dirent **entries = NULL;
    size_t before = loading->files.count;
    int count =
        depth > SKY_FIXTURE_DEPTH_MAX ? 0 : scandir(folder, &entries, is_visible, alphasort);

    if (depth > SKY_FIXTURE_DEPTH_MAX)
        report(loading, folder, "", "folders nested too deep");
    else if (count < 0)
        report(loading, folder, "", strerror(errno));
    for (int i = 0; i < count; i++)
        walk_entry(loading, folder, entries[i]->d_name, false, depth);
    bool none = loading->files.count == before;
    for (int i = 0; i < count; i++) {
        if (none)
            walk_entry(loading, folder, entries[i]->d_name, true, depth);
        free(entries[i]);
    }
    free(entries);
}

static void find_files(struct loading *loading, const char *path)
{
    size_t suites = loading->suites != NULL ? loading->suites->count : 0;
    size_t files = loading->files.count, errors = loading->error_count;
    struct stat info;

    if (stat(path, &info) != 0)
        report(loading, path, "", strerror(errno));
    else if (S_ISDIR(info.st_mode))
        walk_folder(loading, path, 0);
    else if (loading->suites != NULL && is_suite(path))
        add_suite(loading, path);
    else
        add_file(loading, path);
    if (loading->suites != NULL && loading->suites->count > suites)
        return;
    if (loading->files.count == files && loading->error_count == errors)
        report(loading, path, "", "there is no *.json file in it");
}

/* ---- loading ---- */

static void on_error(void *ctx, const struct sky_why *why)
{
    const struct file_at_hand *at = ctx;

    report(at->loading, at->path, why->pointer, why->reason);
}

static bool check_rule(void *ctx, sky_span text, struct sky_why *why)
{
    const struct file_at_hand *at = ctx;
    struct sky_policy scratch;

    sky_policy_init(&scratch, at->loading->catalogue, SKY_PROFILE_SEED);
    return sky_policy_override(&scratch, text, why) == SKY_OK;
}

static void make_secret(void *ctx, size_t cloud, char out[SKY_SECRET_MAX + 1])
{
    const struct file_at_hand *at = ctx;
    char fresh[SKY_FRESH_LEN + 1];

    sky_rng_text(at->loading->rng, fresh, SKY_FRESH_LEN);
    sky_clouds[cloud]->make_secret(sky_span_of(fresh, SKY_FRESH_LEN), out);
}

static size_t fill_clouds(struct sky_seed_cloud clouds[CLOUDS_MAX])
{
    size_t count = 0;

    for (; sky_clouds[count] != NULL; count++) {
        const struct sky_cloud *cloud = sky_clouds[count];
        SKY_ASSERT(count < CLOUDS_MAX);
        clouds[count] = (struct sky_seed_cloud){
            .name = cloud->name,
            .product_key = cloud->words.product_key,
            .product_secret = cloud->words.product_secret,
            .device_key = cloud->words.device_key,
            .device_secret = cloud->words.device_secret,
            .check_secret = cloud->check_secret,
            .has_gateways = cloud->gateway != NULL,
            .shares_sub_devices = cloud->gateway != NULL && cloud->gateway->shared,
        };
    }
    return count;
}

void sky_fixture_sum(struct sky_seed_count *total, const struct sky_seed_count *one)
{
    total->products_added += one->products_added;
    total->products_changed += one->products_changed;
    total->devices_added += one->devices_added;
    total->devices_changed += one->devices_changed;
    total->errors += one->errors;
    total->gateways += one->gateways;
}

/* ---- thing models in files of their own ---- */

/* As a path is meant in the file it stands in. */
static sky_err read_model(void *ctx, const char *path, struct sky_buf *ret_json,
                          struct sky_why *why)
{
    const struct file_at_hand *at = ctx;
    const char *slash = strrchr(at->path, '/');
    cJSON *tree = NULL;
    char *whole;
    int len = path[0] == '/' || slash == NULL
                  ? asprintf(&whole, "%s", path)
                  : asprintf(&whole, "%.*s/%s", (int)(slash - at->path), at->path, path);
    SKY_ASSERT(len > 0);
    struct sky_buf text;
    sky_buf_init(&text, SKY_SEED_MODEL_MAX);
    struct stat info;
    sky_err err = stat(whole, &info) == 0 && !S_ISREG(info.st_mode)
                      ? sky_why_set(why, SKY_ERR_INVALID, "", "%s: this is no file", whole)
                      : sky_files_read(whole, &text, why);
    sky_span json = sky_buf_span(&text);
    if (sky_span_starts(json, SKY_SPAN("\xef\xbb\xbf")))
        json = sky_span_tail(json, 3);
    struct sky_why inside;
    if (err == SKY_OK && (err = sky_json_parse(json, SKY_JSON_DEPTH_MAX, &tree, &inside)) != SKY_OK)
        (void)sky_why_set(why, err, inside.pointer, "%s: %s", whole, inside.reason);
    if (err == SKY_OK && !sky_json_print(ret_json, tree))
        err = sky_why_set(why, SKY_ERR_LIMIT, "", "the model is longer than %d bytes",
                          SKY_SEED_MODEL_MAX);
    cJSON_Delete(tree);
    sky_buf_done(&text);
    free(whole);
    return err;
}

/* ---- in pieces ---- */

/* One product with some of its devices, as a fixture of its own. The first says all of the product;
 * those that go on with it, which begin with a space, only what is needed to read its devices, and
 * the rest stays as the first one had it. */
struct piece {
    struct sky_strings *pieces;
    const struct file_at_hand *at;
    struct sky_buf head, text;
    size_t devices; /* in text */
};

static void begin_piece(struct piece *piece)
{
    sky_buf_clear(&piece->text);
    sky_buf_add(&piece->text, sky_buf_span(&piece->head));
    piece->devices = 0;
}

/* Without its brace: the devices come behind the other members. */
static void set_head(struct piece *piece, const char *begin, const cJSON *product)
{
    sky_buf_clear(&piece->head);
    sky_buf_add_str(&piece->head, begin);
    sky_json_print(&piece->head, product);
    piece->head.len--;
    sky_buf_add_str(&piece->head, ",\"devices\":[");
}

static bool is_needed(const struct loading *loading, const char *name)
{
    static const char *const names[] = {"cloud", "nodeType", "assetId"};
    bool is = false;
    for (size_t i = 0; i < SKY_COUNT(names) && !is; i++)
        is = strcmp(name, names[i]) == 0;
    for (size_t i = 0; sky_clouds[i] != NULL && !is; i++)
        is = strcmp(name, loading->clouds[i].product_key) == 0;
    return is;
}

static void shorten_head(struct piece *piece, cJSON *product)
{
    cJSON *member = product->child, *next;
    for (; member != NULL; member = next) {
        next = member->next;
        if (!is_needed(piece->at->loading, member->string))
            cJSON_Delete(cJSON_DetachItemViaPointer(product, member));
    }
    set_head(piece, " {\"products\":[", product);
}

static void end_piece(struct piece *piece)
{
    sky_buf_add(&piece->text, sky_span_of("]}]}", sizeof "]}]}")); /* and its end */
    sky_strings_add(piece->pieces, piece->text.bytes);
}

/* A piece stands alone: a model in a file of its own is put into it. */
static void put_model_in(const struct file_at_hand *at, cJSON *product)
{
    const char *path = sky_json_get_str(product, "model");
    struct sky_buf text;
    struct sky_why why;
    cJSON *model = NULL;
    if (path == NULL)
        return;
    sky_buf_init(&text, SKY_SEED_MODEL_MAX);
    if (read_model((void *)at, path, &text, &why) == SKY_OK &&
        sky_json_parse(sky_buf_span(&text), SKY_JSON_DEPTH_MAX, &model, &why) == SKY_OK)
        cJSON_ReplaceItemInObjectCaseSensitive(product, "model", model);
    sky_buf_done(&text);
}

static void cut_product(struct piece *piece, cJSON *product)
{
    const char *node = sky_json_get_str(product, "nodeType");
    bool gateways = node != NULL && strcmp(node, "gateway") == 0;
    piece->pieces = gateways ? &piece->at->loading->gateways : piece->at->loading->pieces;
    put_model_in(piece->at, product);
    cJSON *device, *devices = cJSON_DetachItemFromObjectCaseSensitive(product, "devices");
    set_head(piece, "{\"products\":[", product);
    begin_piece(piece);
    size_t first = piece->pieces->count;
    cJSON_ArrayForEach (device, devices) {
        if (piece->devices >= SKY_FIXTURE_PIECE_DEVICES ||
            (piece->devices > 0 && piece->text.len >= SKY_FIXTURE_PIECE_BYTES)) {
            end_piece(piece);
            if (piece->pieces->count == first + 1)
                shorten_head(piece, product);
            begin_piece(piece);
        }
        if (piece->devices++ > 0)
            sky_buf_add_byte(&piece->text, ',');
        sky_json_print(&piece->text, device);
    }
    end_piece(piece);
    cJSON_Delete(devices);
}

/* Of a text that was found good. */
static void cut_text(const struct file_at_hand *at, sky_span text)
{
    struct piece piece = {.at = at};
    struct sky_why why;
    cJSON *tree, *product;
    if (sky_span_starts(text, SKY_SPAN("\xef\xbb\xbf")))
        text = sky_span_tail(text, 3);
    sky_err err = sky_json_parse(text, SKY_JSON_DEPTH_MAX, &tree, &why);
    SKY_ASSERT(err == SKY_OK);
    sky_buf_init(&piece.head, SIZE_MAX); /* both are bounded by the file */
    sky_buf_init(&piece.text, SIZE_MAX);
    cJSON_ArrayForEach (product, sky_json_get(tree, "products"))
        cut_product(&piece, product);
    sky_buf_done(&piece.head);
    sky_buf_done(&piece.text);
    cJSON_Delete(tree);
}

static void load_file(const struct file_at_hand *at, struct sky_store *store,
                      const struct sky_seed_config *config, struct sky_seed_count *total)
{
    struct loading *loading = at->loading;
    struct sky_buf text;
    struct sky_seed_count count = {0};
    struct sky_why why = {0};
    size_t before = loading->error_count;

    sky_buf_init(&text, SKY_SEED_FILE_MAX);
    if (sky_files_read(at->path, &text, &why) != SKY_OK) {
        report_line(loading, why.reason); /* it names the file */
    } else {
        sky_err err = sky_seed_load(store, sky_buf_span(&text), config, &count);
        if (err != SKY_OK && loading->error_count == before)
            report(loading, at->path, "", sky_err_text(err));
        if (err == SKY_OK && store != NULL && loading->pieces != NULL)
            cut_text(at, sky_buf_span(&text));
    }
    sky_fixture_sum(total, &count);
    sky_buf_done(&text);
}

static sky_err certificate_fingerprint(void *ctx, sky_span pem, char out[SKY_FINGERPRINT_HEX + 1],
                                       struct sky_why *why)
{
    (void)ctx;
    return sky_certificate_fingerprint_pem(pem, out, why);
}

static sky_err check_model(void *ctx, size_t cloud, sky_span json, struct sky_why *why)
{
    (void)ctx;
    return sky_product_check_model(sky_clouds[cloud], json, why);
}

/* Only a cloud that has shadows knows what one looks like. */
static sky_err make_document(void *ctx, size_t cloud, sky_span name, sky_span json,
                             struct sky_buf *ret_body, int64_t *ret_version, struct sky_why *why)
{
    const struct file_at_hand *at = ctx;
    struct sky_arena arena;
    sky_span body;

    (void)name;
    const struct sky_cloud_shadow *shadow = sky_clouds[cloud]->shadow;
    if (shadow == NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "", "%s has no shadows; leave the field out",
                           sky_clouds[cloud]->title);
    sky_arena_init(&arena);
    sky_err err = shadow->seed(json, at->loading->now_ms, &arena, &body, ret_version, why);
    if (err == SKY_OK && !sky_buf_add(ret_body, body))
        err = SKY_ERR_LIMIT;
    sky_arena_done(&arena);
    return err;
}

static void keep_elsewhere(void *ctx, size_t cloud, sky_span product, sky_span device,
                           const struct sky_why *why)
{
    const struct file_at_hand *at = ctx;
    char *line;
    int len = asprintf(&line, "%s/%.*s/%.*s\n%s", sky_clouds[cloud]->name, SKY_SPAN_ARGS(product),
                       SKY_SPAN_ARGS(device), why->pointer);
    SKY_ASSERT(len > 0);
    sky_strings_add(at->loading->elsewhere, line);
    free(line);
}

static struct sky_seed_config seed_config(struct loading *loading, struct file_at_hand *at)
{
    at->loading = loading;
    return (struct sky_seed_config){
        .clouds = loading->clouds,
        .cloud_count = fill_clouds(loading->clouds),
        .check_rule = check_rule,
        .make_secret = make_secret,
        .on_error = on_error,
        .ctx = at,
        .certificate_fingerprint = certificate_fingerprint,
        .make_document = make_document,
        .similar = sky_similar,
        .check_model = check_model,
        .read_model = read_model,
        .binds_later = true,
        .moves_devices = true,
        .elsewhere = loading->elsewhere != NULL ? keep_elsewhere : NULL,
    };
}

static void bind_file(const struct file_at_hand *at, struct sky_store *store,
                      const struct sky_seed_config *config)
{
    struct sky_buf text;
    struct sky_seed_count count;
    struct sky_why why = {0};
    size_t before = at->loading->error_count;
    bool bound = true;
    sky_buf_init(&text, SKY_SEED_FILE_MAX);
    if (sky_files_read(at->path, &text, &why) != SKY_OK)
        report_line(at->loading, why.reason);
    else
        bound = sky_seed_bind(store, sky_buf_span(&text), config, &count) == SKY_OK;
    if (!bound && at->loading->error_count == before)
        report(at->loading, at->path, "", "the sub-devices could not be bound");
    sky_buf_done(&text);
}

/* All files, in order. */
static void load_files(struct loading *loading, struct sky_store *store,
                       struct sky_seed_count *ret_total)
{
    struct file_at_hand at;
    struct sky_seed_config config = seed_config(loading, &at);

    *ret_total = (struct sky_seed_count){0};
    /* In a store that has nothing else two files that claim a device are at odds; in one that has,
     * the present ones may differ from those that it was filled from. */
    config.moves_devices = store != NULL && sky_store_count_devices(store) > 0;
    for (size_t i = 0; i < loading->files.count; i++) {
        at.path = loading->files.list[i];
        load_file(&at, store, &config, ret_total);
    }
    bool binds = store != NULL && loading->error_count == 0 && ret_total->gateways > 0;
    for (size_t i = 0; binds && i < loading->files.count; i++) {
        at.path = loading->files.list[i];
        bind_file(&at, store, &config);
    }
}

/* All files land together or not at all. */
static void load_whole(struct loading *loading, struct sky_store *store,
                       struct sky_seed_count *ret_total)
{
    struct sky_why why = {0};

    if (loading->within) {
        load_files(loading, store, ret_total);
        return;
    }
    if (sky_store_begin(store) != SKY_OK) {
        sky_store_why(store, &why);
        report_line(loading, why.reason);
        return;
    }
    load_files(loading, store, ret_total);
    if (loading->error_count > 0) {
        sky_store_rollback(store);
    } else if (sky_store_commit(store) != SKY_OK) {
        sky_store_why(store, &why);
        report_line(loading, why.reason);
    }
}

/* Only a store knows who there is to stand behind a gateway. */
static void try_whole(struct loading *loading, struct sky_seed_count *ret_total)
{
    struct sky_store *scratch;
    struct sky_why why;

    if (sky_store_open(":memory:", &scratch, &why) != SKY_OK) {
        report_line(loading, why.reason);
        return;
    }
    load_whole(loading, scratch, ret_total);
    sky_store_close(scratch);
}

static sky_err load_paths(struct loading *loading, struct sky_store *store,
                          const struct sky_strings *paths, struct sky_fixture_result *ret_result,
                          struct sky_why *why)
{
    struct sky_fixture_result result = {0};

    for (size_t i = 0; i < paths->count; i++)
        find_files(loading, paths->list[i]);
    /* Into a store they are checked as they are written, which an error undoes. */
    if (store != NULL && loading->error_count == 0)
        load_whole(loading, store, &result.count);
    else
        load_files(loading, NULL, &result.count);
    if (store == NULL && loading->error_count == 0 && result.count.gateways > 0)
        try_whole(loading, &result.count);
    result.files = loading->files.count;
    sky_strings_done(&loading->files);
    for (size_t i = 0; i < loading->gateways.count; i++)
        sky_strings_add(loading->pieces, loading->gateways.list[i]);
    sky_strings_done(&loading->gateways);
    if (loading->error_count > 0) {
        char rest[SKY_WHY_REASON_MAX / 2] = "";
        const char *path = paths->count == 1 && strlen(paths->list[0]) <= SHOWN_PATH_MAX
                               ? paths->list[0]
                               : "PATH...";
        if (loading->error_count > 1)
            snprintf(rest, sizeof rest, " (skymock check %s has all %zu errors)", path,
                     loading->error_count);
        return sky_why_set(why, SKY_ERR_INVALID, loading->first.pointer, "%.*s%s",
                           (int)(SKY_WHY_REASON_MAX - 1 - strlen(rest)), loading->first.reason,
                           rest);
    }
    *ret_result = result;
    return SKY_OK;
}

sky_err sky_fixture_files_are_there(const struct sky_config *config, struct sky_why *why)
{
    for (size_t i = 0; i < config->fixtures.count; i++) {
        const char *path = config->fixtures.list[i];
        if (access(path, R_OK) == 0)
            continue;
        sky_err err = sky_why_set(why, errno == ENOENT ? SKY_ERR_NOT_FOUND : SKY_ERR_IO, "",
                                  "%.200s: %s", path, strerror(errno));
        return sky_config_blame(config, &config->fixtures, i, err, why);
    }
    return SKY_OK;
}

bool sky_fixture_files_are_short(const struct sky_strings *paths, size_t bytes)
{
    bool is_short = true;
    if (paths->count == 0)
        return true;
    /* As argv: ends with NULL. */
    char **list = sky_mem_new((paths->count + 1) * sizeof *list);
    memcpy(list, paths->list, paths->count * sizeof *list);
    FTS *walk = fts_open(list, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    for (const FTSENT *entry; walk != NULL && is_short && (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info != FTS_F)
            continue;
        is_short = (size_t)entry->fts_statp->st_size <= bytes;
        bytes -= is_short ? (size_t)entry->fts_statp->st_size : 0;
    }
    if (walk != NULL)
        fts_close(walk);
    free(list);
    return is_short;
}

bool sky_fixture_files_find(const struct sky_strings *paths, FILE *errors,
                            struct sky_strings *ret_files, struct sky_strings *ret_suites)
{
    struct loading loading = {.errors = errors, .suites = ret_suites};

    *ret_suites = (struct sky_strings){0};
    for (size_t i = 0; i < paths->count; i++)
        find_files(&loading, paths->list[i]);
    *ret_files = loading.files;
    return loading.error_count == 0;
}

sky_err sky_fixture_files_load(struct sky_store *store, const struct sky_strings *paths,
                               const struct sky_catalogue *catalogue, struct sky_rng *rng,
                               int64_t now_ms, FILE *errors, struct sky_fixture_result *ret_result,
                               struct sky_why *why)
{
    struct loading loading = {
        .catalogue = catalogue, .rng = rng, .now_ms = now_ms, .errors = errors};

    return load_paths(&loading, store, paths, ret_result, why);
}

sky_err sky_fixture_files_load_within(struct sky_store *store, const struct sky_strings *paths,
                                      const struct sky_catalogue *catalogue, struct sky_rng *rng,
                                      int64_t now_ms, struct sky_fixture_result *ret_result,
                                      struct sky_why *why)
{
    struct loading loading = {.catalogue = catalogue, .rng = rng, .now_ms = now_ms, .within = true};

    return load_paths(&loading, store, paths, ret_result, why);
}

sky_err sky_fixture_files_cut(const struct sky_strings *paths,
                              const struct sky_catalogue *catalogue, int64_t now_ms, FILE *errors,
                              struct sky_fixture_pieces *ret_pieces, bool elsewhere,
                              struct sky_fixture_result *ret_result, struct sky_why *why)
{
    struct sky_rng rng;
    struct sky_store *scratch;
    struct loading loading = {.catalogue = catalogue,
                              .rng = &rng,
                              .now_ms = now_ms,
                              .errors = errors,
                              .pieces = &ret_pieces->texts,
                              .elsewhere = elsewhere ? &ret_pieces->elsewhere : NULL};

    sky_rng_init_seeded(&rng, 0); /* no secret made here is kept: any will do */
    sky_err err = sky_store_open(":memory:", &scratch, why);
    if (err != SKY_OK)
        return err;
    err = load_paths(&loading, scratch, paths, ret_result, why);
    sky_store_close(scratch);
    return err;
}

static void keep_first(void *ctx, const struct sky_why *why)
{
    struct loading *loading = ((const struct file_at_hand *)ctx)->loading;

    if (loading->error_count++ == 0)
        loading->first = *why;
}

static sky_err load_text(struct sky_store *store, sky_span text,
                         const struct sky_catalogue *catalogue, struct sky_rng *rng, int64_t now_ms,
                         bool keeps_absent, struct sky_seed_count *ret_count, struct sky_why *why)
{
    struct loading loading = {.catalogue = catalogue, .rng = rng, .now_ms = now_ms};
    struct file_at_hand at;
    struct sky_seed_config config = seed_config(&loading, &at);

    config.on_error = keep_first;
    config.read_model = NULL;
    config.binds_later = false;
    config.keeps_absent = keeps_absent;
    sky_err err = sky_seed_load(store, text, &config, ret_count);
    if (err != SKY_OK)
        *why = loading.first;
    return err;
}

sky_err sky_fixture_text_cut(sky_span text, const struct sky_catalogue *catalogue, int64_t now_ms,
                             struct sky_fixture_pieces *ret_pieces, struct sky_why *why)
{
    struct sky_rng rng;
    struct sky_store *scratch = NULL;
    struct sky_seed_count count;
    struct loading loading = {.catalogue = catalogue,
                              .rng = &rng,
                              .now_ms = now_ms,
                              .pieces = &ret_pieces->texts,
                              .elsewhere = &ret_pieces->elsewhere};
    struct file_at_hand at = {.path = ""};
    struct sky_seed_config config = seed_config(&loading, &at);

    config.on_error = keep_first;
    config.read_model = NULL;
    config.binds_later = false;
    sky_rng_init_seeded(&rng, 0); /* no secret made here is kept: any will do */
    sky_err err = sky_seed_load(NULL, text, &config, &count);
    /* Only a store knows who there is to stand behind a gateway. */
    if (err == SKY_OK && count.gateways > 0 &&
        (err = sky_store_open(":memory:", &scratch, &loading.first)) == SKY_OK)
        err = sky_seed_load(scratch, text, &config, &count);
    sky_store_close(scratch);
    if (err != SKY_OK) {
        *why = loading.first;
        return err;
    }
    cut_text(&at, text);
    for (size_t i = 0; i < loading.gateways.count; i++)
        sky_strings_add(loading.pieces, loading.gateways.list[i]);
    sky_strings_done(&loading.gateways);
    return SKY_OK;
}

sky_err sky_fixture_check_elsewhere(struct sky_store *store, const char *one, struct sky_why *why)
{
    struct sky_product product;
    struct sky_device device;
    sky_span cloud, rest, name[2], pointer;
    bool whole = sky_span_cut(sky_span_str(one), '\n', &rest, &pointer) &&
                 sky_span_cut(rest, '/', &cloud, &rest) &&
                 sky_span_cut(rest, '/', &name[0], &name[1]);
    SKY_ASSERT(whole);
    sky_err err = sky_store_find_device(store, cloud, name[0], name[1], &product, &device);
    if (err == SKY_ERR_NOT_FOUND)
        return sky_why_set(why, SKY_ERR_INVALID, pointer.ptr,
                           "there is no device %.*s/%.*s; register it, too", SKY_SPAN_ARGS(name[0]),
                           SKY_SPAN_ARGS(name[1]));
    if (err == SKY_OK && product.node == SKY_NODE_GATEWAY)
        return sky_why_set(why, SKY_ERR_INVALID, pointer.ptr,
                           "%.*s/%.*s is a gateway; none stands behind another gateway",
                           SKY_SPAN_ARGS(name[0]), SKY_SPAN_ARGS(name[1]));
    return err;
}

sky_err sky_fixture_piece_load(struct sky_store *store, const char *piece, bool adds,
                               const struct sky_catalogue *catalogue, struct sky_rng *rng,
                               int64_t now_ms, struct sky_seed_count *ret_count,
                               struct sky_why *why)
{
    return load_text(store, sky_span_str(piece), catalogue, rng, now_ms, adds || piece[0] == ' ',
                     ret_count, why);
}

sky_err sky_fixture_text_load(struct sky_store *store, sky_span text,
                              const struct sky_catalogue *catalogue, struct sky_rng *rng,
                              int64_t now_ms, struct sky_seed_count *ret_count, struct sky_why *why)
{
    return load_text(store, text, catalogue, rng, now_ms, false, ret_count, why);
}

sky_err sky_fixture_text_add(struct sky_store *store, sky_span text,
                             const struct sky_catalogue *catalogue, struct sky_rng *rng,
                             int64_t now_ms, struct sky_seed_count *ret_count, struct sky_why *why)
{
    return load_text(store, text, catalogue, rng, now_ms, true, ret_count, why);
}
