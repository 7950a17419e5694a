#include "server/tls/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/mem.h"

enum { RANDOM_SIZE = 32, SECRET_SIZE = 48, LINE_SIZE = 192 };

struct sky_keylog {
    char *path; /* owned */
    int fd;
    atomic_bool failed; /* and that was said */
};

static size_t put_hex(char *out, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return 2 * len;
}

/* The session goes on whatever becomes of its line. One write is one line, also beside that of
 * another thread or process (POSIX, O_APPEND). */
static int on_keys(void *ctx, const unsigned char *secret, const unsigned char *block,
                   size_t mac_len, size_t key_len, size_t iv_len,
                   const unsigned char client_random[RANDOM_SIZE],
                   const unsigned char server_random[RANDOM_SIZE], mbedtls_tls_prf_types prf)
{
    static const char label[] = "CLIENT_RANDOM ";
    struct sky_keylog *keylog = ctx;
    char line[LINE_SIZE];
    size_t len = sizeof label - 1;
    (void)block;
    (void)mac_len;
    (void)key_len;
    (void)iv_len;
    (void)server_random;
    (void)prf;
    memcpy(line, label, len);
    len += put_hex(line + len, client_random, RANDOM_SIZE);
    line[len++] = ' ';
    len += put_hex(line + len, secret, SECRET_SIZE);
    line[len++] = '\n';
    if (write(keylog->fd, line, len) != (ssize_t)len && !atomic_exchange(&keylog->failed, true))
        fprintf(stderr, "skymock: secrets are missing in \"%s\": %s\n", keylog->path,
                strerror(errno));
    sky_mem_wipe(line, sizeof line);
    return 0;
}

sky_err sky_keylog_open(const char *path, struct sky_keylog **ret_keylog, struct sky_why *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return sky_why_set(why, SKY_ERR_IO, "", "--tls-keylog %s cannot be written: %s", path,
                           strerror(errno));
    struct sky_keylog *keylog = *ret_keylog = sky_mem_new(sizeof *keylog);
    keylog->path = sky_mem_dup(path, strlen(path));
    keylog->fd = fd;
    return SKY_OK;
}

void sky_keylog_close(struct sky_keylog *keylog)
{
    if (keylog == NULL)
        return;
    close(keylog->fd);
    free(keylog->path);
    free(keylog);
}

void sky_keylog_watch(struct sky_keylog *keylog, mbedtls_ssl_config *config)
{
    if (keylog != NULL)
        mbedtls_ssl_conf_export_keys_ext_cb(config, on_keys, keylog);
}
