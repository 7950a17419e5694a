"""The clouds' test plug-ins, found by name: a folder of tests/clouds for each cloud. In it:

credentials.py  WORDS, the names of product key, device key and secret in a fixture; login(name,
                **how), the fields of a CONNECT; LISTENERS, those that only this cloud has
rules*.py       KEEPS and BREAKS: the devices that keep and break each of the cloud's rules; what no
                device can break is in NEVER_BROKEN, with the reason
fixtures.json   the devices that those need, beside the general ones of tests/support

SKYMOCK_TEST_CLOUDS names another folder of such folders, for a program with more clouds in it."""

import importlib
import os
import sys
from pathlib import Path

HOMES = [Path(__file__).resolve().parents[1] / "clouds"]
HOMES += [Path(home).resolve() for home in [os.environ.get("SKYMOCK_TEST_CLOUDS")] if home]
sys.path += map(str, HOMES)
FOLDERS = {found.parent.name: found.parent
           for home in HOMES for found in sorted(home.glob("*/credentials.py"))}


def modules(stem):
    """(cloud, module) for each file of a plug-in whose name begins so."""
    for name, folder in FOLDERS.items():
        for path in sorted(folder.glob(f"{stem}*.py")):
            yield name, importlib.import_module(f"{name}.{path.stem}")


def fixtures():
    """The plug-ins' fixture files."""
    return [path for folder in FOLDERS.values()
            for path in [folder / "fixtures.json"] if path.exists()]
