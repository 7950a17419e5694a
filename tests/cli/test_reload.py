"""SIGHUP, or the API: the fixtures are read again, whole or not at all, while devices are served."""

import json
import os
import signal
import time

import pytest
import server
from credentials import login

DEVICE = "aliyun/pk/device"


def fixture(*names, **product):
    return {"products": [{"cloud": "aliyun", "productKey": "pkR", "productSecret": "x" * 16,
                          **product, "devices": [{"deviceName": name, "deviceSecret": "s" * 16}
                                                 for name in names]}]}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(fixture("one")))
    return tmp_path


def hang_up(running, name):
    """Sends the signal, and waits for the event that says what came of it."""
    since = running.api.last_seq()
    running.process.send_signal(signal.SIGHUP)
    return running.api.wait_event({"type": "note", "name": name}, since=since)


def names(running):
    return {device["device"] for device in running.api.get("/api/v1/devices", limit=1000)["devices"]
            if device["product"] == "pkR"}


def test_new_devices_may_log_in_and_old_connections_stay(start, folder):
    running = start("--fixtures", str(folder))
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    assert peer.receive()["code"] == 0
    (folder / "b.json").write_text(json.dumps(fixture("two", "three")))
    hang_up(running, "fixtures-reloaded")
    assert names(running) == {"one", "two", "three"}
    peer.send_packet(type="pingreq")
    assert peer.receive()["type"] == "pingresp"
    assert "fixtures read again: files 3; products added 0" in running.errors()
    assert "devices added 2, changed 0" in running.errors()


@pytest.mark.parametrize("text,parts", [
    ('{"products": [', ["b.json"]),
    ('{"products": [{"cloud": "nowhere", "productKey": "x"},'
     ' {"cloud": "aliyun", "productKey": "a b", "productSecret": 1}]}',
     ["/products/0/cloud", "/products/1/productKey", "/products/1/productSecret"]),
])
def test_a_bad_file_changes_nothing_and_every_error_is_a_line(start, folder, text, parts):
    running = start("--fixtures", str(folder))
    (folder / "a.json").write_text(json.dumps(fixture("one", "two")))
    (folder / "b.json").write_text(text)
    hang_up(running, "fixtures-refused")
    lines = [line for line in running.errors().splitlines() if "fixtures" in line]
    assert len(lines) == len(parts), lines
    assert all(line.startswith("skymock: fixtures stay as they were: ") for line in lines)
    assert all(any(part in line for line in lines) for part in parts), lines
    assert names(running) == {"one"}
    (folder / "b.json").unlink()
    hang_up(running, "fixtures-reloaded")
    assert names(running) == {"one", "two"}


def test_a_folder_that_went_away_is_said(start, folder):
    running = start("--fixtures", str(folder))
    folder.rename(folder.with_name("elsewhere"))
    hang_up(running, "fixtures-refused")
    assert str(folder) in running.errors() and names(running) == {"one"}


def test_without_fixtures_there_is_nothing_to_read(start):
    running = start(fixtures=None)
    running.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + server.PATIENCE_S
    while "nothing to read again" not in running.errors():
        assert time.monotonic() < deadline
        running.api.get("/health")


def test_signals_in_a_row_end_with_the_last_files(start, folder):
    running = start("--fixtures", str(folder))
    for count in range(1, 20):
        text = json.dumps(fixture(*(f"n{i}" for i in range(count * 10))))
        (folder / "a.json.new").write_text(text)
        os.replace(folder / "a.json.new", folder / "a.json")
        running.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + server.PATIENCE_S
    while "n189" not in names(running):
        assert time.monotonic() < deadline


def test_pieces_together_are_the_file(start, folder):
    """Many devices, a big one, and a product without any: as at a start."""
    many = fixture(*(f"d{i}" for i in range(1000)))
    big = {"cloud": "tencent", "productId": "PIECES0001", "devices": [
        {"deviceName": f"b{i}", "psk": "MTIzNDU2Nzg5MGFiY2RlZg==",
         "shadow": {"reported": {"x": "y" * 10000}}} for i in range(5)]}
    many["products"] += [big, {"cloud": "enos", "productKey": "alone", "productSecret": "s" * 16}]
    running = start("--fixtures", str(folder))
    (folder / "a.json").write_text("\ufeff" + json.dumps(many))
    hang_up(running, "fixtures-reloaded")
    assert "products added 2, changed 0; devices added 1005, changed 0" in running.errors()
    before = running.api.get("/api/v1/products")
    hang_up(running, "fixtures-reloaded")
    assert "products added 0, changed 0; devices added 0, changed 0" in running.errors()
    assert running.api.get("/api/v1/products") == before


def test_a_stop_in_the_middle_is_clean(start, folder):
    running = start("--fixtures", str(folder))
    (folder / "a.json").write_text(json.dumps(fixture(*(f"d{i}" for i in range(20000)))))
    running.process.send_signal(signal.SIGHUP)
    running.api.get("/health")
    running.stop()


# ---- by the API ----

def test_the_api_answers_when_they_are_in_force(start, folder):
    running = start("--fixtures", str(folder))
    (folder / "b.json").write_text(json.dumps(fixture("two", "three")))
    assert running.api.post("/api/v1/reload") == {
        "files": 3, "productsAdded": 0, "productsChanged": 0, "devicesAdded": 2,
        "devicesChanged": 0}
    assert names(running) == {"one", "two", "three"}
    assert running.api.post("/api/v1/reload")["devicesAdded"] == 0


def test_the_api_is_told_every_error_and_nothing_is_changed(start, folder):
    running = start("--fixtures", str(folder))
    (folder / "a.json").write_text(json.dumps(fixture("one", "two")))
    (folder / "b.json").write_text('{"products": [{"cloud": "nowhere", "productKey": "x"},'
                                   ' {"cloud": "aliyun", "productKey": "a b"}]}')
    status, answer = running.api.request("POST", "/api/v1/reload")
    assert status == 422
    first, *lines = answer["error"]["message"].split("\n")
    assert first == "fixtures stay as they were"
    assert all(str(folder / "b.json") in line for line in lines)
    assert ["/products/0/cloud" in lines[0], "/products/1/productKey" in lines[1]] == [True, True]
    assert names(running) == {"one"}
    (folder / "b.json").unlink()
    assert running.api.post("/api/v1/reload")["devicesAdded"] == 1


def test_errors_beyond_what_is_shown_are_counted(start, folder):
    running = start("--fixtures", str(folder))
    (folder / "b.json").write_text(json.dumps({"products": [
        {"cloud": f"nowhere{number}", "productKey": "x"} for number in range(40)]}))
    status, answer = running.api.request("POST", "/api/v1/reload")
    assert status == 422 and answer["error"]["message"].endswith("more")


def test_the_api_refuses_where_there_are_no_fixtures(start):
    running = start(fixtures=None)
    assert running.api.request("POST", "/api/v1/reload")[0] == 409


def test_calls_in_a_row_are_answered_with_what_they_wanted(start, folder):
    """A call that comes while the files are read waits until they have been read once more."""
    running = start("--fixtures", str(folder))
    apis = [server.Api(running.ports["admin"]) for _ in range(8)]
    for number, api in enumerate(apis):
        text = json.dumps(fixture(*(f"n{i}" for i in range((number + 1) * 10))))
        (folder / "a.json.new").write_text(text)
        os.replace(folder / "a.json.new", folder / "a.json")
        api._connection.request("POST", "/api/v1/reload", headers={"Content-Length": "0"})
    for number, api in enumerate(apis):
        answer = api._connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        assert f"n{number * 10 + 9}" in names(running)
        api.close()


def test_a_call_that_leaves_and_a_stop_are_clean(start, folder):
    running = start("--fixtures", str(folder))
    (folder / "a.json").write_text(json.dumps(fixture(*(f"d{i}" for i in range(5000)))))
    for _ in range(3):
        api = server.Api(running.ports["admin"])
        api._connection.request("POST", "/api/v1/reload", headers={"Content-Length": "0"})
        api.close()
    api = server.Api(running.ports["admin"])
    api._connection.request("POST", "/api/v1/reload", headers={"Content-Length": "0"})
    running.api.get("/health")
    running.stop()
    api.close()
