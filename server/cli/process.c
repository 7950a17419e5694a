#include "server/cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/mem.h"
#include "server/cli/cli.h"

enum { GROUP_LOOK_MS = 10 };

/* ---- signals ---- */

bool sky_signals_open(struct sky_signals *signals)
{
    static const int heard[] = {SIGCHLD, SIGINT, SIGTERM};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < SKY_COUNT(heard); i++) {
        signal(heard[i], SIG_DFL); /* whatever whoever started us ignores */
        sigaddset(&set, heard[i]);
    }
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, &signals->before);
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals->fd >= 0;
}

int sky_signals_take(struct sky_signals *signals)
{
    struct signalfd_siginfo info;

    return read(signals->fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int sky_signals_await(struct sky_signals *signals, int64_t due_ms)
{
    struct pollfd awaited = {.fd = signals->fd, .events = POLLIN};
    int64_t left = due_ms - sky_cli_now_ms();

    (void)poll(&awaited, 1,
               due_ms == 0      ? -1
               : left <= 0      ? 0
               : left > INT_MAX ? INT_MAX
                                : (int)left);
    return sky_signals_take(signals);
}

/* ---- processes ---- */

/* Whoever is in the foreground may read the terminal, and gets its Ctrl-C. */
static void pass_terminal(const struct sky_process *process, pid_t group)
{
    if (process->terminal) {
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(STDIN_FILENO, group);
        signal(SIGTTOU, SIG_DFL);
    }
}

static void become(const struct sky_signals *signals, char *const argv[], bool reads, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(SKY_EXIT_TROUBLE);
    int nothing = reads ? -1 : open("/dev/null", O_RDONLY);
    if (nothing >= 0) { /* a terminal stops whoever reads it in the background */
        dup2(nothing, STDIN_FILENO);
        close(nothing);
    }
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, &signals->before, NULL);
    execvp(argv[0], argv);
    sky_cli_fail("%s: %s", argv[0], strerror(errno));
    _exit(SKY_PROCESS_NOT_FOUND);
}

bool sky_process_start(struct sky_process *process, const struct sky_signals *signals,
                       char *const argv[], bool terminal, int64_t timeout_ms)
{
    pid_t parent = getpid();

    *process = (struct sky_process){
        .terminal = terminal && tcgetpgrp(STDIN_FILENO) == getpgrp(),
        .due_ms = timeout_ms > 0 ? sky_cli_now_ms() + timeout_ms : 0,
    };
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(signals, argv, terminal || !isatty(STDIN_FILENO), parent);
    if (pid < 0)
        return false;
    process->pid = pid;
    setpgid(pid, pid);
    pass_terminal(process, pid);
    return true;
}

bool sky_process_runs(struct sky_process *process)
{
    int status;

    if (process->pid == 0 || process->ended)
        return false;
    pid_t pid = waitpid(process->pid, &status, WNOHANG | WUNTRACED);
    if (pid == 0)
        return true;
    if (pid > 0 && WIFSTOPPED(status)) {
        if (!process->terminal)
            return true; /* whoever stopped it goes on with it */
        /* Ctrl-Z stops us all, and fg goes on with all. */
        pass_terminal(process, getpgrp());
        raise(SIGSTOP);
        pass_terminal(process, process->pid);
        kill(-process->pid, SIGCONT);
        return true;
    }
    process->ended = true;
    process->due_ms = process->asked ? process->due_ms : 0; /* what it started may still run */
    process->status = pid < 0 ? SKY_EXIT_TROUBLE << 8 : status;
    return false;
}

void sky_process_end(struct sky_process *process, int signal)
{
    kill(-process->pid, process->asked ? SIGKILL : signal);
    kill(-process->pid, SIGCONT);
    process->asked = true;
    process->due_ms = sky_cli_now_ms() + SKY_PROCESS_GRACE_MS;
}

void sky_process_leave(struct sky_process *process)
{
    pass_terminal(process, getpgrp());
    if (process->asked)
        kill(-process->pid, SIGKILL);
}

void sky_process_adopt(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void sky_process_await_group(struct sky_process *process)
{
    while (kill(-process->pid, 0) == 0) {
        while (waitpid(-process->pid, NULL, WNOHANG) > 0)
            ;
        if (sky_process_is_due(process)) {
            kill(-process->pid, SIGKILL);
            process->due_ms = sky_cli_now_ms() + SKY_PROCESS_GRACE_MS;
        }
        (void)poll(NULL, 0, GROUP_LOOK_MS); /* there is no telling when the last one ends */
    }
    process->ended = true;
}

bool sky_process_is_due(const struct sky_process *process)
{
    return process->due_ms != 0 && sky_cli_now_ms() >= process->due_ms;
}

/* ---- how they end ---- */

int sky_process_exit(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : SKY_PROCESS_KILLED + WTERMSIG(status);
}

void sky_process_tell(int status, char out[SKY_PROCESS_TOLD_MAX])
{
    bool exited = WIFEXITED(status);

    snprintf(out, SKY_PROCESS_TOLD_MAX, "%s %d", exited ? "exit" : "signal",
             exited ? WEXITSTATUS(status) : WTERMSIG(status));
}

int sky_process_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return sky_process_exit(status);
}
