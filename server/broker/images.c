#include "server/broker/images.h"

#include <stdlib.h>

#include "auth/digest.h"
#include "auth/text.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/files.h"
#include "protocol/cloud/ota.h"
#include "store/snapshots.h"

/* ---- digests ---- */

struct sums {
    struct sky_digest_sum *md5, *sha256; /* owned */
};

static struct sums sums_begin(void)
{
    return (struct sums){sky_digest_begin(SKY_MD5), sky_digest_begin(SKY_SHA256)};
}

static void sums_add(struct sums *sums, sky_span bytes)
{
    sky_digest_add(sums->md5, bytes);
    sky_digest_add(sums->sha256, bytes);
}

static void sums_end(struct sums *sums, struct sky_image *image)
{
    uint8_t out[SKY_DIGEST_MAX];
    sky_digest_end(sums->md5, out);
    sky_hex_lower(sky_span_of(out, sky_digest_len(SKY_MD5)), image->md5);
    sky_digest_end(sums->sha256, out);
    sky_hex_lower(sky_span_of(out, sky_digest_len(SKY_SHA256)), image->sha256);
}

/* ---- room ---- */

/* What cannot be deleted stays until the server starts the next time. */
static void on_sweep(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_upgrades *upgrades = SKY_CONTAINER_OF(timer, struct sky_upgrades, sweep);
    struct sky_broker *broker = SKY_CONTAINER_OF(upgrades, struct sky_broker, upgrades);
    bool gone = false;
    int64_t id;
    (void)now_ms;
    memcpy(&id, upgrades->doomed.bytes, sizeof id);
    sky_store_batch(broker->registry->store);
    if (sky_store_shrink_image(broker->registry->store, id, SKY_IMAGE_SWEEP_PIECES, &gone) !=
            SKY_OK ||
        gone)
        sky_buf_drop(&upgrades->doomed, sizeof id);
    if (upgrades->doomed.len > 0)
        sky_clock_patience(broker->registry->clock, timer, SKY_IMAGE_SWEEP_MS, on_sweep);
}

/* Without size and digests it takes no room from others, and is no image when it is found. */
void sky_image_drop(struct sky_broker *broker, int64_t image_id)
{
    struct sky_upgrades *upgrades = &broker->upgrades;
    const struct sky_image nothing = {.id = image_id};
    upgrades->doomed.max = SKY_IMAGES_MAX * sizeof image_id;
    sky_store_batch(broker->registry->store);
    if (sky_store_set_image(broker->registry->store, &nothing) == SKY_OK)
        sky_buf_add(&upgrades->doomed, sky_span_of(&image_id, sizeof image_id));
    if (upgrades->doomed.len > 0 && !sky_timer_is_set(&upgrades->sweep))
        sky_clock_patience(broker->registry->clock, &upgrades->sweep, SKY_IMAGE_SWEEP_MS, on_sweep);
}

void sky_images_done(struct sky_broker *broker)
{
    sky_clock_forgive(broker->registry->clock, &broker->upgrades.sweep);
    sky_buf_done(&broker->upgrades.doomed);
}

/* Does the device's document still name the image, or did it when a snapshot was taken? */
static bool is_wanted(struct sky_broker *broker, const struct sky_image *image)
{
    sky_span name = sky_span_str(image->name);
    struct sky_file_name parts;
    struct sky_buf document;
    int64_t version;
    if (!sky_file_read_name(name, &parts))
        return false;
    sky_buf_init(&document, SKY_DOCUMENT_MAX);
    sky_err err = sky_store_get_document(broker->registry->store, parts.id,
                                         SKY_SPAN(SKY_OTA_DOCUMENT), &document, &version);
    bool wanted = (err != SKY_OK && err != SKY_ERR_NOT_FOUND) ||
                  (err == SKY_OK && sky_span_contains(sky_buf_span(&document), name));
    sky_buf_done(&document);
    if (!wanted && sky_store_snapshots_mention(broker->registry->store, parts.id,
                                               SKY_SPAN(SKY_OTA_DOCUMENT), name, &wanted) != SKY_OK)
        wanted = true;
    return wanted;
}

struct sweep {
    struct sky_broker *broker;
    bool at_start;
    struct sky_buf ids;
};

static bool sweep_one(void *ctx, const struct sky_image *image)
{
    struct sweep *sweep = ctx;
    bool complete = image->md5[0] != '\0';
    if (complete ? !is_wanted(sweep->broker, image) : sweep->at_start)
        sky_buf_add(&sweep->ids, sky_span_of(&image->id, sizeof image->id));
    return true;
}

void sky_images_sweep(struct sky_broker *broker, bool at_start)
{
    struct sweep sweep = {.broker = broker, .at_start = at_start};
    int64_t id;
    sky_buf_init(&sweep.ids, SKY_IMAGES_MAX * sizeof id);
    sky_err err = sky_store_each_image(broker->registry->store, sweep_one, &sweep);
    (void)err; /* what could be read is swept */
    for (sky_span rest = sky_buf_span(&sweep.ids); rest.len > 0;
         rest = sky_span_tail(rest, sizeof id)) {
        memcpy(&id, rest.ptr, sizeof id);
        sky_image_drop(broker, id);
    }
    sky_buf_done(&sweep.ids);
}

enum { SWEEP_AGAIN_MS = 1000 };

static sky_err check_room(struct sky_broker *broker, int64_t bytes, struct sky_why *why)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        int64_t count = 0, kept = 0;
        sky_err err = sky_store_count_images(broker->registry->store, &count, &kept);
        if (err != SKY_OK)
            return sky_store_why(broker->registry->store, why);
        if (count < SKY_IMAGES_MAX && kept + bytes <= SKY_IMAGES_BYTES_MAX)
            return SKY_OK;
        /* What is kept by somebody still is then, too: a sweep that frees nothing is not repeated
         * for everybody who asks. */
        int64_t real_ms = broker->registry->clock->real_ms;
        if (attempt > 0)
            broker->swept_ms = real_ms;
        else if (broker->swept_ms == 0 || real_ms - broker->swept_ms >= SWEEP_AGAIN_MS)
            sky_images_sweep(broker, false);
        else
            break;
    }
    return sky_why_set(why, SKY_ERR_LIMIT, "",
                       "the images of other upgrades leave no room: %d images, or %lld bytes, are "
                       "kept at most",
                       SKY_IMAGES_MAX, (long long)SKY_IMAGES_BYTES_MAX);
}

static void name_image(struct sky_broker *broker, int64_t device_id, struct sky_image *image)
{
    char fresh[SKY_FILE_SECRET + 1];
    _Static_assert((int)SKY_FILE_NAME_MAX == (int)SKY_IMAGE_NAME_MAX,
                   "files and images are called alike");
    sky_rng_text(broker->registry->rng, fresh, SKY_FILE_SECRET);
    sky_file_image_name(device_id, sky_span_str(fresh), image->name);
    image->created_ms = broker->registry->clock->now_ms;
}

/* ---- writing ---- */

struct sky_image_writer {
    struct sky_broker *broker;
    struct sky_image image;
    int64_t size_max, taken;
    struct sums sums;
    struct sky_buf piece; /* that is not full yet */
    sky_err err;          /* the first failure */
};

sky_err sky_image_begin(struct sky_broker *broker, int64_t device_id, int64_t size,
                        struct sky_image_writer **ret_writer, struct sky_why *why)
{
    sky_err err = check_room(broker, size, why);
    if (err != SKY_OK)
        return err;
    struct sky_image image = {.size = size};
    name_image(broker, device_id, &image);
    sky_store_batch(broker->registry->store);
    err = sky_store_add_image(broker->registry->store, &image);
    if (err != SKY_OK)
        return err == SKY_ERR_STORE ? sky_store_why(broker->registry->store, why) : err;
    struct sky_image_writer *writer = sky_mem_new(sizeof *writer);
    *writer = (struct sky_image_writer){
        .broker = broker, .image = image, .size_max = size, .sums = sums_begin()};
    sky_buf_init(&writer->piece, SKY_IMAGE_PIECE);
    *ret_writer = writer;
    return SKY_OK;
}

void sky_image_abort(struct sky_image_writer *writer)
{
    if (writer == NULL)
        return;
    sky_image_drop(writer->broker, writer->image.id);
    sky_digest_end(writer->sums.md5, NULL);
    sky_digest_end(writer->sums.sha256, NULL);
    sky_buf_done(&writer->piece);
    free(writer);
}

static void put_piece(struct sky_image_writer *writer)
{
    if (writer->piece.len == 0 || writer->err != SKY_OK)
        return;
    sky_store_batch(writer->broker->registry->store);
    writer->err =
        sky_store_put_piece(writer->broker->registry->store, writer->image.id,
                            (writer->taken - 1) / SKY_IMAGE_PIECE, sky_buf_span(&writer->piece));
    sky_buf_clear(&writer->piece);
}

sky_err sky_image_add(struct sky_image_writer *writer, sky_span bytes)
{
    if (writer->err == SKY_OK && (int64_t)bytes.len > writer->size_max - writer->taken)
        writer->err = SKY_ERR_LIMIT;
    if (writer->err != SKY_OK)
        return writer->err;
    sums_add(&writer->sums, bytes);
    while (bytes.len > 0 && writer->err == SKY_OK) {
        sky_span part = sky_span_head(bytes, SKY_IMAGE_PIECE - writer->piece.len);
        sky_buf_add(&writer->piece, part);
        writer->taken += (int64_t)part.len;
        if (writer->piece.len == SKY_IMAGE_PIECE)
            put_piece(writer);
        bytes = sky_span_tail(bytes, part.len);
    }
    return writer->err;
}

sky_err sky_image_end(struct sky_image_writer *writer, struct sky_image *ret_image)
{
    struct sky_image image = writer->image;
    put_piece(writer);
    if (writer->err == SKY_OK && writer->taken == 0)
        writer->err = SKY_ERR_INVALID;
    if (writer->err != SKY_OK) {
        sky_err err = writer->err;
        sky_image_abort(writer);
        return err;
    }
    image.size = writer->taken;
    sums_end(&writer->sums, &image);
    sky_err err = sky_store_set_image(writer->broker->registry->store, &image);
    sky_buf_done(&writer->piece);
    if (err != SKY_OK)
        sky_image_drop(writer->broker, image.id);
    else
        *ret_image = image;
    free(writer);
    return err;
}

/* ---- made up ---- */

void sky_image_digest(struct sky_image *image)
{
    char part[4096];
    struct sums sums = sums_begin();
    for (int64_t at = 0; at < image->size; at += (int64_t)sizeof part) {
        int64_t left = image->size - at;
        size_t len = left < (int64_t)sizeof part ? (size_t)left : sizeof part;
        sky_image_make(image->pattern, at, part, len);
        sums_add(&sums, sky_span_of(part, len));
    }
    sums_end(&sums, image);
}

sky_err sky_image_add_made(struct sky_broker *broker, int64_t device_id, struct sky_image *image,
                           struct sky_why *why)
{
    sky_err err = check_room(broker, 0, why);
    if (err != SKY_OK)
        return err;
    name_image(broker, device_id, image);
    sky_store_batch(broker->registry->store);
    err = sky_store_add_image(broker->registry->store, image);
    return err == SKY_ERR_STORE ? sky_store_why(broker->registry->store, why) : err;
}
