/* What http_port.c and http_answer.c share. */
#ifndef SKY_SERVER_PORT_HTTP_PRIVATE_H
#define SKY_SERVER_PORT_HTTP_PRIVATE_H

#include "protocol/http/body.h"
#include "server/port/http.h"
#include "server/wire/wire.h"

enum {
    SKY_HTTP__ANSWER_HEAD_MAX = 4096,
    SKY_HTTP__CHUNK = SKY_HTTP_PIECE, /* bytes of a body or an answer that are moved at once */
    SKY_HTTP__NEXT_TURN_MS = 1,
};

/* What a connection is waiting for. */
enum sky_http__stage {
    STAGE_HEAD,   /* a request's head */
    STAGE_BODY,   /* the rest of its body */
    STAGE_ANSWER, /* the answer; later requests wait in the connection's input */
    STAGE_REFUSED,
};

/* One connection that has sent a head, and its present request. */
struct sky_http__link {
    struct sky_http *http;
    struct sky_conn *conn;
    const struct sky_http_handler *handler;
    enum sky_http__stage stage;
    char *head_bytes; /* owned: the present request's head */
    struct sky_http_body reading;
    struct sky_buf body;
    struct sky_http_call call;
    bool complete;  /* the request is whole, and the handler has not seen it yet */
    bool entered;   /* it has been at the entry */
    bool in_hands;  /* the handler has the call */
    bool moving;    /* move() is at work */
    bool answering; /* there is an answer to send, or a stream's next piece to ask for */
    bool streaming;
    bool paced;           /* it is a download: asked for a piece when that may be sent */
    bool its_turn;        /* a piece may be sent now */
    bool queues;          /* for that */
    uint64_t to_ask;      /* bytes of a download that on_room was not asked for yet */
    uint64_t taken;       /* bytes of the body that the handler took as they came */
    bool bodiless;        /* a request before announced no body that might have one */
    struct sky_fate fate; /* what a fault makes of the answer; zeroed: nothing */
    uint64_t passed;      /* bytes of such an answer that have gone */
    bool late;            /* it waits, or never comes */
    struct sky_buf answer;
    struct sky_buf body_next; /* of it, once the head has gone; empty: it is in there */
    size_t answer_sent;       /* bytes of it that the connection has taken */
    size_t prepared;          /* bytes that its handler keeps for it */
    size_t weight;            /* of the answer, among those that wait to be read */
    uint32_t turn;            /* of the loop, in which the present request was taken */
    struct sky_timer later;
    struct sky_http__link *prev, *next;
    /* Among those that wait for their turn: */
    struct sky_http__link *prev_ready, *next_ready;
};

struct sky_http {
    struct sky_port port;
    struct sky_net *net; /* borrowed, as the next */
    struct sky_wire *wire;
    struct sky_http_handler handlers[2]; /* of devices, and of the API */
    struct sky_http__link *links;
    /* Who has something to send, the longest waiting first: */
    struct sky_http__link *ready;
    struct sky_timer turn;
    uint32_t turn_of; /* of the loop, in which so many bytes of answers were written: */
    size_t turn_sent;
    size_t counts[2]; /* connections of each */
    size_t waiting;   /* bytes of answers that wait to be read */
};

static inline bool sky_http__is_admin(const struct sky_conn *conn)
{
    return (conn->door->listener->allows & SKY_LISTEN_ADMIN) != 0;
}

/* So much of its answer is there, or being made ready. */
static inline void sky_http__weigh(struct sky_http__link *link, size_t weight)
{
    link->http->waiting += weight - link->weight;
    link->weight = weight;
}

/* The answer is on its way: what there is to send is sent, and the next request may come. */
void sky_http__go_on(struct sky_conn *conn);
/* Sends as much of the answer as the connection takes; the rest is kept until that has drained. */
void sky_http__send_answer(struct sky_http__link *link);
/* What waits for the client, booked with what waits for all. */
void sky_http__book(const struct sky_http__link *link);
/* A timer of its patience: the request is not complete in time. */
void sky_http__on_patience_over(struct sky_timer *timer, int64_t now_ms);

#endif
