"""What a user is told who made a mistake: what was wrong, where, and what to do; and the help."""

import os
import subprocess

import pytest
import server

FREE_PORTS = ("--listen", "all=0")
COMMANDS = ["serve", "check", "sign", "explain", "rules", "verdict", "exec", "suite run",
            "suite list", "events", "hosts", "ca", "healthcheck"]
SLIP = "MQTT-KEEPALIVE-DEAD".replace("EA", "AE")  # as nobody means it


def one_line(done, status=2):
    assert done.returncode == status and not done.stdout, done.stdout
    assert done.stderr.startswith("skymock: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr[len("skymock: "):-1]


def told(*words, **environment):
    return one_line(subprocess.run(
        [str(server.PROGRAM), *map(str, words)], capture_output=True, text=True, check=False,
        timeout=server.PATIENCE_S, env={**server.ENVIRONMENT, **environment}))


# ---- help ----

@pytest.mark.parametrize("command", COMMANDS)
def test_help_with_a_command_is_its_help(command):
    words = command.split()
    done = server.run(*words, "--help")
    assert done.returncode == 0 and not done.stderr
    assert server.run("help", *words).stdout == done.stdout
    assert done.stdout.startswith(f"usage: skymock {command} ")
    assert "\n    skymock " in done.stdout  # an example
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_help_without_one_lists_them_all():
    done = server.run("help")
    assert done.returncode == 0 and done.stdout == server.run("--help").stdout
    assert done.stdout == server.run("help", "help").stdout
    assert [line.split()[1] for line in done.stdout.splitlines()
            if line.startswith("  skymock ")] == [name.split()[0] for name in COMMANDS]


def test_help_with_the_first_word_of_names_is_that_of_all():
    both = server.run("help", "suite").stdout
    assert both == server.run("suite", "--help").stdout
    assert server.run("suite", "run", "--help").stdout in both
    assert server.run("suite", "list", "--help").stdout in both


def test_exec_says_whose_status_it_exits_with():
    said = " ".join(server.run("exec", "--help").stdout.split())
    assert ("exit with COMMAND's status or, if that is 0, the verdict's: 0 passed, 1 failed, 2 could "
            "not tell") in said


def test_the_listeners_are_named():
    serve, executes = (" ".join(server.run(name, "--help").stdout.split())
                       for name in ("serve", "exec"))
    assert "unless moved they are mqtt 1883, mqtts 8883, " in serve and "admin 8080, " in serve
    assert "told as SKYMOCK_PORT_NAME: mqtt, mqtts, " in executes


def test_options_stand_under_headings_and_say_what_they_do_there():
    run = server.run("suite", "run", "--help").stdout
    assert "\n\nListeners:\n  -l, --listen" in run
    assert "only this product" in server.run("exec", "--help").stdout
    assert "in --html and --events, besides the cases," in run
    assert "ask for this bearer token" not in server.run("sign", "--help").stdout


# ---- commands and options that are none ----

@pytest.mark.parametrize("words,wanted", [
    (["serv"], "serv: no such command; did you mean serve?"),
    (["help", "serv"], "serv: no such command; did you mean serve?"),
    (["suite", "runn", "smoke"], "suite runn: no such command; did you mean suite run?"),
    (["sute", "run"], "sute: no such command; did you mean suite run?"),
    (["dance"], 'dance: no such command; "skymock help" lists them'),
    (["dance", "--help"], 'dance: no such command; "skymock help" lists them'),
    (["help", "sign", "ca"], 'ca: give "skymock help" one command, as in "skymock help sign"'),
    (["serve", "stray"],
     "stray: skymock serve takes options only; usage: skymock serve [OPTION]..."),
    (["sign"], 'usage: skymock sign CLOUD/PRODUCT/DEVICE [OPTION]...; '
               '"skymock sign --help" says more'),
    (["serve", "--fixturs", "x"], "--fixturs: no such option; did you mean --fixtures?"),
    (["verdict", "--prodct=x"], "--prodct=x: no such option; did you mean --product?"),
    (["serve", "--ad", "x"],
     "--ad may be any of --advertise-host, --admin-token, --admin-host"),
    (["serve", "--strict"],
     "--strict: no such option here, but of another command; see --help"),
    (["serve", "--dance"], "--dance: no such option here; see --help"),
    (["serve", "--quiet=1"], "--quiet=1: this option takes no value"),
    (["serve", "-Zq"], "-Z: no such option here; see --help"),
    (["serve", "-qs"], "-s needs a value: FILE"),
    (["serve", "--store"], "--store needs a value: FILE"),
    (["serve", "--store", ""], "--store is empty: give FILE"),
    (["serve", "--host", "no.where"],
     "--host no.where: give an IP address of this machine, or localhost"),
    (["rules", "--rule", "NOPE=off"],
     "--rule NOPE=off: there is no rule 'NOPE'; 'skymock rules' lists them"),
    (["rules", "--rule", f"{SLIP}=off"],
     f"--rule {SLIP}=off: there is no rule '{SLIP}'; 'MQTT-KEEPALIVE-DEAD' is meant?"),
    (["serve", "--listen", "mqtt=99999"],
     "--listen mqtt=99999: give HOST:PORT ([ADDRESS]:PORT for IPv6), PORT, up to 65535, or off"),
])
def test_slips_of_the_command_line(words, wanted):
    assert told(*words) == wanted


# ---- where a value is from ----

@pytest.mark.parametrize("words,name,value", [
    (["serve"], "SKYMOCK_SEED", "x"),
    (["serve"], "SKYMOCK_LISTEN", "mqt=0"),
    (["serve"], "SKYMOCK_LISTEN", "mqtt=x"),
    (["serve"], "SKYMOCK_HOST", "no.where"),
    (["serve", *FREE_PORTS], "SKYMOCK_FIXTURES", "/no/where"),
    (["serve", *FREE_PORTS], "SKYMOCK_RULE", "X=off"),
    (["rules"], "SKYMOCK_RULE", "X=off"),
    (["hosts"], "SKYMOCK_FIXTURES", "/no/where"),
    (["serve", *FREE_PORTS], "SKYMOCK_FORWARD_CA", "/no/where"),
    (["events"], "SKYMOCK_URL", "nonsense"),
    (["exec", "true"], "SKYMOCK_DEVICE", "nonsense"),
    (["exec", "true"], "SKYMOCK_PRODUCT", "aliyn/pk"),
    (["exec", "true"], "SKYMOCK_JUNIT", "/no/where"),
])
def test_a_bad_value_is_called_by_the_variable_it_is_from(words, name, value):
    said = told(*words, **{name: value})
    assert said.startswith(f"{name} ") and "--" not in said.split(":")[0], said
    option = "--" + name[len("SKYMOCK_"):].lower().replace("_", "-")
    assert told(*words[:1], option, value, *words[1:]) == said.replace(name, option)


def test_a_blank_within_a_value_of_a_list_has_a_backslash(tmp_path):
    folder = tmp_path / "my fix"
    folder.mkdir()
    (folder / "a.json").write_text('{"products": [{"cloud": "aliyun", "productKey": "pkBlank"}]}')
    value = str(folder).replace(" ", "\\ ")
    done = subprocess.run([str(server.PROGRAM), "hosts"], capture_output=True, text=True,
                          check=False, env={**server.ENVIRONMENT,
                                            "SKYMOCK_FIXTURES": f"{value}  {value}/a.json "})
    assert done.returncode == 0 and "pkBlank." in done.stdout, done.stderr
    assert told("hosts", SKYMOCK_FIXTURES=str(folder)).startswith(f"SKYMOCK_FIXTURES {tmp_path}/my:")
    assert "separated by blanks" in server.run("hosts", "--help").stdout


@pytest.mark.parametrize("command", ["rules", "sign", "hosts"])
def test_the_file_of_a_report_is_none_of_the_commands_that_print_json(command):
    words = [command, *(["a"] if command == "sign" else [])]
    env = {**server.ENVIRONMENT, "SKYMOCK_JSON": "report.json"}
    done = subprocess.run([str(server.PROGRAM), *words], capture_output=True, text=True,
                          check=False, env=env)
    assert "SKYMOCK_JSON" not in done.stderr and done.stdout[:1] != "{"


NO_PRODUCTS = "skymock: no products: give --fixtures or POST /api/v1/products\n"


@pytest.mark.parametrize("words,environment,wanted", [
    ([], {}, NO_PRODUCTS),
    (["--quiet"], {"SKYMOCK_FIXTURE": "x"}, ""),
    ([], {"SKYMOCK_FIXTURE": "x"},
     "skymock: SKYMOCK_FIXTURE is not read; SKYMOCK_FIXTURES is meant?\n" + NO_PRODUCTS),
    ([], {"SKYMOCK_CA": "x", "SKYMOCK_PORT_MQTT": "1", "SKYMOCK_SUITE": "s", "SKYMOCK_CASE": "c",
          "SKYMOCK_DEVICE": "d", "SKYMOCK_BUILD": "b", "SKYMOCK_PROGRAM": "p", "SKYMOCK_KIT": "k",
          "SKYMOCK_REPORT": "r"}, NO_PRODUCTS),
    (["--fixtures"], {}, ""),
])
def test_a_server_without_products_and_slips_of_the_environment(words, environment, wanted, tmp_path):
    fixture = tmp_path / "a.json"
    fixture.write_text('{"products": [{"cloud": "aliyun", "productKey": "pk"}]}')
    words = [*words, *([str(fixture)] if words == ["--fixtures"] else [])]
    running = subprocess.Popen([str(server.PROGRAM), "serve", *FREE_PORTS, *words], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**server.ENVIRONMENT, **environment})
    assert running.stdout.readline().startswith("skymock is ready: ")
    running.terminate()
    assert running.communicate(timeout=server.PATIENCE_S)[1] == wanted


def test_the_command_line_is_blamed_for_what_it_adds():
    assert told("serve", "--listen", "all=1", SKYMOCK_LISTEN="mqtt=0").startswith("--listen all=1")
    assert told("serve", "--listen", "all=0", SKYMOCK_LISTEN="mqt=0").startswith("SKYMOCK_LISTEN")


# ---- files ----

@pytest.fixture
def pem(tmp_path):
    key, other, cert = (tmp_path / name for name in ("key.pem", "other.pem", "cert.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=x"], check=True,
                   capture_output=True)
    subprocess.run(["openssl", "genrsa", "-out", other, "2048"], check=True, capture_output=True)
    return cert, key, other


def test_tls_files_are_named_with_their_option(pem, tmp_path):
    cert, key, other = pem
    junk = tmp_path / "junk"
    junk.write_text("junk")
    locked = tmp_path / "locked.pem"
    subprocess.run(["openssl", "rsa", "-in", key, "-aes128", "-passout", "pass:secret", "-out",
                    locked], check=True, capture_output=True)

    def brought(cert, key, *more):
        return told("serve", *FREE_PORTS, "--tls-cert", cert, "--tls-key", key, *more)

    assert brought("/no", key) == "--tls-cert /no: No such file or directory"
    assert brought(cert, "/no") == "--tls-key /no: No such file or directory"
    assert brought(junk, key).startswith(f"--tls-cert {junk}: no certificate in PEM")
    assert brought(cert, junk).startswith(f"--tls-key {junk}: no private key in PEM")
    assert brought(cert, locked) == (
        f"--tls-key {locked}: the key is encrypted; give it without a passphrase")
    assert brought(cert, other) == (
        f"--tls-key {other}: this key is not that of the certificate in --tls-cert {cert}")
    assert brought(cert, key, "--tls-ca", junk).startswith(f"--tls-ca {junk}: no certificate")
    assert told("serve", "--tls-cert", cert) == (
        "--tls-cert and --tls-key go together; the key is missing")


def test_names_for_the_certificate():
    assert told("serve", *FREE_PORTS, "--san", "a b") == "--san 'a b' is no host name or IP address"
    assert told("serve", *FREE_PORTS, "--advertise-host", "http://x").startswith(
        "--advertise-host 'http://x' is no host name")


def test_a_store_that_is_a_folder(tmp_path):
    assert told("serve", *FREE_PORTS, "--store", tmp_path) == (
        f'the store "{tmp_path}" cannot be opened: it is a folder; name a file in it')


@pytest.mark.parametrize("option", ["--junit", "--html", "--json", "--events"])
def test_exec_begins_nothing_that_it_could_not_report(option, tmp_path):
    begun = tmp_path / "begun"
    for path, why in (("/no/where", "No such file or directory: its folder is not there"),
                      (tmp_path, "Is a directory")):
        assert told("exec", option, path, "touch", begun) == f"{option} {path}: {why}"
    assert not begun.exists()


@pytest.mark.parametrize("command", [["exec"], ["verdict"], ["events"]])
def test_whom_it_is_about_is_checked_first(command):
    last = ["true"] if command == ["exec"] else []
    assert told(*command, "--device", "x", *last) == "--device x: give CLOUD/PRODUCT/DEVICE"
    assert told(*command, "--product", "x", *last) == "--product x: give CLOUD/PRODUCT"
    assert told(*command, "--product", "aliyn/x", *last).startswith(
        "--product aliyn/x: no such cloud; there are aliyun")
    assert told(*command, "--product", "aliyun/pk", "--device", "aliyun/pk/device", *last) == (
        "--device or --product: give one of them")


def test_the_product_of_a_suite_run_is_checked_first():
    assert told("suite", "run", "smoke", "--device", "aliyun/pk/device", "--product", "x") == (
        "--product x: give CLOUD/PRODUCT")


def test_a_baseline_that_is_not_there():
    assert told("exec", "--baseline", "/no", "true") == "--baseline /no: No such file or directory"


def test_a_fixture_with_several_errors_says_who_tells_them_all(tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"products": [{"cloud": "aliyun", "productKey": "pk", "devices": 3, "rules": 4}]}')
    errors = server.run("check", bad).stderr.splitlines()
    assert len(errors) > 1
    assert told("serve", *FREE_PORTS, "--fixtures", bad) == (
        f"{errors[0]} (skymock check {bad} has all {len(errors)} errors)")
    bad.write_text('{"products": [{"cloud": "aliyun", "productKey": "pk", "devices": 3}]}')
    assert "skymock check" not in told("serve", *FREE_PORTS, "--fixtures", bad)


@pytest.mark.parametrize("words", [["sign"], ["explain", "-i", "x"]])
def test_a_device_that_is_not_in_the_fixtures(words):
    assert told(words[0], "aliyun/none/device", *words[1:]) == (
        "aliyun/none/device: no such product; name its fixtures with --fixtures, or the server's "
        "database with --store; skymock sign also asks a running server: --url URL")


def test_hosts_says_what_to_give_for_product_keys():
    assert " stands for product keys: name the fixtures of your aliyun products with --fixtures " \
        in server.run("hosts").stdout


# ---- servers ----

ASKING = [["events"], ["verdict"], ["sign", "aliyun/pk/device"],
          ["suite", "run", "smoke", "--device", "aliyun/pk/device"]]


@pytest.mark.parametrize("command", [*ASKING, ["ca"]])
def test_where_no_server_is(command):
    said = told(*command, "--url", "http://127.0.0.1:1")
    assert said.startswith("no server at 127.0.0.1 port 1 (Connection refused); start one with")
    assert "--url" in said
    assert "name another with --url" in told(*command, "--url", "http://nowhere.invalid")


@pytest.mark.parametrize("command", ASKING)
def test_a_token_that_is_missing_or_wrong(command, start):
    running = start("--admin-token", "sesame")
    url = f"http://127.0.0.1:{running.ports['admin']}"
    wanted = (f"{url} asks for a token (401): it is missing or wrong; give the server's with "
              "--admin-token or SKYMOCK_ADMIN_TOKEN")
    assert told(*command, "--url", url) == wanted
    assert told(*command, "--url", url, "--admin-token", "wrong") == wanted


def test_what_the_server_refuses_is_told_alike(skymock):
    url = f"http://127.0.0.1:{skymock.ports['admin']}"
    none = "there is no device 'none' in cloud aliyun"
    assert told("verdict", "--url", url, "--device", "aliyun/pk/none") == none
    assert told("sign", "aliyun/pk/none", "--url", url) == none
    assert told("events", "--url", url, "--type", "dance").startswith(
        "there is no type 'dance'")
    assert told("suite", "run", "smoke", "--url", url, "--device", "aliyun/pk/none") == none


@pytest.mark.parametrize("command", [*ASKING, ["ca"]])
def test_a_listener_that_is_not_admin(command, skymock):
    url = f"http://127.0.0.1:{skymock.ports['mqtt']}"
    assert told(*command, "--url", url).startswith(
        f"no answer from {url}; is this the admin listener of a skymock?")


def test_healthcheck_says_what_it_met(skymock):
    url = f"http://127.0.0.1:{skymock.ports['https']}"
    done = server.run("healthcheck", "--url", url)
    assert one_line(done, 1) == f"{url} answered 404; is this the admin listener of a skymock?"


def test_exec_says_where_it_is_when_nothing_has_connected():
    def told_by(*words):
        done = server.run("exec", *words)
        assert done.returncode == 2 and done.stdout == "verdict: not exercised\n", done
        return done.stderr

    said = told_by("--", "sh", "-c", "echo $SKYMOCK_PORT_MQTT >&2").splitlines()
    assert said[1].startswith("skymock: nothing connected to this server; devices find it at "
                              f"SKYMOCK_PORT_MQTT={said[0]}, SKYMOCK_PORT_MQTTS=")
    assert "ADMIN" not in said[1] and len(said) == 2
    assert told_by("--quiet", "--", "true") == ""
    connects = "exec 3<>/dev/tcp/127.0.0.1/$SKYMOCK_PORT_MQTT; exec 3>&-; sleep 0.2"
    assert told_by("--", "bash", "-c", connects) == ""


def test_no_folder_for_temporary_files():
    done = subprocess.run([str(server.PROGRAM), "exec", "true"], capture_output=True, text=True,
                          check=False, timeout=server.PATIENCE_S,
                          env={**server.ENVIRONMENT, "TMPDIR": "/no/where"})
    assert "no SKYMOCK_CA for the command: no file can be made in /no/where" in done.stderr
    assert "TMPDIR" in done.stderr and os.strerror(2) in done.stderr
