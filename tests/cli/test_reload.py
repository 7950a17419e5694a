"""SIGHUP: the fixtures are read again, whole or not at all, while devices are served."""

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
