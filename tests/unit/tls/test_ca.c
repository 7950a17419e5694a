/* The authority: what it makes, keeps, refuses and issues. */
#include <ftw.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "server/os/files.h"
#include "server/tls/ca.h"
#include "server/tls/der.h"

/* Unix time of the machine: the library checks validity against it. */
static int64_t now_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

static struct sky_ca *open_or_fail(const struct sky_ca_options *options)
{
    struct sky_ca *ca = NULL;
    struct sky_why why = {.reason = ""};
    if (sky_ca_open(options, &ca, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    return ca;
}

static struct sky_ca *open_ready(const struct sky_ca_options *options)
{
    struct sky_ca *ca = open_or_fail(options);
    sky_ca_prepare(ca);
    assert_true(sky_ca_ready(ca));
    assert_null(sky_ca_trouble(ca));
    return ca;
}

/* ---- a folder of its own for each test that keeps files ---- */

struct folder {
    char base[64], dir[80];
};

static int make_folder(void **state)
{
    struct folder *folder = sky_mem_new(sizeof *folder);
    snprintf(folder->base, sizeof folder->base, "/tmp/skymock-ca-XXXXXX");
    if (mkdtemp(folder->base) == NULL)
        return -1;
    snprintf(folder->dir, sizeof folder->dir, "%s/db.tls", folder->base);
    *state = folder;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    nftw(folder->base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return 0;
}

static void read_file(const struct folder *folder, const char *name, struct sky_buf *text)
{
    char path[128];
    struct sky_why why;
    snprintf(path, sizeof path, "%s/%s", folder->dir, name);
    sky_buf_init(text, 64 * 1024);
    assert_int_equal(sky_files_read(path, text, &why), SKY_OK);
}

static void write_file(const struct folder *folder, const char *name, const char *text)
{
    char path[128];
    struct sky_why why;
    snprintf(path, sizeof path, "%s/%s", folder->dir, name);
    assert_int_equal(sky_files_write(path, 0600, sky_span_str(text), &why), SKY_OK);
}

static const char *const kept[] = {"ca.key",         "ca.crt",        "server-rsa.key",
                                   "server-rsa.crt", "server-ec.key", "server-ec.crt"};

/* ---- making ---- */

static void parse(sky_span pem, mbedtls_x509_crt *ret_certificate)
{
    char *text = sky_mem_dup(pem.ptr, pem.len);
    mbedtls_x509_crt_init(ret_certificate);
    assert_int_equal(
        mbedtls_x509_crt_parse(ret_certificate, (const unsigned char *)text, pem.len + 1), 0);
    free(text);
}

static void the_root_may_sign_certificates_and_nothing_else(void **state)
{
    mbedtls_x509_crt root;
    (void)state;
    const struct sky_ca_options options = {.now_ms = now_ms()};
    struct sky_ca *ca = open_ready(&options);
    parse(sky_ca_pem(ca), &root);
    assert_int_equal(root.version, 3);
    assert_int_equal(root.ca_istrue, 1);
    assert_int_equal(root.key_usage, MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
    assert_true(mbedtls_pk_can_do(&root.pk, MBEDTLS_PK_RSA));
    assert_int_equal(mbedtls_pk_get_bitlen(&root.pk), 2048);
    assert_false(mbedtls_x509_time_is_future(&root.valid_from));
    assert_false(mbedtls_x509_time_is_past(&root.valid_to));
    mbedtls_x509_crt_free(&root);
    sky_ca_free(ca);
}

static void the_server_shows_rsa_and_ecdsa_for_the_same_names(void **state)
{
    static const char *const names[] = {"mock.example", "10.1.2.3"};
    struct sky_ca_identity shown[SKY_CA_IDENTITIES_MAX];
    (void)state;
    const struct sky_ca_options options = {
        .now_ms = now_ms(), .names = names, .name_count = SKY_COUNT(names)};
    struct sky_ca *ca = open_ready(&options);
    assert_int_equal(sky_ca_identities(ca, shown), 2);
    assert_true(mbedtls_pk_can_do(shown[0].key, MBEDTLS_PK_RSA));
    assert_true(mbedtls_pk_can_do(shown[1].key, MBEDTLS_PK_ECDSA));
    for (size_t i = 0; i < 2; i++) {
        uint32_t flags = 0;
        static const char *const hosts[] = {"localhost", "127.0.0.1", "mock.example", "10.1.2.3"};
        assert_int_equal(mbedtls_pk_check_pair(&shown[i].chain->pk, shown[i].key), 0);
        assert_true(shown[i].chain->key_usage & MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
        assert_int_equal(
            mbedtls_x509_crt_check_extended_key_usage(shown[i].chain, MBEDTLS_OID_SERVER_AUTH,
                                                      MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)),
            0);
        for (size_t j = 0; j < SKY_COUNT(hosts); j++)
            assert_int_equal(mbedtls_x509_crt_verify(shown[i].chain, sky_ca_trust(ca), NULL,
                                                     hosts[j], &flags, NULL, NULL),
                             0);
        assert_int_not_equal(mbedtls_x509_crt_verify(shown[i].chain, sky_ca_trust(ca), NULL,
                                                     "other.example", &flags, NULL, NULL),
                             0);
    }
    sky_ca_free(ca);
}

static void names_are_covered_as_certificates_mean_it(void **state)
{
    static const char *const names[] = {"exact.example", "*.wild.example"};
    static const struct {
        const char *host;
        bool covered;
    } rows[] = {{"localhost", true},         {"LOCALHOST", true},
                {"exact.example", true},     {"a.exact.example", false},
                {"a.wild.example", true},    {"A.Wild.Example", true},
                {"wild.example", false},     {".wild.example", false},
                {"a.b.wild.example", false}, {"", false}};
    (void)state;
    const struct sky_ca_options options = {
        .now_ms = now_ms(), .names = names, .name_count = SKY_COUNT(names)};
    struct sky_ca *ca = open_ready(&options);
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (sky_ca_covers(ca, sky_span_str(rows[i].host)) != rows[i].covered)
            fail_msg("'%s'", rows[i].host);
    sky_ca_free(ca);
}

static void the_host_devices_are_told_is_a_name_too(void **state)
{
    static const char *const hosts[] = {"advertised.example", "::1", "127.0.0.1", "LOCALHOST"};
    size_t lens[SKY_COUNT(hosts)];
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(hosts); i++) {
        struct sky_ca_identity shown[SKY_CA_IDENTITIES_MAX];
        const struct sky_ca_options options = {.now_ms = now_ms(), .host = hosts[i]};
        struct sky_ca *ca = open_ready(&options);
        assert_true(i > 0 || sky_ca_covers(ca, sky_span_str(hosts[i])));
        (void)sky_ca_identities(ca, shown);
        lens[i] = shown[1].chain->v3_ext.len;
        sky_ca_free(ca);
    }
    assert_int_equal(lens[1], lens[3]); /* said once only */
    assert_int_equal(lens[0], lens[1] + 2 + strlen(hosts[0]));
}

/* Devices of this field have buffers of 2 KB, some of 1.5. */
static void a_certificate_of_usual_names_is_short(void **state)
{
    struct sky_ca_identity shown[SKY_CA_IDENTITIES_MAX];
    (void)state;
    const struct sky_ca_options options = {.now_ms = now_ms()};
    struct sky_ca *ca = open_ready(&options);
    assert_int_equal(sky_ca_identities(ca, shown), 2);
    assert_in_range(shown[0].chain->raw.len, 1, 1400);
    assert_in_range(shown[1].chain->raw.len, 1, 1200);
    sky_ca_free(ca);
}

static void bad_names_and_too_many_are_refused(void **state)
{
    char longest[SKY_DER_NAME_MAX + 1] = {0};
    const char *many[SKY_CA_NAMES_MAX + 1];
    struct sky_ca *ca;
    struct sky_why why;
    (void)state;
    memset(longest, 'a', SKY_DER_NAME_MAX);
    const char *bad[] = {"http://x"};
    struct sky_ca_options options = {.names = bad, .name_count = 1};
    assert_int_equal(sky_ca_open(&options, &ca, &why), SKY_ERR_INVALID);
    assert_non_null(strstr(why.reason, "'http://x'"));
    options = (struct sky_ca_options){.names = many, .name_count = SKY_COUNT(many)};
    for (size_t i = 0; i < SKY_COUNT(many); i++)
        many[i] = "a";
    assert_int_equal(sky_ca_open(&options, &ca, &why), SKY_ERR_LIMIT);
    assert_non_null(strstr(why.reason, "more than"));
    options.name_count = 20;
    for (size_t i = 0; i < SKY_COUNT(many); i++)
        many[i] = longest;
    assert_int_equal(sky_ca_open(&options, &ca, &why), SKY_ERR_LIMIT);
    assert_non_null(strstr(why.reason, "bytes"));
}

/* ---- keeping ---- */

static void what_was_made_is_kept_and_found_again(void **state)
{
    struct folder *folder = *state;
    struct stat info;
    (void)state;
    const struct sky_ca_options options = {.dir = folder->dir, .now_ms = now_ms()};
    struct sky_ca *ca = open_or_fail(&options);
    assert_false(sky_ca_ready(ca));
    sky_ca_prepare(ca);
    char *pem = sky_mem_dup(sky_ca_pem(ca).ptr, sky_ca_pem(ca).len);
    sky_ca_free(ca);
    assert_int_equal(stat(folder->dir, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    for (size_t i = 0; i < SKY_COUNT(kept); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder->dir, kept[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
    }
    ca = open_or_fail(&options);
    assert_true(sky_ca_ready(ca)); /* without making anything */
    assert_true(sky_span_eq_str(sky_ca_pem(ca), pem));
    sky_ca_free(ca);
    free(pem);
}

/* Which of the kept files differ after a change, as a string of six 0 or 1. */
static void changes_after(struct folder *folder, void (*change)(struct folder *folder),
                          const struct sky_ca_options *again, char out[SKY_COUNT(kept) + 1])
{
    struct sky_buf before[SKY_COUNT(kept)], after;
    const struct sky_ca_options options = {.dir = folder->dir, .now_ms = now_ms()};
    sky_ca_free(open_ready(&options));
    for (size_t i = 0; i < SKY_COUNT(kept); i++)
        read_file(folder, kept[i], &before[i]);
    if (change != NULL)
        change(folder);
    sky_ca_free(open_ready(again != NULL ? again : &options));
    for (size_t i = 0; i < SKY_COUNT(kept); i++) {
        read_file(folder, kept[i], &after);
        out[i] = sky_span_eq(sky_buf_span(&before[i]), sky_buf_span(&after)) ? '0' : '1';
        sky_buf_done(&before[i]);
        sky_buf_done(&after);
    }
    out[SKY_COUNT(kept)] = '\0';
}

static void remove_file(struct folder *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder->dir, name);
    assert_int_equal(unlink(path), 0);
}

static void lose_root_certificate(struct folder *folder)
{
    remove_file(folder, "ca.crt");
}

static void lose_root_key(struct folder *folder)
{
    remove_file(folder, "ca.key");
}

static void lose_server_key(struct folder *folder)
{
    remove_file(folder, "server-ec.key");
}

static void mix_up_certificates(struct folder *folder)
{
    struct sky_buf other;
    read_file(folder, "server-rsa.crt", &other);
    sky_buf_add_byte(&other, '\0');
    write_file(folder, "server-ec.crt", other.bytes);
    sky_buf_done(&other);
}

static void only_what_is_missing_or_unfit_is_made_again(void **state)
{
    static const struct {
        void (*change)(struct folder *folder);
        const char *changed;
    } rows[] = {{NULL, "000000"},
                {lose_root_certificate, "010101"},
                {lose_root_key, "110101"},
                {lose_server_key, "000011"},
                {mix_up_certificates, "000001"}};
    char changed[SKY_COUNT(kept) + 1];
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        changes_after(*state, rows[i].change, NULL, changed);
        assert_string_equal(changed, rows[i].changed);
    }
}

static void further_names_change_the_server_certificates_only(void **state)
{
    static const char *const names[] = {"later.example"};
    struct folder *folder = *state;
    char changed[SKY_COUNT(kept) + 1];
    const struct sky_ca_options again = {
        .dir = folder->dir, .now_ms = now_ms(), .names = names, .name_count = 1};
    changes_after(folder, NULL, &again, changed);
    assert_string_equal(changed, "000101");
}

static void damaged_files_are_refused_and_left_alone(void **state)
{
    struct folder *folder = *state;
    const struct sky_ca_options options = {.dir = folder->dir, .now_ms = now_ms()};
    sky_ca_free(open_ready(&options));
    for (size_t i = 0; i < SKY_COUNT(kept); i++) {
        struct sky_buf before, now;
        struct sky_ca *ca;
        struct sky_why why = {.reason = ""};
        read_file(folder, kept[i], &before);
        write_file(folder, kept[i], "-----BEGIN NONSENSE-----\n");
        assert_int_equal(sky_ca_open(&options, &ca, &why), SKY_ERR_INVALID);
        assert_non_null(strstr(why.reason, kept[i]));
        read_file(folder, kept[i], &now);
        assert_memory_equal(now.bytes, "-----BEGIN NONSENSE-----\n", now.len);
        sky_buf_add_byte(&before, '\0');
        write_file(folder, kept[i], before.bytes);
        sky_buf_done(&before);
        sky_buf_done(&now);
    }
}

static void a_place_that_cannot_be_written_is_told(void **state)
{
    struct folder *folder = *state;
    struct sky_ca *ca;
    struct sky_why why = {.reason = ""};
    char dir[128];
    snprintf(dir, sizeof dir, "%s/absent/db.tls", folder->base);
    const struct sky_ca_options options = {.dir = dir, .now_ms = now_ms()};
    assert_int_equal(sky_ca_open(&options, &ca, &why), SKY_ERR_IO);
    assert_non_null(strstr(why.reason, dir));
}

/* A folder that vanishes while keys are being made: the certificates work all the same. */
static void trouble_with_files_is_remembered(void **state)
{
    struct folder *folder = *state;
    const struct sky_ca_options options = {.dir = folder->dir, .now_ms = now_ms()};
    struct sky_ca *ca = open_or_fail(&options);
    assert_int_equal(rmdir(folder->dir), 0);
    sky_ca_prepare(ca);
    assert_true(sky_ca_ready(ca));
    assert_non_null(sky_ca_trouble(ca));
    assert_non_null(strstr(sky_ca_trouble(ca), "ca.key"));
    assert_true(sky_ca_pem(ca).len > 0);
    sky_ca_free(ca);
}

/* ---- the user's own ---- */

static void brought_certificates_are_shown_and_nothing_is_issued(void **state)
{
    struct folder *folder = *state;
    struct sky_ca_identity shown[SKY_CA_IDENTITIES_MAX];
    struct sky_ca_issued issued;
    struct sky_why why;
    char certificate[128], key[128], root[128];
    const struct sky_ca_options made = {.dir = folder->dir, .now_ms = now_ms()};
    sky_ca_free(open_ready(&made));
    snprintf(certificate, sizeof certificate, "%s/server-ec.crt", folder->dir);
    snprintf(key, sizeof key, "%s/server-ec.key", folder->dir);
    snprintf(root, sizeof root, "%s/ca.crt", folder->dir);
    const struct sky_ca_options options = {
        .cert_file = certificate, .key_file = key, .ca_file = root, .now_ms = now_ms()};
    struct sky_ca *ca = open_or_fail(&options);
    assert_true(sky_ca_ready(ca));
    assert_int_equal(sky_ca_identities(ca, shown), 1);
    assert_true(mbedtls_pk_can_do(shown[0].key, MBEDTLS_PK_ECDSA));
    assert_true(sky_ca_covers(ca, SKY_SPAN("localhost")));
    assert_true(sky_span_starts(sky_ca_pem(ca), SKY_SPAN("-----BEGIN CERTIFICATE-----")));
    assert_int_equal(sky_ca_issue(ca, SKY_SPAN("dev"), SKY_KEY_EC, &issued, &why), SKY_ERR_DENIED);
    sky_ca_free(ca);
}

static void brought_files_must_fit_together(void **state)
{
    struct folder *folder = *state;
    struct sky_ca *ca;
    struct sky_why why = {.reason = ""};
    char certificate[128], key[128];
    const struct sky_ca_options made = {.dir = folder->dir, .now_ms = now_ms()};
    sky_ca_free(open_ready(&made));
    snprintf(certificate, sizeof certificate, "%s/server-ec.crt", folder->dir);
    snprintf(key, sizeof key, "%s/server-rsa.key", folder->dir);
    struct sky_ca_options options = {.cert_file = certificate, .key_file = key, .now_ms = now_ms()};
    assert_int_equal(sky_ca_open(&options, &ca, &why), SKY_ERR_INVALID);
    assert_non_null(strstr(why.reason, "is not that of"));
    options.key_file = "/nonexistent/key.pem";
    assert_int_equal(sky_ca_open(&options, &ca, &why), SKY_ERR_NOT_FOUND);
    assert_non_null(strstr(why.reason, "/nonexistent/key.pem"));
}

/* ---- issuing ---- */

static void devices_get_certificates_with_their_name(void **state)
{
    static const enum sky_key_kind kinds[] = {SKY_KEY_EC, SKY_KEY_RSA};
    static const char *const names[] = {"device-1", "a,b=c+d/e\"f;g<h>i#j k"};
    (void)state;
    const struct sky_ca_options options = {.now_ms = now_ms()};
    struct sky_ca *ca = open_ready(&options);
    for (size_t i = 0; i < 2; i++) {
        struct sky_ca_issued issued;
        mbedtls_x509_crt certificate;
        mbedtls_pk_context key;
        uint32_t flags = 0;
        char name[SKY_CERTIFICATE_NAME_MAX + 1], fingerprint[SKY_FINGERPRINT_HEX + 1];
        assert_int_equal(sky_ca_issue(ca, sky_span_str(names[i]), kinds[i], &issued, NULL), SKY_OK);
        parse(sky_span_str(issued.certificate), &certificate);
        mbedtls_pk_init(&key);
        assert_int_equal(mbedtls_pk_parse_key(&key, (const unsigned char *)issued.key,
                                              strlen(issued.key) + 1, NULL, 0),
                         0);
        assert_int_equal(mbedtls_pk_check_pair(&certificate.pk, &key), 0);
        assert_int_equal(
            mbedtls_x509_crt_verify(&certificate, sky_ca_trust(ca), NULL, NULL, &flags, NULL, NULL),
            0);
        assert_int_equal(certificate.ca_istrue, 0);
        assert_true(sky_certificate_name(&certificate, name));
        assert_string_equal(name, names[i]);
        assert_int_equal(
            sky_certificate_fingerprint_pem(sky_span_str(issued.certificate), fingerprint, NULL),
            SKY_OK);
        assert_string_equal(fingerprint, issued.fingerprint);
        mbedtls_pk_free(&key);
        mbedtls_x509_crt_free(&certificate);
        sky_ca_issued_done(&issued);
    }
    sky_ca_free(ca);
}

static void names_that_no_certificate_can_carry_are_refused(void **state)
{
    char longest[SKY_CERTIFICATE_NAME_MAX + 2] = {0};
    struct sky_ca_issued issued;
    struct sky_why why;
    (void)state;
    const struct sky_ca_options options = {.now_ms = now_ms()};
    struct sky_ca *ca = open_ready(&options);
    const sky_span bad[] = {SKY_SPAN(""), SKY_SPAN("a\nb"), SKY_SPAN("a\\b"), SKY_SPAN("\xc3\xa4")};
    for (size_t i = 0; i < SKY_COUNT(bad); i++)
        assert_int_equal(sky_ca_issue(ca, bad[i], SKY_KEY_EC, &issued, &why), SKY_ERR_INVALID);
    memset(longest, ',', SKY_CERTIFICATE_NAME_MAX);
    assert_int_equal(sky_ca_issue(ca, sky_span_str(longest), SKY_KEY_EC, &issued, &why), SKY_OK);
    sky_ca_issued_done(&issued);
    longest[SKY_CERTIFICATE_NAME_MAX] = ',';
    assert_int_equal(sky_ca_issue(ca, sky_span_str(longest), SKY_KEY_EC, &issued, &why),
                     SKY_ERR_INVALID);
    sky_ca_free(ca);
}

static void what_is_no_certificate_has_no_fingerprint(void **state)
{
    char fingerprint[SKY_FINGERPRINT_HEX + 1] = "untouched";
    struct sky_why why = {.reason = ""};
    (void)state;
    assert_int_equal(sky_certificate_fingerprint_pem(SKY_SPAN("nonsense"), fingerprint, &why),
                     SKY_ERR_INVALID);
    assert_string_equal(fingerprint, "untouched");
    assert_true(why.reason[0] != '\0');
}

/* ---- waiting ---- */

struct guest {
    struct sky_ca_waiter waiter;
    int called;
};

static void on_ready(struct sky_ca_waiter *waiter)
{
    SKY_CONTAINER_OF(waiter, struct guest, waiter)->called++;
}

static void who_waits_is_called_once(void **state)
{
    uv_loop_t loop;
    struct guest first = {.waiter.ready = on_ready}, second = first, leaving = first, late = first;
    (void)state;
    uv_loop_init(&loop);
    const struct sky_ca_options options = {.loop = &loop, .now_ms = now_ms()};
    struct sky_ca *ca = open_or_fail(&options);
    sky_ca_when_ready(ca, &first.waiter);
    sky_ca_when_ready(ca, &leaving.waiter);
    sky_ca_when_ready(ca, &second.waiter);
    sky_ca_forget(ca, &leaving.waiter);
    assert_false(sky_ca_ready(ca));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(sky_ca_ready(ca));
    sky_ca_when_ready(ca, &late.waiter);
    assert_int_equal(first.called, 1);
    assert_int_equal(second.called, 1);
    assert_int_equal(late.called, 1);
    assert_int_equal(leaving.called, 0);
    sky_ca_free(ca);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void stopping_ends_the_making_early(void **state)
{
    struct folder *folder = *state;
    uv_loop_t loop;
    struct guest guest = {.waiter.ready = on_ready};
    uv_loop_init(&loop);
    const struct sky_ca_options options = {.loop = &loop, .dir = folder->dir, .now_ms = now_ms()};
    struct sky_ca *ca = open_or_fail(&options);
    sky_ca_when_ready(ca, &guest.waiter);
    sky_ca_stop(ca);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_false(sky_ca_ready(ca));
    sky_ca_when_ready(ca, &guest.waiter);
    assert_int_equal(guest.called, 0);
    sky_ca_free(ca);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void the_folder_is_named_after_the_store(void **state)
{
    (void)state;
    assert_null(sky_ca_dir_beside(":memory:"));
    char *dir = sky_ca_dir_beside("/var/lib/sky.db");
    assert_string_equal(dir, "/var/lib/sky.db.tls");
    free(dir);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_may_sign_certificates_and_nothing_else),
        cmocka_unit_test(the_server_shows_rsa_and_ecdsa_for_the_same_names),
        cmocka_unit_test(names_are_covered_as_certificates_mean_it),
        cmocka_unit_test(the_host_devices_are_told_is_a_name_too),
        cmocka_unit_test(a_certificate_of_usual_names_is_short),
        cmocka_unit_test(bad_names_and_too_many_are_refused),
        WITH_FOLDER(what_was_made_is_kept_and_found_again),
        WITH_FOLDER(only_what_is_missing_or_unfit_is_made_again),
        WITH_FOLDER(further_names_change_the_server_certificates_only),
        WITH_FOLDER(damaged_files_are_refused_and_left_alone),
        WITH_FOLDER(a_place_that_cannot_be_written_is_told),
        WITH_FOLDER(trouble_with_files_is_remembered),
        WITH_FOLDER(brought_certificates_are_shown_and_nothing_is_issued),
        WITH_FOLDER(brought_files_must_fit_together),
        cmocka_unit_test(devices_get_certificates_with_their_name),
        cmocka_unit_test(names_that_no_certificate_can_carry_are_refused),
        cmocka_unit_test(what_is_no_certificate_has_no_fingerprint),
        cmocka_unit_test(who_waits_is_called_once),
        WITH_FOLDER(stopping_ends_the_making_early),
        cmocka_unit_test(the_folder_is_named_after_the_store),
    };
    return cmocka_run_group_tests_name("ca", tests, NULL, NULL);
}
