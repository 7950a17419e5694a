"""Every line that `skymock sign` prints is pasted into a shell, against the server it is for."""

import json
import shutil
import subprocess

import pytest
import server

OPTIONS = [(), ("--tls",), ("--dynamic",), ("--tls", "--dynamic")]
PRODUCTS = [
    {"cloud": "aliyun", "productKey": "pkS", "productSecret": "productSecretAliyun",
     "dynamicActivation": True,
     "devices": [{"deviceName": "d1", "deviceSecret": "s3cr3tPump17"}, {"deviceName": "bare"}]},
    {"cloud": "tencent", "productId": "SIGNED0001", "productSecret": "productSecretTencent",
     "dynamicActivation": True,
     "devices": [{"deviceName": "dev001", "psk": "MTIzNDU2Nzg5MGFiY2RlZg=="},
                 {"deviceName": "bare"}]},
    {"cloud": "enos", "productKey": "KVsigned", "productSecret": "productSecretEnos",
     "dynamicActivation": True,
     "devices": [{"deviceKey": "tPbZ", "deviceSecret": "M3yy874uGY8INjEGddTR"},
                 {"deviceKey": "bare"}]},
    {"cloud": "aliyun", "productKey": "pkClosed", "productSecret": "x",
     "devices": [{"deviceName": "d'1", "deviceSecret": "it's"},
                 {"deviceName": "off", "deviceSecret": "s", "enabled": False}]},
    {"cloud": "tencent", "productId": "CLOSED0001",
     "devices": [{"deviceName": "dev001", "psk": "MTIzNDU2Nzg5MGFiY2RlZg=="}]},
    {"cloud": "enos", "productKey": "KVclosed", "productSecret": "s", "requireCertificate": True,
     "devices": [{"deviceKey": "only", "deviceSecret": "secret04"}]},
]
NAMES = ["aliyun/pkS/d1", "aliyun/pkS/bare", "tencent/SIGNED0001/dev001",
         "tencent/SIGNED0001/bare", "enos/KVsigned/tPbZ", "enos/KVsigned/bare",
         "aliyun/pkClosed/d'1", "tencent/CLOSED0001/dev001", "enos/KVclosed/only"]

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("mosquitto_pub", "coap-client-openssl", "curl", "python3"))),
    reason="needs mosquitto-clients, libcoap3-bin and curl")


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory):
    path = tmp_path_factory.mktemp("sign") / "fixtures.json"
    path.write_text(json.dumps({"products": PRODUCTS}))
    return path


@pytest.fixture(scope="module")
def shared(fixtures):
    running = server.Skymock(fixtures=fixtures)
    yield running
    running.stop()


def url(running):
    return ("--url", f"http://localhost:{running.ports['admin']}")


def paste(running, line, folder):
    """What comes of it: the rules that refused something."""
    since = running.api.last_seq()
    done = subprocess.run(["timeout", "20", "bash", "-c", line], cwd=folder, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    running.api.barrier()
    events = running.api.events(since=since)
    refused = [(event["refused"], event["findings"]) for event in events if event.get("refused")]
    assert not refused, f"{line}\n{refused}"
    return {event["type"] for event in events}


@pytest.mark.parametrize("name", ["aliyun/pkS/d1", "tencent/SIGNED0001/dev001", "enos/KVsigned/tPbZ"])
def test_what_is_published_breaks_no_rule(skymock, tmp_path, name):
    lines = server.run("sign", name, *url(skymock)).stdout.splitlines()
    since = skymock.api.last_seq()
    paste(skymock, next(line for line in lines if line.startswith("mosquitto_pub")), tmp_path)
    publish, = skymock.api.events(since=since, type="publish")
    assert publish["device"] == name and not publish["findings"], publish
    assert publish["topic"] == {"aliyun": "/pkS/d1/user/update",
                                "tencent": "SIGNED0001/dev001/event",
                                "enos": "/sys/KVsigned/tPbZ/thing/model/up_raw"}[name.split("/")[0]]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("name", NAMES)
def test_every_line_works_when_pasted(skymock, tmp_path, name, options):
    signed = server.run("sign", name, *options, *url(skymock))
    if signed.returncode != 0:
        assert signed.returncode == 2 and signed.stdout == "" and name in signed.stderr
        assert any(word in signed.stderr for word in ("dynamicActivation", "has no secret", "--tls"))
        assert "--dynamic" in options or "Closed" in name or "KVclosed" in name
        return
    lines = signed.stdout.split("\n\n", 1)[1].splitlines()
    seen = set()
    for number, line in enumerate(lines):
        if "--dynamic" in options and number:
            skymock.api.post("/api/v1/reset", {"device": name})  # a secret is fetched once
        seen |= paste(skymock, line, tmp_path)
    assert lines and seen & {"connect", "http-auth", "coap-request"}, lines


def commands(*words):
    return json.loads(server.run("sign", *words, "--json").stdout)["commands"]


def test_dynamic_lines_bring_the_secret(skymock, tmp_path):
    for name in ("aliyun/pkS/d1", "enos/KVsigned/tPbZ"):
        skymock.api.post("/api/v1/reset", {"device": name})
        for line in commands(name, "--dynamic", *url(skymock)):
            done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True,
                                  text=True, check=True)
            if line.startswith("mosquitto_sub"):
                assert "ecret" in done.stdout
                break
        else:
            raise AssertionError("no MQTT line")


def test_the_ports_are_the_servers(skymock):
    line = next(line for line in commands("aliyun/pkS/d1", *url(skymock)) if "mosquitto" in line)
    assert f"-p {skymock.ports['mqtt']} " in line


def test_a_listener_that_is_off_has_no_line(start, fixtures):
    running = start("--listen", "https=off", "--listen", "mqtts=off", fixtures=fixtures)
    text = "\n".join(commands("aliyun/pkS/d1", *url(running)))
    assert "/auth/" not in text and "--psk" not in text.replace("--psk-identity", "--psk") or \
        f"-p {running.ports['mqtt']}" in text


def test_the_servers_clock_is_signed_with(skymock):
    skymock.api.post("/api/v1/clock/freeze")
    skymock.api.advance(1000 * 24 * 3600 * 1000)
    signed = json.loads(server.run("sign", "aliyun/pkS/d1", "--json", *url(skymock)).stdout)
    now = skymock.api.get("/api/v1/clock")["unixMs"]
    assert f"timestamp={now}" in signed["clientId"]


@pytest.mark.parametrize("name", ["aliyun/pkS/bare", "tencent/SIGNED0001/bare",
                                  "enos/KVsigned/bare"])
def test_no_secret_is_invented(fixtures, name):
    done = server.run("sign", name, "--fixtures", fixtures)
    assert done.returncode == 2 and done.stdout == ""
    assert f"{name}: no secret yet: activate first (--dynamic)" in done.stderr
    assert server.run("sign", name, "--dynamic", "--fixtures", fixtures).returncode == 0


def test_a_disabled_device_is_said(fixtures):
    done = server.run("sign", "aliyun/pkClosed/off", "--fixtures", fixtures)
    assert done.returncode == 2 and "is disabled" in done.stderr


def test_a_certificate_is_issued_first(fixtures):
    lines = commands("enos/KVsigned/tPbZ", "--tls", "--fixtures", fixtures)
    issue = next(index for index, line in enumerate(lines) if "/certificates" in line)
    use = next(index for index, line in enumerate(lines) if "--cert device.crt" in line)
    assert issue < use and "issue a certificate first" in lines[issue]


def test_a_device_that_the_server_has_not(skymock):
    done = server.run("sign", "aliyun/pkS/nobody", *url(skymock))
    assert done.returncode == 2 and "no device 'nobody'" in done.stderr
