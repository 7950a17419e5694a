"""A device that the suites of fixtures/suites are tried on: a good one, or one that breaks a case.

It finds the server as `skymock exec` says it (SKYMOCK_HOST, SKYMOCK_PORT_*, SKYMOCK_CA), signs for
itself, and lives until it is told to end. README.md has more."""

import argparse
import importlib
import json
import os
import signal
import sys
from pathlib import Path

import mqtt

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
# Which module plays a device, by cloud and transport; "" is any other transport.
MODULES = {
    ("aliyun", ""): "aliyun",
    ("tencent", ""): "tencent",
    ("enos", ""): "enos",
    ("aliyun", "https"): "aliyun_https",
    ("tencent", "psk"): "tencent_psk",
    ("enos", "coap"): "enos_coap",
}
TRANSPORTS = ("tcp", "tls", "ws", "psk", "https", "coap")


def modules():
    """(cloud, transport, module) of all that are there."""
    for (cloud, transport), name in MODULES.items():
        if (Path(__file__).parent / f"{name}.py").exists():
            yield cloud, transport, importlib.import_module(name)


def module_of(cloud, transport):
    return importlib.import_module(MODULES.get((cloud, transport)) or MODULES[cloud, ""])


def common_breaks():
    """By case: what every device that speaks MQTT can do wrong; a file for each suite."""
    rows = {}
    for path in sorted(Path(__file__).parent.glob("break_*.py")):
        rows.update(importlib.import_module(path.stem).BREAKS)
    return rows


def breaks_of(module):
    """By case: what the module's devices can do wrong."""
    return {**(common_breaks() if issubclass(module.DEVICE, mqtt.Device) else {}), **module.BREAKS}


def list_breaks():
    """A line for each: cloud ("any": all that speak MQTT), transport, case, verdict, what is wrong."""
    for case, row in common_breaks().items():
        print("any", "tcp", case, row.verdict, row.wrong, sep="\t")
    for cloud, transport, module in modules():
        for case, row in module.BREAKS.items():
            print(cloud, transport or "tcp", case, row.verdict, row.wrong, sep="\t")


def fields(words, name, path):
    """(the product's, the device's) as a fixture file, or a folder of them, has them."""
    cloud, product_key, device_key = name.split("/", 2)
    files = sorted(path.rglob("devices.json")) if path.is_dir() else [path]
    for file in files:
        for product in json.loads(file.read_text()).get("products", []):
            if (product["cloud"], product.get(words[0])) != (cloud, product_key):
                continue
            for device in product.get("devices", []):
                if device.get(words[1]) == device_key:
                    return product, device
    return {}, {}


def secrets(words, name, path):
    """(the device's secret, the product's)"""
    product, device = fields(words, name, path)
    return device.get(words[2], ""), product.get("productSecret", "")


def behind(words, name, path):
    """[(product, device, its secret)] of those that stand behind a gateway."""
    cloud = name.split("/")[0]
    subs = [(sub[words[0]], sub[words[1]])
            for sub in fields(words, name, path)[1].get("subDevices", [])]
    return [(product, device, secrets(words, f"{cloud}/{product}/{device}", path)[0])
            for product, device in subs]


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("device", nargs="?", help="cloud/product/device")
    parser.add_argument("--transport", default="tcp", choices=TRANSPORTS)
    parser.add_argument("--break", dest="cases", default="", metavar="CASE-ID[,..]",
                        help="what to do wrong")
    parser.add_argument("--secret", help="of the device, if no fixture file has it")
    parser.add_argument("--product-secret", default="")
    parser.add_argument("--fixtures", type=Path, default=FIXTURES, help="a file or a folder")
    parser.add_argument("--habit", action="append", default=[], metavar="NAME=JSON",
                        help="another habit: keepalive=120")
    parser.add_argument("--list-breaks", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="says what it does")
    given = parser.parse_args(arguments)
    if not given.list_breaks and not given.device:
        parser.error("which device?")
    return given


def made(given):
    """The device that the command line asks for."""
    cloud, product, device = given.device.split("/", 2)
    module = module_of(cloud, given.transport)
    secret, product_secret = given.secret, given.product_secret
    if not secret:
        secret, product_secret = secrets(module.WORDS, given.device, given.fixtures)
    one = module.DEVICE(product, device, secret, product_secret, given.transport)
    one.verbose = given.verbose
    if hasattr(one, "behind"):
        one.behind = behind(module.WORDS, given.device, given.fixtures)
    rows = breaks_of(module)
    for case in filter(None, given.cases.split(",")):
        if case not in rows:
            sys.exit(f"device.py: {cloud} by {given.transport} has no break {case!r}")
        rows[case].fall_into(one)
    for habit in given.habit:
        name, _, value = habit.partition("=")
        setattr(one, name, json.loads(value))
    return one


def main():
    given = parse(sys.argv[1:])
    if given.list_breaks:
        return list_breaks()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # as a power cut ends a device
    return made(given).live()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
