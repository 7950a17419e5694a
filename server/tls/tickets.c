#include "server/tls/tickets.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum {
    KEY_BITS = 256,
    LIFETIME_MS = SKY_TICKET_LIFETIME_S * 1000,
    CLEAR = SKY_TICKET_NAME + SKY_TICKET_ISSUED + SKY_TICKET_NONCE, /* bytes before the sealed */
};

/* A ticket is name, time of issue, nonce, sealed session, tag; the tag also covers what stands
 * before the nonce, and the label. */
struct bound {
    uint8_t name[SKY_TICKET_NAME], issued[SKY_TICKET_ISSUED], label;
};

static void put_time(int64_t ms, uint8_t out[SKY_TICKET_ISSUED])
{
    for (size_t i = 0; i < SKY_TICKET_ISSUED; i++)
        out[i] = (uint8_t)((uint64_t)ms >> (56 - 8 * i));
}

static int64_t get_time(const uint8_t *in)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < SKY_TICKET_ISSUED; i++)
        ms = ms << 8 | in[i];
    return (int64_t)ms;
}

/* A clock set back counts as old: nothing may outlive its day. */
static bool is_young(int64_t made_ms, int64_t now_ms)
{
    return made_ms <= now_ms && now_ms - made_ms < LIFETIME_MS;
}

static void draw(struct sky_tickets *tickets, void *out, size_t len)
{
    int failed = sky_tls_rng_random(tickets->rng, out, len);
    SKY_ASSERT(!failed);
}

static void make_key(struct sky_tickets *tickets, struct sky_ticket_key *key, int64_t now_ms)
{
    uint8_t secret[KEY_BITS / 8];
    draw(tickets, secret, sizeof secret);
    draw(tickets, key->name, sizeof key->name);
    mbedtls_gcm_free(&key->gcm);
    mbedtls_gcm_init(&key->gcm);
    int failed = mbedtls_gcm_setkey(&key->gcm, MBEDTLS_CIPHER_ID_AES, secret, KEY_BITS);
    SKY_ASSERT(!failed);
    sky_mem_wipe(secret, sizeof secret);
    key->made_ms = now_ms;
    key->made = true;
}

static struct sky_ticket_key *key_in_use(struct sky_tickets *tickets, int64_t now_ms)
{
    struct sky_ticket_key *key = &tickets->keys[tickets->in_use];
    if (key->made && is_young(key->made_ms, now_ms))
        return key;
    tickets->in_use ^= 1;
    key = &tickets->keys[tickets->in_use];
    make_key(tickets, key, now_ms);
    return key;
}

void sky_tickets_init(struct sky_tickets *tickets, struct sky_tls_rng *rng)
{
    *tickets = (struct sky_tickets){.rng = rng};
    for (size_t i = 0; i < SKY_COUNT(tickets->keys); i++)
        mbedtls_gcm_init(&tickets->keys[i].gcm);
}

void sky_tickets_done(struct sky_tickets *tickets)
{
    for (size_t i = 0; i < SKY_COUNT(tickets->keys); i++)
        mbedtls_gcm_free(&tickets->keys[i].gcm);
}

bool sky_tickets_seal(struct sky_tickets *tickets, int64_t now_ms, uint8_t label, sky_span plain,
                      uint8_t *out, size_t room, size_t *ret_len)
{
    if (room < SKY_TICKET_OVERHEAD || plain.len > room - SKY_TICKET_OVERHEAD)
        return false;
    struct sky_ticket_key *key = key_in_use(tickets, now_ms);
    struct bound bound = {.label = label};
    uint8_t *nonce = out + SKY_TICKET_NAME + SKY_TICKET_ISSUED, *sealed = out + CLEAR;
    memcpy(bound.name, key->name, sizeof bound.name);
    put_time(now_ms, bound.issued);
    memmove(sealed, plain.ptr, plain.len);
    memcpy(out, bound.name, sizeof bound.name);
    memcpy(out + SKY_TICKET_NAME, bound.issued, sizeof bound.issued);
    draw(tickets, nonce, SKY_TICKET_NONCE);
    int failed = mbedtls_gcm_crypt_and_tag(&key->gcm, MBEDTLS_GCM_ENCRYPT, plain.len, nonce,
                                           SKY_TICKET_NONCE, (uint8_t *)&bound, sizeof bound,
                                           sealed, sealed, SKY_TICKET_TAG, sealed + plain.len);
    SKY_ASSERT(!failed);
    *ret_len = plain.len + SKY_TICKET_OVERHEAD;
    return true;
}

static struct sky_ticket_key *find_key(struct sky_tickets *tickets, const uint8_t *name)
{
    for (size_t i = 0; i < SKY_COUNT(tickets->keys); i++)
        if (tickets->keys[i].made && memcmp(tickets->keys[i].name, name, SKY_TICKET_NAME) == 0)
            return &tickets->keys[i];
    return NULL;
}

bool sky_tickets_open(struct sky_tickets *tickets, int64_t now_ms, uint8_t label, uint8_t *ticket,
                      size_t len, sky_span *ret_plain)
{
    if (len < SKY_TICKET_OVERHEAD)
        return false;
    struct sky_ticket_key *key = find_key(tickets, ticket);
    if (key == NULL || !is_young(get_time(ticket + SKY_TICKET_NAME), now_ms))
        return false;
    struct bound bound = {.label = label};
    const uint8_t *nonce = ticket + SKY_TICKET_NAME + SKY_TICKET_ISSUED;
    uint8_t *sealed = ticket + CLEAR;
    size_t plain_len = len - SKY_TICKET_OVERHEAD;
    memcpy(bound.name, ticket, sizeof bound.name);
    memcpy(bound.issued, ticket + SKY_TICKET_NAME, sizeof bound.issued);
    if (mbedtls_gcm_auth_decrypt(&key->gcm, plain_len, nonce, SKY_TICKET_NONCE, (uint8_t *)&bound,
                                 sizeof bound, sealed + plain_len, SKY_TICKET_TAG, sealed,
                                 sealed) != 0)
        return false;
    *ret_plain = sky_span_of(sealed, plain_len);
    return true;
}
