#!/bin/sh
# The tests of this folder, with a server of their own; two JUnit files come of it: of the tests, and
# in the folder REPORT that of the rules. `skymock.py` is the kit for Python: copy it here.
set -eu
cd "$(dirname "$0")"
export PYTHONPATH="../kits/python${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" -m pytest -q -p no:cacheprovider --junit-xml "${TESTS:-tests.xml}" \
    --skymock-report "${REPORT:-report}" --skymock-verdict failed .
