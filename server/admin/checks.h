/* What else a body must be, beyond the kinds of its members: by the routes, and by whoever has a
 * body before it is sent, as device suites do. */
#ifndef SKY_SERVER_ADMIN_CHECKS_H
#define SKY_SERVER_ADMIN_CHECKS_H

#include "protocol/base/json_tree.h"

/* INVALID, and `why` has the reason and the pointer, with `at` in front. An upgrade is one whose
 * image is not the request's body itself. */
SKY_MUST_USE sky_err sky_check_message(const cJSON *body, const char *at, struct sky_why *why);
SKY_MUST_USE sky_err sky_check_upgrade(const cJSON *body, const char *at, struct sky_why *why);

/* The same but for what 'payloadBase64' says, for those who go on and decode it. */
SKY_MUST_USE sky_err sky_check_message_form(const cJSON *body, const char *at, struct sky_why *why);
SKY_MUST_USE sky_err sky_check_upgrade_form(const cJSON *body, const char *at, struct sky_why *why);
/* The bytes of 'payloadBase64', which is there; the caller frees them. */
SKY_MUST_USE sky_err sky_take_payload(const cJSON *body, const char *at, uint8_t **ret_bytes,
                                      size_t *ret_len, struct sky_why *why);
/* As above, and there is one at least. */
SKY_MUST_USE sky_err sky_take_image(const cJSON *body, const char *at, uint8_t **ret_bytes,
                                    size_t *ret_len, struct sky_why *why);

#endif
