#include "server/cli/at_hand.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "protocol/base/json_tree.h"
#include "server/app.h"
#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/cli/process.h"
#include "server/os/files.h"
#include "server/os/listeners.h"

enum { PORTS_MAX = 4096 };

/* ---- one of our own ---- */

struct starting {
    const struct sky_config *config;
    int fd; /* that the ports are told to */
};

static bool tell_ports(void *ctx, struct sky_app *app)
{
    const struct starting *starting = ctx;
    struct sky_buf ports;

    if (!sky_cli_write_ports(starting->config->ports_file, app))
        return false;
    sky_buf_init(&ports, PORTS_MAX);
    sky_cli_ports(app, &ports);
    bool told = write(starting->fd, ports.bytes, ports.len) == (ssize_t)ports.len;
    sky_buf_done(&ports);
    close(starting->fd);
    return told;
}

/* In a process group of its own: Ctrl-C is for the command, the verdict comes after it. */
static pid_t start_server(const struct sky_config *config, int *ret_ready)
{
    int ends[2];

    if (pipe(ends) != 0)
        return -1;
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(ends[0]);
        struct starting starting = {config, ends[1]};
        exit(getppid() == parent ? sky_cli_run_server(config, tell_ports, &starting)
                                 : SKY_EXIT_TROUBLE);
    }
    close(ends[1]);
    *ret_ready = ends[0];
    return pid;
}

/* Returns once the server is ready or gone: then there is nothing to read. */
static size_t await_ports(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t got;

    while (len < size &&
           ((got = read(fd, out + len, size - len)) > 0 || (got < 0 && errno == EINTR)))
        len += got > 0 ? (size_t)got : 0;
    close(fd);
    return len;
}

/* ---- what is told of it ---- */

static void export_port(const struct sky_listener_row *row, int port, struct sky_at_hand *server)
{
    char option[48], name[SKY_ENV_NAME_MAX], text[8];
    size_t len = strlen(server->doors);

    snprintf(option, sizeof option, "port-%s", row->name);
    sky_config_env_name(option, name);
    snprintf(text, sizeof text, "%d", port);
    setenv(name, text, 1);
    if (!(row->allows & SKY_LISTEN_ADMIN))
        snprintf(server->doors + len, sizeof server->doors - len, "%s%s=%s", len > 0 ? ", " : "",
                 name, text);
}

/* Where a listener can be reached from here. */
static const char *reachable(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
}

static void write_url(const char *host, int port, char *out, size_t size)
{
    snprintf(out, size, strchr(host, ':') != NULL ? "http://[%s]:%d" : "http://%s:%d", host, port);
}

/* Where everything is, for the command: `ports` is an object, listener name to number. They are all
 * at `everywhere` (NULL: where the configuration has put each). */
static void export_ports(const struct sky_config *config, const cJSON *ports,
                         const char *everywhere, struct sky_at_hand *server)
{
    const struct sky_listener_row *row;

    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++) {
        const cJSON *port = sky_json_get(ports, row->name);
        const char *host =
            everywhere != NULL ? everywhere : reachable(sky_config_listen(config, row)->host);
        if (!cJSON_IsNumber(port))
            continue;
        export_port(row, port->valueint, server);
        if (!(row->allows & SKY_LISTEN_ADMIN))
            setenv("SKYMOCK_HOST", host, i == 0); /* the first one's, if it is there */
        else if (everywhere == NULL)
            write_url(host, port->valueint, server->url, sizeof server->url);
    }
    if (*server->url != '\0')
        setenv("SKYMOCK_URL", server->url, 1);
    if (config->admin_token != NULL)
        setenv("SKYMOCK_ADMIN_TOKEN", config->admin_token, 1);
    unsetenv("SKYMOCK_JSON"); /* a file here, but yes or no to what may be run of ours */
}

/* The certificate to trust, in a file. */
static void export_ca(const struct sky_config *config, struct sky_at_hand *server)
{
    static const char suffix[] = ".crt";
    char *path = server->ca;
    struct sky_buf pem;
    struct sky_why why = {.reason = "the server has none"};
    int status = 0;

    if (*server->url == '\0')
        return;
    sky_buf_init(&pem, SKY_HTTP_CLIENT_ANSWER_MAX);
    int len = snprintf(path, sizeof server->ca, "%s/skymock-ca-XXXXXX%s", config->tmp_dir, suffix);
    int fd = len < (int)sizeof server->ca ? mkstemps(path, sizeof suffix - 1) : -1;
    bool made = fd >= 0 && close(fd) == 0;
    if (!made)
        (void)sky_why_set(&why, SKY_ERR_IO, "",
                          "no file can be made in %.150s, the folder for temporary ones (TMPDIR): "
                          "%s",
                          config->tmp_dir, strerror(errno));
    else if (sky_http_get(server->url, "/ca.crt", NULL, &status, &pem, &why) == SKY_OK &&
             status == 200 && sky_files_write(path, 0644, sky_buf_span(&pem), &why) == SKY_OK) {
        setenv("SKYMOCK_CA", path, 1);
        sky_buf_done(&pem);
        return;
    }
    fprintf(stderr, "skymock: no SKYMOCK_CA for the command: %s\n", why.reason);
    if (made)
        unlink(path);
    *path = '\0';
    sky_buf_done(&pem);
}

int sky_at_hand_start(const struct sky_config *config, struct sky_at_hand *ret_server)
{
    char ports[PORTS_MAX];
    struct sky_why why;
    cJSON *tree;
    int ready = -1;

    pid_t pid = start_server(config, &ready);
    if (pid < 0)
        return sky_cli_fail("the server could not be started: %s", strerror(errno));
    size_t len = await_ports(ready, ports, sizeof ports);
    if (len == 0 || sky_json_parse(sky_span_of(ports, len), 2, &tree, &why) != SKY_OK) {
        kill(pid, SIGTERM);
        int status = sky_process_wait(pid);
        return status > 0 ? status : SKY_EXIT_TROUBLE;
    }
    *ret_server = (struct sky_at_hand){.pid = pid};
    export_ports(config, tree, NULL, ret_server);
    cJSON_Delete(tree);
    export_ca(config, ret_server);
    return SKY_EXIT_OK;
}

int sky_at_hand_find(const struct sky_config *config, struct sky_at_hand *ret_server)
{
    char host[SKY_HOST_MAX + 1];
    struct sky_why why;
    uint16_t port = 0;
    cJSON *tree = NULL;

    *ret_server = (struct sky_at_hand){0};
    sky_err err = sky_http_parse_url(config->url, host, &port, &why);
    if (err == SKY_OK &&
        !sky_span_copy(sky_span_str(config->url), ret_server->url, sizeof ret_server->url))
        err = sky_why_set(&why, SKY_ERR_LIMIT, "", "--url is longer than %zu bytes",
                          sizeof ret_server->url - 1);
    if (err == SKY_OK)
        err = sky_http_get_json(config->url, "/version", config->admin_token, &tree, &why);
    if (err != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    export_ports(config, sky_json_get(tree, "listeners"), host, ret_server);
    cJSON_Delete(tree);
    export_ca(config, ret_server);
    return SKY_EXIT_OK;
}

int sky_at_hand_leave(struct sky_at_hand *server)
{
    if (*server->ca != '\0')
        unlink(server->ca);
    if (server->pid == 0)
        return SKY_EXIT_OK;
    kill(server->pid, SIGTERM);
    return sky_process_wait(server->pid) == 0 ? SKY_EXIT_OK : SKY_EXIT_TROUBLE;
}
