"""How the clouds' devices sign, computed from the vendors' descriptions alone.

login("aliyun/pk/device") gives the fields of a CONNECT. A mistake can be asked for by name; then
the fields are what a device with that bug would send. How it is done is in each cloud's plug-in;
the login of the cloud "x" is credentials.x, too."""

import json
from pathlib import Path

import clouds

FIXTURES = Path(__file__).with_name("fixtures.json")
TIMESTAMP = "1548753362502"
DIGESTS = {"hmacmd5": "md5", "hmacsha1": "sha1", "hmacsha256": "sha256"}
SECRETS = {}  # by "cloud/product/device": the device's and the product's


def split(name):
    return name.split("/")


_PLUGINS = dict(clouds.modules("credentials"))


def _devices(path):
    for product in json.loads(path.read_text())["products"]:
        plugin = _PLUGINS[product["cloud"]]
        product_key, device_key, secret = plugin.WORDS
        for device in product["devices"]:
            name = f"{product['cloud']}/{product[product_key]}/{device[device_key]}"
            yield name, (device[secret],
                         product.get(getattr(plugin, "PRODUCT_SECRET", "productSecret"), ""))


for _path in [FIXTURES, *clouds.fixtures()]:
    SECRETS.update(_devices(_path))


def __getattr__(name):
    if name in _PLUGINS:
        return _PLUGINS[name].login
    raise AttributeError(name)


def login(name, **how):
    """Fields of the CONNECT of the device "cloud/product/device"."""
    return _PLUGINS[split(name)[0]].login(name, **how)


def listeners(name=None, *general):
    """Those of one device's cloud, or of every cloud; and `general`."""
    plugins = [_PLUGINS[split(name)[0]]] if name else _PLUGINS.values()
    return (*(each for plugin in plugins for each in getattr(plugin, "LISTENERS", ())), *general)
