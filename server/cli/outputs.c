/* The files that commands write for others. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/mem.h"
#include "server/cli/cli.h"

bool sky_cli_is_file(const char *path)
{
    struct stat info;

    return stat(path, &info) != 0 || S_ISREG(info.st_mode);
}

static bool is_writable(const struct sky_config *config, char *const *member)
{
    const char *path = *member;
    char origin[SKY_ENV_NAME_MAX];
    struct stat info;

    if (path == NULL)
        return true;
    char *copy = sky_mem_dup(path, strlen(path));
    int wrong = 0;
    if (stat(path, &info) == 0)
        wrong = S_ISDIR(info.st_mode) ? EISDIR : access(path, W_OK) != 0 ? errno : 0;
    if (wrong == 0 && sky_cli_is_file(path) && access(dirname(copy), W_OK | X_OK) != 0)
        wrong = errno;
    free(copy);
    sky_config_origin(config, member, 0, origin);
    if (wrong != 0)
        sky_cli_fail("%s %s: %s%s", origin, path, strerror(wrong),
                     wrong == ENOENT ? ": its folder is not there" : "");
    return wrong == 0;
}

bool sky_cli_outputs_are_writable(const struct sky_config *config)
{
    return is_writable(config, &config->junit) && is_writable(config, &config->html) &&
           is_writable(config, &config->json_file) && is_writable(config, &config->events);
}
