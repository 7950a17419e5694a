/* A disk that is full at every single write in turn while the journal moves events to it: the
 * failure is reported, no event is lost, and the next attempt succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "faulty_vfs.h"
#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/journal/read.h"
#include "server/os/clock.h"

enum { EVENTS = 300, OPERATIONS_MAX = 5000 };

static struct sky_journal *filled(struct sky_store *store, const struct sky_clock *clock)
{
    static const char payload[1000];
    struct sky_journal *journal = sky_journal_new(4 * 1024 * 1024, 10000, store, clock);
    const struct sky_event_head head = {.type = SKY_EVENT_PUBLISH};
    const struct sky_attr attr = SKY_ATTR(PAYLOAD, sky_span_of(payload, sizeof payload));
    for (int i = 0; i < EVENTS; i++)
        sky_journal_add(journal, &head, &attr, 1, NULL);
    return journal;
}

static int count(struct sky_journal *journal)
{
    struct sky_cursor cursor;
    struct sky_event event;
    int found = 0;
    sky_cursor_init(&cursor, journal, 0);
    while (sky_cursor_next(&cursor, &event))
        found++;
    sky_cursor_done(&cursor);
    return found;
}

/* True when the n-th write was never reached. */
static bool flush_with_fault(const char *path, int n)
{
    struct sky_store *store = NULL;
    struct sky_why why;
    struct sky_clock clock;
    assert_int_equal(sky_store_open(path, &store, &why), SKY_OK);
    sky_clock_init(&clock);
    struct sky_journal *journal = filled(store, &clock);
    assert_int_equal(count(journal), EVENTS);
    faulty_vfs_arm(FAULTY_FULL, n, true);
    sky_err err = sky_journal_flush(journal);
    bool fired = faulty_vfs_fired();
    faulty_vfs_heal();
    assert_int_equal(err, fired ? SKY_ERR_STORE : SKY_OK);
    assert_int_equal(count(journal), EVENTS);
    assert_int_equal(sky_journal_flush(journal), SKY_OK);
    assert_int_equal(count(journal), EVENTS);
    sky_journal_free(journal);
    sky_store_close(store);
    sky_clock_done(&clock);
    return !fired;
}

static void a_flush_that_fails_loses_nothing(void **state)
{
    char folder[] = "/tmp/skymock-journal-XXXXXX", path[64], wal[80];
    bool got_through = false;
    int n = 0;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store", folder);
    snprintf(wal, sizeof wal, "%s-wal", path);
    while (!got_through) {
        assert_true(++n < OPERATIONS_MAX);
        got_through = flush_with_fault(path, n);
        unlink(path);
        unlink(wal);
    }
    assert_true(n > 3); /* it did fail a few times */
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flush_that_fails_loses_nothing),
    };
    faulty_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
