"""`skymock suite`: runs of suites from the command line, beside the commands that play devices."""

import http.server
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET

import pytest
import server
from test_exec import await_gone

DEVICE = "aliyun/pk/device"
PLAYED = [sys.executable, server.ROOT / "tests/support/comes_back.py", DEVICE]
COMES = [{"do": "disconnect"}, {"expect": {"event": {"type": "connect"}}}]
NEVER = [*COMES, {"expect": {"event": {"type": "publish", "topic": "never"}, "waitMs": 100}}]
FOREVER = [{"do": "run", "run": "echo at-work"}, {"do": "wait", "wait": 600000}, *COMES]


def case(name, steps, timeout_ms=20000):
    return {"id": name, "title": f"Title of {name}", "source": "none", "timeoutMs": timeout_ms,
            "steps": steps}


@pytest.fixture
def suite(tmp_path):
    """Writes a suite, and returns where."""
    def write(*cases, name="mine"):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"suite": name, "title": "My own", "cases": cases}))
        return path
    return write


def words(*given, device=DEVICE, fixtures=True):
    options = ["--fixtures", server.FIXTURES] if fixtures else []
    return ["suite", "run", "--device", device, *options, *given]


def run(*given, environment=None, **options):
    return subprocess.run([str(server.PROGRAM), *map(str, words(*given, **options))],
                          capture_output=True, text=True, check=False, timeout=server.PATIENCE_S,
                          env={**server.ENVIRONMENT, **(environment or {})})


def begin(*given, **options):
    return subprocess.Popen([str(server.PROGRAM), *map(str, words(*given, **options))],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=server.ENVIRONMENT)


def read_until(process, wanted):
    """Lines up to the one that is waited for."""
    lines = []
    while not lines or wanted not in lines[-1]:
        line = process.stdout.readline()
        assert line, (lines, process.stderr.read())
        lines.append(line)
    return lines


def lines_of(text):
    """Lines of cases and the summary, without their times."""
    return [re.sub(r"( \(| in )[0-9. min]+ m?s\)?", "", line) for line in text.splitlines()]


# ---- how it ends ----

def test_a_good_device_passes(suite):
    done = run(suite(case("comes", COMES), case("again", COMES)), "--", *PLAYED)
    assert done.returncode == 0, done.stderr
    lines = lines_of(done.stdout)
    assert [line.split() for line in lines[:2]] == [["passed", "mine/comes"],
                                                    ["passed", "mine/again"]]
    assert lines[-1].startswith("passed: 2 passed")


def test_a_case_that_failed_is_exit_1(suite):
    done = run(suite(case("comes", COMES), case("never", NEVER)), "--", *PLAYED)
    assert done.returncode == 1
    assert re.search(r"^failed +mine/never .*: .*publish", done.stdout, re.M), done.stdout


def test_a_device_that_does_nothing_is_exit_2(suite):
    done = run(suite(case("comes", COMES, 300)), "--", "sleep", "600")
    assert done.returncode == 2 and done.stdout.startswith("not exercised"), done.stdout


def test_only_the_cases_that_are_wanted(suite):
    path = suite(case("a-one", COMES), case("b-two", COMES), case("c-three", NEVER))
    done = run(path, "--case", "b-two", "--", *PLAYED)
    assert done.returncode == 0 and "a-one" not in done.stdout and "b-two" in done.stdout
    done = run(path, "--case", "mine/b-two", "--", *PLAYED)
    assert done.returncode == 0 and "mine/b-two" in done.stdout and "1 passed" in done.stdout
    assert run(path, "--case", "other/b-two", "--", *PLAYED).returncode == 2
    done = run(path, "--", *PLAYED, environment={"SKYMOCK_CASE": "a-one b-two"})
    assert done.returncode == 0 and "2 passed" in done.stdout


def test_quiet_tells_what_did_not_pass(suite):
    done = run(suite(case("comes", COMES), case("never", NEVER)), "--quiet", "--", *PLAYED)
    assert "comes" not in done.stdout and "mine/never" in done.stdout
    assert "1 passed, 1 failed" in done.stdout.splitlines()[-1]


def test_strict_is_exit_1_for_what_is_warned_about(suite):
    warned = [{"do": "disconnect"}, {"expect": {"event": {"type": "connect"}}},
              {"expect": {"event": {"type": "publish", "topic": "never"}, "waitMs": 10},
               "grade": "warned"}]
    path = suite(case("warns", warned))
    assert run(path, "--", *PLAYED).returncode == 0
    assert run(path, "--strict", "--", *PLAYED).returncode == 1


def test_built_in_suites_are_known_by_name():
    done = run("smoke", "--case", "logs-in", "--", *PLAYED)
    assert done.returncode == 0 and "smoke/" in done.stdout, done.stdout + done.stderr


def test_several_devices(suite):
    both = ["--device", "aliyun/pk/second", "--", "sh", "-c",
            f"{' '.join(map(str, PLAYED)).replace(DEVICE, 'aliyun/pk/second')} & "
            f"{' '.join(map(str, PLAYED))}"]
    done = run(suite(case("comes", COMES)), *both)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"mine/comes {DEVICE}" in done.stdout and "mine/comes aliyun/pk/second" in done.stdout


# ---- commands ----

def test_what_the_command_prints_passes_through_and_its_exit_does_not_count(suite):
    done = run(suite(case("comes", COMES)), "--", "sh", "-c",
               f"echo said; echo $SKYMOCK_URL >&2; {' '.join(map(str, PLAYED))}; exit 3")
    assert done.returncode == 0 and "said" in done.stdout.splitlines()
    assert done.stderr.startswith("http://127.0.0.1:")


def test_the_command_ends_with_its_group(suite):
    done = run(suite(case("comes", COMES)), "--", "bash", "-c",
               f"trap '' TERM; sleep 600 & echo pid $!; {' '.join(map(str, PLAYED))}")
    assert done.returncode == 0
    await_gone([int(line.split()[1]) for line in done.stdout.splitlines() if "pid " in line])


def test_what_the_command_left_running_ends_too(suite):
    done = run(suite(case("comes", COMES)), "--", "bash", "-c",
               f"sleep 600 & echo pid $!; {' '.join(map(str, PLAYED))} & exit 0")
    assert done.returncode == 0, done.stdout
    await_gone([int(line.split()[1]) for line in done.stdout.splitlines() if "pid " in line])


@pytest.mark.parametrize("script,told", [("exit 3", "exit 3"), ("kill -9 $$", "signal 9")])
def test_a_command_that_ends_early_is_told_of(suite, tmp_path, script, told):
    path = tmp_path / "run.json"
    done = run(suite(case("comes", COMES, 2000)), "--json", path, "--", "sh", "-c", script)
    assert done.returncode == 2 and done.stderr == f"skymock: the command ended: {told}\n"
    assert f"the command ended: {told}" in path.read_text()


def test_setup_comes_before_each_case_and_knows_it(suite, skymock):
    path = suite(case("a-one", COMES), case("b-two", COMES))
    script = ("echo $SKYMOCK_SUITE $SKYMOCK_CASE $SKYMOCK_DEVICE; test -s $SKYMOCK_CA; "
              "curl -sf $SKYMOCK_URL/health > /dev/null || exit 1; "
              f"test -z \"$PID\" && {' '.join(map(str, PLAYED))} > /dev/null 2>&1 & echo pid $!")
    done = run(path, "--setup", script, "--url", f"http://127.0.0.1:{skymock.ports['admin']}",
               fixtures=False)
    for pid in re.findall(r"^pid (\d+)", done.stdout, re.M):
        os.kill(int(pid), signal.SIGKILL)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("mine ")]
    assert said == [f"mine a-one {DEVICE}", f"mine b-two {DEVICE}"]


def test_the_command_is_started_again_by_setup_only(suite, tmp_path):
    started = tmp_path / "started"
    done = run(suite(case("a-one", COMES), case("b-two", COMES)), "--setup", "echo setup", "--",
               "sh", "-c", f"echo x >> {started}; exec {' '.join(map(str, PLAYED))}")
    assert done.returncode == 0 and started.read_text() == "x\n"
    assert done.stdout.splitlines().count("setup") == 2


def test_a_setup_that_fails_is_no_case(suite):
    done = run(suite(case("comes", COMES)), "--setup", "exit 7", "--", *PLAYED)
    assert done.returncode == 2 and "7" in done.stdout.splitlines()[0]


def test_steps_run_commands(suite):
    steps = [{"do": "run", "run": "echo $SKYMOCK_CASE $SKYMOCK_DEVICE"}, *COMES]
    done = run(suite(case("runs", steps)), "--", *PLAYED)
    assert done.returncode == 0 and f"runs {DEVICE}" in done.stdout.splitlines()
    done = run(suite(case("runs", [{"do": "run", "run": "exit 5"}, *COMES])), "--", *PLAYED)
    assert done.returncode == 2 and "5" in done.stdout.splitlines()[0], done.stdout


def test_a_command_of_a_step_ends_with_its_case(suite):
    steps = [{"do": "run", "run": "echo pid $$; exec sleep 600"}, *COMES]
    done = run(suite(case("hangs", steps, 1000)), "--", *PLAYED)
    assert done.returncode == 2, done.stdout
    await_gone([int(re.search(r"pid (\d+)", done.stdout).group(1))])


# ---- in the middle ----

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_partial_report(suite, tmp_path, number):
    path, junit = tmp_path / "run.json", tmp_path / "run.xml"
    process = begin(suite(case("comes", COMES), case("long", FOREVER, 700000), case("not", COMES)),
                    "--json", path, "--junit", junit, "--", *PLAYED)
    read_until(process, "at-work")
    process.send_signal(number)
    out, errors = process.communicate(timeout=server.PATIENCE_S)
    assert process.returncode == 2, out + errors
    assert "mine/long" in out and "interrupted" in out.splitlines()[-1]
    document = json.loads(path.read_text())
    assert document["state"] == "stopped" and f"signal {int(number)}" in document["interrupted"]
    assert [each["state"] for each in document["cases"]][:2] == ["ended", "stopped"]
    assert len(ET.parse(junit).findall(".//error")) == 2


def test_when_the_server_dies_the_report_says_where(suite, tmp_path):
    path, page = tmp_path / "run.json", tmp_path / "run.html"
    running = server.Skymock()
    device = subprocess.Popen([*map(str, PLAYED)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              env={**server.ENVIRONMENT, "SKYMOCK_HOST": "127.0.0.1",
                                   "SKYMOCK_PORT_MQTT": str(running.ports["mqtt"])})
    process = begin(suite(case("comes", COMES), case("long", FOREVER, 700000)), "--json", path,
                    "--html", page, "--url", f"http://127.0.0.1:{running.ports['admin']}",
                    fixtures=False)
    read_until(process, "at-work")
    running.kill()
    out, errors = process.communicate(timeout=server.PATIENCE_S)
    device.kill()
    device.wait()
    told = "the server went away in the middle of case mine/long"
    assert process.returncode == 2 and told in out.splitlines()[-1], out + errors
    assert json.loads(path.read_text())["interrupted"] == told
    assert told in page.read_text() and "mine" in page.read_text()


def test_when_the_runner_dies_the_files_say_where_and_nothing_is_left(suite, tmp_path):
    path, junit = tmp_path / "run.json", tmp_path / "run.xml"
    process = begin(suite(case("comes", COMES), case("long", FOREVER, 700000)), "--json", path,
                    "--junit", junit, "--", "sh", "-c",
                    f"echo pid $$; exec {' '.join(map(str, PLAYED))}")
    lines = read_until(process, "at-work")
    process.kill()
    process.communicate(timeout=server.PATIENCE_S)
    document = json.loads(path.read_text())
    assert [each["state"] for each in document["cases"]] == ["ended", "running"]
    assert ET.parse(junit).find(".//testcase[@name='long']/error") is not None
    await_gone([int(line.split()[1]) for line in lines if line.startswith("pid ")])


def test_when_the_device_dies_its_case_says_so(suite, tmp_path):
    path = tmp_path / "run.json"
    steps = [{"do": "run", "run": "pkill -9 -g $(cat %s/pid)" % tmp_path},
             {"expect": {"event": {"type": "connect"}}}]
    done = run(suite(case("comes", COMES), case("dies", steps, 3000)), "--json", path, "--", "sh",
               "-c", f"echo $$ > {tmp_path}/pid; exec {' '.join(map(str, PLAYED))}")
    assert done.returncode in (1, 2), done.stdout
    dies = json.loads(path.read_text())["cases"][1]
    assert "the command ended: signal 9" in json.dumps(dies), dies


def test_a_run_that_takes_too_long_is_ended(suite, tmp_path):
    path = tmp_path / "run.json"
    done = run(suite(case("long", FOREVER, 700000)), "--timeout", 2, "--json", path, "--", *PLAYED)
    assert done.returncode == 124 and "longer than --timeout 2" in done.stdout
    assert "longer than --timeout 2" in path.read_text()


# ---- files ----

def test_reports(suite, tmp_path):
    path, junit, page, events = (tmp_path / f"run.{end}" for end in ("json", "xml", "html", "l"))
    done = run(suite(case("comes", COMES), case("never", NEVER)), "--json", path, "--junit", junit,
               "--html", page, "--events", events, "--", *PLAYED)
    assert done.returncode == 1
    document = json.loads(path.read_text())
    assert document["state"] == "ended" and document["verdict"] == "failed"
    assert document["counts"] == {"passed": 1, "warned": 0, "notExercised": 0, "failed": 1}
    names = [each.get("name") for each in ET.parse(junit).findall(".//testcase")]
    assert names == ["comes", "never"] and len(ET.parse(junit).findall(".//failure")) == 1
    assert "Title of never" in page.read_text() and DEVICE in page.read_text()
    assert "connect" in {json.loads(line)["type"] for line in events.read_text().splitlines()}


def test_a_report_may_go_to_standard_output_and_comes_once(suite):
    done = run(suite(case("comes", COMES)), "--json", "/dev/stdout", "--", *PLAYED)
    documents = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(documents) == 1 and json.loads(documents[0])["state"] == "ended"


def test_an_earlier_run_is_a_baseline(suite, tmp_path):
    path = tmp_path / "run.json"
    good = run(suite(case("comes", COMES), case("other", COMES)), "--json", path, "--", *PLAYED)
    assert good.returncode == 0
    done = run(suite(case("comes", COMES)), "--baseline", path, "--json", path, "--", *PLAYED)
    assert done.returncode == 0 and f"baseline {path}: 0 worse, 0 better" in done.stdout
    assert f"note           {DEVICE}: mine/other was passed, is not run any more" in done.stdout
    done = run(suite(case("comes", NEVER)), "--baseline", path, "--", *PLAYED)
    assert done.returncode == 1 and f"baseline {path}: 1 worse, 0 better" in done.stdout
    assert f"worse          {DEVICE}: mine/comes was passed, is failed" in done.stdout


def test_a_report_is_a_baseline_too(suite, tmp_path):
    path = tmp_path / "report.json"
    subprocess.run([str(server.PROGRAM), "exec", "--fixtures", str(server.FIXTURES), "--json",
                    str(path), "--timeout", "1", "--", *map(str, PLAYED)], check=False,
                   capture_output=True, timeout=server.PATIENCE_S, env=server.ENVIRONMENT)
    done = run(suite(case("comes", COMES)), "--baseline", path, "--", *PLAYED)
    assert f"baseline {path}: " in done.stdout, done.stderr
    path.write_text("{}")
    done = run(suite(case("comes", COMES)), "--baseline", path, "--", "echo", "begun")
    assert done.returncode == 2 and str(path) in done.stderr and "begun" not in done.stdout


@pytest.mark.parametrize("option", ["--json", "--junit", "--html", "--events"])
def test_files_that_cannot_be_written_are_told_first(suite, tmp_path, option):
    for path in (tmp_path / "none" / "x", tmp_path):
        done = run(suite(case("comes", COMES)), option, path, "--", "echo", "begun")
        assert done.returncode == 2 and done.stderr.startswith(f"skymock: {option} {path}: ")
        assert len(done.stderr.splitlines()) == 1 and "begun" not in done.stdout


# ---- what is wrong ----

WRONG = [
    (["suite"], "usage: skymock suite run or list"),
    (["suite", "walk"], "usage: skymock suite run or list"),
    (["suite", "run"], "usage: skymock suite run"),
    (["suite", "run", "smoke"], "which device? give --device"),
    (["suite", "run", "smok", "--device", DEVICE], "smok: no such suite; did you mean smoke?"),
    (["suite", "run", "xyz", "--device", DEVICE], "xyz: no such suite, nor a file"),
    (["suite", "run", "./xyz.json", "--device", DEVICE], "./xyz.json: No such file"),
    (["suite", "run", "smoke", "--device", DEVICE, "--case", "logs-im"], "did you mean logs-in?"),
    (["suite", "run", "smoke", "--device", DEVICE, "--case", "xyz"], "--case xyz: no such case"),
    (["suite", "run", "smoke", "--device", DEVICE, "--url", "http://127.0.0.1:1"], "no server at"),
    (["suite", "list", "smok"], "smok: no such suite; did you mean smoke?"),
]


@pytest.mark.parametrize("given,told", WRONG, ids=[" ".join(row[0]) for row in WRONG])
def test_one_clear_line(given, told):
    done = server.run(*given)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and told in done.stderr


def test_a_case_that_failed_is_an_annotation_in_a_workflow(suite):
    done = run(suite(case("comes", COMES), case("never", NEVER)), "--", *PLAYED,
               environment={"GITHUB_ACTIONS": "true"})
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert len(lines) == 1 and "mine/never" in lines[0], done.stdout
    assert lines[0].startswith("::error title=skymock suite::failed ")


@pytest.mark.parametrize("device", ["aliyun/pk/nobody", "aliyun/nix/device", "nowhere/x/y", "x"])
def test_a_device_that_is_not_there(suite, device):
    done = run(suite(case("comes", COMES)), "--", "echo", "begun", device=device)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("skymock: ") and "begun" not in done.stdout


def test_a_token_is_asked_for(suite):
    done = run(suite(case("comes", COMES)), "--admin-token", "secret", "--", *PLAYED)
    assert done.returncode == 0, done.stderr


def test_a_bad_suite_is_told_of_with_file_pointer_and_reason(suite):
    path = suite(case("comes", [{"do": "fault", "fault": {"point": "connack", "action": "x"}}]))
    done = run(path, "--", "echo", "begun")
    assert done.returncode == 2 and "begun" not in done.stdout
    assert done.stderr.startswith(f"skymock: {path}: /cases/0/steps/0/fault/action: ")


# ---- waiting ----

def test_a_device_that_does_not_come_is_waited_for_aloud(suite, start):
    running = start("--fixtures", server.FIXTURES)
    path = suite({**case("comes", COMES), "fits": {"transport": ["tcp"]}})
    process = begin(path, "--url", f"http://127.0.0.1:{running.ports['admin']}", fixtures=False)
    told = process.stderr.readline()
    process.terminate()
    process.communicate(timeout=server.PATIENCE_S)
    assert told == f"skymock: mine/comes of {DEVICE} waits for the device to connect: start it\n"


@pytest.mark.parametrize("second,alone,wanted", [
    (DEVICE, False, "for another run, which has the device"),
    ("aliyun/pk/second", True, "for other runs: nothing may go on beside this case"),
])
def test_a_run_that_is_queued_says_so(suite, start, second, alone, wanted):
    running = start("--fixtures", server.FIXTURES)
    first = begin(suite(case("long", FOREVER, 700000), name="first"), "--url", f"http://127.0.0.1:{running.ports['admin']}",
                  fixtures=False)
    assert first.stdout.readline() == "at-work\n"
    steps = [{"do": "freeze"}, *COMES] if alone else COMES
    queued = begin(suite(case("comes", steps), name="second"), "--url", f"http://127.0.0.1:{running.ports['admin']}",
                   device=second, fixtures=False)
    told = queued.stderr.readline()
    for process in (queued, first):
        process.terminate()
        process.communicate(timeout=server.PATIENCE_S)
    assert told == f"skymock: second/comes of {second} waits {wanted}\n"


# ---- check ----

def test_check_knows_suites(suite):
    path = suite(case("comes", COMES))
    done = server.run("check", path, server.FIXTURES)
    assert done.returncode == 0 and done.stdout.endswith(", 1 suites\n")
    path = suite(case("comes", [{"do": "dance"}]), case("comes", COMES))
    done = server.run("check", path)
    assert done.returncode == 1 and done.stderr.startswith(f"{path}: /cases/0/steps/0/do: ")


def test_check_tells_everything_that_is_wrong_with_a_suite(suite, tmp_path):
    path = suite({**case("comes", [{"do": "dance"}, *COMES, {"do": "wait"}]), "colour": "red"},
                 case("comes", []), case("idle", [{"do": "disconnect"}]),
                 {**case("fits", COMES), "fits": {"cloud": ["aliyn", "tencen"]}})
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps({"suite": "whole", "suites": ["smok", "connect", "no"]}))
    done = server.run("check", path, whole)
    assert done.returncode == 1 and not done.stdout
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        [f"{path}", "/cases/0/colour"], [f"{path}", "/cases/0/steps/0/do"],
        [f"{path}", "/cases/0/steps/3"], [f"{path}", "/cases/1/steps"],
        [f"{path}", "/cases/1/id"], [f"{path}", "/cases/2/steps"],
        [f"{path}", "/cases/3/fits/cloud/0"], [f"{path}", "/cases/3/fits/cloud/1"],
        [f"{whole}", "/suites/0"], [f"{whole}", "/suites/2"]]
    begun = run(path, "--", "echo", "begun")
    assert begun.returncode == 2 and begun.stderr == f"skymock: {done.stderr.splitlines()[0]}\n"


@pytest.mark.parametrize("step,pointer,part", [
    ({"do": "ota", "version": "2"}, "", "an image is needed"),
    ({"do": "ota", "ota": {"version": "2"}}, "/ota", "an image is needed"),
    ({"do": "ota", "version": "2", "size": 1, "payloadBase64": "YQ=="}, "", "an image is needed"),
    ({"do": "ota", "version": "2", "payloadBase64": "?"}, "/payloadBase64", "base64"),
    ({"do": "ota", "size": 10}, "/version", "is missing"),
    ({"do": "ota", "version": "2", "size": 10, "protocol": "ftp"}, "/protocol", "https"),
    ({"do": "message", "topic": "a/#"}, "/topic", "topic name"),
    ({"do": "message", "topic": "a", "payload": "x", "size": 3}, "/size", "already"),
    ({"do": "message", "topic": "a", "payloadBase64": "?"}, "/payloadBase64", "base64"),
])
def test_check_refuses_what_no_server_would_take(suite, step, pointer, part):
    path = suite(case("comes", [step, *COMES]))
    done = server.run("check", path)
    assert done.returncode == 1 and done.stderr.startswith(f"{path}: /cases/0/steps/0{pointer}: ")
    assert part in done.stderr and done.stderr.count("\n") == 1


def test_a_suite_is_made_of_others_that_there_are(suite, tmp_path):
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps({"suite": "whole", "title": "x", "suites": ["mine", "smoke"]}))
    part = suite(case("comes", COMES))
    assert server.run("check", whole, part).returncode == 0
    done = run(whole, part, "--case", "comes", "--", *PLAYED)
    assert done.returncode == 0 and "mine/comes" in done.stdout, done.stdout + done.stderr
    whole.write_text(json.dumps({"suite": "whole", "title": "x", "suites": ["smoke", "conect"]}))
    told = f"{whole}: /suites/1: there is no suite 'conect' to include; did you mean connect?"
    assert server.run("check", whole).stderr == f"{told}\n"
    assert run(whole, "--", "echo", "begun").stderr == f"skymock: {told}\n"


@pytest.mark.parametrize("name", ["whole", "standard"])
def test_a_suite_is_not_made_of_what_is_made_of_others(name, tmp_path):
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps({"suite": "whole", "title": "x", "suites": [name]}))
    told = f"{whole}: /suites/0: '{name}' is made of suites itself: name those"
    done = server.run("check", whole)
    assert done.returncode == 1 and done.stderr == f"{told}\n"
    assert run(whole, "--", "echo", "begun").stderr == f"skymock: {told}\n"


def test_suites_may_stand_beside_fixtures(suite, tmp_path, start):
    suite(case("comes", COMES))
    (tmp_path / "suite.schema.json").write_text("{}")
    (tmp_path / "fixtures.json").write_text(server.FIXTURES.read_text())
    assert server.run("check", tmp_path).returncode == 0
    assert server.run("sign", DEVICE, "--fixtures", tmp_path).returncode == 0


# ---- list ----

def test_list_has_all_built_in_suites():
    files = {path.stem for path in (server.ROOT / "fixtures/suites").glob("*.json")}
    listed = json.loads(server.run("suite", "list", "--json").stdout)["suites"]
    assert {each["suite"] for each in listed} == {each for each in files if "schema" not in each}
    lines = server.run("suite", "list").stdout
    assert all(re.search(rf"^{each['suite']} +\d+ cases? ", lines, re.M) for each in listed)


def test_list_has_the_cases_of_one():
    done = server.run("suite", "list", "smoke")
    assert done.returncode == 0 and re.search(r"^  logs-in +Logs in", done.stdout, re.M)


# ---- help ----

def options_of(*command):
    return set(re.findall(r"--([a-z-]+)", re.sub(r"\s+", " ", server.run(*command, "--help").stdout)
                          .split("[OPTION]", 1)[1]))


def test_a_run_takes_every_option_of_exec():
    assert options_of("exec") <= options_of("suite", "run")
    assert {"device", "case", "setup", "url", "quiet"} <= options_of("suite", "run")


def test_help_of_all_of_it():
    done = server.run("suite", "--help")
    assert done.returncode == 0
    assert "skymock suite run NAME" in done.stdout and "skymock suite list" in done.stdout


# ---- the stream ----

class Pieces(http.server.BaseHTTPRequestHandler):
    """A server whose stream comes byte by byte, in whatever words `events` has."""

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        for byte in body.encode():
            self.wfile.write(bytes([byte]))

    def do_POST(self):
        self.answer(201, '{"id": "7"}')

    def do_GET(self):
        if self.path == "/api/v1/suites/runs/7":
            self.answer(200, self.server.events, "text/event-stream")
        else:
            self.answer(200, "{}")


@pytest.fixture
def pieces():
    """pieces(events) gives the URL of such a server."""
    running = []

    def begin_one(*events):
        one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pieces)
        one.events = "".join(events)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        running.append(one)
        return f"http://127.0.0.1:{one.server_port}"

    yield begin_one
    for each in running:
        each.shutdown()
        each.server_close()


def event(name, data):
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def document(its, **of_case):
    return {"format": 1, "state": its, "devices": [DEVICE], "suites": [],
            "cases": [{"suite": "mine", "case": "comes", "device": DEVICE, **of_case}]}


ENDED = {"state": "ended", "verdict": "passed", "ms": 5}


def test_a_stream_may_come_in_pieces(suite, pieces):
    url = pieces(":\n\n", event("run", document("running", state="waiting")), ":beat\n\n",
                 event("case", {"index": 0, **document("", state="running")["cases"][0]}),
                 "event: unheard-of\ndata: {}\n\n", "data: {}\n\n", "event: case\ndata: x\n\n",
                 event("case", {"index": 9, **ENDED}), event("step", {"index": 9, "step": {}}),
                 event("task", {"task": 1, "index": 9, "what": "run", "command": "true"}),
                 event("case", {"index": 0, **document("", **ENDED)["cases"][0]}),
                 event("end", document("ended", **ENDED)))
    done = run(suite(case("comes", COMES)), "--url", url, fixtures=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines_of(done.stdout)[0].split() == ["passed", "mine/comes"]
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("events", [
    [], ["event: run\nda"], [event("run", [])], [event("end", {})], [event("end", 1)],
    [event("case", {"index": 0})], [event("run", document("running", state="running"))],
    [event("run", {"cases": 5}), event("case", {"index": 0, "state": "ended"})],
    [event("run", document("running", state=5)), event("task", {"task": "x"})]])
def test_a_stream_that_makes_no_sense_is_no_good_run(suite, pieces, tmp_path, events):
    path = tmp_path / "run.json"
    done = run(suite(case("comes", COMES)), "--url", pieces(*events), "--json", path,
               fixtures=False)
    assert done.returncode == 2, done.stdout + done.stderr
    if events != [event("end", {})]:
        assert "the server went away" in done.stdout


def test_what_a_server_says_moves_nobodys_cursor(suite, pieces):
    bad = document("ended", **ENDED, reason="\x1b[2J")
    bad["cases"][0]["verdict"] = "failed"
    done = run(suite(case("comes", COMES)), "--url", pieces(event("end", bad)), fixtures=False)
    assert done.returncode == 1 and "\x1b" not in done.stdout


# ---- the terminal ----

def test_a_terminal_sees_what_is_at_work(suite):
    ours, theirs = pty.openpty()
    with subprocess.Popen([str(server.PROGRAM), *map(str, words(
            suite(case("comes", COMES)), "--", *PLAYED))], stdin=theirs, stdout=theirs,
            stderr=theirs, env=server.ENVIRONMENT, start_new_session=True) as process:
        os.close(theirs)
        seen = b""
        try:
            while data := os.read(ours, 4096):
                seen += data
        except OSError: # the other end is closed
            pass
        assert process.wait(server.PATIENCE_S) == 0, seen
    os.close(ours)
    assert b"\r0/1  mine/comes" in seen and b"\r\x1b[K" in seen
    assert b"passed: 1 passed" in seen


def test_a_command_without_the_dashes_in_front_is_seen(tmp_path):
    told = server.run("suite", "run", "smoke", "--device", DEVICE, sys.executable, "firmware.py")
    assert told.returncode == 2 and "put -- in front" in told.stderr
