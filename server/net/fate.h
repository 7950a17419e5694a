/* What becomes of something on its way, when a fault has its hands on it. A value: who decides it
 * is above the wire, who carries it out are the wire and the connections below. */
#ifndef SKY_SERVER_NET_FATE_H
#define SKY_SERVER_NET_FATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a connection ends, or stops, behind what passes, or, with `withhold`, in place of it. */
enum sky_break {
    SKY_BREAK_NONE,
    SKY_BREAK_CLOSE,  /* FIN, after what was written */
    SKY_BREAK_RESET,  /* RST, now */
    SKY_BREAK_FREEZE, /* half open: nothing is read or written any more */
};

enum { SKY_FATE_FLIGHT_MIN = 64 }; /* bytes that the server has to say in any handshake */

/* Zeroed: it passes, once, now, as it is. */
struct sky_fate {
    const char *name;   /* of the fault that decided, for the journal; NULL: none did. What else was
                           changed on the way, as by `set`, needs no member here */
    const char *action; /* what it does, for the journal */
    uint64_t fault;     /* its number; connections that it freezes are thawed by that */
    bool withhold;      /* it never goes out, or was never seen */
    unsigned copies;    /* further ones, right behind */
    int64_t delay_ms;   /* virtual time */
    bool reorder;       /* right behind the next of the same carrier and way; `delay_ms` is the
                           longest that it waits for one */
    unsigned corrupt;   /* so many bytes are changed, from `corrupt_at` on */
    size_t corrupt_at;
    bool corrupt_anywhere; /* wherever `chance` has it, instead */
    uint64_t chance;       /* drawn for this passage: what the bytes become */
    bool cut;              /* only `cut_at` bytes of it go through, then the connection closes */
    size_t cut_at;
    enum sky_break then;
    uint32_t drip_bytes_per_s; /* from now on; 0: as fast as it can */
    uint8_t certificate;       /* enum sky_lie, of a handshake; 0: the usual one */
};

#endif
