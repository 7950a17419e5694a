/* The load of `./dev bench`: many MQTT devices in one thread, as fast as the server lets them.
 *
 *   load MODE PORT CREDENTIALS CONNECTIONS MESSAGES SIZE WINDOW
 *
 * MODE connect  connects everybody, WINDOW at a time, and reports that
 *      idle     the same, then says so and stays until standard input closes
 *      pub0     everybody publishes MESSAGES at QoS 0 in batches of WINDOW
 *      pub1     everybody publishes MESSAGES at QoS 1, WINDOW of them unacknowledged
 *      fanout   everybody subscribes; the first publishes MESSAGES, at most WINDOW under way
 *
 * CREDENTIALS has one device a line: client id, user name, password, topic, with tabs between.
 * Prints items and seconds as JSON. A message lost is a run that never ends: the caller has a
 * time limit. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mode { CONNECT, IDLE, PUB0, PUB1, FANOUT, MODES };
static const char *const mode_names[MODES] = {"connect", "idle", "pub0", "pub1", "fanout"};

enum { FIELDS = 4, FIELD_MAX = 512, OUT_MAX = 512 * 1024, READ_MAX = 256 * 1024, EVENTS = 256 };
enum { KEEPALIVE_S = 300, TAIL_MAX = 64 };

enum stage { OPENING, JOINING, READY, DRAINING, DONE };

struct peer {
    int fd;
    enum stage stage;
    char *fields[FIELDS]; /* client id, user name, password, topic */
    char *out;            /* owned; what the kernel has not taken yet */
    size_t out_len, out_room;
    uint32_t sent, acked;
    uint32_t watched; /* epoll events asked for */
    /* The packet that is being received. */
    uint8_t type, body[4];
    uint32_t left, seen;
    int shift; /* of the next length digit; -1: within the body */
};

static struct {
    enum mode mode;
    int epoll, peer_count, window;
    uint32_t messages;
    size_t size;
    struct sockaddr_in server;
    struct peer *peers;
    int opened, ready, done;
    uint64_t delivered;
    struct timespec start;
} load;

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* ---- packets ---- */

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);
    *at++ = (char)(len >> 8);
    *at++ = (char)len;
    memcpy(at, text, len);
    return at + len;
}

static size_t frame(char *out, uint8_t first, const char *body, size_t len)
{
    char *at = out;
    size_t rest = len;
    *at++ = (char)first;
    do {
        *at++ = (char)((rest & 127) | (rest > 127 ? 128 : 0));
        rest >>= 7;
    } while (rest > 0);
    memcpy(at, body, len);
    return (size_t)(at - out) + len;
}

static size_t put_connect(char *out, const struct peer *peer)
{
    char body[4 * FIELD_MAX + 16] = "\0\4MQTT\4\xc2";
    body[8] = (char)(KEEPALIVE_S >> 8);
    body[9] = (char)KEEPALIVE_S;
    char *at = body + 10;
    for (int i = 0; i < 3; i++)
        at = put_text(at, peer->fields[i]);
    return frame(out, 0x10, body, (size_t)(at - body));
}

static size_t put_subscribe(char *out, const char *filter)
{
    char body[FIELD_MAX + 8] = "\0\1";
    char *at = put_text(body + 2, filter);
    *at++ = 0;
    return frame(out, 0x82, body, (size_t)(at - body));
}

static size_t put_publish(char *out, const struct peer *peer, int qos, uint16_t id)
{
    static char body[OUT_MAX / 2];
    char *at = put_text(body, peer->fields[3]);
    if (qos > 0) {
        *at++ = (char)(id >> 8);
        *at++ = (char)id;
    }
    memset(at, 'x', load.size);
    return frame(out, (uint8_t)(0x30 | qos << 1), body, (size_t)(at - body) + load.size);
}

/* ---- output ---- */

static void watch(struct peer *peer, uint32_t events, int how)
{
    if (how == EPOLL_CTL_MOD && events == peer->watched)
        return;
    peer->watched = events;
    struct epoll_event event = {.events = events, .data.ptr = peer};
    if (epoll_ctl(load.epoll, how, peer->fd, &event) != 0)
        die("epoll_ctl");
}

static void flush(struct peer *peer)
{
    ssize_t sent = send(peer->fd, peer->out, peer->out_len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        die("send");
    if (sent > 0) {
        peer->out_len -= (size_t)sent;
        memmove(peer->out, peer->out + sent, peer->out_len);
    }
    bool more = peer->out_len > 0 ||
                (load.mode == PUB0 && peer->stage == READY && peer->sent < load.messages);
    watch(peer, EPOLLIN | (more ? EPOLLOUT : 0), EPOLL_CTL_MOD);
}

static char *room(struct peer *peer, size_t len)
{
    if (peer->out_len + len > peer->out_room) {
        peer->out_room = (peer->out_len + len) * 2;
        peer->out = realloc(peer->out, peer->out_room);
        if (peer->out == NULL)
            die("realloc");
    }
    return peer->out + peer->out_len;
}

/* ---- the life of a peer ---- */

static void open_next(void)
{
    static const int yes = 1;
    struct peer *peer = &load.peers[load.opened++];
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (peer->fd < 0)
        die("socket");
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(peer->fd, (struct sockaddr *)&load.server, sizeof load.server) != 0 &&
        errno != EINPROGRESS)
        die("connect");
    watch(peer, EPOLLOUT, EPOLL_CTL_ADD);
}

static void finish(struct peer *peer)
{
    peer->stage = DONE;
    load.done++;
}

static void become_ready(struct peer *peer)
{
    peer->stage = READY;
    load.ready++;
    if (load.opened < load.peer_count)
        open_next();
    if (load.mode == CONNECT)
        finish(peer);
}

/* Messages this peer may have sent by now. */
static uint64_t allowance(const struct peer *peer)
{
    uint64_t window = (uint64_t)load.window;
    if (load.mode == PUB1)
        return peer->acked + window;
    if (load.mode == FANOUT)
        return peer == load.peers ? load.delivered / (uint64_t)load.peer_count + window : 0;
    return peer->out_len == 0 ? peer->sent + window : peer->sent;
}

static void publish_some(struct peer *peer)
{
    uint64_t limit = allowance(peer);
    if (limit > load.messages)
        limit = load.messages;
    while (peer->sent < limit) {
        peer->sent++;
        int qos = load.mode == PUB1 ? 1 : 0;
        char *at = room(peer, load.size + FIELD_MAX + TAIL_MAX);
        peer->out_len += put_publish(at, peer, qos, (uint16_t)(peer->sent % 65535 + 1));
    }
    if (load.mode == PUB0 && peer->sent == load.messages) {
        peer->out_len += frame(room(peer, TAIL_MAX), 0xc0, NULL, 0);
        peer->stage = DRAINING; /* PINGRESP comes after everything was taken */
    }
    if (peer->out_len > 0)
        flush(peer);
}

static void on_packet(struct peer *peer)
{
    switch (peer->type >> 4) {
    case 2: /* CONNACK */
        if (peer->body[1] != 0) {
            fprintf(stderr, "load: %s refused with %d\n", peer->fields[0], peer->body[1]);
            exit(1);
        }
        if (load.mode != FANOUT) {
            become_ready(peer);
            break;
        }
        peer->out_len += put_subscribe(room(peer, FIELD_MAX + TAIL_MAX), peer->fields[3]);
        flush(peer);
        break;
    case 3:
        load.delivered++;
        break;
    case 4:
        peer->acked++;
        if (peer->acked == load.messages)
            finish(peer);
        break;
    case 9:
        if (peer->body[2] > 2) {
            fprintf(stderr, "load: %s may not subscribe\n", peer->fields[0]);
            exit(1);
        }
        become_ready(peer);
        break;
    case 13:
        finish(peer);
        break;
    default:
        fprintf(stderr, "load: unexpected packet %02x\n", peer->type);
        exit(1);
    }
}

/* One step of the receiver: a byte of the header, or as much of the body as is there. */
static const uint8_t *step(struct peer *peer, const uint8_t *at, const uint8_t *end)
{
    if (peer->shift >= 0) {
        if (peer->type == 0) {
            peer->type = *at++;
            peer->left = peer->seen = 0;
            return at;
        }
        peer->left |= (uint32_t)(*at & 127) << peer->shift;
        peer->shift = *at++ & 128 ? peer->shift + 7 : -1;
    } else {
        uint32_t take = peer->left < end - at ? peer->left : (uint32_t)(end - at);
        for (uint32_t i = 0; i < take && peer->seen + i < sizeof peer->body; i++)
            peer->body[peer->seen + i] = at[i];
        peer->seen += take;
        peer->left -= take;
        at += take;
    }
    if (peer->shift < 0 && peer->left == 0) {
        on_packet(peer);
        peer->type = 0;
        peer->shift = 0;
    }
    return at;
}

static void on_readable(struct peer *peer)
{
    static uint8_t bytes[READ_MAX];
    ssize_t got = recv(peer->fd, bytes, sizeof bytes, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        fprintf(stderr, "load: the server closed %s\n", peer->fields[0]);
        exit(1);
    }
    const uint8_t *at = bytes;
    while (got > 0 && at < bytes + got)
        at = step(peer, at, bytes + got);
}

static void on_writable(struct peer *peer)
{
    if (peer->stage == OPENING) {
        peer->stage = JOINING;
        peer->out_len = put_connect(room(peer, 4 * FIELD_MAX), peer);
    }
    if (peer->out_len > 0)
        flush(peer);
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(load.epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
        struct peer *peer = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            on_writable(peer);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            on_readable(peer);
        if (peer->stage == READY && load.ready == load.peer_count)
            publish_some(peer);
    }
    if (load.mode == FANOUT && load.ready == load.peer_count)
        publish_some(load.peers);
}

/* ---- the whole ---- */

static void read_credentials(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[FIELDS * FIELD_MAX];
    if (file == NULL)
        die(path);
    for (int i = 0; i < load.peer_count; i++) {
        if (fgets(line, sizeof line, file) == NULL)
            die("too few credentials");
        char *rest = line;
        for (int field = 0; field < FIELDS; field++) {
            char *word = strsep(&rest, "\t\n");
            load.peers[i].fields[field] = strdup(word != NULL ? word : "");
            if (word == NULL || strlen(word) >= FIELD_MAX)
                die("a malformed line of credentials");
        }
    }
    fclose(file);
}

static void parse(char **argv)
{
    while (load.mode < MODES && strcmp(mode_names[load.mode], argv[1]) != 0)
        load.mode++;
    load.server = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)atoi(argv[2])),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    load.peer_count = atoi(argv[4]);
    load.messages = (uint32_t)atoi(argv[5]);
    load.size = (size_t)atoi(argv[6]);
    load.window = atoi(argv[7]);
    if (load.mode == MODES || load.peer_count < 1 || load.window < 1 || load.size > OUT_MAX / 4) {
        fputs("load: bad arguments\n", stderr);
        exit(2);
    }
    load.peers = calloc((size_t)load.peer_count, sizeof *load.peers);
    read_credentials(argv[3]);
}

static void connect_all(void)
{
    int width = load.mode == CONNECT || load.mode == IDLE ? load.window : 64;
    clock_gettime(CLOCK_MONOTONIC, &load.start);
    while (load.opened < load.peer_count && load.opened < width)
        open_next();
    while (load.ready < load.peer_count)
        turn();
}

/* Returns the number of items. */
static uint64_t publish_all(void)
{
    uint64_t peers = (uint64_t)load.peer_count, items = peers * load.messages;
    clock_gettime(CLOCK_MONOTONIC, &load.start);
    for (int i = 0; i < load.peer_count; i++)
        publish_some(&load.peers[i]);
    while (load.mode == FANOUT ? load.delivered < items : load.done < load.peer_count)
        turn();
    return items;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc != 8) {
        fputs("load MODE PORT CREDENTIALS CONNECTIONS MESSAGES SIZE WINDOW\n", stderr);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    parse(argv);
    load.epoll = epoll_create1(0);
    connect_all();
    uint64_t items = (uint64_t)load.peer_count;
    double seconds = seconds_since(&load.start);
    if (load.mode == IDLE) {
        puts("idle");
        fflush(stdout);
        (void)getchar();
    } else if (load.mode != CONNECT) {
        puts("connected");
        fflush(stdout);
        (void)getchar(); /* the caller reads the server's CPU time here */
        items = publish_all();
        seconds = seconds_since(&load.start);
    }
    printf("{\"items\": %llu, \"seconds\": %.6f}\n", (unsigned long long)items, seconds);
    return 0;
}
