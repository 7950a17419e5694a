"""--tls-keylog: who captured the encrypted wire can read it."""

import re
import select
import shutil
import ssl
import subprocess
import time

import capture
import coap
import credentials
import pytest
import server
from enos import credentials as enos

ALIYUN, TENCENT, ENOS = "aliyun/pk/device", "tencent/PROD123456/dev001", "enos/KV315idW/tPbZGCdmaE"
MEASURES = "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post"
LINE = re.compile(r"CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}")


def trusting(**changes):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in changes.items():
        setattr(context, name, value)
    return context


@pytest.fixture
def sniff(tmp_path):
    """sniff(filter) begins a capture of the loopback interface, and gives what ends it."""
    if not shutil.which("tcpdump"):
        pytest.skip("needs tcpdump: Debian's package of that name")
    path, running = tmp_path / "wire.pcap", []

    def begin(wanted):
        process = subprocess.Popen(["tcpdump", "-i", "lo", "-U", "-w", str(path), *wanted.split()],
                                   stderr=subprocess.PIPE, text=True)
        running.append(process)
        line = process.stderr.readline()
        while line and "listening on" not in line:
            line = process.stderr.readline()
        if not line:
            pytest.skip("may not capture the loopback interface; as root it could")

        def end(wanted_count, *options):
            """When so many packets are seen that a display filter chooses."""
            deadline = time.monotonic() + server.PATIENCE_S
            while len(chosen(path, *options)) < wanted_count and time.monotonic() < deadline:
                select.select([], [], [], 0.1)
            process.terminate()
            process.wait(server.PATIENCE_S)
            return chosen(path, *options)

        return end

    yield begin
    for process in running:
        process.kill()
        process.wait(server.PATIENCE_S)
        process.stderr.close()


def chosen(path, *options):
    done = subprocess.run(["tshark", "-r", str(path), *options], capture_output=True, text=True,
                          timeout=server.PATIENCE_S, check=False)
    return done.stdout.splitlines()  # what is half written yet is none of it


@capture.needs_tshark
def test_a_tls_session_on_the_wire_is_decrypted(start, sniff, tmp_path):
    keys = tmp_path / "keys"
    running = start("--tls-keylog", str(keys))
    port = running.ports["mqtts"]
    end = sniff(f"tcp port {port}")
    peer = server.TlsPeer(port, trusting())
    peer.send_packet(type="connect", **credentials.login(TENCENT))
    assert peer.receive()["code"] == 0
    peer.send_packet(type="publish", topic="PROD123456/dev001/data", payload="seen")
    running.api.wait_event({"type": "publish"})
    peer.close()
    assert LINE.fullmatch(keys.read_text().strip())
    assert keys.stat().st_mode & 0o777 == 0o600
    seen = end(3, "-o", f"tls.keylog_file:{keys}", "-d", f"tcp.port=={port},tls", "-d",
               f"tls.port=={port},mqtt", "-Y", "mqtt", "-T", "fields", "-e", "mqtt.msgtype")
    assert seen == ["1", "2", "3"]


@capture.needs_tshark
def test_a_dtls_session_on_the_wire_is_decrypted(start, sniff, tmp_path):
    keys = tmp_path / "keys"
    running = start("--tls-keylog", str(keys))
    port = running.ports["coaps"]
    end = sniff(f"udp port {port}")
    device = coap.Device(port, enos.identity(ENOS, 2, 3600), enos.key(ENOS, 2))
    device.post(MEASURES, b'{"id": "1"}')
    device.close()
    assert LINE.fullmatch(keys.read_text().strip())
    seen = end(2, "-o", f"tls.keylog_file:{keys}", "-d", f"udp.port=={port},dtls", "-d",
               f"dtls.port=={port},coap", "-Y", "coap", "-T", "fields", "-e", "coap.code")
    assert seen == ["2", "68"]


def hand_shake(port, context, session=None):
    with server.socket.create_connection(("127.0.0.1", port)) as plain:
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as tls:
            tls.sendall(server.packets.encode({"type": "connect", **credentials.login(TENCENT)}))
            tls.recv(4)
            return tls.session, tls.session_reused


def test_every_session_has_its_line_a_resumed_one_too_and_the_file_grows(start, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("# what was there stays\n")
    for count in (1, 2):
        running = start("--tls-keylog", str(keys))
        context = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
        session, reused = hand_shake(running.ports["mqtts"], context)
        assert not reused
        _, reused = hand_shake(running.ports["mqtts"], context, session)
        assert reused
        running.stop()
        first, *lines = keys.read_text().splitlines()
        assert first.startswith("#") and len(lines) == 2 * count
        assert all(LINE.fullmatch(line) for line in lines) and len(set(lines)) == len(lines)


def test_without_the_option_nothing_is_written(start, tmp_path):
    running = start()
    hand_shake(running.ports["mqtts"], trusting())
    running.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path):
    done = server.run("serve", "--listen", "all=0", "--tls-keylog", tmp_path / "no" / "file")
    assert done.returncode == 2 and "--tls-keylog" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_full_disk_is_said_once_and_sessions_go_on(start):
    running = start("--tls-keylog", "/dev/full")
    for _ in range(2):
        hand_shake(running.ports["mqtts"], trusting())
    running.api.barrier()
    assert running.errors().count("secrets are missing in \"/dev/full\"") == 1
