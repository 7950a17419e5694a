"""The command line: what each command prints, and what it exits with."""

import json
import os
import signal
import socket
import subprocess

import pytest
import server
from credentials import login

FIXTURES = ("--fixtures", server.FIXTURES)
FREE_PORTS = ("--listen", "all=0")
DEVICES = ["aliyun/pk/device", "tencent/PROD123456/dev001", "enos/KV315idW/tPbZGCdmaE"]


def fields(login_fields):
    return ("--client-id", login_fields["clientId"], "--username", login_fields["username"],
            "--password", login_fields["password"])


def one_line(done):
    """A failure is one clear line."""
    assert done.stderr.startswith("skymock: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


# ---- serve ----

@pytest.mark.parametrize("options,part", [
    (["--no-such"], "--no-such"),
    (["--listen", "nowhere=1"], "nowhere"),
    (["--fixtures", "/nonexistent/fixtures.json"], "/nonexistent/fixtures.json"),
    (["--store", "/nonexistent/folder/store.db"], "/nonexistent/folder/store.db"),
    (["--rule", "NO-SUCH-RULE=off"], "NO-SUCH-RULE"),
    (["stray"], "usage"),
])
def test_serve_refuses_to_half_start(options, part):
    done = server.run("serve", *FREE_PORTS, *options)
    assert done.returncode == 2 and part in one_line(done)


def test_serve_says_which_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = server.run("serve", *FREE_PORTS, "--listen", f"mqtt=127.0.0.1:{port}")
    assert done.returncode == 2 and str(port) in one_line(done)


def test_serve_tells_all_ports_and_stops_on_sigterm(start):
    running = start()
    assert set(running.ports) == set(server.LISTENERS)
    assert all(f"={running.ports[name]}" in running.ready_line or
               f":{running.ports[name]}" in running.ready_line for name in running.ports)
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICES[0]))
    assert peer.receive()["code"] == 0
    running.process.send_signal(signal.SIGTERM)
    assert peer.receive() is None
    assert running.process.wait(server.PATIENCE_S) == 0


@pytest.mark.parametrize("name", server.LISTENERS)
def test_every_listener_takes_localhost(start, name):
    running = start("--listen", f"{name}=localhost:0")
    assert f"{name}=localhost:{running.ports[name]}" in running.ready_line


def test_a_later_name_wins_over_all(start):
    running = start("--listen", "all=off", "--listen", "mqtt=0", "--listen", "admin=localhost:0")
    assert set(running.ports) == {"mqtt", "admin"}


def test_listeners_that_are_off_are_closed(start):
    running = start("--listen", "https=off")
    assert "https" not in running.ports


# ---- check ----

def test_check_counts_what_it_found():
    done = server.run("check", server.FIXTURES)
    assert (done.returncode, done.stdout) == (0, "good: 1 files, 4 products, 10 devices\n")


def test_check_takes_the_example_fixtures():
    assert server.run("check", server.ROOT / "fixtures").returncode == 0


def test_check_prints_every_error_with_file_and_pointer(tmp_path):
    (tmp_path / "a.json").write_text('{"products": [{"cloud": "nowhere", "productKey": "x"}]}')
    (tmp_path / "b.json").write_text('{"products": [')
    (tmp_path / "notes.txt").write_text("not a fixture")
    done = server.run("check", tmp_path)
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[0].startswith(f"{tmp_path}/a.json: /products/0/cloud: ")
    assert lines[-1].startswith(f"{tmp_path}/b.json: ")


def test_check_of_an_empty_folder_is_no_success(tmp_path):
    done = server.run("check", tmp_path)
    assert done.returncode == 1 and str(tmp_path) in done.stderr


# ---- sign and explain ----

@pytest.mark.parametrize("device", DEVICES)
def test_what_sign_prints_is_accepted(device):
    signed = json.loads(server.run("sign", device, "--json", *FIXTURES).stdout)
    done = server.run("explain", device, *FIXTURES, *fields(signed))
    assert done.returncode == 0 and done.stdout.startswith("accepted"), done.stdout


@pytest.mark.parametrize("device", DEVICES)
def test_what_another_implementation_signs_is_accepted(device):
    done = server.run("explain", device, *FIXTURES, *fields(login(device)))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("device,mistake,rule", [
    (DEVICES[0], "values-only", "ALI-SIGN-VALUES-ONLY"),
    (DEVICES[0], "not-hmac", "ALI-SIGN-PLAIN-HASH"),
    (DEVICES[1], "key-not-decoded", "TEN-PSK-NOT-DECODED"),
    (DEVICES[2], "is-hmac", "ENOS-SIGN-IS-HMAC"),
])
def test_explain_names_the_mistake(device, mistake, rule):
    done = server.run("explain", device, *FIXTURES, *fields(login(device, mistake=mistake)))
    assert done.returncode == 1 and rule in done.stdout
    done = server.run("explain", device, "--json", *FIXTURES,
                      *fields(login(device, mistake=mistake)))
    answer = json.loads(done.stdout)
    assert not answer["accepted"] and answer["connack"] == 4
    assert answer["explanation"]["mistake"] == mistake


def test_explain_judges_what_is_around_the_signature():
    done = server.run("explain", DEVICES[0], *FIXTURES, *fields(login(DEVICES[0])),
                      "--keepalive", "30")
    assert done.returncode == 1 and "ALI-KEEPALIVE-RANGE" in done.stdout
    done = server.run("explain", DEVICES[0], *FIXTURES, *fields(login(DEVICES[0])),
                      "--keepalive", "30", "--profile", "current")
    assert done.returncode == 0


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("client_id,username", [("abc", "foo"), ("mosq-7Fx", ""), ("abc", "a b")])
def test_explain_shows_the_forms_to_a_stranger(device, client_id, username):
    words = ("explain", device, *FIXTURES, "-i", client_id, "-u", username, "-P", "bar")
    done = server.run(*words)
    assert done.returncode == 1 and "LOGIN-UNRECOGNISED" in done.stdout
    assert "this is no cloud's login" in done.stdout and "TOKEN" not in done.stdout
    assert "DEVICE&PRODUCT" in done.stdout and "PRODUCTDEVICE;" in done.stdout
    forms = json.loads(server.run(*words, "--json").stdout)["forms"]
    assert [form["cloud"] for form in forms][:3] == ["aliyun", "tencent", "enos"]


def test_explain_knows_another_clouds_login():
    done = server.run("explain", DEVICES[0], *FIXTURES, *fields(login(DEVICES[1])))
    assert "form of Tencent" in done.stderr and "no cloud's login" not in done.stdout


def test_explain_takes_a_form():
    signed = json.loads(server.run("sign", DEVICES[0], "--json", *FIXTURES).stdout)
    done = server.run("explain", DEVICES[0], *FIXTURES, "--form", signed["httpsForm"])
    assert done.returncode == 0, done.stdout
    broken = signed["httpsForm"].replace("deviceName=device", "deviceName=second")
    done = server.run("explain", DEVICES[0], *FIXTURES, "--form", broken)
    assert done.returncode == 1 and "ALI-HTTPS-SIGN" in done.stdout


def test_secrets_are_never_printed():
    done = server.run("explain", "tencent/PROD123456/dev001", *FIXTURES,
                      *fields(login(DEVICES[1], mistake="key-not-decoded")))
    assert "MTIzNDU2Nzg5MGFiY2RlZg" not in done.stdout and "1234567890abcdef" not in done.stdout


@pytest.mark.parametrize("name,part", [
    ("aliyun/pk", "CLOUD/PRODUCT/DEVICE"), ("nowhere/pk/device", "no such cloud"),
    ("aliyun/nothing/device", "no such product"), ("aliyun/pk/nobody", "no such device")])
def test_a_device_that_is_not_there(name, part):
    done = server.run("sign", name, *FIXTURES)
    assert done.returncode == 2 and part in one_line(done)


# ---- rules ----

def test_rules_are_listed_with_their_sources():
    rules = json.loads(server.run("rules", "--json").stdout)["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["source"] and rule["hint"] and rule["statement"] for rule in rules)
    changed = json.loads(server.run("rules", "--json", "--rule", "ALI-WILL=off").stdout)["rules"]
    assert next(rule for rule in changed if rule["id"] == "ALI-WILL")["action"] == "off"


# ---- against a server ----

def url(running):
    return f"http://127.0.0.1:{running.ports['admin']}"


def test_healthcheck(skymock):
    assert server.run("healthcheck", "--url", url(skymock)).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    assert server.run("healthcheck", "--url", f"http://127.0.0.1:{port}").returncode == 1


def test_verdict_is_never_green_by_silence(skymock):
    done = server.run("verdict", "--url", url(skymock))
    assert done.returncode == 2 and "not exercised" in done.stdout


def test_verdict_passes_and_fails(skymock, peer):
    peer_one = peer()
    peer_one.send_packet(type="connect", **login(DEVICES[0]))
    assert peer_one.receive()["code"] == 0
    done = server.run("verdict", "--url", url(skymock), "--device", DEVICES[0])
    assert done.returncode == 0, done.stdout
    peer_one.send_packet(type="publish", topic="nowhere", payload="x")
    skymock.api.wait_event({"type": "publish", "rules": ["ALI-TOPIC-PUB"]})
    done = server.run("verdict", "--url", url(skymock))
    assert done.returncode == 1 and "ALI-TOPIC-PUB" in done.stdout


def test_verdict_without_a_server():
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    done = server.run("verdict", "--url", f"http://127.0.0.1:{port}")
    assert done.returncode == 2 and "no server" in one_line(done)


# ---- exec ----

def publish_from_shell(device, topic):
    signed = login(device)
    return (f"mosquitto_pub -p $SKYMOCK_PORT_MQTT -V mqttv311 -k 60 -t '{topic}' -m x -q 1 "
            f"-i '{signed['clientId']}' -u '{signed['username']}' -P '{signed['password']}'")


@pytest.mark.parametrize("topic,code", [("/pk/device/user/both", 0), ("/elsewhere", 1)])
def test_exec_exits_with_the_verdict(topic, code):
    done = server.run("exec", *FREE_PORTS, *FIXTURES, "--", "sh", "-c",
                      publish_from_shell(DEVICES[0], topic))
    assert done.returncode == code, done.stdout + done.stderr


def test_exec_exits_with_the_commands_failure():
    done = server.run("exec", *FREE_PORTS, *FIXTURES, "--", "sh", "-c",
                      publish_from_shell(DEVICES[0], "/elsewhere") + "; exit 7")
    assert done.returncode == 7


def test_exec_without_anything_observed_could_not_tell():
    assert server.run("exec", *FREE_PORTS, *FIXTURES, "--", "true").returncode == 2


def test_exec_leaves_no_server_behind():
    done = server.run("exec", *FREE_PORTS, "--", "sh", "-c", "echo $PPID $SKYMOCK_URL")
    port = int(done.stdout.split()[1].rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_exec_of_a_command_that_is_not_there():
    assert server.run("exec", *FREE_PORTS, "--", "/nonexistent").returncode == 127


def test_environment_is_an_option_too():
    environment = {**os.environ, "SKYMOCK_FIXTURES": str(server.FIXTURES)}
    done = subprocess.run([str(server.PROGRAM), "sign", DEVICES[0], "--json"], env=environment,
                          capture_output=True, text=True, check=False, timeout=server.PATIENCE_S)
    assert done.returncode == 0 and json.loads(done.stdout)["clientId"]


# ---- ca ----

def test_ca_prints_what_the_server_hands_out(skymock):
    done = server.run("ca", "--url", f"http://127.0.0.1:{skymock.ports['admin']}")
    assert (done.returncode, done.stdout) == (0, skymock.api.get("/ca.crt"))


def test_ca_of_a_store_is_the_one_its_server_will_use(start, tmp_path):
    store = ("--store", str(tmp_path / "store.db"))
    before = server.run("ca", *store)
    assert before.returncode == 0 and before.stdout.startswith("-----BEGIN CERTIFICATE-----")
    running = start(*store)
    assert running.api.get("/ca.crt") == before.stdout == server.run("ca", *store).stdout
    assert (tmp_path / "store.db.tls" / "ca.key").stat().st_mode & 0o077 == 0


def test_ca_of_nobody():
    done = server.run("ca", "--url", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no server at" in done.stderr and "--store" in done.stderr
    done = server.run("ca", "--store", "/no/folder/store.db")
    assert (done.returncode, done.stdout) == (2, "") and "/no/folder" in done.stderr


def test_ca_needs_no_token_but_the_admin_listener(start):
    running = start("--admin-token", "t")
    assert server.run("ca", "--url", url(running)).stdout == running.api.get("/ca.crt")
    done = server.run("ca", "--url", f"http://127.0.0.1:{running.ports['https']}")
    assert (done.returncode, done.stdout) == (2, "") and "is this the admin listener" in done.stderr
