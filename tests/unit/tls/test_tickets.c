/* Tickets: who opens them, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/tls/tickets.h"

enum { LABEL = 3, ROOM = 256 };
static const int64_t T0 = 1600000000000;
static const int64_t DAY = (int64_t)SKY_TICKET_LIFETIME_S * 1000;

struct office {
    struct sky_tls_rng rng;
    struct sky_tickets tickets;
    uint8_t ticket[ROOM];
    size_t len;
};

static void open_office(struct office *office)
{
    sky_tls_rng_init(&office->rng);
    sky_tickets_init(&office->tickets, &office->rng);
}

static void close_office(struct office *office)
{
    sky_tickets_done(&office->tickets);
    sky_tls_rng_done(&office->rng);
}

static void seal(struct office *office, int64_t now_ms)
{
    assert_true(sky_tickets_seal(&office->tickets, now_ms, LABEL, SKY_SPAN("a session"),
                                 office->ticket, ROOM, &office->len));
    assert_int_equal(office->len, 9 + SKY_TICKET_OVERHEAD);
}

static bool opens(struct office *office, int64_t now_ms, uint8_t label)
{
    uint8_t copy[ROOM];
    sky_span plain;
    memcpy(copy, office->ticket, office->len);
    if (!sky_tickets_open(&office->tickets, now_ms, label, copy, office->len, &plain))
        return false;
    assert_true(sky_span_eq_str(plain, "a session"));
    return true;
}

static void a_ticket_opens_for_a_day(void **state)
{
    struct office office;
    (void)state;
    open_office(&office);
    seal(&office, T0);
    assert_true(opens(&office, T0, LABEL));
    assert_true(opens(&office, T0 + DAY - 1, LABEL));
    assert_false(opens(&office, T0 + DAY, LABEL));
    assert_false(opens(&office, T0 - 1, LABEL));
    close_office(&office);
}

static void keys_change_daily_and_the_last_one_still_opens(void **state)
{
    struct office office;
    uint8_t late[ROOM];
    (void)state;
    open_office(&office);
    seal(&office, T0);
    seal(&office, T0 + DAY - 1);
    memcpy(late, office.ticket, office.len);
    seal(&office, T0 + DAY);
    assert_memory_not_equal(office.ticket, late, SKY_TICKET_NAME);
    memcpy(office.ticket, late, office.len);
    assert_true(opens(&office, T0 + 2 * DAY - 2, LABEL));
    assert_false(opens(&office, T0 + 2 * DAY - 1, LABEL));
    seal(&office, T0 + 2 * DAY);
    memcpy(office.ticket, late, office.len);
    assert_false(opens(&office, T0 + DAY, LABEL)); /* its key is gone */
    close_office(&office);
}

static void a_clock_set_back_changes_the_key(void **state)
{
    struct office office;
    uint8_t name[SKY_TICKET_NAME];
    (void)state;
    open_office(&office);
    seal(&office, T0);
    memcpy(name, office.ticket, sizeof name);
    seal(&office, T0 - 1);
    assert_memory_not_equal(office.ticket, name, sizeof name);
    assert_true(opens(&office, T0, LABEL));
    close_office(&office);
}

static void another_label_does_not_open(void **state)
{
    struct office office;
    (void)state;
    open_office(&office);
    seal(&office, T0);
    assert_false(opens(&office, T0, LABEL + 1));
    close_office(&office);
}

static void any_damage_is_noticed(void **state)
{
    struct office office;
    (void)state;
    open_office(&office);
    seal(&office, T0);
    for (size_t i = 0; i < office.len; i++) {
        office.ticket[i] ^= 1;
        assert_false(opens(&office, T0, LABEL));
        office.ticket[i] ^= 1;
    }
    for (size_t len = 0; len < office.len; len++) {
        uint8_t copy[ROOM];
        sky_span plain;
        memcpy(copy, office.ticket, len);
        assert_false(sky_tickets_open(&office.tickets, T0, LABEL, copy, len, &plain));
    }
    close_office(&office);
}

static void another_server_does_not_open(void **state)
{
    struct office one, other;
    (void)state;
    open_office(&one);
    open_office(&other);
    seal(&one, T0);
    seal(&other, T0);
    memcpy(other.ticket, one.ticket, one.len);
    assert_false(opens(&other, T0, LABEL));
    close_office(&one);
    close_office(&other);
}

static void sealing_in_place_needs_exactly_the_overhead(void **state)
{
    struct office office;
    (void)state;
    open_office(&office);
    for (size_t missing = 0; missing < 2; missing++) {
        memcpy(office.ticket, "a session", 9);
        bool sealed =
            sky_tickets_seal(&office.tickets, T0, LABEL, sky_span_of(office.ticket, 9),
                             office.ticket, 9 + SKY_TICKET_OVERHEAD - missing, &office.len);
        assert_int_equal(sealed, missing == 0);
        if (sealed)
            assert_true(opens(&office, T0, LABEL));
    }
    close_office(&office);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_opens_for_a_day),
        cmocka_unit_test(keys_change_daily_and_the_last_one_still_opens),
        cmocka_unit_test(a_clock_set_back_changes_the_key),
        cmocka_unit_test(another_label_does_not_open),
        cmocka_unit_test(any_damage_is_noticed),
        cmocka_unit_test(another_server_does_not_open),
        cmocka_unit_test(sealing_in_place_needs_exactly_the_overhead),
    };
    return cmocka_run_group_tests_name("tickets", tests, NULL, NULL);
}
