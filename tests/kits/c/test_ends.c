/* A server that the kit started lives as long as the test wants, and no longer than the test. No
 * framework: what a program for plain CTest looks like. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mqtt.h"
#include "skymock.h"

#define CHECK(truth)                                                                               \
    do {                                                                                           \
        if (!(truth))                                                                              \
            SKYMOCK_FAIL(#truth);                                                                  \
    } while (0)

enum { PATIENCE_MS = 5000, LOOK_MS = 5 };

/* How a test process ends. */
static void is_killed(void)
{
    kill(getpid(), SIGKILL);
}

static void aborts(void)
{
    abort();
}

static void returns(void)
{
    exit(0);
}

/* As SKYMOCK_ASSERT() does of itself. */
static void asserts(void)
{
    struct skymock server;
    if (freopen("/dev/null", "w", stderr) == NULL)
        exit(0);
    SKYMOCK_ASSERT(skymock_start(&server, NULL));
    SKYMOCK_ASSERT(skymock_ask(&server, "GET", "nothing"));
}

/* Starts a server in a process that ends so, with its listener and folder gone soon. */
static void ends_with(void (*how)(void), int signal)
{
    struct told {
        int port;
        char dir[SKYMOCK_TEXT_MAX];
    } told;
    struct skymock server;
    struct stat info;
    int ends[2], status, left = PATIENCE_MS, fd;

    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        SKYMOCK_ASSERT(skymock_start(&server, NULL));
        told.port = skymock_port(&server, "mqtt");
        memcpy(told.dir, server.dir, sizeof told.dir);
        CHECK(write(ends[1], &told, sizeof told) == sizeof told);
        how();
    }
    CHECK(read(ends[0], &told, sizeof told) == sizeof told);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(signal == 0 ? WIFEXITED(status) : WIFSIGNALED(status) && WTERMSIG(status) == signal);
    for (; (fd = tcp_connect(told.port)) >= 0 && left > 0; left -= LOOK_MS) {
        close(fd);
        (void)poll(NULL, 0, LOOK_MS);
    }
    for (; stat(told.dir, &info) == 0 && left > 0; left -= LOOK_MS)
        (void)poll(NULL, 0, LOOK_MS);
    CHECK(left > 0);
    close(ends[0]);
    close(ends[1]);
}

static void *start(void *server)
{
    SKYMOCK_ASSERT(skymock_start((struct skymock *)server, NULL));
    return NULL;
}

/* The thread that started it may end; of two, each ends when it is told, whoever holds its pair. */
static void lives_until_it_is_stopped(void)
{
    struct skymock one, other;
    pthread_t thread;
    int ports[2];
    CHECK(pthread_create(&thread, NULL, start, &one) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    start(&other);
    pid_t pid = fork();
    if (pid == 0)
        pause();
    ports[0] = skymock_port(&one, "mqtt");
    ports[1] = skymock_port(&other, "mqtt");
    CHECK(skymock_ask(&one, "GET", "/ready") == 0);
    skymock_stop(&one);
    CHECK(tcp_connect(ports[0]) < 0);
    CHECK(skymock_ask(&other, "GET", "/ready") == 0);
    skymock_stop(&other);
    CHECK(tcp_connect(ports[1]) < 0);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

/* A server that is only connected to is found as `skymock exec` tells it, and is not ended. */
static void is_found_by_the_environment(void)
{
    static const char *const told[] = {"SKYMOCK_URL", "SKYMOCK_ADMIN_TOKEN", "SKYMOCK_HOST",
                                       "SKYMOCK_PORT_ENOS_MQTT"};
    struct skymock own, found;
    char port[16];
    const struct skymock_options with_token = {.token = "t0ken"};
    SKYMOCK_ASSERT(skymock_start(&own, &with_token));
    setenv("SKYMOCK_URL", own.url, 1);
    CHECK(skymock_start(&found, NULL) == -1 && strstr(found.why, "401") != NULL);
    setenv("SKYMOCK_ADMIN_TOKEN", "t0ken", 1);
    setenv("SKYMOCK_HOST", "board.test", 1);
    setenv("SKYMOCK_PORT_ENOS_MQTT", "4711", 1);
    SKYMOCK_ASSERT(skymock_start(&found, NULL));
    CHECK(strcmp(found.host, "board.test") == 0);
    CHECK(skymock_port(&found, "enos-mqtt") == 4711);
    CHECK(skymock_port(&found, "mqtt") == skymock_port(&own, "mqtt"));
    snprintf(port, sizeof port, ":%d", skymock_port(&found, "admin"));
    CHECK(strstr(found.url, port) != NULL);
    CHECK(skymock_ca_file(&found) != NULL && access(found.ca_file, R_OK) == 0);
    skymock_stop(&found);
    CHECK(access(found.ca_file, R_OK) != 0);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        unsetenv(told[i]); /* or servers that are started take them for options */
    SKYMOCK_ASSERT(skymock_ask(&own, "GET", "/ready"));
    skymock_stop(&own);
}

/* Without SKYMOCK the program is looked for on PATH, also in its later folders; a folder of that
 * name is none. */
static void is_found_on_the_path(void)
{
    struct skymock server;
    const char *program = getenv("SKYMOCK"), *base = program != NULL ? strrchr(program, '/') : NULL;
    const char *const name = base != NULL ? base + 1 : "skymock";
    char path[4096];
    const struct skymock_options options = {.program = name};
    if (base != NULL) {
        char folder[] = "/tmp/skymock-path-XXXXXX", inner[64];
        CHECK(mkdtemp(folder) != NULL);
        snprintf(inner, sizeof inner, "%s/%s", folder, name);
        CHECK(mkdir(inner, 0700) == 0);
        snprintf(path, sizeof path, "/no/such/folder::%s:%.*s", folder, (int)(base - program),
                 program);
        setenv("PATH", path, 1);
        SKYMOCK_ASSERT(skymock_start(&server, &options));
        CHECK(rmdir(inner) == 0 && rmdir(folder) == 0);
    } else {
        SKYMOCK_ASSERT(skymock_start(&server, &options));
    }
    skymock_stop(&server);
}

/* Options that the program refuses are told in its words. */
static void is_told_what_was_wrong(void)
{
    static const char *const arguments[] = {"--no-such-option", NULL};
    const struct skymock_options options = {.arguments = arguments},
                                 missing = {.fixtures = "/no/such/folder"};
    struct skymock server;
    CHECK(skymock_start(&server, &options) == -1);
    if (strstr(server.why, "no-such-option") == NULL)
        SKYMOCK_FAIL(server.why);
    CHECK(skymock_start(&server, &missing) == -1);
    if (strstr(server.why, "/no/such/folder") == NULL)
        SKYMOCK_FAIL(server.why);

    static const char fixture[] = "{\"products\": [{\"cloud\": \"aliyun\"}, {\"cloud\": \"no\"}]}";
    char path[] = "/tmp/skymock-fixture-XXXXXX", check[128];
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, fixture, strlen(fixture)) == (ssize_t)strlen(fixture));
    close(fd);
    const struct skymock_options bad = {.fixtures = path};
    snprintf(check, sizeof check, "(skymock check %s has all 2 errors)\n", path);
    CHECK(skymock_start(&server, &bad) == -1);
    (void)unlink(path);
    if (strstr(server.why, "is missing") == NULL || strstr(server.why, check) == NULL)
        SKYMOCK_FAIL(server.why);
}

/* One that ended by itself, as when it is killed with its keeper. */
static void has_ended(void)
{
    struct skymock server;
    int left = PATIENCE_MS;
    SKYMOCK_ASSERT(skymock_start(&server, NULL));
    CHECK(kill((pid_t)server.keeper, SIGKILL) == 0);
    while (skymock_ask(&server, "GET", "/ready") == 0 && (left -= LOOK_MS) > 0)
        (void)poll(NULL, 0, LOOK_MS);
    CHECK(strstr(server.why, "skymock has ended") != NULL);
    CHECK(strstr(server.why, "skymock is ready") != NULL);
    skymock_stop(&server);
    CHECK(access(server.files[0], R_OK) != 0);
}

int main(void)
{
    unsetenv("SKYMOCK_URL");
    ends_with(is_killed, SIGKILL);
    ends_with(aborts, SIGABRT);
    ends_with(asserts, SIGABRT);
    ends_with(returns, 0);
    lives_until_it_is_stopped();
    is_found_by_the_environment();
    is_told_what_was_wrong();
    has_ended();
    is_found_on_the_path();
    return 0;
}
