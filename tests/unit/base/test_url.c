#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/base/url.h"

static void the_parts_of_a_url(void **state)
{
    (void)state;
    static const struct {
        const char *text, *scheme, *host, *place, *path;
    } rows[] = {
        {"http://a", "http", "a", "a", ""},
        {"HTTPS://Hub.example:8443/in", "HTTPS", "Hub.example", "Hub.example:8443", "/in"},
        {"http://127.0.0.1:1/a/b?key=secret#c", "http", "127.0.0.1", "127.0.0.1:1", "/a/b"},
        {"http://u:p@host/x", "http", "host", "host", "/x"},
        {"http://u:p@q@host:9", "http", "host", "host:9", ""},
        {"http://[::1]:80/x", "http", "::1", "[::1]:80", "/x"},
        {"http://[::1]", "http", "::1", "[::1]", ""},
        {"https://host:/x", "https", "host", "host:", "/x"},
        {"https://host?q", "https", "host", "host", ""},
        {"http://host:65535", "http", "host", "host:65535", ""},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_url url;
        if (!sky_url_parse(sky_span_str(rows[i].text), &url))
            fail_msg("%s was not taken", rows[i].text);
        assert_true(sky_span_eq_str(url.scheme, rows[i].scheme));
        assert_true(sky_span_eq_str(url.host, rows[i].host));
        assert_true(sky_span_eq_str(url.place, rows[i].place));
        assert_true(sky_span_eq_str(url.path, rows[i].path));
    }
}

static void what_is_no_url(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "host",
        "host:80",
        "//host",
        "ftp://host",
        "file:///etc/passwd",
        "http:/host",
        "http://",
        "http:///path",
        "http://:80",
        "http://u:p@",
        "http://host:0",
        "http://host:65536",
        "http://host:port",
        "http://::1/",
        "http://[::1",
        "http://[]",
        "http://[::1]80",
        "http://[fe80::1%eth0]/",
        "http://host/a b",
        "http://host/\n",
        "http://host/\xc3\xa4",
        "http://host/{id}",
        "http://host/\"",
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_url url;
        if (sky_url_parse(sky_span_str(rows[i]), &url))
            fail_msg("%s was taken", rows[i]);
    }
}

static void a_url_has_a_length_at_most(void **state)
{
    (void)state;
    char text[SKY_URL_MAX + 1];
    struct sky_url url;
    memset(text, 'a', sizeof text);
    memcpy(text, "http://", 7);
    assert_true(sky_url_parse(sky_span_of(text, SKY_URL_MAX), &url));
    assert_false(sky_url_parse(sky_span_of(text, SKY_URL_MAX + 1), &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_url),
        cmocka_unit_test(what_is_no_url),
        cmocka_unit_test(a_url_has_a_length_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
