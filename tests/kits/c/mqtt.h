/* A device that speaks MQTT 3.1.1 by hand, just enough for the tests: no answers but CONNACK are
 * read, and what is sent has 4 KB at most. */
#ifndef MQTT_H
#define MQTT_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection to a port of this machine; -1: there is none. */
static inline int tcp_connect(int port)
{
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline size_t mqtt_put(unsigned char *at, const char *text)
{
    size_t len = strlen(text);
    at[0] = (unsigned char)(len >> 8);
    at[1] = (unsigned char)len;
    memcpy(at + 2, text, len);
    return len + 2;
}

/* Sends a packet of this first byte around a body (MQTT 3.1.1 §2.2). */
static inline int mqtt_send(int fd, int first, const unsigned char *body, size_t len)
{
    unsigned char head[3] = {(unsigned char)first, (unsigned char)((len & 127) | 128),
                             (unsigned char)(len >> 7)};
    return send(fd, head, sizeof head, MSG_NOSIGNAL) == sizeof head &&
                   send(fd, body, len, MSG_NOSIGNAL) == (ssize_t)len
               ? 0
               : -1;
}

/* Logs in. The return code of CONNACK; -1: none came. */
static inline int mqtt_login(int fd, const char *client_id, const char *username,
                             const char *password, int keepalive_s)
{
    unsigned char body[4096] = {0, 4, 'M', 'Q', 'T', 'T', 4, 0xc2}, answer[4];
    size_t len = 10;
    body[8] = (unsigned char)(keepalive_s >> 8);
    body[9] = (unsigned char)keepalive_s;
    len += mqtt_put(body + len, client_id);
    len += mqtt_put(body + len, username);
    len += mqtt_put(body + len, password);
    if (mqtt_send(fd, 0x10, body, len) != 0 || recv(fd, answer, sizeof answer, MSG_WAITALL) != 4)
        return -1;
    return answer[3];
}

/* QoS 0 */
static inline int mqtt_publish(int fd, const char *topic, const char *payload)
{
    unsigned char body[4096];
    size_t len = mqtt_put(body, topic);
    memcpy(body + len, payload, strlen(payload));
    return mqtt_send(fd, 0x30, body, len + strlen(payload));
}

#endif
