/* Preloaded into the program under test: counts its calls into the system, and lets those fail that
 * the test asks for. What it asks, and what came of it, stands in a file that both have mapped, so
 * that a test arms and heals a program that runs, and may kill it. Pages about the file's form:
 * tests/support/failing.py. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { ANY, FILES, SOCKETS };

/* One line of the file: this call, of descriptors of this kind, fails from the `from`-th time to
 * the `until`-th, with that error; `from` 0: it only counts. */
struct row {
    char name[20];
    int32_t kind;
    _Atomic int64_t calls, fired;
    int64_t from, until;
    int32_t error, unused;
};

enum { ROWS_MAX = 64 };

_Static_assert(sizeof(struct row) == 64, "as tests/support/failing.py writes it");

static struct row *rows; /* NULL: nobody asks */

__attribute__((constructor)) static void map_rows(void)
{
    const char *path = getenv("FAILING_CALLS");
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    long at = syscall(SYS_mmap, NULL, ROWS_MAX * sizeof(struct row), PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (at > 0)
        rows = (struct row *)at; // NOLINT(performance-no-int-to-ptr)
}

static enum kind kind_of(int fd)
{
    struct stat info;
    if (syscall(SYS_fstat, fd, &info) != 0)
        return ANY;
    return S_ISREG(info.st_mode) ? FILES : S_ISSOCK(info.st_mode) ? SOCKETS : ANY;
}

/* Is this call to fail? Then errno says with what. */
static bool fails(const char *name, int fd)
{
    for (struct row *row = rows; row != NULL && row < rows + ROWS_MAX && row->name[0]; row++) {
        if (strcmp(row->name, name) != 0 || (row->kind != ANY && (int32_t)kind_of(fd) != row->kind))
            continue;
        int64_t call = atomic_fetch_add(&row->calls, 1) + 1;
        if (row->from == 0 || call < row->from || call > row->until)
            continue;
        atomic_fetch_add(&row->fired, 1);
        errno = row->error;
        return true;
    }
    return false;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* CALL(what it returns, its name, what it takes, what it is given, the descriptor, when it fails)
 */
#define CALL(type, name, takes, gives, fd, failure)                                                \
    __attribute__((visibility("default"))) type name takes                                         \
    {                                                                                              \
        static __typeof__(&name) real;                                                             \
        if (real == NULL)                                                                          \
            real = REAL(name);                                                                     \
        return fails(#name, fd) ? (failure) : real gives;                                          \
    }

/* ---- files ---- */

static int opens(const char *name, int folder, const char *path, int flags, va_list args)
{
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    if (fails(name, -1))
        return -1;
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        int fd = opens("open", AT_FDCWD, path, flags, args);                                       \
        va_end(args);                                                                              \
        return fd;                                                                                 \
    }

OPEN(open)
OPEN(open64)

/* What a fortified program calls when there is no mode. */
int __open64_2(const char *path, int flags); // NOLINT(bugprone-reserved-identifier)
int __open64_2(const char *path, int flags)  // NOLINT(bugprone-reserved-identifier)
{
    return open64(path, flags);
}

#define FCNTL(name)                                                                                \
    int name(int fd, int command, ...)                                                             \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, command);                                                                   \
        void *arg = va_arg(args, void *);                                                          \
        va_end(args);                                                                              \
        return fails("fcntl", fd) ? -1 : (int)syscall(SYS_fcntl, fd, command, arg);                \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

CALL(int, mkostemp, (char *draft, int flags), (draft, flags), -1, -1)
CALL(ssize_t, read, (int fd, void *out, size_t size), (fd, out, size), fd, -1)
CALL(ssize_t, pread64, (int fd, void *out, size_t size, off64_t at), (fd, out, size, at), fd, -1)
CALL(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size), fd, -1)
CALL(ssize_t, pwrite64, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at),
     fd, -1)
CALL(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), fd, -1)
CALL(int, fsync, (int fd), (fd), fd, -1)
CALL(int, fdatasync, (int fd), (fd), fd, -1)
CALL(int, ftruncate64, (int fd, off64_t size), (fd, size), fd, -1)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), fd, -1)
CALL(int, rename, (const char *from, const char *to), (from, to), -1, -1)
CALL(int, unlink, (const char *path), (path), -1, -1)
CALL(int, access, (const char *path, int mode), (path, mode), -1, -1)
CALL(char *, realpath, (const char *path, char *out), (path, out), -1, NULL)
CALL(int, stat, (const char *path, struct stat *info), (path, info), -1, -1)
CALL(int, stat64, (const char *path, struct stat64 *info), (path, info), -1, -1)
CALL(int, lstat64, (const char *path, struct stat64 *info), (path, info), -1, -1)
CALL(int, fstat64, (int fd, struct stat64 *info), (fd, info), fd, -1)

/* The descriptor is gone all the same. */
int close(int fd)
{
    bool failed = fails("close", fd);
    int reason = errno, done = (int)syscall(SYS_close, fd);
    if (!failed)
        return done;
    errno = reason;
    return -1;
}

/* ---- sockets ---- */

CALL(int, socket, (int family, int type, int protocol), (family, type, protocol), -1, -1)
CALL(int, socketpair, (int family, int type, int protocol, int ends[2]),
     (family, type, protocol, ends), -1, -1)
CALL(int, bind, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), fd, -1)
CALL(int, listen, (int fd, int backlog), (fd, backlog), fd, -1)
CALL(int, accept4, (int fd, struct sockaddr *from, socklen_t *size, int flags),
     (fd, from, size, flags), fd, -1)
CALL(int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), fd, -1)
CALL(ssize_t, send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags), fd,
     -1)
CALL(ssize_t, recv, (int fd, void *out, size_t size, int flags), (fd, out, size, flags), fd, -1)
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), fd,
     -1)
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), fd, -1)
CALL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size), fd, -1)
CALL(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size),
     (fd, level, name, value, size), fd, -1)
CALL(int, getsockname, (int fd, struct sockaddr *own, socklen_t *size), (fd, own, size), fd, -1)
CALL(int, getpeername, (int fd, struct sockaddr *peer, socklen_t *size), (fd, peer, size), fd, -1)
CALL(int, shutdown, (int fd, int how), (fd, how), fd, -1)
CALL(int, getaddrinfo,
     (const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **result),
     (host, port, hints, result), -1, EAI_AGAIN)

/* ---- what the loop is made of ---- */

CALL(int, epoll_create1, (int flags), (flags), -1, -1)
CALL(int, epoll_ctl, (int poll, int act, int fd, struct epoll_event *event), (poll, act, fd, event),
     fd, -1)
CALL(int, eventfd, (unsigned first, int flags), (first, flags), -1, -1)
CALL(int, pipe2, (int ends[2], int flags), (ends, flags), -1, -1)
CALL(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *ctx),
     (thread, how, run, ctx), -1, errno)
CALL(void *, mmap, (void *at, size_t size, int may, int flags, int fd, off_t from),
     (at, size, may, flags, fd, from), fd, MAP_FAILED)
CALL(ssize_t, getrandom, (void *out, size_t size, unsigned flags), (out, size, flags), -1, -1)
CALL(void *, dlopen, (const char *name, int flags), (name, flags), -1, NULL)
