/* The one place where effects happen: everything a cloud wants done passes here, in order, is
 * journalled here. */
#ifndef SKY_SERVER_BROKER_APPLY_H
#define SKY_SERVER_BROKER_APPLY_H

#include "protocol/cloud/effects.h"
#include "server/broker/broker.h"

/* Applies every effect of `effects` for `session` and clears the list. `act` is what caused them,
 * or NULL (then replies go to subscribers); `of` is its number in the journal. The first failure is
 * journalled and returned, and from then on nothing is sent that would say all went well. What the
 * store was told is durable only once sky_app_settle() says so. */
sky_err sky_apply(struct sky_app *app, struct sky_session *session, const struct sky_act *act,
                  struct sky_effects *effects, uint64_t of);

#endif
