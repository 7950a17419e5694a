/* The load of `./dev bench`: many MQTT devices in one thread, as fast as the server lets them.
 *
 *   load MODE NAME=VALUE...
 *
 * MODE connect  connects everybody, `window` at a time
 *      idle     the same; tells the server's memory before, and after each `step` devices
 *      pub      everybody publishes `messages`
 *      pairs    the first half publishes, each of it to its one of the second half
 *      fanout   everybody subscribes, the first publishes
 *      post     everybody publishes, and is answered each message by its "id"
 *      rate     as pairs, but by the clock: `rate` messages a second of all together
 *
 * port, pid    of the server
 * credentials  one device a line: client id, user name, password, topic to publish to, filter to
 *              subscribe to, with tabs between
 * devices, messages (of each that publishes), qos (of messages and subscriptions)
 * window       messages of a publisher that are not acknowledged, delivered or answered yet
 * batch        of them are sent together, in one piece
 * warm         messages of each that come before, and are not measured
 * payload      its ######## becomes the number of the message, its @@@@@@@@@@@@@@@@ the time when
 *              it was due
 *
 * Whatever is delivered, acknowledged or answered has to be the next in number: what is lost,
 * duplicated or out of order ends the run with exit status 1, as does a server that closes. What is
 * only published has arrived when a PINGREQ behind it is answered. A message that never comes is a
 * run that does not end: the caller has a time limit. Prints JSON. */
#include "frames.h"
#include "served.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum mode { CONNECT, IDLE, PUB, PAIRS, FANOUT, POST, RATE, MODES };
static const char *const mode_names[MODES] = {"connect", "idle", "pub", "pairs",
                                              "fanout",  "post", "rate"};

enum { CLIENT_ID, USER, PASSWORD, TOPIC, FILTER, FIELDS };
enum { FIELD_MAX = 512, PAYLOAD_MAX = 64 * 1024, READ_MAX = 256 * 1024, EVENTS = 256 };
enum { KEEPALIVE_S = 300, TAIL_MAX = 64, JOIN_WIDTH = 64 };
enum { NUMBER_LEN = 8, TIME_LEN = 16, IDS = 65535 };

enum stage { OPENING, JOINING, READY };

struct peer {
    int fd;
    enum stage stage;
    uint32_t watched; /* epoll events asked for */
    char *fields[FIELDS];
    struct peer *feed; /* whose messages it gets; NULL: its own, if any */
    char *out, *carry; /* owned; what the kernel has not taken; half a packet */
    size_t out_len, out_room, carry_len;
    char *packet; /* owned; its PUBLISH, where number, time and id are put */
    size_t packet_len, id_at, number_at, time_at; /* 0: none */
    uint32_t sent, acked, delivered;              /* delivered: its messages, to all who get them */
    uint32_t got;                                 /* messages or answers to it */
};

static struct {
    enum mode mode;
    int epoll;
    uint64_t port, pid, devices, messages, qos, window, batch, rate, step, warm;
    const char *credentials, *payload;
    struct sockaddr_in server;
    struct peer *peers;
    uint64_t publishers, opened, joined, pongs, delivered, answered, acked;
    uint64_t began_ns, due, *taken_ns, *late_ns; /* by rate: what is due next; of each message */
    bool over;                                   /* all has come: nothing more may */
} load = {.window = 1, .batch = 1, .step = 1000};

/* ---- packets ---- */

static char *put_text(char *at, const char *text, size_t len)
{
    *at++ = (char)(len >> 8);
    *at++ = (char)len;
    memcpy(at, text, len);
    return at + len;
}

static size_t put_connect(char *out, const struct peer *peer)
{
    char body[4 * FIELD_MAX + 16] = "\0\4MQTT\4";
    body[7] = peer->fields[USER][0] != '\0' ? '\xc2' : '\2';
    body[8] = (char)(KEEPALIVE_S >> 8);
    body[9] = (char)KEEPALIVE_S;
    char *at = body + 10;
    for (int i = CLIENT_ID; i <= (body[7] == '\2' ? CLIENT_ID : PASSWORD); i++)
        at = put_text(at, peer->fields[i], strlen(peer->fields[i]));
    return frame(out, 0x10, body, (size_t)(at - body));
}

static size_t put_subscribe(char *out, const char *filter)
{
    char body[FIELD_MAX + 8] = "\0\1";
    char *at = put_text(body + 2, filter, strlen(filter));
    *at++ = (char)load.qos;
    return frame(out, 0x82, body, (size_t)(at - body));
}

static size_t mark_at(const char *payload, const char *mark, size_t before)
{
    const char *found = strstr(payload, mark);
    return found != NULL ? before + (size_t)(found - payload) : 0;
}

static void make_packet(struct peer *peer)
{
    static char body[FIELD_MAX + PAYLOAD_MAX + 8];
    size_t len = strlen(load.payload);
    char *at = put_text(body, peer->fields[TOPIC], strlen(peer->fields[TOPIC]));
    if (load.qos > 0)
        at += 2;
    memcpy(at, load.payload, len);
    size_t rest = (size_t)(at - body) + len;
    peer->packet = malloc(rest + TAIL_MAX);
    peer->packet_len = frame(peer->packet, (uint8_t)(0x30 | load.qos << 1), body, rest);
    size_t before = peer->packet_len - len;
    peer->id_at = load.qos > 0 ? before - 2 : 0;
    peer->number_at = mark_at(load.payload, "########", before);
    peer->time_at = mark_at(load.payload, "@@@@@@@@@@@@@@@@", before);
}

static void put_number(char *at, uint64_t number, int digits)
{
    while (digits-- > 0) {
        at[digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

static uint64_t get_number(const uint8_t *at, int digits)
{
    uint64_t number = 0;
    for (int i = 0; i < digits; i++)
        number = number * 10 + (uint64_t)(at[i] - '0');
    return number;
}

/* ---- output ---- */

static void watch(struct peer *peer, uint32_t events, int how)
{
    if (how == EPOLL_CTL_MOD && events == peer->watched)
        return;
    peer->watched = events;
    struct epoll_event event = {.events = events, .data.ptr = peer};
    if (epoll_ctl(load.epoll, how, peer->fd, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
}

/* At QoS 0 nothing comes back: whoever has more to say goes on when there is room. */
static bool goes_on(const struct peer *peer)
{
    return load.mode == PUB && load.qos == 0 && peer->sent > 0 && peer->sent < load.messages;
}

static void flush(struct peer *peer)
{
    if (peer->out_len > 0) {
        ssize_t sent = send(peer->fd, peer->out, peer->out_len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            fail("send: %s", strerror(errno));
        if (sent > 0) {
            peer->out_len -= (size_t)sent;
            memmove(peer->out, peer->out + sent, peer->out_len);
        }
    }
    bool more = peer->out_len > 0 || goes_on(peer);
    watch(peer, EPOLLIN | (more ? EPOLLOUT : 0), EPOLL_CTL_MOD);
}

static char *room(struct peer *peer, size_t len)
{
    if (peer->out_len + len > peer->out_room) {
        peer->out_room = (peer->out_len + len) * 2;
        peer->out = realloc(peer->out, peer->out_room);
        if (peer->out == NULL)
            fail("out of memory");
    }
    return peer->out + peer->out_len;
}

static void ping(struct peer *peer)
{
    peer->out_len += frame(room(peer, TAIL_MAX), 0xc0, NULL, 0);
}

/* ---- what a peer publishes ---- */

static void publish(struct peer *peer, uint64_t due_ns)
{
    char *at = room(peer, peer->packet_len);
    memcpy(at, peer->packet, peer->packet_len);
    peer->out_len += peer->packet_len;
    uint32_t id = peer->sent % IDS + 1;
    if (peer->id_at > 0) {
        at[peer->id_at] = (char)(id >> 8);
        at[peer->id_at + 1] = (char)id;
    }
    if (peer->number_at > 0)
        put_number(at + peer->number_at, peer->sent, NUMBER_LEN);
    if (peer->time_at > 0)
        put_number(at + peer->time_at, due_ns, TIME_LEN);
    peer->sent++;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Messages this peer may have sent by now. */
static uint64_t allowance(const struct peer *peer)
{
    uint64_t back = peer->sent;
    switch (load.mode) {
    case PUB:
        if (load.qos == 0)
            return peer->out_len == 0 ? peer->sent + load.window : peer->sent;
        back = peer->acked;
        break;
    case PAIRS:
        back = least(peer->delivered, load.qos > 0 ? peer->acked : peer->delivered);
        break;
    case FANOUT:
        back = peer->delivered / load.devices;
        break;
    case POST:
        back = least(peer->got, load.qos > 0 ? peer->acked : peer->got);
        break;
    default:
        return 0;
    }
    return back + load.window;
}

static void publish_some(struct peer *peer)
{
    uint64_t limit = least(allowance(peer), load.messages);
    if (limit - peer->sent < load.batch && limit < load.messages)
        return;
    bool had = peer->sent < load.messages;
    while (peer->sent < limit)
        publish(peer, 0);
    if (had && peer->sent == load.messages && load.mode == PUB && load.qos == 0)
        ping(peer);
    flush(peer);
}

/* ---- what comes ---- */

static void open_next(void)
{
    static const int yes = 1;
    struct peer *peer = &load.peers[load.opened++];
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (peer->fd < 0)
        fail("socket: %s", strerror(errno));
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(peer->fd, (struct sockaddr *)&load.server, sizeof load.server) != 0 &&
        errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    watch(peer, EPOLLOUT, EPOLL_CTL_ADD);
}

static void join(struct peer *peer)
{
    peer->stage = READY;
    load.joined++;
}

/* A message of a publisher, or an answer, which has the "id" of what it answers. */
static void on_publish(struct peer *peer, uint8_t first, const uint8_t *at, const uint8_t *end)
{
    static const char name[] = "\"id\":\"";
    size_t topic_len = (size_t)at[0] << 8 | at[1];
    const uint8_t *payload = at + 2 + topic_len;
    if ((first & 6) != 0) {
        peer->out_len += frame(room(peer, TAIL_MAX), 0x40, (const char *)payload, 2);
        payload += 2;
    }
    const uint8_t *id = memmem(payload, (size_t)(end - payload), name, sizeof name - 1);
    if (id == NULL || end - id < (ptrdiff_t)(sizeof name - 1 + NUMBER_LEN))
        fail("%s got a message without an id", peer->fields[CLIENT_ID]);
    uint64_t number = get_number(id + sizeof name - 1, NUMBER_LEN);
    if (number != peer->got || load.over)
        fail("%s got message %llu instead of %u: lost, duplicated or out of order",
             peer->fields[CLIENT_ID], (unsigned long long)number, peer->got);
    peer->got++;
    if (load.mode == POST) {
        load.answered++;
        return;
    }
    if (load.mode == RATE) {
        const uint8_t *due = end - (peer->feed->packet_len - peer->feed->time_at);
        load.taken_ns[load.delivered] = now_ns() - get_number(due, TIME_LEN);
    }
    load.delivered++;
    peer->feed->delivered++;
}

static void on_puback(struct peer *peer, const uint8_t *at)
{
    uint32_t id = (uint32_t)at[0] << 8 | at[1];
    if (id != peer->acked % IDS + 1)
        fail("%s: PUBACK %u instead of %u", peer->fields[CLIENT_ID], id, peer->acked % IDS + 1);
    peer->acked++;
    load.acked++;
}

static void on_packet(struct peer *peer, uint8_t first, const uint8_t *at, const uint8_t *end)
{
    switch (first >> 4) {
    case 2: /* CONNACK */
        if (at[1] != 0)
            fail("%s refused with %d", peer->fields[CLIENT_ID], at[1]);
        if (peer->fields[FILTER][0] == '\0') {
            join(peer);
            break;
        }
        peer->out_len += put_subscribe(room(peer, FIELD_MAX + TAIL_MAX), peer->fields[FILTER]);
        break;
    case 3:
        on_publish(peer, first, at, end);
        break;
    case 4:
        on_puback(peer, at);
        break;
    case 9: /* SUBACK */
        if (at[2] != load.qos)
            fail("%s may not subscribe: %d", peer->fields[CLIENT_ID], at[2]);
        join(peer);
        break;
    case 13: /* PINGRESP */
        load.pongs++;
        break;
    default:
        fail("unexpected packet %02x", first);
    }
}

static void on_readable(struct peer *peer)
{
    static uint8_t bytes[READ_MAX + FIELD_MAX + PAYLOAD_MAX];
    const uint8_t *at = bytes, *body, *next = NULL;
    memcpy(bytes, peer->carry, peer->carry_len);
    ssize_t got = recv(peer->fd, bytes + peer->carry_len, READ_MAX, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("the server closed %s", peer->fields[CLIENT_ID]);
    const uint8_t *end = bytes + peer->carry_len + got;
    while (at < end && (body = body_of(at, end, &next)) != NULL) {
        on_packet(peer, *at, body, next);
        at = next;
    }
    peer->carry_len = (size_t)(end - at);
    if (peer->carry_len > FIELD_MAX + PAYLOAD_MAX)
        fail("a packet is too long");
    if (peer->carry_len > 0) {
        peer->carry = realloc(peer->carry, peer->carry_len);
        memcpy(peer->carry, at, peer->carry_len);
    }
    if (peer->out_len > 0)
        flush(peer);
}

static void on_writable(struct peer *peer)
{
    if (peer->stage == OPENING) {
        peer->stage = JOINING;
        peer->out_len = put_connect(room(peer, 4 * FIELD_MAX), peer);
    }
    flush(peer);
}

/* Whoever may go on after this peer has got something. */
static struct peer *moved(struct peer *peer)
{
    if (load.mode == FANOUT)
        return NULL; /* once a turn */
    return peer->feed != NULL ? peer->feed : peer;
}

static void turn(const struct timespec *patience, bool publishing)
{
    struct epoll_event events[EVENTS];
    int count = epoll_pwait2(load.epoll, events, EVENTS, patience, NULL);
    for (int i = 0; i < count; i++) {
        struct peer *peer = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            on_writable(peer);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            on_readable(peer);
        struct peer *publisher = publishing ? moved(peer) : NULL;
        if (publisher != NULL)
            publish_some(publisher);
    }
    if (publishing && load.mode == FANOUT)
        publish_some(load.peers);
}

/* ---- the whole ---- */

static void read_credentials(void)
{
    FILE *file = fopen(load.credentials, "r");
    char line[FIELDS * FIELD_MAX];
    if (file == NULL)
        fail("%s: %s", load.credentials, strerror(errno));
    for (uint64_t i = 0; i < load.devices; i++) {
        if (fgets(line, sizeof line, file) == NULL)
            fail("too few credentials");
        char *rest = line;
        for (int field = 0; field < FIELDS; field++) {
            char *word = strsep(&rest, "\t\n");
            if (word == NULL || strlen(word) >= FIELD_MAX)
                fail("a malformed line of credentials");
            load.peers[i].fields[field] = strdup(word);
        }
    }
    fclose(file);
}

static void parse_option(const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *number;
        const char **text;
    } options[] = {
        {"port", &load.port, NULL},       {"pid", &load.pid, NULL},
        {"devices", &load.devices, NULL}, {"messages", &load.messages, NULL},
        {"qos", &load.qos, NULL},         {"window", &load.window, NULL},
        {"batch", &load.batch, NULL},     {"rate", &load.rate, NULL},
        {"step", &load.step, NULL},       {"warm", &load.warm, NULL},
        {"payload", NULL, &load.payload}, {"credentials", NULL, &load.credentials},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strncmp(options[i].name, name, (size_t)(value - name)) != 0)
            continue;
        if (options[i].number != NULL)
            *options[i].number = strtoull(value + 1, NULL, 10);
        else
            *options[i].text = value + 1;
        return;
    }
    fail("no option %s", name);
}

static void parse(int argc, char **argv)
{
    while (load.mode < MODES && (argc < 2 || strcmp(mode_names[load.mode], argv[1]) != 0))
        load.mode++;
    for (int i = 2; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (value == NULL)
            fail("%s is no NAME=VALUE", argv[i]);
        parse_option(argv[i], value);
    }
    if (load.mode == MODES || load.credentials == NULL || load.devices == 0 || load.pid == 0)
        fail("MODE port=N pid=N credentials=FILE devices=N ...; the source says more");
    if (load.mode > IDLE && (load.payload == NULL || strlen(load.payload) > PAYLOAD_MAX ||
                             load.window == 0 || load.batch > load.window || load.qos > 1))
        fail("payload, window, batch or qos is not what it can be");
    load.server = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)load.port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    load.peers = calloc(load.devices, sizeof *load.peers);
    read_credentials();
}

/* Who publishes, and to whom. */
static void cast(void)
{
    load.publishers = load.devices;
    if (load.mode == FANOUT)
        load.publishers = 1;
    if (load.mode == PAIRS || load.mode == RATE)
        load.publishers = load.devices / 2;
    for (uint64_t i = 0; i < load.publishers; i++)
        make_packet(&load.peers[i]);
    if (load.mode == FANOUT)
        for (uint64_t i = 0; i < load.devices; i++)
            load.peers[i].feed = load.peers;
    if (load.mode == PAIRS || load.mode == RATE)
        for (uint64_t i = 0; i < load.publishers; i++)
            load.peers[load.publishers + i].feed = &load.peers[i];
}

/* Until so many have joined. */
static void join_all(uint64_t count, uint64_t width)
{
    while (load.joined < count) {
        while (load.opened < count && load.opened - load.joined < width)
            open_next();
        turn(NULL, false);
    }
}

static uint64_t by_clock(void)
{
    uint64_t count = load.messages * load.publishers;
    load.taken_ns = calloc(count, sizeof *load.taken_ns);
    load.late_ns = calloc(count, sizeof *load.late_ns);
    prctl(PR_SET_TIMERSLACK, 1);
    load.began_ns = now_ns();
    while (load.delivered < count) {
        uint64_t now = now_ns(), due_ns = 0;
        while (load.due < count &&
               (due_ns = load.began_ns + load.due * 1000000000 / load.rate) <= now) {
            struct peer *peer = &load.peers[load.due % load.publishers];
            publish(peer, due_ns);
            flush(peer);
            load.late_ns[load.due++] = now_ns() - due_ns;
        }
        uint64_t left = load.due < count && due_ns > now ? due_ns - now : 100000000;
        turn(&(struct timespec){.tv_nsec = (long)least(left, 100000000)}, false);
    }
    return count;
}

static bool is_all_back(void)
{
    uint64_t count = load.messages * load.publishers;
    bool acked = load.qos == 0 || load.acked == count;
    switch (load.mode) {
    case PUB:
        return load.qos == 0 ? load.pongs == load.devices : acked;
    case PAIRS:
        return acked && load.delivered == count;
    case FANOUT:
        return acked && load.delivered == count * load.devices;
    case POST:
        return acked && load.answered == count;
    default:
        return true;
    }
}

/* So many messages of each publisher, besides those before. Returns the number of items so far. */
static uint64_t publish_all(uint64_t count)
{
    load.messages += count;
    load.pongs = 0;
    for (uint64_t i = 0; i < load.publishers; i++)
        publish_some(&load.peers[i]);
    while (!is_all_back())
        turn(NULL, true);
    return load.mode == FANOUT ? load.delivered : load.messages * load.publishers;
}

/* What the server still had to say, which must not be a message, comes before this is answered. */
static void ping_all(void)
{
    load.over = true;
    load.pongs = 0;
    for (uint64_t i = 0; i < load.devices; i++) {
        ping(&load.peers[i]);
        flush(&load.peers[i]);
    }
    while (load.pongs < load.devices)
        turn(NULL, false);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void tell_times(const char *name, uint64_t *times)
{
    uint64_t count = load.messages * load.publishers;
    qsort(times, count, sizeof *times, by_size);
    printf(", \"%s_p50_us\": %.1f, \"%s_p99_us\": %.1f", name, (double)times[count / 2] / 1e3, name,
           (double)times[count * 99 / 100] / 1e3);
}

static void idle(void)
{
    printf("{\"resident\": [%llu", (unsigned long long)resident_bytes((pid_t)load.pid));
    for (uint64_t count = load.step; count <= load.devices; count += load.step) {
        join_all(count, load.window);
        printf(", %llu", (unsigned long long)resident_bytes((pid_t)load.pid));
    }
    puts("]}");
}

int main(int argc, char **argv)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    parse(argc, argv);
    load.epoll = epoll_create1(0);
    if (load.mode == IDLE) {
        idle();
        return 0;
    }
    uint64_t messages = load.messages, warmed = 0;
    load.messages = load.mode == RATE ? messages : 0;
    if (load.mode != CONNECT) {
        cast();
        join_all(load.devices, JOIN_WIDTH);
    }
    if (load.warm > 0)
        warmed = publish_all(load.warm);
    struct measure measure = measure_begin((pid_t)load.pid);
    uint64_t items = load.devices;
    if (load.mode == CONNECT)
        join_all(load.devices, load.window);
    else if (load.mode == RATE)
        items = by_clock();
    else
        items = publish_all(messages) - warmed;
    putchar('{');
    measure_end(&measure, items);
    if (load.mode == RATE) {
        tell_times("latency", load.taken_ns);
        tell_times("late", load.late_ns);
    }
    puts("}");
    ping_all();
    return 0;
}
