#include "server/tls/ca.h"

#include <errno.h>
#include <mbedtls/pem.h>
#include <mbedtls/x509_crt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "server/os/files.h"
#include "server/os/worker.h"
#include "server/tls/der.h"
#include "server/tls/rng.h"

enum { ALT_NAMES_MAX = 4 * 1024 }; /* bytes of subjectAltName: devices have small buffers */

/* The authority first: what follows is signed by it. */
enum slot { SLOT_ROOT, SLOT_RSA, SLOT_EC, SLOTS };

static const struct slot_row {
    const char *file; /* .key and .crt are added */
    enum sky_key_kind kind;
    enum sky_certificate_role role;
} slot_rows[SLOTS] = {
    /* An RSA root: the C SDKs of this field verify nothing else. */
    [SLOT_ROOT] = {"ca", SKY_KEY_RSA, SKY_CERTIFICATE_ROOT},
    [SLOT_RSA] = {"server-rsa", SKY_KEY_RSA, SKY_CERTIFICATE_SERVER},
    [SLOT_EC] = {"server-ec", SKY_KEY_EC, SKY_CERTIFICATE_SERVER},
};

struct identity {
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    bool has_key, has_certificate;
};

struct sky_ca {
    uv_loop_t *loop;
    uv_work_t work;
    struct sky_tls_rng rng;
    struct identity slots[SLOTS];
    mbedtls_x509_crt trust; /* the user's authorities; empty: slots[SLOT_ROOT] */
    bool brought;           /* certificate and key are the user's, in slots[SLOT_RSA] */
    bool working, ready, stopped;
    atomic_bool cancelled;
    int64_t now_ms;
    char *dir; /* NULL: in memory */
    char *pem; /* what devices must trust */
    struct sky_buf alt_names;
    struct sky_ca_waiter *waiters;
    struct sky_why trouble; /* from the worker; read when ready */
};

char *sky_ca_dir_beside(const char *store_path)
{
    char *dir;
    if (strcmp(store_path, ":memory:") == 0)
        return NULL;
    int printed = asprintf(&dir, "%s.tls", store_path);
    SKY_ASSERT(printed > 0);
    return dir;
}

/* What was brought, and is no good, is named by the option it came by. */
static sky_err blame(const char *option, sky_err err, struct sky_why *why)
{
    struct sky_why inside = *why;
    return err == SKY_OK ? SKY_OK : sky_why_set(why, err, "", "%s %.280s", option, inside.reason);
}

/* ---- names ---- */

static const char *const own_names[] = {"localhost", "127.0.0.1", "::1"};

static sky_err add_name(const char *names[SKY_CA_NAMES_MAX], size_t *count, const char *name,
                        struct sky_why *why)
{
    if (!sky_der_is_name(sky_span_str(name)))
        return sky_why_set(why, SKY_ERR_INVALID, "", "'%s' is no host name or IP address", name);
    if (*count == SKY_CA_NAMES_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, "", "more than %d names for the certificate",
                           SKY_CA_NAMES_MAX);
    names[(*count)++] = name;
    return SKY_OK;
}

static sky_err gather_names(struct sky_ca *ca, const struct sky_ca_options *options,
                            struct sky_why *why)
{
    const char *names[SKY_CA_NAMES_MAX];
    size_t count = 0;
    sky_err err = SKY_OK;
    for (size_t i = 0; i < SKY_COUNT(own_names) && err == SKY_OK; i++)
        err = add_name(names, &count, own_names[i], why);
    for (size_t i = 0; sky_clouds[i] != NULL; i++)
        for (const char *const *name = sky_clouds[i]->host_names;
             name != NULL && *name != NULL && err == SKY_OK; name++)
            err = add_name(names, &count, *name, why);
    for (size_t i = 0; i < options->name_count && err == SKY_OK; i++)
        err = blame("--san", add_name(names, &count, options->names[i], why), why);
    bool told = options->host != NULL;
    for (size_t i = 0; i < count && told; i++)
        told = strcasecmp(names[i], options->host) != 0;
    if (err == SKY_OK && told)
        err = blame("--advertise-host", add_name(names, &count, options->host, why), why);
    if (err != SKY_OK)
        return err;
    sky_der_add_alt_names(&ca->alt_names, names, count);
    if (ca->alt_names.overflow)
        return sky_why_set(why, SKY_ERR_LIMIT, "",
                           "the names for the certificate take more than %d bytes", ALT_NAMES_MAX);
    return SKY_OK;
}

/* ---- files ---- */

static char *path_of(const struct sky_ca *ca, enum slot slot, const char *suffix)
{
    char *path;
    int printed = asprintf(&path, "%s/%s%s", ca->dir, slot_rows[slot].file, suffix);
    SKY_ASSERT(printed > 0);
    return path;
}

static sky_err read_pem(const char *path, struct sky_buf *pem, struct sky_why *why)
{
    sky_buf_init(pem, SKY_CERTIFICATE_PEM_MAX);
    sky_err err = sky_files_read(path, pem, why);
    if (err == SKY_OK && !sky_buf_add_byte(pem, '\0')) /* the parser wants it */
        err = sky_why_set(why, SKY_ERR_LIMIT, "", "%s: longer than %d bytes", path,
                          SKY_CERTIFICATE_PEM_MAX - 1);
    return err;
}

static void forget_pem(struct sky_buf *pem)
{
    if (pem->bytes != NULL)
        sky_mem_wipe(pem->bytes, pem->room);
    sky_buf_done(pem);
}

static sky_err unreadable(const char *what, const char *path, int code, struct sky_why *why)
{
    char form[64];
    struct sky_why inside;
    snprintf(form, sizeof form, "no %s in PEM can be read in it", what);
    sky_err err = sky_certificate_failed(&inside, SKY_ERR_INVALID, form, code);
    return sky_why_set(why, err, "", "%.150s: %s", path, inside.reason);
}

static sky_err read_key(const char *path, mbedtls_pk_context *key, struct sky_why *why)
{
    struct sky_buf pem;
    sky_err err = read_pem(path, &pem, why);
    if (err == SKY_OK) {
        int rc = mbedtls_pk_parse_key(key, (unsigned char *)pem.bytes, pem.len, NULL, 0);
        if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
            err = sky_why_set(why, SKY_ERR_INVALID, "",
                              "%.200s: the key is encrypted; give it without a passphrase", path);
        else if (rc != 0)
            err = unreadable("private key", path, rc, why);
    }
    forget_pem(&pem);
    return err;
}

static sky_err read_certificates(const char *path, mbedtls_x509_crt *chain, struct sky_why *why)
{
    struct sky_buf pem;
    sky_err err = read_pem(path, &pem, why);
    if (err == SKY_OK) {
        int rc = mbedtls_x509_crt_parse(chain, (unsigned char *)pem.bytes, pem.len);
        if (rc != 0)
            err = rc < 0 ? unreadable("certificate", path, rc, why)
                         : sky_why_set(why, SKY_ERR_INVALID, "",
                                       "%s: %d of its certificates cannot be read", path, rc);
    }
    forget_pem(&pem);
    return err;
}

/* Is the stored certificate still the one that would be issued? */
static bool fits(struct sky_ca *ca, enum slot slot)
{
    struct identity *self = &ca->slots[slot], *root = &ca->slots[SLOT_ROOT];
    const mbedtls_x509_buf *extensions = &self->certificate.v3_ext;
    uint32_t flags = 0;
    if (mbedtls_pk_check_pair(&self->certificate.pk, &self->key) != 0)
        return false;
    if (slot == SLOT_ROOT)
        return !mbedtls_x509_time_is_past(&self->certificate.valid_to);
    return root->has_certificate &&
           memmem(extensions->p, extensions->len, ca->alt_names.bytes, ca->alt_names.len) != NULL &&
           mbedtls_x509_crt_verify(&self->certificate, &root->certificate, NULL, NULL, &flags, NULL,
                                   NULL) == 0;
}

static sky_err load_slot(struct sky_ca *ca, enum slot slot, struct sky_why *why)
{
    struct identity *self = &ca->slots[slot];
    char *key_path = path_of(ca, slot, ".key"), *path = path_of(ca, slot, ".crt");
    sky_err err = read_key(key_path, &self->key, why);
    self->has_key = err == SKY_OK;
    if (self->has_key) {
        err = read_certificates(path, &self->certificate, why);
        self->has_certificate = err == SKY_OK && fits(ca, slot);
    }
    if (err == SKY_ERR_NOT_FOUND)
        err = SKY_OK;
    free(key_path);
    free(path);
    return err;
}

static sky_err load_kept(struct sky_ca *ca, struct sky_why *why)
{
    if (mkdir(ca->dir, 0700) != 0 && errno != EEXIST)
        return sky_why_set(why, SKY_ERR_IO, "", "%s: %s", ca->dir, strerror(errno));
    sky_err err = SKY_OK;
    for (enum slot slot = 0; slot < SLOTS && err == SKY_OK; slot++)
        err = load_slot(ca, slot, why);
    return err;
}

static sky_err load_brought(struct sky_ca *ca, const struct sky_ca_options *options,
                            struct sky_why *why)
{
    struct identity *self = &ca->slots[SLOT_RSA];
    const char *trusted = options->ca_file != NULL ? options->ca_file : options->cert_file;
    const char *option = options->ca_file != NULL ? "--tls-ca" : "--tls-cert";
    struct sky_buf pem = {0};
    ca->brought = true;
    sky_err err = read_certificates(options->cert_file, &self->certificate, why);
    err = blame("--tls-cert", err, why);
    if (err == SKY_OK)
        err = blame("--tls-key", read_key(options->key_file, &self->key, why), why);
    if (err == SKY_OK && mbedtls_pk_check_pair(&self->certificate.pk, &self->key) != 0)
        err = sky_why_set(why, SKY_ERR_INVALID, "",
                          "--tls-key %.100s: this key is not that of the certificate in "
                          "--tls-cert %.100s",
                          options->key_file, options->cert_file);
    if (err == SKY_OK)
        err = blame(option, read_certificates(trusted, &ca->trust, why), why);
    if (err == SKY_OK)
        err = read_pem(trusted, &pem, why);
    if (err == SKY_OK)
        ca->pem = sky_mem_dup(pem.bytes, pem.len);
    sky_buf_done(&pem);
    return err;
}

/* ---- making what is missing; on a worker, which then is the only one to touch `ca` ---- */

static int cancellable_random(void *ctx, unsigned char *out, size_t len)
{
    struct sky_ca *ca = ctx;
    if (atomic_load(&ca->cancelled))
        return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
    return sky_tls_rng_random(&ca->rng, out, len);
}

/* Trouble with a file is remembered, and the certificates are used all the same. */
static void keep(struct sky_ca *ca, enum slot slot, const char *suffix, struct sky_buf *pem)
{
    if (ca->dir == NULL || ca->trouble.reason[0] != '\0')
        return;
    char *path = path_of(ca, slot, suffix);
    sky_err err = sky_files_write(path, 0600, sky_buf_span(pem), &ca->trouble);
    SKY_ASSERT(err == SKY_OK || ca->trouble.reason[0] != '\0');
    free(path);
}

static sky_err make_key(struct sky_ca *ca, enum slot slot)
{
    struct identity *self = &ca->slots[slot];
    struct sky_buf pem;
    sky_buf_init(&pem, SKY_CERTIFICATE_PEM_MAX);
    sky_err err =
        sky_certificate_make_key(slot_rows[slot].kind, &self->key, cancellable_random, ca);
    if (err == SKY_OK)
        err = sky_certificate_write_key(&self->key, &pem);
    if (err == SKY_OK)
        keep(ca, slot, ".key", &pem);
    self->has_key = err == SKY_OK;
    forget_pem(&pem);
    return err;
}

static sky_err make_certificate(struct sky_ca *ca, enum slot slot)
{
    struct identity *self = &ca->slots[slot];
    bool root = slot == SLOT_ROOT;
    const struct sky_certificate_order order = {
        .role = slot_rows[slot].role,
        .subject = root ? SKY_CA_ROOT_NAME : SKY_CA_SERVER_NAME,
        .issuer = SKY_CA_ROOT_NAME,
        .subject_key = &self->key,
        .issuer_key = &ca->slots[SLOT_ROOT].key,
        .alt_names = root ? SKY_SPAN_NONE : sky_buf_span(&ca->alt_names),
        .now_ms = ca->now_ms,
    };
    struct sky_buf pem;
    sky_buf_init(&pem, SKY_CERTIFICATE_PEM_MAX);
    sky_err err = sky_certificate_write(&order, &ca->rng, &pem);
    if (err == SKY_OK) {
        keep(ca, slot, ".crt", &pem);
        sky_buf_add_byte(&pem, '\0');
        mbedtls_x509_crt_free(&self->certificate);
        int rc = mbedtls_x509_crt_parse(&self->certificate, (unsigned char *)pem.bytes, pem.len);
        SKY_ASSERT(rc == 0);
        self->has_certificate = true;
    }
    sky_buf_done(&pem);
    return err;
}

static bool is_complete(const struct sky_ca *ca)
{
    bool complete = true;
    for (enum slot slot = 0; slot < SLOTS; slot++)
        complete = complete && ca->slots[slot].has_key && ca->slots[slot].has_certificate;
    return complete || ca->brought;
}

/* A new certificate of the root makes those below it anew too: load_slot() has seen to that. */
static void complete(struct sky_ca *ca)
{
    sky_err err = SKY_OK;
    for (enum slot slot = 0; slot < SLOTS && err == SKY_OK; slot++) {
        if (!ca->slots[slot].has_key)
            err = make_key(ca, slot);
        if (err == SKY_OK && !ca->slots[slot].has_certificate)
            err = make_certificate(ca, slot);
    }
    SKY_ASSERT(err == SKY_OK || atomic_load(&ca->cancelled));
}

static void write_root_pem(struct sky_ca *ca)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    static const char end[] = "-----END CERTIFICATE-----\n";
    unsigned char pem[SKY_CERTIFICATE_MAX];
    size_t len = 0;
    const mbedtls_x509_buf *der = &ca->slots[SLOT_ROOT].certificate.raw;
    int rc = mbedtls_pem_write_buffer(begin, end, der->p, der->len, pem, sizeof pem, &len);
    SKY_ASSERT(rc == 0);
    ca->pem = sky_mem_dup((char *)pem, len - 1);
}

static void become_ready(struct sky_ca *ca)
{
    ca->ready = true;
    if (!ca->brought)
        write_root_pem(ca);
    while (ca->waiters != NULL) {
        struct sky_ca_waiter *waiter = ca->waiters;
        sky_ca_forget(ca, waiter);
        waiter->ready(waiter);
    }
}

static void on_work(uv_work_t *work)
{
    sky_worker_step_back();
    complete(SKY_CONTAINER_OF(work, struct sky_ca, work));
}

static void on_worked(uv_work_t *work, int status)
{
    struct sky_ca *ca = SKY_CONTAINER_OF(work, struct sky_ca, work);
    (void)status;
    ca->working = false;
    if (!ca->stopped)
        become_ready(ca);
}

/* ---- from outside ---- */

sky_err sky_ca_open(const struct sky_ca_options *options, struct sky_ca **ret_ca,
                    struct sky_why *why)
{
    SKY_ASSERT(!options->cert_file == !options->key_file);
    struct sky_ca *ca = sky_mem_new(sizeof *ca);
    ca->loop = options->loop;
    ca->now_ms = options->now_ms;
    ca->dir = options->dir != NULL ? sky_mem_dup(options->dir, strlen(options->dir)) : NULL;
    sky_buf_init(&ca->alt_names, ALT_NAMES_MAX);
    sky_tls_rng_init(&ca->rng);
    mbedtls_x509_crt_init(&ca->trust);
    for (enum slot slot = 0; slot < SLOTS; slot++) {
        mbedtls_x509_crt_init(&ca->slots[slot].certificate);
        mbedtls_pk_init(&ca->slots[slot].key);
    }
    sky_err err = gather_names(ca, options, why);
    if (err == SKY_OK && options->cert_file != NULL)
        err = load_brought(ca, options, why);
    else if (err == SKY_OK && ca->dir != NULL)
        err = load_kept(ca, why);
    if (err != SKY_OK) {
        sky_ca_free(ca);
        return err;
    }
    if (is_complete(ca))
        become_ready(ca);
    *ret_ca = ca;
    return SKY_OK;
}

void sky_ca_stop(struct sky_ca *ca)
{
    if (ca == NULL)
        return;
    ca->stopped = true;
    atomic_store(&ca->cancelled, true);
    while (ca->waiters != NULL)
        sky_ca_forget(ca, ca->waiters);
    if (ca->working)
        (void)uv_cancel((uv_req_t *)&ca->work); /* on_worked() comes either way */
}

void sky_ca_free(struct sky_ca *ca)
{
    if (ca == NULL)
        return;
    SKY_ASSERT(!ca->working && ca->waiters == NULL);
    for (enum slot slot = 0; slot < SLOTS; slot++) {
        mbedtls_x509_crt_free(&ca->slots[slot].certificate);
        mbedtls_pk_free(&ca->slots[slot].key);
    }
    mbedtls_x509_crt_free(&ca->trust);
    sky_tls_rng_done(&ca->rng);
    sky_buf_done(&ca->alt_names);
    free(ca->pem);
    free(ca->dir);
    free(ca);
}

void sky_ca_prepare(struct sky_ca *ca)
{
    if (ca->ready || ca->working || ca->stopped)
        return;
    if (ca->loop == NULL) {
        complete(ca);
        become_ready(ca);
        return;
    }
    ca->working = true;
    int rc = uv_queue_work(ca->loop, &ca->work, on_work, on_worked);
    SKY_ASSERT(rc == 0);
}

bool sky_ca_ready(const struct sky_ca *ca)
{
    return ca->ready;
}

void sky_ca_when_ready(struct sky_ca *ca, struct sky_ca_waiter *waiter)
{
    SKY_ASSERT(!waiter->waiting);
    sky_ca_prepare(ca);
    if (ca->ready) {
        waiter->ready(waiter);
        return;
    }
    if (ca->stopped)
        return;
    waiter->waiting = true;
    DL_APPEND(ca->waiters, waiter);
}

void sky_ca_forget(struct sky_ca *ca, struct sky_ca_waiter *waiter)
{
    if (!waiter->waiting)
        return;
    waiter->waiting = false;
    DL_DELETE(ca->waiters, waiter);
}

const char *sky_ca_trouble(const struct sky_ca *ca)
{
    return ca->ready && ca->trouble.reason[0] != '\0' ? ca->trouble.reason : NULL;
}

sky_span sky_ca_pem(const struct sky_ca *ca)
{
    SKY_ASSERT(ca->ready);
    return sky_span_str(ca->pem);
}

size_t sky_ca_identities(struct sky_ca *ca, struct sky_ca_identity out[SKY_CA_IDENTITIES_MAX])
{
    SKY_ASSERT(ca->ready);
    size_t count = 0;
    for (enum slot slot = SLOT_RSA; slot < SLOTS; slot++)
        if (slot == SLOT_RSA || !ca->brought)
            out[count++] = (struct sky_ca_identity){.chain = &ca->slots[slot].certificate,
                                                    .key = &ca->slots[slot].key};
    return count;
}

struct mbedtls_pk_context *sky_ca_signing_key(struct sky_ca *ca)
{
    SKY_ASSERT(ca->ready);
    return ca->brought ? NULL : &ca->slots[SLOT_ROOT].key;
}

sky_span sky_ca_alt_names(const struct sky_ca *ca)
{
    return sky_buf_span(&ca->alt_names);
}

bool sky_ca_is_brought(const struct sky_ca *ca)
{
    return ca->brought;
}

struct mbedtls_x509_crt *sky_ca_trust(struct sky_ca *ca)
{
    SKY_ASSERT(ca->ready);
    return ca->brought ? &ca->trust : &ca->slots[SLOT_ROOT].certificate;
}

/* One leading `*` stands for one label. */
static bool name_matches(sky_span pattern, sky_span host)
{
    sky_span label, parent;
    if (!sky_span_starts(pattern, SKY_SPAN("*.")))
        return sky_span_eq_nocase(pattern, host);
    return sky_span_cut(host, '.', &label, &parent) && label.len > 0 &&
           sky_span_eq_nocase(sky_span_tail(pattern, 2), parent);
}

bool sky_ca_covers(const struct sky_ca *ca, sky_span host)
{
    enum { DNS_NAME = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_DNS_NAME };
    SKY_ASSERT(ca->ready);
    const mbedtls_x509_sequence *name = &ca->slots[SLOT_RSA].certificate.subject_alt_names;
    for (; name != NULL; name = name->next)
        if (name->buf.tag == DNS_NAME &&
            name_matches(sky_span_of(name->buf.p, name->buf.len), host))
            return true;
    return false;
}

/* ---- issuing ---- */

/* Appends "CN=name" and a NUL, with the escape that the TLS library's parser knows. */
static sky_err write_subject(sky_span name, struct sky_buf *out, struct sky_why *why)
{
    if (name.len == 0 || name.len > SKY_CERTIFICATE_NAME_MAX)
        return sky_why_set(why, SKY_ERR_INVALID, "/name", "the name must have 1 to %d characters",
                           SKY_CERTIFICATE_NAME_MAX);
    sky_buf_add_str(out, "CN=");
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < ' ' || name.ptr[i] >= 0x7f || name.ptr[i] == '\\')
            return sky_why_set(why, SKY_ERR_INVALID, "/name",
                               "the name must be plain ASCII without backslashes");
        if (name.ptr[i] == ',')
            sky_buf_add_byte(out, '\\');
        sky_buf_add_byte(out, (uint8_t)name.ptr[i]);
    }
    sky_buf_add_byte(out, '\0');
    return SKY_OK;
}

static sky_err issue(struct sky_ca *ca, const char *subject, enum sky_key_kind kind,
                     struct sky_buf *certificate, struct sky_buf *key)
{
    mbedtls_pk_context fresh;
    mbedtls_pk_init(&fresh);
    sky_err err = sky_certificate_make_key(kind, &fresh, sky_tls_rng_random, &ca->rng);
    const struct sky_certificate_order order = {.role = SKY_CERTIFICATE_CLIENT,
                                                .subject = subject,
                                                .issuer = SKY_CA_ROOT_NAME,
                                                .subject_key = &fresh,
                                                .issuer_key = &ca->slots[SLOT_ROOT].key,
                                                .now_ms = ca->now_ms};
    if (err == SKY_OK)
        err = sky_certificate_write(&order, &ca->rng, certificate);
    if (err == SKY_OK)
        err = sky_certificate_write_key(&fresh, key);
    mbedtls_pk_free(&fresh);
    return err;
}

sky_err sky_ca_issue(struct sky_ca *ca, sky_span name, enum sky_key_kind kind,
                     struct sky_ca_issued *ret_issued, struct sky_why *why)
{
    SKY_ASSERT(ca->ready);
    struct sky_buf subject, certificate, key;
    if (ca->brought)
        return sky_why_set(why, SKY_ERR_DENIED, "",
                           "the authority was brought with --tls-ca, and its key is not here");
    sky_buf_init(&subject, SKY_CERTIFICATE_PEM_MAX);
    sky_buf_init(&certificate, SKY_CERTIFICATE_PEM_MAX);
    sky_buf_init(&key, SKY_CERTIFICATE_PEM_MAX);
    sky_err err = write_subject(name, &subject, why);
    if (err != SKY_OK)
        goto out;
    err = issue(ca, subject.bytes, kind, &certificate, &key);
    if (err != SKY_OK) {
        sky_why_set(why, err, "", "the certificate could not be made");
        goto out;
    }
    err = sky_certificate_fingerprint_pem(sky_buf_span(&certificate), ret_issued->fingerprint, why);
    SKY_ASSERT(err == SKY_OK);
    ret_issued->certificate = sky_mem_dup(certificate.bytes, certificate.len);
    ret_issued->key = sky_mem_dup(key.bytes, key.len);
out:
    sky_buf_done(&subject);
    sky_buf_done(&certificate);
    forget_pem(&key);
    return err;
}

void sky_ca_issued_done(struct sky_ca_issued *issued)
{
    if (issued->key != NULL)
        sky_mem_wipe(issued->key, strlen(issued->key));
    free(issued->key);
    free(issued->certificate);
    *issued = (struct sky_ca_issued){0};
}
