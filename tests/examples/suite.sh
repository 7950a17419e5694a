#!/bin/sh
# The tests of this folder against a server of their own; two JUnit files come of it.
set -eu
cd "$(dirname "$0")"
exec "${SKYMOCK:-skymock}" exec --fixtures devices.json --junit "${REPORT:-verdict.xml}" -- \
    "${PYTHON:-python3}" -m pytest -q -p no:cacheprovider --junit-xml "${TESTS:-tests.xml}" .
