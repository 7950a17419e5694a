"""A cloud that has nothing of what is optional, in a server built with it: its devices log in over a
socket, their mistakes are explained, and whatever it lacks is answered, not stumbled over."""

import json
import subprocess

import credentials
import pytest
import server
from fourth import rules
from stage import Stage

LAMP = rules.LAMP
OWNERS = {rule["id"]: rule["owner"]
          for rule in json.loads(server.run("rules", "--json").stdout)["rules"]}


@pytest.fixture(scope="module")
def house():
    running = Stage()
    yield running
    running.stop()


@pytest.fixture
def stage(house):
    with house.act():
        yield house


def test_a_device_that_keeps_the_rules_passes(stage):
    rules.a_device_that_reports(stage)
    stage.api.barrier()
    verdict, = stage.api.verdict(LAMP)["devices"]
    seen = {rule["id"]: rule["verdict"] for rule in verdict["rules"]}
    assert verdict["verdict"] == "passed"
    assert {seen[rule] for rule in rules.KEEPS} == {"passed"}
    assert {OWNERS[rule] for rule in seen} == {"fourth", "mqtt", "coap", "transport"}


@pytest.mark.parametrize("mistake", ["product-secret", "not-hmac", "key-decoded"])
def test_a_wrong_signature_is_explained(stage, mistake):
    assert stage.connect(credentials.login(LAMP, mistake=mistake))[1] == 4
    event = stage.api.wait_event({"type": "connect"})
    explanation = event["explanation"]
    assert explanation["mistake"] == mistake
    assert explanation["signedText"] == credentials.login(LAMP)["password"].partition("&sign=")[0]


def test_what_is_printed_to_log_in_with_logs_in(stage):
    told = stage.api.get(f"/api/v1/devices/{LAMP}/credentials")
    assert stage.connect({key: told[key] for key in ("clientId", "username", "password")})[1] == 0


def test_a_missing_secret_is_made(stage):
    made = stage.api.post("/api/v1/devices", {"cloud": "fourth", "product": "lamps",
                                              "device": "lamp9"})
    assert made["device"] == "lamp9"
    made = stage.api.get("/api/v1/devices/fourth/lamps/lamp9", secrets="true")
    assert len(made["secret"]) == 24
    stage.api.call("DELETE", "/api/v1/devices/fourth/lamps/lamp9")


# ---- what this cloud has not ----

def test_it_has_no_shadow(stage):
    for method, body in (("GET", None), ("PATCH", {"desired": {"on": True}})):
        status, answer = stage.api.request(method, f"/api/v1/devices/{LAMP}/shadow", body)
        assert status == 404 and "Fourth Cloud" in answer["error"]["message"]


def test_a_shadow_in_a_fixture_is_refused_with_the_reason(tmp_path):
    path = tmp_path / "devices.json"
    path.write_text(json.dumps({"products": [{
        "cloud": "fourth", "productName": "lamps",
        "devices": [{"deviceName": "lamp1", "shadow": {"desired": {"on": True}}}]}]}))
    done = server.run("check", path)
    assert done.returncode == 1 and "Fourth Cloud has no shadows" in done.stdout + done.stderr


def test_it_has_no_commands(stage):
    status, answer = stage.api.request("POST", f"/api/v1/devices/{LAMP}/commands",
                                       {"kind": "rpc", "params": {}})
    assert status == 404 and "it has: none" in answer["error"]["message"]


@pytest.mark.parametrize("listener,options", [
    ("mqtts", ("-tls1_2", "-cipher", "PSK")),
    ("https", ("-tls1_2", "-cipher", "PSK")),
    ("coaps", ("-dtls1_2", "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0"))])
def test_it_has_no_pre_shared_keys(stage, listener, options):
    """Its devices' names as an identity are nobody's, or another cloud's, and open nothing."""
    stage.s_client(listener, *options, "-psk_identity", "products/lamps/devices/lamp1", "-psk", "00")
    stage.api.barrier()
    events = stage.api.events()
    assert not [event for event in events if event.get("device") == LAMP]
    stage.login(LAMP)


def test_it_has_no_calls(stage):
    stage.http("/fourth", "x=1")
    event = stage.api.wait_event({"rules": ["DOOR-HTTP-PATH"]})
    assert event["device"] is None


def test_explain_reads_a_form_that_no_call_of_it_takes():
    path = rules.__file__.replace("rules.py", "fixtures.json")
    done = server.run("explain", LAMP, "--fixtures", path, input="x=1")
    assert done.returncode in (1, 2) and "Assertion" not in done.stderr


def test_sign_prints_what_there_is_and_no_more():
    path = rules.__file__.replace("rules.py", "fixtures.json")
    done = server.run("sign", LAMP, "--fixtures", path)
    assert done.returncode == 0 and "res=products/lamps/devices/lamp1" in done.stdout
    assert "psk" not in done.stdout.lower() and "coap" not in done.stdout.lower()


def test_the_program_itself_does_not_know_it():
    program = server.BUILD / "skymock"
    said = subprocess.run([program, "rules"], capture_output=True, text=True, check=True).stdout
    assert "FOUR-" not in said
