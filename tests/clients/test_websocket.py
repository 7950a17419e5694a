"""MQTT over WebSocket with clients that real devices and pages use."""

import functools
import http.server
import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from urllib.parse import quote

import paho.mqtt.client as mqtt
import pytest
import server
from clients import EXCHANGES, sign

MODULES = server.ROOT / "build/node/node_modules"
SCRIPTS = Path(__file__).with_name("sdk")
BUNDLE = MODULES / "mqtt/dist/mqtt.js"
TOPIC = EXCHANGES["aliyun"][1]
DEVICE = EXCHANGES["aliyun"][0]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def login(*options):
    fields = sign(DEVICE, *options)
    return {name: fields[name] for name in ("clientId", "username", "password")}


@pytest.mark.parametrize("cloud", ["aliyun", "tencent"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_paho(skymock, ca, cloud, encrypted):
    device, topic, answer_topic, payload = EXCHANGES[cloud]
    fields = sign(device, *(["--tls"] if encrypted else []))
    happened = queue.Queue()
    client = mqtt.Client(fields["clientId"], transport="websockets", protocol=mqtt.MQTTv311)
    client.username_pw_set(fields["username"], fields["password"])
    if encrypted:
        client.tls_set(str(ca))
    client.on_connect = lambda c, u, flags, code: happened.put(code)
    client.on_subscribe = lambda c, u, mid, codes: happened.put(codes)
    client.on_message = lambda c, u, message: happened.put(message.topic)
    client.connect("localhost", skymock.ports["https"], keepalive=60)
    client.loop_start()
    try:
        assert happened.get(timeout=server.PATIENCE_S) == 0
        client.subscribe(answer_topic, 1)
        assert happened.get(timeout=server.PATIENCE_S) == (1,)
        client.publish(topic, payload, 1).wait_for_publish(server.PATIENCE_S)
        assert happened.get(timeout=server.PATIENCE_S) == answer_topic
    finally:
        client.disconnect()
        client.loop_stop()
    event = skymock.api.wait_event({"type": "connect", "device": device})
    assert event["transport"] == ("wss" if encrypted else "ws")
    skymock.api.wait_event({"type": "disconnect", "device": device})
    verdict = skymock.api.verdict(device)
    assert verdict["verdict"] == "passed", [rule for rule in verdict["devices"][0]["rules"]
                                            if rule.get("count")]


@pytest.mark.skipif(not shutil.which("node") or not (MODULES / "mqtt").is_dir(),
                    reason="needs node, and its packages as ./dev test installs them")
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_npm_mqtt(skymock, ca, scheme):
    fields = login(*(["--tls"] if scheme == "wss" else []))
    done = subprocess.run(
        ["node", str(SCRIPTS / "websocket.js"),
         f"{scheme}://localhost:{skymock.ports['https']}", TOPIC, json.dumps(fields)],
        env={**server.ENVIRONMENT, "NODE_PATH": str(MODULES), "NODE_EXTRA_CA_CERTS": str(ca)},
        capture_output=True, text=True, timeout=server.PATIENCE_S, check=False)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["event"] for each in said if each["event"] != "acknowledged"] == [
        "connect", "subscribed", "message", "close"], done.stdout + done.stderr
    assert said[-2]["length"] == 5000
    assert skymock.api.verdict(DEVICE)["verdict"] == "passed"


@pytest.fixture
def site(tmp_path):
    """A server with the page and its script: (port, what the page has to say in the end)."""
    shutil.copy(SCRIPTS / "page.html", tmp_path)
    shutil.copy(BUNDLE, tmp_path)
    said = queue.Queue()

    class Site(http.server.SimpleHTTPRequestHandler):
        def do_POST(self):
            said.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                            functools.partial(Site, directory=str(tmp_path)))
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    yield pages.server_port, said
    pages.shutdown()
    pages.server_close()


@pytest.mark.skipif(not CHROMIUM, reason="needs a browser: Debian's package chromium")
@pytest.mark.skipif(not BUNDLE.is_file(), reason="needs npm's mqtt as ./dev test installs it")
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_page_in_a_browser(skymock, site, tmp_path, scheme):
    port, said = site
    task = {"url": f"{scheme}://localhost:{skymock.ports['https']}/mqtt", "topic": TOPIC,
            "login": login(*(["--tls"] if scheme == "wss" else []))}
    browser = subprocess.Popen(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--no-first-run",
         "--ignore-certificate-errors", f"--user-data-dir={tmp_path / 'profile'}",
         "--remote-debugging-port=0", f"http://127.0.0.1:{port}/page.html#{quote(json.dumps(task))}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert said.get(timeout=2 * server.PATIENCE_S) == "connect subscribed message:hello done"
    finally:
        browser.terminate()
        browser.wait(server.PATIENCE_S)
    event = skymock.api.wait_event({"type": "connect", "device": DEVICE})
    assert event["transport"] == scheme
    skymock.api.wait_event({"type": "disconnect", "device": DEVICE})
    assert skymock.api.verdict(DEVICE)["verdict"] == "passed"
