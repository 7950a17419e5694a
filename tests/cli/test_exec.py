"""`skymock exec`: one server for one command, and what is told of both."""

import json
import os
import signal
import subprocess
import sys
import time

import packets
import pytest
import server
from credentials import login

FIXTURES = ("--fixtures", server.FIXTURES)
DEVICE = "aliyun/pk/device"


def connect(mistake=None):
    """A command line that logs the device in."""
    fields = login(DEVICE, mistake=mistake) if mistake else login(DEVICE)
    return (f"mosquitto_pub -h $SKYMOCK_HOST -p $SKYMOCK_PORT_MQTT -V mqttv311 -k 60 -m x -q 1 "
            f"-t /pk/device/user/both -i '{fields['clientId']}' -u '{fields['username']}' "
            f"-P '{fields['password']}' || true")


def run(*words, environment=None, **options):
    return subprocess.run([str(server.PROGRAM), "exec", *map(str, FIXTURES), *map(str, words)],
                          capture_output=True, text=True, check=False,
                          timeout=server.PATIENCE_S, env={**server.ENVIRONMENT,
                                                          **(environment or {})}, **options)


def begin(*words):
    return subprocess.Popen([str(server.PROGRAM), "exec", *map(str, FIXTURES), *map(str, words)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=server.ENVIRONMENT)


def test_ports_are_free_ones_unless_named():
    both = [begin("--", "sh", "-c", "echo $SKYMOCK_PORT_MQTT; read x || sleep 1") for _ in range(2)]
    ports = {each.stdout.readline() for each in both}
    assert len(ports) == 2 and "1883\n" not in ports
    for each in both:
        each.communicate(timeout=server.PATIENCE_S)


@pytest.mark.parametrize("host,told", [("0.0.0.0", "127.0.0.1"), ("localhost", "localhost"),
                                       ("::1", "::1"), ("127.0.0.2", "127.0.0.2")])
def test_the_command_is_told_where_everything_is(host, told):
    done = run("--host", host, "--", "sh", "-c", "echo $SKYMOCK_HOST; curl -s $SKYMOCK_URL/health; "
               "head -1 $SKYMOCK_CA; curl -s --cacert $SKYMOCK_CA -o /dev/null -w '%{http_code}' "
               "https://localhost:$SKYMOCK_PORT_HTTPS/")
    lines = done.stdout.splitlines()
    assert lines[0] == told and '"ok"' in lines[1]
    assert lines[2] == "-----BEGIN CERTIFICATE-----"


def test_the_ca_file_goes_with_the_server(tmp_path):
    done = run("--", "sh", "-c", "echo $SKYMOCK_CA", environment={"TMPDIR": str(tmp_path)})
    path = done.stdout.splitlines()[0]
    assert path.startswith(str(tmp_path)) and not os.path.exists(path)
    done = run("--", "sh", "-c", "echo [$SKYMOCK_CA]", environment={"TMPDIR": "/nonexistent"})
    assert "[]" in done.stdout and "/nonexistent" in done.stderr


def test_the_ports_are_in_the_file_that_is_asked_for(tmp_path):
    done = run("--ports-file", tmp_path / "ports.json", "--", "sh", "-c",
               f"echo $SKYMOCK_PORT_MQTT; cat {tmp_path}/ports.json")
    port, ports = done.stdout.splitlines()[:2]
    assert json.loads(ports)["mqtt"] == int(port)
    done = run("--ports-file", tmp_path / "none" / "x", "--", "echo", "begun")
    assert done.returncode == 2 and "--ports-file" in done.stderr and "begun" not in done.stdout


def test_json_is_the_verdict(tmp_path):
    run("--json", tmp_path / "verdict.json", "--", "sh", "-c", connect())
    verdict = json.loads((tmp_path / "verdict.json").read_text())["verdict"]
    assert verdict in ("passed", "warned")


def test_where_the_report_goes_is_not_what_the_command_prints(tmp_path, monkeypatch):
    monkeypatch.setitem(server.ENVIRONMENT, "SKYMOCK_JSON", str(tmp_path / "report.json"))
    done = server.run("exec", "--", server.PROGRAM, "rules", "psk")
    assert "give 1 or 0" not in done.stderr and "ALI-PSK-KEY" in done.stdout
    assert (tmp_path / "report.json").exists()


def test_events_before_a_reset_are_of_the_run_too(tmp_path):
    path = tmp_path / "events.jsonl"
    run("--events", path, "--device", "aliyun/pk/second", "--", "sh", "-c",
        connect() + "; curl -s -X POST $SKYMOCK_URL/api/v1/reset; " + connect())
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["type"] for event in events].count("connect") == 2


def test_events_are_lines_of_json(tmp_path):
    path = tmp_path / "events.jsonl"
    run("--events", path, "--", "sh", "-c", connect())
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {"connect", "connack", "publish"} <= {event["type"] for event in events}


def test_more_events_than_a_page_holds(tmp_path):
    path = tmp_path / "events.jsonl"
    script = ("import os, socket\nfor i in range(700):\n"
              "  s = socket.create_connection(('127.0.0.1', int(os.environ['SKYMOCK_PORT_MQTT'])))\n"
              "  s.sendall(b'\\0\\0'); s.recv(1); s.close()")
    run("--events", path, "--", sys.executable, "-c", script)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(events) >= 1400
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


# ---- ending the command ----

def is_gone(pid):
    """A process that nobody has waited for yet is gone too."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def await_gone(pids):
    deadline = time.monotonic() + server.PATIENCE_S
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < deadline, pids


@pytest.mark.parametrize("script", ["sleep 600 & echo $!; wait",
                                    "trap '' TERM; sleep 600 & echo $!; while :; do wait; done",
                                    "trap 'exit 0' TERM; sleep 600 & echo $!; wait"])
def test_a_command_past_its_timeout_is_ended_with_all_it_started(script):
    start = time.monotonic()
    done = run("--timeout", 1, "--", "bash", "-c", script)
    assert done.returncode == 124
    assert time.monotonic() - start < 15
    assert "longer than --timeout 1" in done.stderr and done.stderr.count("--timeout") == 1
    assert "verdict: " in done.stdout
    await_gone([int(done.stdout.splitlines()[0])])


def test_a_command_in_time_is_left_alone():
    done = run("--timeout", 20, "--", "sh", "-c", "exit 3")
    assert done.returncode == 3 and "timeout" not in done.stderr


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_and_the_verdict_follows(number, code):
    process = begin("--", "bash", "-c", "echo $$; exec sleep 600")
    pid = int(process.stdout.readline())
    assert os.getpgid(pid) == pid
    process.send_signal(number)
    out, errors = process.communicate(timeout=server.PATIENCE_S)
    assert "verdict: not exercised" in out and process.returncode == code, errors
    await_gone([pid])


def test_a_command_that_will_not_end_on_a_signal_is_ended():
    process = begin("--", "bash", "-c", "trap '' INT; echo $$; while :; do sleep 0.1; done")
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=server.PATIENCE_S)
    assert "verdict: " in out and process.returncode == 137
    await_gone([pid])


# ---- annotations ----

def annotations(text):
    return [line for line in text.splitlines() if line.startswith("::")]


def test_each_refusal_is_an_annotation_in_a_workflow():
    command = ("--", "sh", "-c", connect("values-only"))
    done = run(*command, environment={"GITHUB_ACTIONS": "true"})
    lines = annotations(done.stdout)
    assert len(lines) == 1 and done.returncode == 1
    assert lines[0].startswith("::error title=skymock ALI-SIGN-VALUES-ONLY::aliyun/pk/device was "
                               "refused: ")
    assert not annotations(run(*command).stdout)


def test_what_a_peer_says_cannot_command_the_workflow():
    packet = packets.encode({"type": "connect", "clientId": "a\n::add-mask::b%0A\x1b[2J",
                             "username": "x", "password": "y"})
    script = ("import os, socket\n"
              "s = socket.create_connection(('127.0.0.1', int(os.environ['SKYMOCK_PORT_MQTT'])))\n"
              f"s.sendall(bytes.fromhex('{packet.hex()}')); s.recv(9)")
    done = run("--", sys.executable, "-c", script, environment={"GITHUB_ACTIONS": "true"})
    lines = annotations(done.stdout)
    assert len(lines) == 1 and lines[0].startswith("::error ") and "%0A" not in lines[0]
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("value", ["0", "-1", "x", "604801", "1.5"])
def test_a_timeout_is_whole_seconds(value):
    done = run(f"--timeout={value}", "--", "true")
    assert done.returncode == 2 and "whole seconds" in done.stderr
