/* Commands as child processes, each in a process group of its own, so that all it starts can be
 * ended with it; and the signals that whoever runs them waits for. Knows nothing of servers. */
#ifndef SKY_SERVER_CLI_PROCESS_H
#define SKY_SERVER_CLI_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SKY_PROCESS_NOT_FOUND = 127, /* as a shell says it */
    SKY_PROCESS_KILLED = 128,    /* likewise, and the signal's number */
    SKY_PROCESS_TIMED_OUT = 124, /* as timeout(1) says it */
    SKY_PROCESS_GRACE_MS = 2000, /* between asking a command to end and ending it */
    SKY_PROCESS_TOLD_MAX = 64,   /* bytes of how it ended */
};

/* The end of a child, and the wish of a person or a CI to end it all, as something to poll. */
struct sky_signals {
    int fd;          /* readable when there is one; -1: could not be opened */
    sigset_t before; /* what was blocked before: the children's */
};

/* From here on they are blocked, for good. False with errno. */
bool sky_signals_open(struct sky_signals *signals);
/* The next one's number; 0: none waits. Waits for it until `due_ms` (0: for ever). */
int sky_signals_await(struct sky_signals *signals, int64_t due_ms);
int sky_signals_take(struct sky_signals *signals);

struct sky_process {
    pid_t pid;      /* and its group's; 0: none was started */
    bool terminal;  /* it has the terminal that we had */
    bool asked;     /* to end */
    bool ended;     /* `status` is there */
    int64_t due_ms; /* when more is to be done about it, by sky_cli_now_ms(); 0: never */
    int status;     /* as waitpid() has it */
};

/* Runs `argv`, which ends with NULL, with our environment; it may take `timeout_ms` (0: as long as
 * it likes), and then falls due. With `terminal` it has ours if we have it: whoever is in the
 * foreground may read it, and gets its Ctrl-C; without, a terminal is not read. It is asked to end
 * when we die. False with errno. */
bool sky_process_start(struct sky_process *process, const struct sky_signals *signals,
                       char *const argv[], bool terminal, int64_t timeout_ms);
/* Looks whether it has ended; false once it has, and when there is none. */
bool sky_process_runs(struct sky_process *process);
/* Asks it, and all it started, to end, which they have the grace for; asked again, they end. */
void sky_process_end(struct sky_process *process, int signal);
/* Once it has ended: takes the terminal back, and with a command that was asked to end, ends what
 * is left of its group. */
void sky_process_leave(struct sky_process *process);

/* From now on what a command leaves behind is a child of ours. */
void sky_process_adopt(void);
/* Asked to end: returns when all of its group have ended, or were ended. */
void sky_process_await_group(struct sky_process *process);

bool sky_process_is_due(const struct sky_process *process);

/* How a child ended, as a shell has it. */
int sky_process_exit(int status);
/* The same in words: "exit 3", "signal 9". */
void sky_process_tell(int status, char out[SKY_PROCESS_TOLD_MAX]);
/* Waits for a child that will end; its exit as a shell has it, -1 when there is none. */
int sky_process_wait(pid_t pid);

#endif
