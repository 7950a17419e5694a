/* `skymock exec`: a server of its own for one command. The server is a child process, so that
 * whatever becomes of it is an exit status here. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/cli/baseline.h"
#include "server/cli/cli.h"
#include "server/cli/events.h"
#include "server/cli/http_client.h"
#include "server/journal/line.h"
#include "server/os/files.h"
#include "server/os/listeners.h"

enum {
    PORTS_MAX = 4096,
    COMMAND_NOT_FOUND = 127,
    TIMED_OUT = 124, /* as timeout(1) says it */
    KILLED = 128,
    GRACE_S = 2, /* between asking a command to end and ending it */
};

static bool tell_ports(void *ctx, struct sky_app *app)
{
    int fd = *(int *)ctx;
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

/* Where a listener can be reached from here. */
static const char *reachable(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
}

static void write_url(const char *host, int port, char *out, size_t size)
{
    snprintf(out, size, strchr(host, ':') != NULL ? "http://[%s]:%d" : "http://%s:%d", host, port);
}

/* Where everything is, for the command: false when the server told no ports. */
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
        const char *host = reachable(sky_config_listen(config, row)->host);
        if (port == NULL)
            continue;
        export_port(row->name, port->valueint);
        if (row->allows & SKY_LISTEN_ADMIN)
            write_url(host, port->valueint, ret_url, url_size);
        else
            setenv("SKYMOCK_HOST", host, i == 0); /* the first one's, if it is there */
    }
    cJSON_Delete(tree);
    if (*ret_url != '\0')
        setenv("SKYMOCK_URL", ret_url, 1);
    if (config->admin_token != NULL)
        setenv("SKYMOCK_ADMIN_TOKEN", config->admin_token, 1);
    return true;
}

/* The certificate to trust, in a file of which the command is told; `path` is empty if there is
 * none. */
static void export_ca(const struct sky_config *config, const char *url, char *path, size_t size)
{
    static const char suffix[] = ".crt";
    struct sky_buf pem;
    struct sky_why why = {.reason = "the server has none"};
    int status = 0;

    sky_buf_init(&pem, SKY_HTTP_CLIENT_ANSWER_MAX);
    int len = snprintf(path, size, "%s/skymock-ca-XXXXXX%s", config->tmp_dir, suffix);
    int fd = len < (int)size ? mkstemps(path, sizeof suffix - 1) : -1;
    bool made = fd >= 0 && close(fd) == 0;
    if (!made)
        (void)sky_why_set(&why, SKY_ERR_IO, "", "%.200s: %s", config->tmp_dir, strerror(errno));
    else if (sky_http_get(url, "/ca.crt", NULL, &status, &pem, &why) == SKY_OK && status == 200 &&
             sky_files_write(path, 0644, sky_buf_span(&pem), &why) == SKY_OK) {
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

/* As a shell has it. */
static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED + WTERMSIG(status);
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return SKY_EXIT_TROUBLE;
    return exit_status(status);
}

/* ---- the command ---- */

/* In a process group of its own, so that all it starts can be ended with it. */
struct command {
    pid_t pid;
    const char *name;
    bool terminal; /* it has the terminal that we had */
    bool asked;    /* to end */
    bool timed_out;
    int status; /* as a shell would say it */
};

static sigset_t signals_of_exec(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGALRM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

static void become_command(const struct sky_config *config, const sigset_t *mask)
{
    char **argv = sky_mem_new((config->args.count + 1) * sizeof *argv);

    for (size_t i = 0; i < config->args.count; i++)
        argv[i] = config->args.list[i];
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(argv[0], argv);
    sky_cli_fail("%s: %s", argv[0], strerror(errno));
    _exit(COMMAND_NOT_FOUND);
}

/* Whoever is in the foreground may read the terminal, and gets its Ctrl-C. */
static void pass_terminal(const struct command *command, pid_t group)
{
    if (command->terminal) {
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(STDIN_FILENO, group);
        signal(SIGTTOU, SIG_DFL);
    }
}

/* Asks it to end, which it has GRACE_S for. */
static void end_command(struct command *command, int signal)
{
    kill(-command->pid, command->asked ? SIGKILL : signal);
    kill(-command->pid, SIGCONT);
    command->asked = true;
    alarm(GRACE_S);
}

static void on_alarm(const struct sky_config *config, struct command *command)
{
    if (!command->asked) {
        command->timed_out = true;
        sky_cli_fail("%s was ended: it took longer than --timeout %u", command->name,
                     config->timeout_s);
    }
    end_command(command, SIGTERM);
}

/* False when there is nothing more to wait for. */
static bool look_at_command(struct command *command)
{
    int status;
    pid_t pid = waitpid(command->pid, &status, WNOHANG | WUNTRACED);

    if (pid == 0)
        return true;
    if (pid < 0) {
        command->status = SKY_EXIT_TROUBLE;
        return false;
    }
    if (WIFSTOPPED(status) && !command->terminal)
        return true;          /* whoever stopped it goes on with it */
    if (WIFSTOPPED(status)) { /* Ctrl-Z stops us all, and fg goes on with all */
        pass_terminal(command, getpgrp());
        raise(SIGSTOP);
        pass_terminal(command, command->pid);
        kill(-command->pid, SIGCONT);
        return true;
    }
    command->status = exit_status(status);
    return false;
}

static void watch_command(const struct sky_config *config, struct command *command)
{
    const sigset_t signals = signals_of_exec();

    alarm(config->timeout_s); /* 0: never */
    while (look_at_command(command)) {
        int number = sigwaitinfo(&signals, NULL);
        if (number == SIGALRM)
            on_alarm(config, command);
        else if (number == SIGINT || number == SIGTERM || number == SIGHUP)
            end_command(command, number);
    }
    alarm(0);
}

/* Returns its exit status. What it left running ends with it if it had to be ended. */
static int run_command(const struct sky_config *config)
{
    struct command command = {.name = config->args.list[0],
                              .terminal = tcgetpgrp(STDIN_FILENO) == getpgrp()};
    const sigset_t signals = signals_of_exec();
    sigset_t before;

    static const int heard[] = {SIGCHLD, SIGALRM, SIGINT, SIGTERM};
    for (size_t i = 0; i < SKY_COUNT(heard); i++)
        signal(heard[i], SIG_DFL);             /* whatever whoever started us ignores */
    sigprocmask(SIG_BLOCK, &signals, &before); /* for good: the verdict comes after them */
    fflush(NULL);
    command.pid = fork();
    if (command.pid == 0)
        become_command(config, &before);
    if (command.pid < 0)
        return sky_cli_fail("fork: %s", strerror(errno));
    setpgid(command.pid, command.pid);
    pass_terminal(&command, command.pid);
    watch_command(config, &command);
    pass_terminal(&command, getpgrp());
    if (command.asked)
        kill(-command.pid, SIGKILL);
    return command.timed_out ? TIMED_OUT : command.status;
}

/* ---- what is told of it ---- */

struct telling {
    const struct sky_config *config;
    FILE *file; /* NULL: nobody wants events */
};

static void tell_event(void *ctx, const cJSON *event)
{
    const struct telling *telling = ctx;
    struct sky_buf line;

    if (telling->file != NULL)
        sky_cli_print_json_line(telling->file, event);
    if (!telling->config->annotates || !sky_event_is_refusal(event))
        return;
    sky_buf_init(&line, SKY_EVENT_LINE_MAX);
    sky_refusal_annotation(event, &line);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&line)));
    sky_buf_done(&line);
}

static int tell_events(const struct sky_config *config, const char *url)
{
    struct sky_config all = *config; /* a reset between tests hides nothing, nor does --device */
    struct telling telling = {.config = config};
    struct sky_why why;
    char *bytes = NULL;
    size_t len = 0;

    if (config->events == NULL && !config->annotates)
        return SKY_EXIT_OK;
    all.run = true;
    all.device = NULL;
    telling.file = config->events != NULL ? open_memstream(&bytes, &len) : NULL;
    sky_err err = sky_cli_each_event(&all, url, false, tell_event, &telling, &why);
    if (telling.file != NULL && fclose(telling.file) == 0 && err == SKY_OK)
        err = sky_files_write(config->events, 0644, sky_span_of(bytes, len), &why);
    free(bytes);
    return err == SKY_OK ? SKY_EXIT_OK : sky_cli_fail("--events: %s", why.reason);
}

/* The command's own failure says more than the verdict's. */
static int worse(int command, int verdict)
{
    return command != 0 ? command : verdict;
}

/* A baseline that cannot be compared with is told before COMMAND takes its time. */
static bool baseline_is_good(const struct sky_config *config)
{
    struct sky_buf report;
    struct sky_why why;

    sky_buf_init(&report, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err =
        config->baseline != NULL ? sky_cli_baseline_read(config->baseline, &report, &why) : SKY_OK;
    if (err != SKY_OK)
        sky_cli_fail("%s", why.reason);
    sky_buf_done(&report);
    return err == SKY_OK;
}

int sky_cli_exec(const struct sky_config *config)
{
    char ports[PORTS_MAX], url[SKY_HOST_MAX + 32] = "", ca[PATH_MAX] = "";
    int ready = -1;
    if (!baseline_is_good(config))
        return SKY_EXIT_TROUBLE;
    pid_t server = start_server(config, &ready);

    if (server < 0)
        return sky_cli_fail("the server could not be started: %s", strerror(errno));
    size_t len = await_ports(ready, ports, sizeof ports);
    if (len == 0 || !export_ports(config, sky_span_of(ports, len), url, sizeof url)) {
        kill(server, SIGTERM);
        return worse(wait_for(server), SKY_EXIT_TROUBLE);
    }
    if (*url != '\0')
        export_ca(config, url, ca, sizeof ca);
    unsetenv("SKYMOCK_JSON"); /* a file here, but yes or no to what COMMAND may run of ours */
    int status = run_command(config);
    if (*url == '\0') {
        status = worse(status, sky_cli_fail("no verdict: the admin listener is off"));
    } else {
        int told = tell_events(config, url);
        status = worse(status, worse(sky_cli_ask_verdict(config, url), told));
    }
    if (*ca != '\0')
        unlink(ca);
    kill(server, SIGTERM);
    int served = wait_for(server);
    return worse(status, served != 0 ? SKY_EXIT_TROUBLE : SKY_EXIT_OK);
}
