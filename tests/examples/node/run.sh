#!/bin/sh
# Needs node 18 or later, and `npm install mqtt` here or where NODE_MODULES says. `skymock.mjs` is the
# kit for Node.js: copy it here, then SKYMOCK_KIT need not say where it is.
set -eu
cd "$(dirname "$0")"
export SKYMOCK_KIT="${SKYMOCK_KIT:-../../kits/node/skymock.mjs}"
exec node --test
