"""What people read: the serving terminal's lines, the journal, rules, hosts, the CA, help."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import clouds
import pytest
import server
from credentials import login

DEVICE = "aliyun/pk/device"
COMMANDS = ("serve", "check", "sign", "explain", "rules", "verdict", "exec", "events", "hosts",
            "ca", "healthcheck")


def url(running):
    return ("--url", f"http://127.0.0.1:{running.ports['admin']}")


def refuse(running, **fields):
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **{**login(DEVICE, mistake="values-only"), **fields})
    peer.receive()
    name = "%s:%d" % peer.socket.getsockname()
    peer.close()
    return name


def lines_of(running, count):
    """The lines on the serving terminal, once there are so many."""
    deadline = time.monotonic() + server.PATIENCE_S
    while len(running.errors().splitlines()) < count:
        assert time.monotonic() < deadline, running.errors()
        running.api.barrier()
    return running.errors().splitlines()


# ---- the serving terminal ----

def test_each_refusal_is_a_line(start):
    running = start()
    peer = refuse(running)
    line, = lines_of(running, 1)
    assert re.match(rf"\d\d:\d\d:\d\d\.\d\d\d {peer} {DEVICE} refused by ALI-SIGN-VALUES-ONLY: .* "
                    r"\[values-only\]$", line)


def test_who_is_not_registered_is_named_as_it_claims(start):
    running = start()
    refuse(running, username="devicf&pk")
    refuse(running, clientId="abc", username="foo")
    peer = server.Peer(running.ports["https"])
    peer.send(b"\0\0")
    assert peer.receive() is None
    lines = lines_of(running, 3)
    assert " aliyun/pk/devicf refused by ALI-DEVICE-UNKNOWN: " in lines[0]
    assert lines[0].endswith("did you mean 'device'?")
    assert " clientId 'abc' refused by " in lines[1]
    assert " listener 'https' refused by " in lines[2] and " 127.0.0.1:" in lines[2]


@pytest.mark.parametrize("product, name, levels", [
    ("gateways", "gateway", "topo/add"),  # 6402
    ("pk", "device", "topo/add"),  # 460: not among the products that may stand there
    ("subs", "lamp", "topo/delete")])  # 6401
def test_who_a_gateway_is_told_no_about_is_a_line(start, product, name, levels):
    running = start(*(word for path in clouds.fixtures() for word in ("--fixtures", str(path))))
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login("aliyun/gateways/gateway"))
    assert peer.receive()["code"] == 0
    params = [{"productKey": product, "deviceName": name}]
    peer.send_packet(type="publish", topic=f"/sys/gateways/gateway/thing/{levels}",
                     payload=json.dumps({"id": "1", "version": "1.0", "params": params}))
    running.api.wait_event({"type": "sub-device", "rules": ["ALI-SUB-DEVICE"]})
    lines = lines_of(running, 1)
    assert any(f"aliyun/{product}/{name}" in line and "refused by ALI-SUB-DEVICE" in line
               for line in lines), lines
    peer.close()


def test_handshakes_that_fail_are_lines(start, tmp_path):
    running = start()
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLError), \
            socket.create_connection(("127.0.0.1", running.ports["mqtts"])) as raw:
        context.wrap_socket(raw, server_hostname="localhost")
    line, = lines_of(running, 1)
    assert re.search(r" 127\.0\.0\.1:\d+ serverName 'localhost' refused by TLS-", line)


@pytest.mark.parametrize("options", [("--quiet",), ("-q",), ("--log-level", "error")])
def test_quiet_is_quiet(start, options):
    running = start(*options)
    refuse(running)
    running.api.wait_event({"type": "close"})
    running.api.barrier()
    assert running.errors() == ""


def test_a_storm_is_counted_and_not_shown(start):
    running = start()
    for _ in range(200):
        refuse(running)
    deadline = time.monotonic() + server.PATIENCE_S
    while "more refusals are not shown" not in running.errors():
        assert time.monotonic() < deadline
        running.api.barrier()
    lines = running.errors().splitlines()
    shown = [line for line in lines if "refused by" in line]
    counted = [int(line.split()[1]) for line in lines if "more refusals" in line]
    assert 20 <= len(shown) < 150
    while sum(counted) + len(shown) < 200:
        assert time.monotonic() < deadline
        lines = running.errors().splitlines()
        shown = [line for line in lines if "refused by" in line]
        counted = [int(line.split()[1]) for line in lines if "more refusals" in line]
    assert sum(counted) + len(shown) == 200


def test_a_terminal_that_nobody_reads_holds_nobody_up():
    """A pipe that is full: the lines are lost, the devices are not."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    ports, told = os.pipe()
    process = subprocess.Popen(
        [str(server.PROGRAM), "serve", "--listen", "all=0", "--fixtures", str(server.FIXTURES),
         "--ports-file", f"/dev/fd/{told}"],
        stderr=writer, stdout=subprocess.DEVNULL, pass_fds=[told], env=server.ENVIRONMENT)
    os.close(told)
    with os.fdopen(ports) as pipe:
        found = json.loads(pipe.readline())
    for _ in range(30):
        peer = server.Peer(found["mqtt"])
        peer.send_packet(type="connect", **login(DEVICE, mistake="values-only"))
        assert peer.receive()["code"] == 4
        peer.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(server.PATIENCE_S) == 0
    os.close(reader)
    os.close(writer)


def test_what_peers_say_moves_no_cursor(start):
    running = start()
    refuse(running, clientId="a\x1b[2J\n\u009b1mb\x7f", username="foo")
    text = "\n".join(lines_of(running, 1)) + server.run("events", *url(running)).stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", text)
    assert "a\\x1b[2J\\x0a\\x9b1mb\\x7f" in text


# ---- events ----

def test_events_are_lines(skymock):
    refuse(skymock)
    done = server.run("events", *url(skymock))
    lines = done.stdout.splitlines()
    events = skymock.api.events()
    assert done.returncode == 0 and len(lines) == len(events)
    for line, event in zip(lines, events):
        assert line.split()[0] == str(event["seq"]) and f" {event['type']} " in line
    connect = next(line for line in lines if " connect " in line)
    assert DEVICE in connect and "refused by ALI-SIGN: " in connect
    assert "ALI-SIGN-VALUES-ONLY" in connect


def test_events_are_filtered(skymock):
    refuse(skymock)
    refuse(skymock, username="devicf&pk")
    done = server.run("events", *url(skymock), "--type", "connack,close")
    assert {line.split()[3] for line in done.stdout.splitlines()} == {"connack", "close"} or \
        {"connack", "close"} <= set(done.stdout.split())
    done = server.run("events", *url(skymock), "--device", "aliyun/pk/devicf", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events and all(event["deviceKey"] == "devicf" for event in events)
    done = server.run("events", *url(skymock), "--type", "no-such")
    assert done.returncode == 2 and "there is no type 'no-such'; there are connect," in done.stderr


def test_events_follow(skymock):
    refuse(skymock)
    process = subprocess.Popen([str(server.PROGRAM), "events", "--follow", *url(skymock)],
                               stdout=subprocess.PIPE, text=True, env=server.ENVIRONMENT)
    while " connack " not in process.stdout.readline():
        assert process.poll() is None
    refuse(skymock, username="devicf&pk")
    while "devicf" not in process.stdout.readline():
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=server.PATIENCE_S)


def test_events_of_the_deepest_payload(skymock, peer):
    device = peer()
    device.send_packet(type="connect", **login(DEVICE))
    device.receive()
    device.send_packet(type="publish", topic="/pk/device/user/both", payload="[" * 64 + "]" * 64)
    skymock.api.wait_event({"type": "publish"})
    done = server.run("events", *url(skymock))
    assert done.returncode == 0 and "[[[" in done.stdout, done.stderr


def test_events_of_a_name_that_no_text_can_hold(skymock):
    """A form may say NUL; what is told of it has to be JSON that this program itself can read."""
    subprocess.run(["curl", "-sk", "-d", "productKey=pk%00x&deviceName=device&clientId=c&sign=00",
                    f"https://127.0.0.1:{skymock.ports['https']}/auth/devicename"], check=True,
                   timeout=server.PATIENCE_S, stdout=subprocess.DEVNULL)
    done = server.run("events", *url(skymock), "--type", "http-auth")
    assert done.returncode == 0 and "aliyun/pk\ufffdx/device" in done.stdout, done.stderr


def test_events_without_a_server():
    done = server.run("events", "--url", "http://127.0.0.1:1")
    assert done.returncode == 2 and "no server at" in done.stderr


# ---- rules ----

def test_rules_are_filtered_by_words():
    all_rules = json.loads(server.run("rules", "--json").stdout)["rules"]
    found = json.loads(server.run("rules", "--json", "TENCENT", "qos").stdout)["rules"]
    assert 0 < len(found) < len(all_rules)
    assert all("qos" in json.dumps(rule).lower() and "tencent" in json.dumps(rule).lower()
               for rule in found)
    table = server.run("rules", "ALI-QOS2").stdout
    assert "ALI-QOS2" in table and "TEN-" not in table
    done = server.run("rules", "zzz", "qos")
    assert done.returncode == 1 and done.stdout == "" and "all these words" in done.stderr


# ---- hosts ----

def test_hosts_are_lines_of_etc_hosts():
    done = server.run("hosts", "--fixtures", server.FIXTURES)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert all(address == "127.0.0.1" for address, _ in lines)
    names = {name for _, name in lines}
    assert "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com" in names
    assert "iot-auth.cn-shanghai.aliyuncs.com" in names
    assert "PROD123456.iotcloud.tencentdevices.com" in names
    assert not any("*" in name for name in names)


def test_hosts_without_products_says_what_is_missing():
    lines = server.run("hosts", "--ip", "192.0.2.7").stdout.splitlines()
    stars = [line for line in lines if "*" in line]
    assert stars and all(line.startswith("# ") and "--fixtures" in line for line in stars)
    assert all(line.startswith("192.0.2.7") for line in lines if line not in stars)


def test_hosts_for_dnsmasq():
    lines = server.run("hosts", "--dnsmasq", "--ip", "::1").stdout.splitlines()
    assert "address=/iot-as-mqtt.cn-shanghai.aliyuncs.com/::1" in lines
    assert all(re.fullmatch(r"address=/[a-z0-9.-]+/::1", line) for line in lines)


def test_hosts_needs_an_address():
    done = server.run("hosts", "--ip", "localhost")
    assert done.returncode == 2 and "--ip localhost: give an IP address" in done.stderr


# ---- ca ----

def test_ca_in_der_and_c(skymock, tmp_path):
    pem = skymock.api.get("/ca.crt")
    done = subprocess.run([str(server.PROGRAM), "ca", "--der", *url(skymock)], check=True,
                          capture_output=True, env=server.ENVIRONMENT)
    assert done.stdout == ssl.PEM_cert_to_DER_cert(pem)
    source = tmp_path / "ca.c"
    source.write_text(server.run("ca", "--c", *url(skymock)).stdout +
                      "#include <stdio.h>\nint main(void) { return puts(skymock_ca) < 0; }\n")
    subprocess.run(["cc", "-Wall", "-Werror", "-o", tmp_path / "ca", source], check=True)
    assert subprocess.run([tmp_path / "ca"], capture_output=True, text=True,
                          check=True).stdout == pem + "\n"
    done = server.run("ca", "--der", "--c", *url(skymock))
    assert done.returncode == 2 and "give one of them" in done.stderr


# ---- help ----

@pytest.mark.parametrize("words", [("help",), *((command, "--help") for command in COMMANDS)])
def test_help_fits_the_terminal(words):
    done = server.run(*words)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert not any(line != line.rstrip() for line in lines if line)


def test_help_breaks_no_word():
    words = set(" ".join(server.run(command, "--help").stdout for command in COMMANDS).split())
    assert {"[SKYMOCK_ADVERTISE_HOST]", "NAME=HOST:PORT,", "(repeatable)"} <= words


def test_every_command_is_in_the_overview():
    text = server.run("help").stdout
    assert all(f"  skymock {command} " in text for command in COMMANDS)
