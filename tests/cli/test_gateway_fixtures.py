"""Fixtures of gateways, and models in files of their own: checked, served, and read again."""

import json
import signal

import clouds
import pytest
import server
from credentials import SECRETS, login

PRODUCT = "/api/v1/products/aliyun/gates"
GATE = "/api/v1/devices/aliyun/gates/one/topology"
OTHER = "/api/v1/devices/aliyun/gates/two/topology"


def model(most):
    return {"properties": [{"identifier": "level", "accessMode": "rw", "dataType": {
        "type": "int", "specs": {"min": "0", "max": str(most)}}}], "events": [], "services": []}


def gates(one=("a",), two=(), **product):
    """A product of two gateways; who stands behind them is of another file."""
    return {"products": [{
        "cloud": "aliyun", "productKey": "gates", "nodeType": "gateway", **product, "devices": [
            {"deviceName": name, "deviceSecret": "s" * 16, "subDevices": [
                {"productKey": "subs", "deviceName": key} for key in behind]}
            for name, behind in (("one", one), ("two", two))]}]}


def subs(*names):
    return {"products": [{"cloud": "aliyun", "productKey": "subs", "nodeType": "sub-device",
                          "devices": [{"deviceName": name, "deviceSecret": "s" * 16}
                                      for name in names]}]}


def write(folder, name, content):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def folder(tmp_path):
    """The gateways come first."""
    folder = tmp_path / "fixtures"
    (folder / "models").mkdir(parents=True)
    write(folder, "a.json", gates(model="models/gate.json"))
    write(folder, "b.json", subs("a", "b"))
    write(folder, "models/gate.json", model(9))
    return folder


def behind(running, path=GATE):
    return [each["device"] for each in running.api.get(path)["subDevices"]]


def hang_up(running, name="fixtures-reloaded"):
    since = running.api.last_seq()
    running.process.send_signal(signal.SIGHUP)
    return running.api.wait_event({"type": "note", "name": name}, since=since)


# ---- check ----

def test_check_takes_gateways_of_several_files(folder):
    done = server.run("check", folder)
    assert (done.returncode, done.stdout) == (0, "good: 2 files, 2 products, 4 devices\n")


@pytest.mark.parametrize("name, content, pointer, part", [
    ("b.json", subs("b"), "/products/0/devices/0/subDevices/0", "there is no device subs/a"),
    ("a.json", gates(("a", "b"), ("b",)), "/products/0/devices/1/subDevices/0", "already"),
    ("c.json", {"products": [{**gates(("b",), ("a",))["products"][0], "productKey": "more"}]},
     "/products/0/devices/1/subDevices/0", "another gateway already"),
    ("b.json", {"products": [{**subs("a")["products"][0], "nodeType": "gateway"}]},
     "/products/0/devices/0/subDevices/0", "is a gateway"),
    ("a.json", gates(model="models/none.json"), "/products/0/model", "models/none.json"),
    ("a.json", gates(model="models"), "/products/0/model", "models"),
    ("a.json", gates(model=""), "/products/0/model", "fixtures/"),
    ("models/gate.json", "{", "/products/0/model", "models/gate.json: not JSON at"),
    ("models/gate.json", "[]", "/products/0/model", ""),
    ("models/gate.json", {"properties": 7}, "/products/0/model/properties", ""),
    ("models/gate.json", {"x": "x" * 256 * 1024}, "/products/0/model", "")])
def test_check_says_where_it_is_wrong(folder, name, content, pointer, part):
    write(folder, name, content)
    done = server.run("check", folder)
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 1 and len(lines) == 1, lines
    path = folder / ("a.json" if name != "c.json" else name)
    assert lines[0].startswith(f"{path}: {pointer}: ") and part in lines[0]


def test_a_model_may_lie_anywhere(folder, tmp_path):
    write(tmp_path, "elsewhere.json", "\ufeff" + json.dumps(model(9)))
    for path in (str(tmp_path / "elsewhere.json"), "../elsewhere.json", "./../elsewhere.json"):
        write(folder, "a.json", gates(model=path))
        done = server.run("check", folder)
        assert done.returncode == 0, done.stderr
    for path in ("a.json", "./a.json"):  # of a file in the present folder
        done = server.run("check", path, "b.json", cwd=folder)
        assert done.returncode == 0, done.stderr


# ---- serving, and reading again ----

def test_a_start_binds_and_puts_models_in(start, folder):
    running = start(fixtures=folder)
    assert behind(running) == ["a"] and behind(running, OTHER) == []
    assert running.api.get(PRODUCT)["model"] == model(9)


def test_reading_again_changes_what_the_files_say_otherwise(start, folder):
    running = start(fixtures=folder)
    write(folder, "b.json", subs("a", "b", "c"))
    write(folder, "a.json", gates(("c", "b"), ("a",), model="models/gate.json"))
    hang_up(running)
    assert sorted(behind(running)) == ["b", "c"] and behind(running, OTHER) == ["a"]
    write(folder, "models/gate.json", model(7))
    write(folder, "a.json", gates((), ("b",), model="models/gate.json", config={"x": 1}))
    hang_up(running)
    assert behind(running) == [] and behind(running, OTHER) == ["b"]
    read = running.api.get(PRODUCT)
    assert (read["model"], read["config"]) == (model(7), {"x": 1})
    write(folder, "a.json", gates((), ("b",)))
    hang_up(running)
    assert not {"model", "config"} & set(running.api.get(PRODUCT))


def test_reading_the_same_again_leaves_what_was_done_since(start, folder):
    write(folder, "a.json", gates(("a", "b"), model="models/gate.json", config=1))
    running = start(fixtures=folder)
    running.api.call("PUT", OTHER, {"subDevices": [{"product": "subs", "device": "a"}]})
    running.api.call("PATCH", PRODUCT, {"config": 2, "model": None})
    hang_up(running)
    assert "products added 0, changed 0; devices added 0, changed 0" in running.errors()
    assert behind(running) == ["b"] and behind(running, OTHER) == ["a"]
    read = running.api.get(PRODUCT)
    assert read["config"] == 2 and "model" not in read
    running.api.reset()
    assert behind(running) == ["a", "b"] and behind(running, OTHER) == []
    read = running.api.get(PRODUCT)
    assert (read["config"], read["model"]) == (1, model(9))


def test_a_bad_file_changes_nothing(start, folder):
    running = start(fixtures=folder)
    write(folder, "a.json", gates(("b",), ("nobody",)))
    hang_up(running, "fixtures-refused")
    assert "/products/0/devices/1/subDevices/0" in running.errors()
    assert behind(running) == ["a"] and "model" in running.api.get(PRODUCT)


def test_a_reset_to_a_bad_file_is_refused_whole(start, folder):
    running = start(fixtures=folder)
    running.api.call("PUT", GATE, {"subDevices": [{"product": "subs", "device": "b"}]})
    write(folder, "a.json", gates(("b",), ("nobody",)))
    status, answer = running.api.request("POST", "/api/v1/reset")
    assert status >= 400 and "subDevices/0" in answer["error"]["message"]
    assert behind(running) == ["b"]


def test_many_gateways_are_read_again_in_pieces(start, folder):
    names = [f"g{i}" for i in range(100)]
    running = start(fixtures=folder)
    write(folder, "b.json", subs("a", *(f"of {name}".replace(" ", "-") for name in names)))
    product = gates(("a",))
    product["products"][0]["devices"] += [
        {"deviceName": name, "deviceSecret": "s" * 16,
         "subDevices": [{"productKey": "subs", "deviceName": f"of-{name}"}]} for name in names]
    write(folder, "a.json", product)
    hang_up(running)
    for name in names:
        assert behind(running, GATE.replace("one", name)) == [f"of-{name}"]
    assert behind(running) == ["a"]


def test_with_a_store_a_restart_finds_it_as_it_was_left(start, folder, tmp_path):
    store = ("--store", str(tmp_path / "store"))
    running = start(*store, fixtures=folder)
    running.api.call("PUT", GATE, {"subDevices": [{"product": "subs", "device": "b"}]})
    running.api.call("PUT", PRODUCT + "/config", {"x": 1})
    running.kill()
    running = start(*store, fixtures=folder)
    assert behind(running) == ["b"] and running.api.get(PRODUCT)["config"] == {"x": 1}
    running.stop()
    write(folder, "a.json", gates((), ("a",)))  # a device moves from one to the other
    running = start(*store, fixtures=folder)
    assert behind(running) == ["b"] and behind(running, OTHER) == ["a"]
    assert running.api.get(PRODUCT)["config"] == {"x": 1}


def test_a_reading_opens_topics_at_once(start, folder):
    """Its gateway brings a device online that the files name only now."""
    running = start(fixtures=folder)
    SECRETS.update({name: ("s" * 16, "") for name in ("aliyun/gates/one", "aliyun/subs/b")})
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", keepalive=60, **login("aliyun/gates/one"))
    assert peer.receive()["code"] == 0
    topic, payload = dict(clouds.modules("behind"))["aliyun"].act(
        "login", "aliyun/gates/one", "aliyun/subs/b")
    peer.send_packet(type="publish", topic=topic, payload=payload)
    write(folder, "a.json", gates(("a", "b"), model="models/gate.json"))
    hang_up(running)
    since = running.api.last_seq()
    peer.send_packet(type="publish", topic=topic, payload=payload)
    running.api.wait_event({"type": "online", "device": "aliyun/subs/b"}, since=since)
