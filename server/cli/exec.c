/* `skymock exec`: a server of its own for one command. The server is a child process, so that
 * whatever becomes of it is an exit status here. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/cli/cli.h"
#include "server/os/listeners.h"

enum { PORTS_MAX = 4096, COMMAND_NOT_FOUND = 127, KILLED = 128 };

static bool tell_ports(const void *ctx, const struct sky_app *app)
{
    int fd = *(const int *)ctx;
    struct sky_buf ports;

    sky_buf_init(&ports, PORTS_MAX);
    sky_cli_ports(app, &ports);
    bool told = write(fd, ports.bytes, ports.len) == (ssize_t)ports.len;
    sky_buf_done(&ports);
    close(fd);
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
        _exit(getppid() == parent ? sky_cli_run_server(config, tell_ports, &ends[1])
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

static void export_port(const char *listener, int port)
{
    char option[48], name[SKY_ENV_NAME_MAX], text[8];

    snprintf(option, sizeof option, "port-%s", listener);
    sky_config_env_name(option, name);
    snprintf(text, sizeof text, "%d", port);
    setenv(name, text, 1);
}

/* The address the admin listener can be asked at from here. */
static void admin_url(const struct sky_config *config, const struct sky_listener_row *row, int port,
                      char *out, size_t size)
{
    const char *host = sky_config_listen(config, row)->host;

    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        host = "127.0.0.1";
    snprintf(out, size, strchr(host, ':') != NULL ? "http://[%s]:%d" : "http://%s:%d", host, port);
}

/* Ports into the environment of the command; false when the server told none. */
static bool export_ports(const struct sky_config *config, sky_span ports, char *ret_url,
                         size_t url_size)
{
    const struct sky_listener_row *row;
    struct sky_why why;
    cJSON *tree;

    if (sky_json_parse(ports, 2, &tree, &why) != SKY_OK)
        return false;
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++) {
        const cJSON *port = sky_json_get(tree, row->name);
        if (port == NULL)
            continue;
        export_port(row->name, port->valueint);
        if (row->allows & SKY_LISTEN_ADMIN)
            admin_url(config, row, port->valueint, ret_url, url_size);
    }
    cJSON_Delete(tree);
    setenv("SKYMOCK_URL", ret_url, 1);
    if (config->admin_token != NULL)
        setenv("SKYMOCK_ADMIN_TOKEN", config->admin_token, 1);
    return true;
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return SKY_EXIT_TROUBLE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED + WTERMSIG(status);
}

static int run_command(const struct sky_config *config)
{
    char **argv = sky_mem_new((config->args.count + 1) * sizeof *argv);

    for (size_t i = 0; i < config->args.count; i++)
        argv[i] = config->args.list[i];
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        execvp(argv[0], argv);
        sky_cli_fail("%s: %s", argv[0], strerror(errno));
        _exit(COMMAND_NOT_FOUND);
    }
    int status = pid > 0 ? wait_for(pid) : sky_cli_fail("fork: %s", strerror(errno));
    free(argv);
    return status;
}

/* The command's own failure says more than the verdict's. */
static int worse(int command, int verdict)
{
    return command != 0 ? command : verdict;
}

int sky_cli_exec(const struct sky_config *config)
{
    char ports[PORTS_MAX], url[SKY_HOST_MAX + 32] = "";
    int ready = -1, status = SKY_EXIT_TROUBLE;
    pid_t server = start_server(config, &ready);

    if (server < 0)
        return sky_cli_fail("the server could not be started: %s", strerror(errno));
    size_t len = await_ports(ready, ports, sizeof ports);
    if (len == 0 || !export_ports(config, sky_span_of(ports, len), url, sizeof url)) {
        kill(server, SIGTERM);
        return worse(wait_for(server), SKY_EXIT_TROUBLE);
    }
    signal(SIGINT, SIG_IGN);
    int command = run_command(config);
    if (url[0] == '\0')
        status = worse(command, sky_cli_fail("no verdict: the admin listener is off"));
    else
        status = worse(command, sky_cli_ask_verdict(config, url));
    kill(server, SIGTERM);
    int served = wait_for(server);
    return worse(status, served != 0 ? SKY_EXIT_TROUBLE : SKY_EXIT_OK);
}
