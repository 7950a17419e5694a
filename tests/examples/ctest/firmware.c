/* Just enough of MQTT 3.1.1 for one report; yours brings the vendor's SDK here. */
#include "firmware.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t put(unsigned char *at, const char *text)
{
    size_t len = strlen(text);
    at[0] = (unsigned char)(len >> 8);
    at[1] = (unsigned char)len;
    memcpy(at + 2, text, len);
    return len + 2;
}

/* Sends a packet, and waits for the four bytes that answer it. The last of them, or -1. */
static int ask(int fd, int first, const unsigned char *body, size_t len)
{
    unsigned char head[3] = {(unsigned char)first, (unsigned char)(len % 128 | 128),
                             (unsigned char)(len / 128)};
    unsigned char answer[4];

    if (send(fd, head, sizeof head, MSG_NOSIGNAL) < 0 || send(fd, body, len, MSG_NOSIGNAL) < 0)
        return -1;
    return recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer ? answer[3] : -1;
}

int firmware_report(const struct firmware *device, const char *payload, int again)
{
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)device->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned char body[1024] =
        "\0\4MQTT\4"; /* CONNECT: its name and level, then flags, keepalive */
    size_t len = 10;
    int fd = socket(AF_INET, SOCK_STREAM, 0), answer = -1;

    body[7] = device->persistent ? 0xc0 : 0xc2;
    body[9] = 60;
    len += put(body + len, device->client_id);
    len += put(body + len, device->username);
    len += put(body + len, device->password);
    if (connect(fd, (struct sockaddr *)&there, sizeof there) == 0 &&
        ask(fd, 0x10, body, len) == 0) {
        len = put(body, device->topic);
        body[len++] = 0;
        body[len++] = 7; /* the packet's id */
        memcpy(body + len, payload, strlen(payload));
        answer = ask(fd, again ? 0x3a : 0x32, body, len + strlen(payload));
    }
    close(fd);
    return answer == 7 ? 0 : -1;
}
