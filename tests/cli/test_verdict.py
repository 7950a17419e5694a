"""`skymock verdict` and the verdict of `exec`."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from xml.etree import ElementTree

import pytest
import server
from credentials import login

DEVICE = "aliyun/pk/device"
OTHER = "tencent/PROD123456/dev001"
FIXTURES = ("--fixtures", str(server.FIXTURES))
FREE_PORTS = ("--listen", "mqtt=0", "--listen", "mqtts=0", "--listen", "enos-mqtt=0",
              "--listen", "enos-mqtts=0", "--listen", "coaps=0", "--listen", "https=0",
              "--listen", "admin=0")


@pytest.fixture
def act(api, peer):
    """act(topic=..., ...) publishes as the device, and waits until it was seen."""
    def publish(device=DEVICE, **packet):
        one = peer()
        one.send_packet(type="connect", keepalive=60, **login(device))
        assert one.receive()["code"] == 0
        since = api.last_seq()
        one.send_packet(type="publish", payload="x",
                        **{"topic": "/pk/device/user/both", **packet})
        api.wait_event({"type": "publish", "device": device}, since=since)
        one.close()
    return publish


def test_strict_fails_on_a_warning(verdict, act):
    act(retain=True)
    assert verdict().returncode == 0 and "verdict: warned" in verdict().stdout
    assert verdict("--strict").returncode == 1


def test_the_run_remembers_what_a_reset_began_anew(api, verdict, act):
    act(topic="/elsewhere")
    api.reset()
    assert verdict().returncode == 2
    assert verdict("--run").returncode == 1
    act()
    assert verdict().returncode == 0
    assert verdict("--run").returncode == 1
    api.post("/api/v1/reset", {"forget": True})
    assert verdict("--run").returncode == 2


def test_of_one_product(verdict, act):
    act(topic="/elsewhere")
    assert verdict("--product", "aliyun/pk").returncode == 1
    assert verdict("--product", "tencent/PROD123456").returncode == 2


def test_json_and_junit_in_files(api, verdict, act, tmp_path):
    act(topic="/elsewhere")
    as_json, as_junit = tmp_path / "v.json", tmp_path / "v.xml"
    assert verdict("--json", str(as_json), "--junit", str(as_junit)).returncode == 1
    told, asked = json.loads(as_json.read_text()), api.get("/api/v1/report.json")
    assert told["devices"] == asked["devices"] and told["verdict"] == "failed"
    suite, = ElementTree.parse(as_junit).getroot()
    assert suite.get("name") == DEVICE and suite.get("failures") == "1"


@pytest.mark.parametrize("scope,named", [
    ((), {DEVICE, OTHER}), (("--product", "aliyun/pk"), {DEVICE}), (("--device", DEVICE), {DEVICE}),
    (("--product", "enos/KV315idW"), set())])
def test_every_report_has_the_scope_that_was_asked_for(verdict, act, tmp_path, scope, named):
    act(topic="/elsewhere")
    act(topic="PROD123456/dev001/event", device=OTHER)
    files = {option: tmp_path / option for option in ("junit", "html", "json")}
    done = verdict(*scope, *(f"--{option}={path}" for option, path in files.items()))
    assert done.returncode == (1 if DEVICE in named else 2), done.stdout + done.stderr
    assert {suite.get("name") for suite in ElementTree.parse(files["junit"]).getroot()} == named
    assert {each["device"] for each in json.loads(files["json"].read_text())["devices"]} == named
    page = files["html"].read_text()
    assert {name for name in (DEVICE, OTHER) if name in page} == named


def test_a_report_of_the_run_has_what_a_reset_began_anew(api, verdict, act, tmp_path):
    act(topic="/elsewhere")
    api.reset()
    act()
    for option in ("junit", "html", "json"):
        path = tmp_path / option
        assert verdict(f"--{option}", str(path)).returncode == 0
        assert "published to /elsewhere" not in path.read_text()
        assert verdict(f"--{option}", str(path), "--run").returncode == 1
        assert "published to /elsewhere" in path.read_text()


def test_a_report_that_cannot_be_written_is_trouble(verdict, act, tmp_path):
    act()
    for option in ("junit", "html", "json"):
        done = verdict(f"--{option}", str(tmp_path / "nowhere" / option))
        assert done.returncode == 2 and "nowhere" in done.stderr and "passed" in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_signed_text_is_printed(api, peer, verdict):
    one = peer()
    one.send_packet(type="connect", keepalive=60, **{
        **login(DEVICE), "password": "7c4f68753a800e3208baa3a4b984877443f5cfc8"})
    assert one.receive()["code"] == 4
    api.wait_event({"type": "connect"})
    printed = verdict().stdout
    assert re.search(r"due: +clientId12345deviceNamedeviceproductKeypktimestamp\d+\n"
                     r" +signed: +12345devicepk\d+\n", printed), printed


def test_an_unknown_device_is_one_sentence(verdict, tmp_path):
    junit = tmp_path / "v.xml"
    done = verdict("-d", "aliyun/pk/nobody", "--junit", str(junit))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines() == ["skymock: there is no device 'nobody' in cloud aliyun"]
    assert not junit.exists()


def test_mistake_found_and_events_are_printed(api, peer, verdict):
    one = peer()
    one.send_packet(type="connect", keepalive=60, **{**login(DEVICE), "password": "secret"})
    assert one.receive()["code"] == 4
    told = api.wait_event({"type": "connect"})
    printed = verdict().stdout
    assert re.search(rf"mistake: +{told['explanation']['mistake']}\n", printed), printed
    assert "found: " in printed and f"events (1): {told['seq']}\n" in printed


CUT = {"junit": ("report.xml", b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"),
       "html": ("report.html", b"<!DOCTYPE html>\n<html><body></body>"),
       "json": ("report.json", b'{"format":1,"devices":[{}]')}


@pytest.mark.parametrize("option", CUT)
def test_a_report_that_is_cut_is_not_written(tmp_path, option):
    path = tmp_path / "report"
    path.write_text("the old one")
    route, cut = CUT[option]
    with server_of({"verdicts": b'{"devices":[],"verdict":"passed"}', route: cut}) as port:
        done = server.run("verdict", "--url", f"http://127.0.0.1:{port}", f"--{option}", str(path))
    assert done.returncode == 2 and "cut off" in done.stderr
    assert path.read_text() == "the old one" and list(tmp_path.iterdir()) == [path]


class server_of:
    """A server that knows only these answers."""

    def __init__(self, answers):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answers[self.path.split("?")[0].rsplit("/", 1)[1]])

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self._server.server_port

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


# ---- exec ----

def exec_shell(script, *options):
    return server.run("exec", *FREE_PORTS, *FIXTURES, *options, "--", "sh", "-c", script)


def publish(topic, device=DEVICE, more=""):
    signed = login(device)
    return (f"mosquitto_pub -p $SKYMOCK_PORT_MQTT -V mqttv311 -k 60 -t '{topic}' -m x -q 1 "
            f"-i '{signed['clientId']}' -u '{signed['username']}' -P '{signed['password']}' {more}")


RESET = "curl -s -X POST $SKYMOCK_URL/api/v1/reset"


@pytest.mark.parametrize("script,code", [
    (publish("/elsewhere") + f"; {RESET}; " + publish("/pk/device/user/both"), 1),
    (publish("/elsewhere") + "; curl -s --json '{\"forget\": true}' $SKYMOCK_URL/api/v1/reset; "
     + publish("/pk/device/user/both"), 0)])
def test_exec_tells_of_the_run(script, code):
    done = exec_shell(script)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize("script,shown", [
    (publish("/x", more="--will-topic a --will-payload b") + "; true", "ALI-WILL"),
    ("curl -s --http1.0 -X 'GAR BAGE' http://127.0.0.1:$SKYMOCK_PORT_HTTPS/; true",
     "listener https"),
    ("mosquitto_pub -p $SKYMOCK_PORT_MQTT -V mqttv311 -k 60 -t a -m x -i abc -u foo; true", "abc")])
def test_exec_fails_on_whoever_was_turned_away(script, shown, tmp_path):
    files = [tmp_path / option for option in ("junit", "html", "json")]
    done = exec_shell(script, *(f"--{path.name}={path}" for path in files))
    assert done.returncode == 1, done.stdout + done.stderr
    assert shown in done.stdout and "events (1):" in done.stdout
    assert all(shown in path.read_text() for path in files)
