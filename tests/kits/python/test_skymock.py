"""The kit as its users have it: copied into a folder, by pytest of its own, and as a module.

Runs against the program of SKYMOCK_BUILD. With SKYMOCK_URL, as of a container, against that server;
what needs the program too is left out then, unless SKYMOCK names one."""

import ast
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

HERE = Path(__file__).parent
BUILD = Path(os.environ.get("SKYMOCK_BUILD", HERE.parents[2] / "build/debug"))
URL = os.environ.get("SKYMOCK_URL")
if not URL:
    os.environ.setdefault("SKYMOCK", str(BUILD / "skymock"))
for name in ("SKYMOCK_BUILD", "SKYMOCK_PROGRAM", "PYTEST_ADDOPTS"):
    os.environ.pop(name, None)

sys.path.insert(0, str(HERE))
import skymock  # noqa: E402

needs_program = pytest.mark.skipif(bool(URL) and "SKYMOCK" not in os.environ,
                                   reason="there is a server, and no program to start")

FIXTURES = {"products": [
    {"cloud": "aliyun", "productKey": "kitA",
     "topics": [{"topic": "/${productKey}/${deviceName}/user/do", "sub": True}],
     "devices": [{"deviceName": "there", "deviceSecret": "secret"}]},
    {"cloud": "tencent", "productId": "KITPRODUCT"},
    {"cloud": "enos", "productKey": "kitE"}]}

# What the tests of the inner runs begin with.
OPENING = '''
import paho.mqtt.client as mqtt
import pytest

def online(device, password=None):
    """paho, logged in or turned away."""
    codes = []
    login = device.mqtt
    client = mqtt.Client(login.client_id)
    client.on_connect = lambda *given: codes.append(given[3])
    client.username_pw_set(login.username, password or login.password)
    client.connect(login.host, login.port, login.keepalive)
    while not codes:
        client.loop(0.1)
    client.code = codes[0]
    return client

def publish(client, device, payload):
    client.publish(f"/{device.product}/{device.key}/user/update", payload, qos=1)
    for _ in range(3):
        client.loop(0.05)
'''


@pytest.fixture
def folder(tmp_path):
    """A project with the kit in it."""
    shutil.copy(HERE / "skymock.py", tmp_path)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["skymock"]\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\nskymock_fixtures = devices.json\n"
                                         "skymock_product = aliyun/kitA\n")
    (tmp_path / "devices.json").write_text(json.dumps(FIXTURES))
    return tmp_path


def run(folder, body="", *options, **environment):
    """pytest in that folder: (exit status, what it printed), as it prints to people."""
    if body:
        (folder / "test_inner.py").write_text(OPENING + body)
    variables = {**os.environ, "CI": None, "BUILD_NUMBER": None, **environment}
    variables = {key: value for key, value in variables.items() if value is not None}
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
                          cwd=folder, env=variables, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def wait_until(condition, what):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture(scope="module")
def server():
    with skymock.connect(fixtures=FIXTURES) if URL else skymock.start(FIXTURES) as running:
        yield running


# ---- the plugin ----

# What has changed in version 2 of paho-mqtt, for who calls version 1 as it always was.
PAHO_2 = '''
import enum
import paho.mqtt.client as mqtt

class CallbackAPIVersion(enum.Enum):
    VERSION1, VERSION2 = 1, 2

class Client(mqtt.Client):
    def __init__(self, callback_api_version=CallbackAPIVersion.VERSION1, client_id="", **more):
        if not isinstance(callback_api_version, CallbackAPIVersion):
            raise ValueError("Unsupported callback API version")
        super().__init__(client_id, **more)

mqtt.CallbackAPIVersion, mqtt.Client = CallbackAPIVersion, Client
'''


@pytest.mark.parametrize("conftest, workers", [("", ()), (PAHO_2, ()), ("", ("-n", "4"))])
def test_forty_lines(tmp_path, conftest, workers):
    if workers:
        pytest.importorskip("xdist")
    elif conftest and hasattr(mqtt, "CallbackAPIVersion"):
        pytest.skip("it is that version")
    folder = tmp_path / "copy"
    shutil.copytree(HERE / "examples", folder)
    shutil.copy(HERE / "skymock.py", folder)
    with open(folder / "conftest.py", "a", encoding="utf-8") as file:
        file.write(conftest)
    assert len((folder / "test_forty.py").read_text().splitlines()) <= 40
    code, told = run(folder, "", "--junitxml", "tests.xml", "--skymock-report", "rules", *workers)
    assert code == 0 and re.search("3 passed|2 passed, 1 skipped" if URL else "3 passed", told), told
    assert (folder / "tests.xml").exists() and (folder / "rules/report.xml").exists()


def test_the_readme_shows_the_example():
    assert (HERE / "examples/test_forty.py").read_text() in (HERE / "README.md").read_text()


def test_devices_faults_and_a_stopped_clock_go_with_the_test(folder):
    code, told = run(folder, '''
class TestOne:
    def test_it_makes_things(self, skymock, skymock_device):
        other = skymock.device("tencent/KITPRODUCT")
        skymock_device.fault("puback-down", "withhold")
        skymock.fault("connack", "withhold", product="tencent/KITPRODUCT")
        skymock.expect(rule="ALI-SIGN")
        skymock.clock.freeze()
        open("names", "w").write(skymock_device.id + " " + other.id)

    def test_they_are_gone(self, skymock):
        assert skymock.faults == skymock.api("GET", "expected")["expected"] == []
        assert not skymock.api("GET", "clock")["frozen"]
        for name in open("names").read().split():
            with pytest.raises(Exception, match="404"):
                skymock.device(name)
''')
    assert code == 0 and "2 passed" in told, told


def test_what_a_module_made_stays_for_its_tests(folder):
    code, told = run(folder, '''
@pytest.fixture(scope="module")
def both(skymock):
    device = skymock.device()
    return device, skymock.fault("connack", "delay", ms=1, product="enos/kitE")

def test_first(both, skymock_device):
    assert skymock_device.id != both[0].id

def test_second(both, skymock):
    assert not both[0].online and both[1].fired == 0 and skymock.faults
''')
    assert code == 0 and "2 passed" in told, told


def test_a_failure_says_who_was_refused_and_why(folder):
    code, told = run(folder, '''
def test_it_logs_in(skymock_device):
    assert online(skymock_device, password="0" * 40).code == 0
''')
    assert code == 1
    assert re.search(r"--- skymock ---.*aliyun/kitA/\w+\n", told, re.S), told
    for text in ("was refused by ALI-SIGN", "due:    clientId", "hint:", "the last events:",
                 "< connack code=4"):
        assert text in told


def test_a_failure_that_says_it_already_does_not_say_it_twice(folder):
    code, told = run(folder, '''
def test_it_logs_in(skymock_device):
    online(skymock_device)
    skymock_device.wait({"type": "publish"}, wait_ms=50)
''')
    assert code == 1 and told.count("the last events:") == 1, told
    assert ">       skymock_device.wait(" in told and "urlopen" not in told


@pytest.mark.parametrize("passed, code, workers", [
    ("False", 0, ()), ("True", 1, ()), ("'strict'", 1, ("-n", "2"))])
def test_the_marker_asks_for_the_verdict(folder, passed, code, workers):
    if workers:
        pytest.importorskip("xdist")
    got, told = run(folder, f'''
@pytest.mark.skymock(passed={passed})
def test_it_breaks_a_rule(skymock_device):
    online(skymock_device, password="0" * 40)
''', *workers)
    assert got == code, told
    assert ("failed ALI-SIGN: " in told) == bool(code), told
    assert bool(re.search(r"^FAILED .* - failed ALI-SIGN", told, re.M)) == bool(code), told


@pytest.mark.parametrize("mark, says", [
    ("passd=True", r"@pytest.mark.skymock\(passd=True\): .*'passd'.*\n(E +)?the mark takes product="),
    ("asset=1, product='aliyun/kitA'", r"@pytest.mark.skymock\(asset=1\): .*'asset'"),
    ("passed='stric'", r"@pytest.mark.skymock\(passed='stric'\): the mark takes .*'strict'"),
    ("'aliyun/kitA'", r"@pytest.mark.skymock\('aliyun/kitA'\): the mark takes product="),
    ("product='kitA'", "'kitA' is no product: give it as cloud/product"),
])
def test_a_mark_that_is_none(folder, mark, says):
    code, told = run(folder, f'''
@pytest.mark.skymock({mark})
def test_it(skymock_device):
    pass
''')
    assert code == 1 and re.search(says, told) and "def " not in told, told


def test_the_marker_has_product_and_fields(folder):
    code, told = run(folder, '''
@pytest.mark.skymock(product="tencent/KITPRODUCT", enabled=False)
def test_it_is_off(skymock_device):
    assert skymock_device.cloud == "tencent" and online(skymock_device).code == 5
''')
    assert code == 0, told


def test_report_and_verdict_of_the_session(folder):
    body = '''
def test_it_breaks_a_rule(skymock_device):
    online(skymock_device, password="0" * 40)
'''
    code, told = run(folder, body, "--skymock-report", "out/rules", "--skymock-verdict", "failed")
    assert code == 1 and "1 passed" in told and "failed ALI-SIGN" in told, told
    for name in ("report.html", "report.xml", "report.json"):
        assert "ALI-SIGN" in (folder / "out/rules" / name).read_text()
    code, told = run(folder, body)
    assert code == 0 and not re.search("= skymock =", told), told


@pytest.mark.parametrize("arguments", [(), ("-p", "skymock")])
def test_the_plugin_can_be_loaded_in_two_ways(folder, arguments):
    if arguments:
        (folder / "conftest.py").unlink()
    code, told = run(folder, "def test_it(skymock): assert skymock.url", *arguments)
    assert code == 0, told


# ---- pytest-xdist ----

def test_eight_workers_share_a_server(folder):
    pytest.importorskip("xdist")
    # The verdict is of all devices, and a server at a URL has seen others before.
    judged = () if URL else ("--skymock-verdict", "failed")
    code, told = run(folder, '''
import os

@pytest.mark.parametrize("number", range(24))
def test_one_of_many(skymock, skymock_device, number):
    client = online(skymock_device)
    with skymock_device.fault("puback-down", "withhold", count=1) as fault:
        publish(client, skymock_device, str(number))
        assert fault.fired == 1
    publish(client, skymock_device, "again")
    events = skymock_device.verify(event={"type": "publish", "direction": "up"}, count=2)
    assert events[0]["payload"] == str(number)
    skymock_device.verify(event={"type": "puback"}, count=1)
    skymock_device.assert_passed()
    client.disconnect()
    open("url-" + os.environ["PYTEST_XDIST_WORKER"], "w").write(skymock.url)
''', "-n", "8", "-q", "--skymock-report", "out", *judged)
    assert code == 0 and "24 passed" in told, told
    urls = {path.read_text() for path in folder.glob("url-*")}
    assert len(list(folder.glob("url-*"))) > 1 and len(urls) == 1
    assert "kitA" in (folder / "out/report.html").read_text()


@needs_program
def test_what_concerns_everybody_is_not_for_who_shares_a_server(folder):
    pytest.importorskip("xdist")
    code, told = run(folder, '''
def test_it_asks_for_its_own(skymock_own, skymock_device):
    assert skymock_device.server is skymock_own
    before = skymock_own.clock.freeze()
    assert skymock_own.clock.advance(1000) == before + 1000
    assert online(skymock_device).code == 0
    skymock_own.reset()

@pytest.mark.parametrize("what", [
    lambda server: server.clock.advance(1000), lambda server: server.reset(),
    lambda server: server.clear(), lambda server: server.restore("any"),
    lambda server: server.fault("connack", "withhold"),
    lambda server: server.expect(rule="ALI-SIGN")])
def test_it_does_not(skymock, what):
    with pytest.raises(Exception, match="skymock_own, a server of its own"):
        what(skymock)
    skymock.expect(rule="ALI-SIGN", product="aliyun/kitA")
''', "-n", "2", "--skymock-report", "out")
    assert code == 0 and "7 passed" in told, told
    assert (folder / "out/test_inner.py_test_it_asks_for_its_own.html").exists()


# ---- what goes wrong at the start: a line that says what to do, and no traceback ----

@pytest.mark.parametrize("environment, options, says", [
    ({"SKYMOCK": "/no/such/program"}, (), "no program '/no/such/program': put skymock on the "),
    ({"SKYMOCK": None, "PATH": "/nowhere"}, (), "there is no program 'skymock'"),
    ({"SKYMOCK": "true"}, (), "skymock did not start"),
    ({"SKYMOCK_FIXTURES": None}, ("--skymock-fixtures", "bad.json"),
     'bad.json: /products/0: "productKey" is missing'),
    ({"SKYMOCK_FIXTURES": None}, ("--skymock-fixtures", "bad.json"),
     "bad.json has all 2 errors)"),
    ({}, ("--skymock-product", "aliyun/none"), "cloud aliyun has no product 'none'"),
    ({"SKYMOCK_URL": "nonsense"}, (), "'nonsense' is no URL"),
])
@needs_program
def test_no_server(folder, environment, options, says, workers=()):
    (folder / "bad.json").write_text('{"products": [{"cloud": "aliyun"}, {"cloud": "no"}]}')
    code, told = run(folder, "def test_it(skymock_device): pass", *options, *workers,
                     **{"SKYMOCK_URL": None, **environment})
    assert code == 1 and says in told, told
    assert "Traceback" not in told and "urllib" not in told and "def " not in told, told


@needs_program
def test_no_server_for_workers(folder):
    pytest.importorskip("xdist")
    test_no_server(folder, {"SKYMOCK": "true"}, (), "skymock did not start", ("-n", "2"))


def test_no_server_at_that_address():
    with pytest.raises(skymock.SkymockError, match="no skymock answers at .*start it, or mend"):
        skymock.connect("http://127.0.0.1:1", patience_s=0.2)


@needs_program
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_server_ends_with_the_process_that_started_it(folder, how):
    (folder / "test_inner.py").write_text('''
import time
def test_it(skymock):
    keeper = skymock._program._keeper.pid
    pid = open(f"/proc/{keeper}/task/{keeper}/children").read().split()[0]
    open("pid", "w").write(f"{pid} {skymock._program._errors.parent} .")
    time.sleep(60)
''')
    variables = {key: value for key, value in os.environ.items() if key != "SKYMOCK_URL"}
    inner = subprocess.Popen([sys.executable, "-m", "pytest", "-q"], cwd=folder, env=variables,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = folder / "pid"
    wait_until(lambda: path.exists() and path.read_text().endswith("."), "it did not start")
    pid, leftover, _ = path.read_text().split()
    assert Path(f"/proc/{pid}").exists() and Path(leftover).exists()
    inner.send_signal(how)
    inner.wait(30)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the server is still there")
    wait_until(lambda: not Path(leftover).exists(), "its folder is still there")


# ---- the module ----

@pytest.fixture
def device(server):
    made = server.device("aliyun/kitA")
    yield made
    server.tidy()


def login(device, folder=None):
    codes, signed = [], device.mqtts if folder else device.mqtt
    client = mqtt.Client(signed.client_id)
    client.username_pw_set(signed.username, signed.password)
    if folder:  # by TLS, with a certificate in there
        own = device.certificate()
        files = [folder / "device.crt", folder / "device.key"]
        files[0].write_text(own["certificate"])
        files[1].write_text(own["key"])
        client.tls_set(device.server.ca_file, *map(str, files),
                       tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.on_connect = lambda *given: codes.append(given[3])
    client.connect(signed.host, signed.port, signed.keepalive)
    while not codes:
        client.loop(0.1)
    assert codes == [0]
    return client


def say(client, device, payload, times=1):
    for _ in range(times):
        client.publish(f"/{device.product}/{device.key}/user/update", payload, qos=1)
        client.loop(0.05)
    device.wait({"type": "publish", "direction": "up"}, count=times)


@pytest.mark.parametrize("product", ["aliyun/kitA", "tencent/KITPRODUCT", "enos/kitE"])
@pytest.mark.parametrize("tls", [False, True])
def test_a_device_of_each_cloud_logs_in(server, product, tls, tmp_path):
    device = server.device(product)
    client = login(device, tmp_path if tls else None)
    assert device.online and device.secret and device.id.startswith(product + "/")
    device.assert_passed()
    client.disconnect()
    server.tidy()


def test_a_device_that_is_there(server):
    device = server.device("aliyun/kitA/there")
    assert device.secret == "secret" and not device.temporary
    login(device).disconnect()
    device.wait({"type": "connack", "code": 0})
    server.tidy()
    assert device.events({"type": "connack"}) == []
    assert server.api("GET", "devices/aliyun/kitA/there")["online"] is False


def test_events_are_given_back(device):
    client = login(device)
    say(client, device, '{"temp": 19.5}', times=3)
    events = device.verify(event={"type": "publish"}, count=3)
    assert [event["json"] for event in events] == [{"temp": 19.5}] * 3
    assert device.verify(event={"type": "publish"}, count={"min": 1}, since=events[1]) == events[2:]
    first = device.verify(sequence=[{"type": "connect"}, {"type": "publish"}])
    assert [event["type"] for event in first] == ["connect", "publish"]
    assert device.absent({"type": "publish", "qos": 2}) is None
    assert device.events({"type": "publish"}) == events
    assert len(device.wait({"type": "publish"}, count=2)) >= 2


def test_more_events_than_a_page(device):
    client = login(device)
    topic = f"/{device.product}/{device.key}/user/do"
    client.subscribe(topic, 0)
    client.loop(0.1)
    device.wait({"type": "suback"})
    first = device.wait({"type": "connect"})[0]
    client.loop_start()
    for _ in range(600):
        device.message(topic, "x")
    client.publish(f"/{device.product}/{device.key}/user/update", "x", qos=1)
    device.wait({"type": "publish", "direction": "up"})
    client.loop_stop()
    shown = device.verify(sequence=[{"type": "connect"}, {"type": "publish", "direction": "up"}])
    assert shown[0] == first and shown[1]["seq"] > first["seq"] + 1000


def test_what_does_not_hold_is_explained(device):
    client = login(device)
    say(client, device, '{"temp": 19.5}')
    hot = {"type": "publish", "payload": {"pointer": "/temp", "min": 20}}
    with pytest.raises(AssertionError) as error:
        device.verify(event=hot)
    lines = str(error.value).splitlines()
    assert lines[0].startswith(f"{device.id}: 1 publish, none with temp >= 20; nearest: seq ")
    assert re.fullmatch(r"  nearest, seq \d+: /payload/temp is 19.5, wanted \">= 20\"", lines[1])
    with pytest.raises(AssertionError, match="(?s)none with packetId.*the last events:.*> publish"):
        device.wait({"type": "puback", "packetId": 77}, wait_ms=50)
    with pytest.raises(AssertionError, match="where none is wanted"):
        device.absent({"type": "publish"})
    with pytest.raises(AssertionError, match="it did nothing"):
        device.server.device("tencent/KITPRODUCT").wait({"type": "connect"}, wait_ms=1)
    with pytest.raises(AssertionError, match='/topic is nothing, wanted "/a/b"'):
        device.verify(event={"type": "connack", "topic": "/a/b"})


def test_errors_of_the_api_are_raised_with_its_words(server, device):
    with pytest.raises(skymock.ApiError, match="no member of patterns 'colour'.*at /event") as got:
        device.verify(event={"colour": "red"})
    assert got.value.status == 400 and got.value.pointer == "/event/colour"
    with pytest.raises(skymock.ApiError, match="/point"):
        device.fault("nowhere", "withhold")
    with pytest.raises(skymock.SkymockError, match="no listener 'telnet', only .*mqtt"):
        server.port("telnet")


def test_calls_that_are_none_say_what_to_give(server, device):
    for wrong in ("kitA", "aliyun/", {"product": "aliyun/kitA"}):
        for call in (server.device, server.product):
            with pytest.raises(skymock.SkymockError, match="is no product: give it as cloud/prod"):
                call(wrong)
    for given in ((), ({}, {}), ({}, [{}]), (None, {"type": "connect"})):
        with pytest.raises(skymock.SkymockError, match=r"one claim: event=\{..\}, .*sequence=\["):
            device.verify(*given)


def test_verdict_and_expectations(device):
    with pytest.raises(AssertionError, match="not exercised"):
        device.assert_passed()
    client = login(device)
    expected = device.expect(rule="ALI-QOS2", count=1)
    assert expected.fired == 0
    assert device.verdict()["verdict"] == "failed"
    with pytest.raises(AssertionError, match="(?s)failed ALI-QOS2: .*expected 1 times.*hint: "):
        device.assert_passed()
    device.clear()
    device.assert_passed(strict=True)
    client.disconnect()


def test_reset_keeps_a_temporary_device(server, device):
    before = device.secret, device.key
    login(device).disconnect()
    device.reset()
    assert device.events({"type": "connect"}) == []
    login(device).disconnect()
    record = server.api("GET", f"devices/{device.id}", query={"secrets": "true"})
    assert (record["secret"], record["device"], record["temporary"]) == (*before, True)


def test_downwards(device):
    client = login(device)
    topic = f"/{device.product}/{device.key}/user/do"
    client.subscribe(topic, 1)
    heard = []
    client.on_message = lambda *given: heard.append(given[2].payload)
    for payload in ("text", b"\xff\x00", {"json": [1]}):
        device.server.api("GET", "/health")
        client.loop(0.1)
        device.message(topic, payload, qos=1)
        client.loop(0.1)
    wait_until(lambda: client.loop(0.05) or len(heard) == 3, "messages did not come")
    assert heard == [b"text", b"\xff\x00", b'{"json": [1]}']
    with pytest.raises(skymock.ApiError, match="did not answer the command"):
        device.command("property-set", params={"temp": 1}, wait_ms=10)
    assert client.loop(0.1) == 0
    device.disconnect()
    device.wait({"type": "close", "reason": {"matches": "admin API"}})


def test_shadow_and_snapshots(server):
    device = server.device("tencent/KITPRODUCT", device="lamp", secret="MTIzNDU2Nzg5MGFiY2RlZg==")
    assert device.id == "tencent/KITPRODUCT/lamp"
    device.shadow(desired={"on": True})
    assert device.shadow()["state"]["desired"] == {"on": True}
    server.tidy()
    server.snapshot("kit", product="tencent/KITPRODUCT")
    server.restore("kit", product="tencent/KITPRODUCT")
    server.api("DELETE", "snapshots/kit", query={"product": "tencent/KITPRODUCT"})


def test_clock(server):
    before = server.clock.freeze()
    assert server.clock.now() == before and server.clock.stopped
    assert server.clock.advance(60_000) == before + 60_000
    assert server.clock.set(before + 90_000) == before + 90_000
    server.tidy()
    assert not server.api("GET", "clock")["frozen"]


def test_signing_anew_after_a_day(server):
    device = server.device("tencent/KITPRODUCT")
    before = device.mqtt
    server.clock.advance(24 * 3600 * 1000)
    assert device.mqtt == before
    device.sign()
    assert device.mqtt != before
    login(device).disconnect()
    server.tidy()


def test_a_suite(device):
    run = device.suite("session", case="takeover", timeout_s=0)
    assert run["state"] == "stopped" and run["devices"] == [device.id]


def test_reports(device, tmp_path):
    login(device).disconnect()
    assert f'<testsuite name="{device.id}"' in device.junit(tmp_path / "a/rules.xml").read_text()
    assert device.key in device.write_report(tmp_path / "page.html").read_text()
    assert json.loads(device.write_report(tmp_path / "a.json", "json").read_text())["devices"]
    assert device.report().startswith(device.id + "\n")
    assert device.server.report().startswith("all devices\n")


def test_questions_about_a_product(server, device):
    client = login(device)
    whole = server.product("aliyun/kitA")
    whole.wait({"type": "connect", "device": device.id})
    with pytest.raises(AssertionError):
        server.product("enos/kitE").wait({"type": "connect"}, wait_ms=1)
    client.disconnect()


@needs_program
def test_a_token_is_asked_for(monkeypatch):
    monkeypatch.delenv("SKYMOCK_URL", raising=False)
    monkeypatch.setenv("SKYMOCK_ADMIN_TOKEN", "let-me-in")
    with skymock.start() as server:
        assert server.api("GET", "products") == {"products": []}
        monkeypatch.setenv("SKYMOCK_ADMIN_TOKEN", "wrong")
        with pytest.raises(skymock.SkymockError, match="token"):
            skymock.connect(server.url).api("GET", "products")
        monkeypatch.setenv("SKYMOCK_ADMIN_TOKEN", "let-me-in")
        with pytest.raises(skymock.SkymockError, match="no product to make a device of"):
            skymock.connect(server.url).device()


@needs_program
def test_a_server_that_is_gone_says_so(monkeypatch):
    server = skymock.start()
    server.stop()
    with pytest.raises(skymock.SkymockError, match="skymock has ended"):
        server.api("GET", "clock")


@needs_program
def test_what_exec_sets_is_taken(tmp_path):
    shutil.copy(HERE / "skymock.py", tmp_path)
    (tmp_path / "devices.json").write_text(json.dumps(FIXTURES))
    (tmp_path / "inner.py").write_text('''
import os, skymock
server = skymock.connect()
assert server.host == os.environ["SKYMOCK_HOST"] and server.ca_file == os.environ["SKYMOCK_CA"]
assert all(server.port(name.lower().replace("_", "-")) == int(os.environ["SKYMOCK_PORT_" + name])
           for name in ("MQTT", "MQTTS", "ENOS_MQTT", "COAPS", "HTTPS", "ADMIN"))
assert server.environment == {key: value for key, value in os.environ.items()
                              if key in server.environment}
print(server.device("aliyun/kitA").id)
''')
    variables = {key: value for key, value in os.environ.items() if key != "SKYMOCK_URL"}
    done = subprocess.run([os.environ["SKYMOCK"], "exec", "--fixtures", "devices.json", "--",
                           sys.executable, "inner.py"], cwd=tmp_path, env=variables,
                          capture_output=True, text=True, timeout=60)
    assert "aliyun/kitA/" in done.stdout, done.stdout + done.stderr


def test_without_pytest(tmp_path):
    """The module needs the standard library only."""
    shutil.copy(HERE / "skymock.py", tmp_path)
    (tmp_path / "pytest.py").write_text("raise ImportError('there is none')\n")
    done = subprocess.run([sys.executable, "-c", "import skymock; print(skymock.pytest)"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "None\n", done.stderr


def test_python_3_8_reads_it():
    ast.parse((HERE / "skymock.py").read_text(encoding="utf-8"), feature_version=(3, 8))
