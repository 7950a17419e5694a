"""Not run by this project. Testcontainers for Python, as a conftest.py beside skymock.py:

the container is there before the plugin looks for a server, and the plugin finds it as it finds
what `skymock exec` starts. `pytest -n 8` shares it: workers inherit the environment.
"""

import os
import time
import urllib.request

from testcontainers.core.container import DockerContainer

pytest_plugins = ["skymock"]

# CoAP (5684/udp) is left out: Testcontainers map ports of TCP only.
PORTS = {"MQTT": 1883, "MQTTS": 8883, "ENOS_MQTT": 11883, "ENOS_MQTTS": 18883, "HTTPS": 8443,
         "ADMIN": 8080}


def start(fixtures):
    container = DockerContainer("skymock").with_exposed_ports(*PORTS.values())
    container.with_volume_mapping(fixtures, "/fixtures/devices.json", "ro")
    container.start()
    host = container.get_container_host_ip()
    os.environ["SKYMOCK_HOST"] = host
    for name, port in PORTS.items():
        os.environ["SKYMOCK_PORT_" + name] = str(container.get_exposed_port(port))
    os.environ["SKYMOCK_URL"] = f"http://{host}:{os.environ['SKYMOCK_PORT_ADMIN']}"
    wait_ready(os.environ["SKYMOCK_URL"])
    return container


def wait_ready(url):
    for _ in range(100):
        try:
            urllib.request.urlopen(url + "/ready", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} is not ready")


def pytest_configure(config):
    if "SKYMOCK_URL" not in os.environ:
        config.skymock_container = start(os.path.abspath("devices.json"))


def pytest_unconfigure(config):
    if hasattr(config, "skymock_container"):
        config.skymock_container.stop()
