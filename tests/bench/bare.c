/* What the system alone takes: a loop over epoll that reads, forwards and writes MQTT packets, and
 * does nothing else. No login is checked, no topic is held against rights, nothing is recorded, no
 * packet is doubted: what the load of `./dev bench` says is all that it understands. What skymock
 * takes beyond this is skymock's own; a goal below this cannot be reached on that machine.
 *
 *   bare PORT */
#include "frames.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 1024,
    READ_MAX = 64 * 1024,
    TOPICS = 1 << 14 /* more than the load subscribes to */,
    PEERS_MAX = 1 << 16,
    BACKLOG = 1024
};

struct peer {
    char *kept, *out; /* owned: half a packet; what is written at the end of the turn */
    size_t kept_len, out_len, out_room;
    uint16_t last_id;
    bool dirty;
};

struct topic {
    char *name; /* owned; NULL: nobody has subscribed to what hashes there */
    size_t name_len, count;
    int *receivers; /* owned; file descriptors */
};

static struct peer peers[PEERS_MAX]; /* by file descriptor */
static struct topic topics[TOPICS];
static int dirty[PEERS_MAX], dirty_count, loop;

__attribute__((noreturn)) static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Its place, or the free one where it belongs. */
static struct topic *topic_of(const uint8_t *name, size_t len)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ name[i]) * 1099511628211u;
    struct topic *topic = &topics[hash % TOPICS];
    while (topic->name != NULL && (topic->name_len != len || memcmp(topic->name, name, len) != 0))
        topic = topic + 1 < topics + TOPICS ? topic + 1 : topics;
    return topic;
}

static char *room(int fd, size_t len)
{
    struct peer *peer = &peers[fd];
    if (!peer->dirty)
        dirty[dirty_count++] = fd;
    peer->dirty = true;
    if (peer->out_len + len > peer->out_room) {
        peer->out_room = (peer->out_len + len) * 2;
        peer->out = realloc(peer->out, peer->out_room);
        if (peer->out == NULL)
            fail("realloc");
    }
    return peer->out + peer->out_len;
}

static void answer(int fd, uint8_t first, const char *body, size_t len)
{
    peers[fd].out_len += frame(room(fd, len + 5), first, body, len);
}

static void on_subscribe(int fd, const uint8_t *at)
{
    size_t len = (size_t)at[2] << 8 | at[3];
    struct topic *topic = topic_of(at + 4, len);
    if (topic->name == NULL) {
        topic->name = strndup((const char *)at + 4, len);
        topic->name_len = len;
    }
    topic->receivers = realloc(topic->receivers, (topic->count + 1) * sizeof *topic->receivers);
    if (topic->name == NULL || topic->receivers == NULL)
        fail("out of memory");
    topic->receivers[topic->count++] = fd;
    answer(fd, 0x90, (const char[]){(char)at[0], (char)at[1], (char)at[4 + len]}, 3);
}

static void on_publish(int fd, uint8_t first, const uint8_t *packet, const uint8_t *at,
                       const uint8_t *end)
{
    size_t topic_len = (size_t)at[0] << 8 | at[1], size = (size_t)(end - packet);
    const uint8_t *id = at + 2 + topic_len;
    const struct topic *topic = topic_of(at + 2, topic_len);
    for (size_t i = 0; i < topic->count; i++) {
        struct peer *to = &peers[topic->receivers[i]];
        char *out = room(topic->receivers[i], size);
        memcpy(out, packet, size);
        to->out_len += size;
        if ((first & 6) == 0)
            continue;
        to->last_id = to->last_id == UINT16_MAX ? 1 : to->last_id + 1;
        out[id - packet] = (char)(to->last_id >> 8);
        out[id - packet + 1] = (char)to->last_id;
    }
    if ((first & 6) != 0)
        answer(fd, 0x40, (const char *)id, 2);
}

static void on_packet(int fd, const uint8_t *packet, const uint8_t *at, const uint8_t *end)
{
    switch (*packet >> 4) {
    case 1:
        answer(fd, 0x20, "\0\0", 2);
        break;
    case 3:
        on_publish(fd, *packet, packet, at, end);
        break;
    case 8:
        on_subscribe(fd, at);
        break;
    case 12:
        answer(fd, 0xd0, NULL, 0);
        break;
    }
}

static void on_readable(int fd)
{
    static uint8_t bytes[2 * READ_MAX + PEERS_MAX];
    struct peer *peer = &peers[fd];
    if (peer->kept_len > 0)
        memcpy(bytes, peer->kept, peer->kept_len);
    ssize_t got = read(fd, bytes + peer->kept_len, READ_MAX);
    if (got <= 0) {
        peer->kept_len = peer->out_len = 0;
        close(fd);
        return;
    }
    const uint8_t *at = bytes, *end = bytes + peer->kept_len + got, *body, *next = NULL;
    while (at < end && (body = body_of(at, end, &next)) != NULL) {
        on_packet(fd, at, body, next);
        at = next;
    }
    peer->kept_len = (size_t)(end - at);
    if (peer->kept_len == 0)
        return;
    peer->kept = realloc(peer->kept, peer->kept_len);
    if (peer->kept == NULL || peer->kept_len > READ_MAX)
        fail("a packet that is not whole");
    memcpy(peer->kept, at, peer->kept_len);
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= PEERS_MAX || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
}

static void on_waiting(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        watch(fd);
}

/* The kernel has room: no load lets more wait than that. */
static void flush(void)
{
    for (int i = 0; i < dirty_count; i++) {
        struct peer *peer = &peers[dirty[i]];
        if (peer->out_len > 0 && write(dirty[i], peer->out, peer->out_len) < (ssize_t)peer->out_len)
            fail("write");
        peer->out_len = 0;
        peer->dirty = false;
    }
    dirty_count = 0;
}

int main(int argc, char **argv)
{
    static const int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "0")),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* peers inherit it */
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, BACKLOG) != 0)
        fail("listen");
    loop = epoll_create1(0);
    watch(listener);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(loop, events, EVENTS, -1);
        for (int i = 0; i < count; i++)
            (events[i].data.fd == listener ? on_waiting : on_readable)(events[i].data.fd);
        flush();
    }
}
