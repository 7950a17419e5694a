"""Captures, read by tshark: MQTT, HTTP and CoAP in the clear, whatever encrypted them."""

import http.client
import os
import ssl
import subprocess
import threading
import time

import capture
import coap
import credentials
import packets as mqtt
import pytest
import server
import websocket
from enos import credentials as enos

pytestmark = capture.needs_tshark
ALIYUN, TENCENT, ENOS = "aliyun/pk/device", "tencent/PROD123456/dev001", "enos/KV315idW/tPbZGCdmaE"
MEASURES = "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post"
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE


@pytest.fixture
def path(tmp_path):
    return tmp_path / "capture.pcapng"


def log_in(peer, device, **changes):
    peer.send_packet(type="connect", **{**credentials.login(device), **changes})
    answer = peer.receive()
    assert answer["type"] == "connack"
    return answer["code"]


def leave(peer):
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    peer.close()


def take(api, capture_id, path=None):
    """What a capture has so far."""
    connection = http.client.HTTPConnection("127.0.0.1", api._connection.port)
    connection.request("GET", f"/api/v1/captures/{capture_id}")
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "application/x-pcapng"
    if path:
        path.write_bytes(data)
    return data


def shown(api):
    return api.get("/api/v1/captures")["captures"]


def types(seen):
    return [kind for each in seen for kind in each.get("mqtt.msgtype", [])]


# ---- what is in a file ----

def test_a_file_has_mqtt_http_and_coap_of_every_kind(start, path):
    running = start("--capture", str(path))
    for listener in ("mqtt", "mqtts"):
        encrypted = listener == "mqtts"
        peer = (server.TlsPeer(running.ports[listener], TRUSTING) if encrypted
                else server.Peer(running.ports[listener]))
        device = TENCENT if encrypted else ALIYUN
        assert log_in(peer, device) == 0
        peer.send_packet(type="pingreq")
        assert peer.receive()["type"] == "pingresp"
        leave(peer)
    subprocess.run(["curl", "-sk", "-d", "productKey=pk&deviceName=device&clientId=x&sign=y",
                    f"https://127.0.0.1:{running.ports['https']}/auth/devicename"], check=True,
                   capture_output=True)
    device = coap.Device(running.ports["coaps"], enos.identity(ENOS, 2, 3600), enos.key(ENOS, 2))
    device.post(MEASURES, b'{"id": "1"}')
    device.close()
    running.stop()
    ports = running.ports
    assert capture.faults(path, ports) == []
    by_listener = {name: types(capture.packets(path, ports, f"mqtt && frame.interface_name==\"{name}\""))
                   for name in ("mqtt", "mqtts")}
    assert by_listener == {name: ["1", "2", "12", "13", "14"] for name in by_listener}
    request, answer = capture.packets(path, ports, "http")
    assert request["http.request.uri"] == ["/auth/devicename"]
    assert answer["http.response.code"] == ["200"]
    post, answer = capture.packets(path, ports, "coap")
    assert (post["coap.code"], answer["coap.code"]) == (["2"], ["68"])  # POST; 2.04
    assert post["udp.dstport"] == [str(ports["coaps"])]
    assert capture.packets(path, ports, f"tcp.port=={ports['admin']}") == []
    ends = [each["tcp.flags.str"] for each in capture.packets(path, ports, "tcp.flags.fin==1")]
    assert len(ends) == 2 * 3
    assert all(each["ip.src"] == ["127.0.0.1"] for each in capture.packets(path, ports))
    said = capture.tshark(path, *capture.decode_as(ports), "-q", "-z", "conv,tcp")
    assert f"127.0.0.1:{ports['mqtts']}" in said


def test_what_broke_a_rule_is_said_at_the_packet_that_did(start, path):
    running = start("--capture", str(path))
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN) == 0
    peer.send_packet(type="publish", qos=1, id=1, topic="/pk/device/user/update", payload="fine")
    assert peer.receive()["type"] == "puback"
    peer.send_packet(type="publish", qos=1, id=2, topic="/pk/other/user/update", payload="not")
    assert peer.receive()["type"] == "puback"
    leave(peer)
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN, keepalive=30) == 2
    assert peer.receive() is None
    device = coap.Device(running.ports["coaps"], enos.identity(ENOS, 2, 3600), enos.key(ENOS, 2))
    device.post(MEASURES, b'{"id": "1"}')
    device.close()
    running.api.barrier()
    running.stop()
    publish, connect, post = capture.packets(path, running.ports, "frame.comment")
    assert publish["mqtt.topic"] == ["/pk/other/user/update"]
    assert any(each.startswith("ALI-TOPIC-PUB: published to /pk/other/user/update")
               for each in publish["frame.comment"])
    assert types([connect]) == ["1"]
    assert [each.split(":")[0] for each in connect["frame.comment"]] == ["ALI-KEEPALIVE-RANGE"]
    assert connect["frame.comment"][0].endswith(", refused)")
    assert post["coap.code"] == ["2"]
    assert any(each.startswith("ENOS-VERSION: ") for each in post["frame.comment"])


def test_a_handshake_that_failed_is_a_connection_with_a_comment(start, path):
    running = start("--capture", str(path))
    subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{running.ports['mqtts']}",
                    "-psk_identity", "nobody", "-psk", "00", "-cipher", "PSK-AES128-CBC-SHA256"],
                   capture_output=True, stdin=subprocess.DEVNULL, check=False)
    running.api.wait_event({"type": "close"})
    running.stop()
    only, = capture.packets(path, running.ports, "frame.comment")
    assert any("TLS-PSK-IDENTITY" in each for each in only["frame.comment"])
    assert capture.faults(path, running.ports) == []


def test_large_messages_are_cut_into_segments_and_put_together_again(start, path):
    running = start("--capture", str(path))
    peer = server.TlsPeer(running.ports["mqtts"], TRUSTING)
    assert log_in(peer, TENCENT) == 0
    peer.send_packet(type="subscribe", id=1, filters=[["PROD123456/dev001/control", 1]])
    assert peer.receive()["type"] == "suback"
    peer.send_packet(type="publish", topic="PROD123456/dev001/data", payload="x" * 200_000)
    running.api.wait_event({"type": "publish", "direction": "up"})
    running.api.post(f"/api/v1/devices/{TENCENT}/messages",
                     {"topic": "PROD123456/dev001/control", "payload": "y" * 200_000})
    assert len(peer.receive()["payload"]) == 200_000
    leave(peer)
    running.stop()
    assert capture.faults(path, running.ports) == []
    seen = capture.packets(path, running.ports, "mqtt")
    assert types(seen) == ["1", "2", "8", "9", "3", "3", "14"]
    lengths = [int(each["tcp.len"][0]) for each in capture.packets(path, running.ports, "tcp")]
    assert max(lengths) <= 64_000 and sum(lengths) > 400_000


def test_websocket_is_shown_from_the_upgrade_on(start, path):
    running = start("--capture", str(path))
    peer = server.TlsPeer(running.ports["https"], TRUSTING)
    socket = websocket.WebSocket(peer)
    socket.send(websocket.frame(mqtt.encode(
        {"type": "connect", **credentials.login(ALIYUN)})))
    running.api.wait_event({"type": "connack"})
    peer.close()
    running.api.wait_event({"type": "close"})
    running.stop()
    assert capture.faults(path, running.ports) == []
    upgrade, answer = capture.packets(path, running.ports, "http")
    assert upgrade["http.request.uri"] == ["/mqtt"] and answer["http.response.code"] == ["101"]
    login, connack = [bytes.fromhex(each["data.data"][0]) for each in
                      capture.packets(path, running.ports, "websocket && data")]
    assert (login[:1], connack[:2]) == (b"\x10", b"\x20\x02")  # CONNECT and CONNACK


@pytest.mark.parametrize("host", ["::1", "0.0.0.0"])
def test_addresses_are_the_real_ones(start, path, host, monkeypatch):
    running = start("--capture", str(path), "--listen", f"mqtt=[{host}]:0"
                    if ":" in host else f"mqtt={host}:0", "--listen", f"coaps={host}:0"
                    if ":" not in host else "coaps=0")
    address = "::1" if ":" in host else "127.0.0.3"
    connect = server.socket.create_connection
    monkeypatch.setattr(server.socket, "create_connection",
                        lambda to, **more: connect((address, to[1]), **more))
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN) == 0
    leave(peer)
    if host == "0.0.0.0":
        device = coap.Device(running.ports["coaps"], enos.identity(ENOS, 2, 3600),
                             enos.key(ENOS, 2))
        device.post(MEASURES, b'{"id": "1"}')
        device.close()
    monkeypatch.undo()
    running.stop()
    assert capture.faults(path, running.ports) == []
    answers = capture.packets(path, running.ports, "mqtt.msgtype==2")
    assert [each.get("ip.src", each.get("ipv6.src")) for each in answers] == [[address]]
    if host == "0.0.0.0":
        assert [each["ip.src"] for each in capture.packets(path, running.ports, "coap")] == [
            ["127.0.0.1"], ["127.0.0.1"]]


def test_a_device_that_breaks_off_resets(start, path):
    running = start("--capture", str(path))
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN) == 0
    peer.socket.setsockopt(server.socket.SOL_SOCKET, server.socket.SO_LINGER,
                           b"\x01\0\0\0\0\0\0\0")
    peer.close()
    running.api.wait_event({"type": "close"})
    running.stop()
    assert len(capture.packets(path, running.ports, "tcp.flags.reset==1")) == 1


@pytest.mark.parametrize("action,flags", [("close", {"F"}), ("reset", {"R"}), ("freeze", set())])
def test_a_connection_that_a_fault_ends_ends_so(start, path, action, flags):
    running = start("--capture", str(path))
    running.api.post("/api/v1/faults", {"point": "pingresp", "action": action})
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN) == 0
    peer.send_packet(type="pingreq")
    running.api.wait_event({"type": "fault"})
    running.api.barrier()
    running.stop()
    ends = capture.packets(path, running.ports, f"tcp.srcport=={running.ports['mqtt']}")
    assert {flag for each in ends for flag in "FR" if flag in each["tcp.flags.str"][0]} == flags
    assert all("Connection reset (RST)" in fault for fault in capture.faults(path, running.ports))
    assert types(capture.packets(path, running.ports, "mqtt")) == ["1", "2", "12"]
    peer.close()


def test_times_are_real_whatever_virtual_time_is(start, path):
    running = start("--capture", str(path))
    before = time.time()
    running.api.advance(30 * 24 * 3600 * 1000)
    peer = server.Peer(running.ports["mqtt"])
    log_in(peer, ALIYUN)
    peer.close()
    running.stop()
    times = [float(each["frame.time_epoch"][0]) for each in capture.packets(path, running.ports)]
    assert times == sorted(times) and before - 1 < times[0] and times[-1] < time.time() + 1


# ---- files ----

def test_the_file_is_its_owners_and_says_how_to_read_it(start, path):
    running = start("--capture", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    running.stop()
    said = subprocess.run(["capinfos", str(path)], capture_output=True, text=True, check=True).stdout
    assert f"-d tcp.port=={running.ports['mqtts']},mqtt" in said
    assert f"-d udp.port=={running.ports['coaps']},coap" in said


def test_what_is_captured_is_in_the_file_while_the_server_runs(start, path):
    running = start("--capture", str(path))
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN) == 0
    deadline = time.monotonic() + server.PATIENCE_S
    while types(capture.packets(path, running.ports, "mqtt")) != ["1", "2"]:
        assert time.monotonic() < deadline
    running.kill()


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path):
    done = server.run("serve", "--listen", "all=0", "--capture", tmp_path / "no" / "file")
    assert done.returncode == 2
    assert "--capture" in done.stderr and "no such file or directory" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_full_disk_ends_the_capture_and_nothing_else(start):
    running = start("--capture", "/dev/full")
    deadline = time.monotonic() + server.PATIENCE_S
    while "the capture \"/dev/full\" ends here: no space left on device" not in running.errors():
        assert time.monotonic() < deadline
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN) == 0
    leave(peer)


def flood(running, megabytes):
    """A device says so much, and the server has taken it."""
    peer = server.Peer(running.ports["mqtt"])
    assert log_in(peer, ALIYUN) == 0
    for _ in range(megabytes * 4):
        peer.send_packet(type="publish", topic="/pk/device/user/update", payload="x" * 250_000)
    leave(peer)


def test_what_the_disk_does_not_take_in_time_is_counted(start, path):
    pipe = path.with_suffix(".pipe")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    running = start("--capture", str(pipe))
    flood(running, 24)
    running.api.barrier()  # devices and the API do not wait for the disk
    data = bytearray()

    def read():
        os.set_blocking(reader, True)
        while piece := os.read(reader, 1 << 20):
            data.extend(piece)

    reading = threading.Thread(target=read)
    reading.start()
    running.stop()
    reading.join(server.PATIENCE_S)
    os.close(reader)
    path.write_bytes(data)
    assert 8 << 20 < len(data) < 12 << 20
    kept = len(capture.packets(path, running.ports))
    assert lost_of(data) > 0 and kept > 100


def lost_of(data):
    """What the last block, the interface's statistics, says was dropped."""
    block = data[-int.from_bytes(data[-4:], "little"):]
    assert block[:4] == b"\x05\0\0\0"
    at = 20
    while block[at:at + 4] != b"\x05\0\x08\0":
        at += 4
    return int.from_bytes(block[at + 4:at + 12], "little")


def test_exec_captures_too(path, tmp_path):
    script = tmp_path / "device.sh"
    script.write_text('curl -s "http://127.0.0.1:$SKYMOCK_PORT_HTTPS/auth/devicename" -d a=b\n')
    done = server.run("exec", "--fixtures", server.FIXTURES, "--capture", path, "--", "sh", script)
    assert done.returncode != 127, done.stderr
    assert "/auth/devicename" in capture.tshark(path, "-Y", "http.request", "-T", "fields", "-e",
                                                "http.request.uri")


# ---- in memory ----

def test_a_capture_begins_in_the_middle_and_can_be_read_while_it_runs(skymock, peer, path):
    api, device = skymock.api, peer("mqtt")
    assert log_in(device, ALIYUN) == 0
    number = api.post("/api/v1/captures", {"name": "here"})["id"]
    device.send_packet(type="pingreq")
    device.receive()
    take(api, number, path)
    assert types(capture.packets(path, skymock.ports, "mqtt")) == ["12", "13"]
    assert capture.faults(path, skymock.ports) == []
    listed, = shown(api)
    assert listed["running"] and listed["packets"] == 5 and listed["lost"] == 0
    assert listed["name"] == "here"
    assert api.post(f"/api/v1/captures/{number}/stop") == ""
    device.send_packet(type="pingreq")
    device.receive()
    assert len(take(api, number)) == len(path.read_bytes())
    assert not shown(api)[0]["running"]
    api.call("DELETE", f"/api/v1/captures/{number}")
    assert shown(api) == []


def test_captures_side_by_side_have_each_what_came_in_their_time(skymock, peer, path):
    api, device = skymock.api, peer("mqtt")
    numbers = []
    for _ in range(3):
        numbers.append(api.post("/api/v1/captures")["id"])
        one = peer("mqtt")
        assert log_in(one, ALIYUN) == 0
    for count, number in zip((3, 2, 1), numbers):
        take(api, number, path)
        assert types(capture.packets(path, skymock.ports, "mqtt.msgtype==1")) == ["1"] * count
        api.call("DELETE", f"/api/v1/captures/{number}")
    device.close()


def test_the_oldest_packets_make_room(start, path):
    running = start()
    number = running.api.post("/api/v1/captures")["id"]
    flood(running, 15)
    listed, = shown(running.api)
    assert listed["lost"] == 0 and listed["bytes"] > 15_000_000
    flood(running, 5)
    listed, = shown(running.api)
    assert listed["lost"] > 0 and listed["bytes"] <= 16 << 20
    data = take(running.api, number, path)
    assert lost_of(data) == listed["lost"]
    kept = capture.packets(path, running.ports, "tcp")
    assert len(kept) == listed["packets"] - listed["lost"]
    assert types(kept)[-1] == "14"


def test_who_reads_has_what_there_was_whatever_becomes_of_it(start, path):
    running = start()
    number = running.api.post("/api/v1/captures")["id"]
    flood(running, 15)
    whole = take(running.api, number)
    readers = []
    for method in ("GET", "GET", "HEAD"):
        connection = http.client.HTTPConnection("127.0.0.1", running.ports["admin"])
        connection.request(method, f"/api/v1/captures/{number}")
        answer = connection.getresponse()
        assert int(answer.getheader("Content-Length")) == len(whole)
        readers.append((connection, answer))
    flood(running, 20)  # what they read makes room
    running.api.call("DELETE", f"/api/v1/captures/{number}")
    readers[1][0].close()  # in the midst of it
    read = readers[0][1].read()
    assert len(read) == len(whole)
    path.write_bytes(read)
    assert types(capture.packets(path, running.ports, "tcp"))[-1] == "14"
    assert readers[2][1].read() == b"" and shown(running.api) == []
    for connection, _ in readers:
        connection.close()


def test_there_is_room_for_so_many(start):
    api = start().api
    numbers = [api.post("/api/v1/captures")["id"] for _ in range(8)]
    assert api.request("POST", "/api/v1/captures")[0] == 409
    api.call("DELETE", f"/api/v1/captures/{numbers[3]}")
    assert api.post("/api/v1/captures", {"name": "x" * 64})["id"] > numbers[-1]
    assert api.request("POST", "/api/v1/captures", {"name": "x" * 65})[0] == 400


@pytest.mark.parametrize("method,way", [("GET", ""), ("DELETE", ""), ("POST", "/stop")])
def test_what_is_not_there_is_404(skymock, method, way):
    for number in ("0", "99", "x", "-1"):
        status, answer = skymock.api.request(method, f"/api/v1/captures/{number}{way}")
        assert status == 404 and answer["error"]["code"] == "not_found"
