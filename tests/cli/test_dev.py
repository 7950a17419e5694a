"""./dev: what it says before it installs anything, and how a run of the checks ends."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import server

sys.path.insert(0, str(server.ROOT / "tests/lint"))

import tools  # noqa: E402


def packages(section):
    found, inside = [], False
    for line in (server.ROOT / "docker/packages.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            inside = line == f"[{section}]"
        elif line and inside:
            found.append(line.split()[0])
    return found


@pytest.fixture
def bare(tmp_path):
    """A tree with nothing but ./dev, on a machine with nothing but Debian; run(script, ...)."""
    tree, tools_of = tmp_path / "tree", tmp_path / "bin"
    (tree / "docker").mkdir(parents=True)
    tools_of.mkdir()
    shutil.copy(server.ROOT / "dev", tree)
    shutil.copy(server.ROOT / "docker/packages.txt", tree / "docker")
    for name, text in (("dpkg-query", "true"), ("apt-get", f'echo "$RUNLEVEL $@" >>{tree}/apt'),
                       ("ln", f'echo "$@" >>{tree}/ln'), ("mkdir", "true")):
        (tools_of / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools_of / name).chmod(0o755)
    for name in ("bash", "sh", "env", "sed", "sort", "comm", "readlink", "dirname", "cat", "awk",
                 "find", "wc", "rm", "tee", "grep", "tr"):
        (tools_of / name).symlink_to(shutil.which(name))
    for folder in (tmp_path, *tmp_path.parents):  # whoever is not root is to find the tree
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)

    def run(script, **options):
        return subprocess.run(["bash", "-c", script], cwd=tree, capture_output=True, text=True,
                              env={"PATH": str(tools_of)}, check=False,
                              timeout=server.PATIENCE_S, **options)

    run.tree, run.tools = tree, tools_of
    return run


def test_tests_need_no_broker_and_no_npm():
    assert not {"mosquitto", "nginx-light", "npm", "nodejs"} & set(packages("test") + packages("lint"))
    assert packages("bench") == ["mosquitto", "nginx-light"]
    assert not {"buildah", "podman"} & set(packages("test") + packages("lint"))
    assert packages("console") == ["chromium", "nodejs", "npm", "fonts-wqy-microhei"]


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is played")
def test_without_roots_rights_it_says_what_to_ask_for(bare):
    done = bare("./dev test --quick", user=65534)
    assert done.returncode == 1
    command = done.stderr.splitlines()[-1]
    assert command.startswith("apt-get install --no-install-recommends ")
    assert set(packages("build") + packages("test")) - {"python3"} <= set(command.split())
    assert not (bare.tree / "apt").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="it is root that installs")
def test_a_service_is_masked_before_it_is_installed(bare):
    done = bare("source ./dev help >&2; need bench")
    assert done.returncode == 0, done.stderr
    assert (bare.tree / "ln").read_text().splitlines() == \
        [f"-sfn /dev/null /etc/systemd/system/{name}.service" for name in ("mosquitto", "nginx")]
    assert (bare.tree / "apt").read_text().splitlines()[-1].startswith("1 -q install")
    assert "mosquitto is masked" in done.stderr and "nginx is masked" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is played")
@pytest.mark.parametrize("user", [0, 65534])
def test_the_console_is_skipped_where_there_is_no_browser(bare, user):
    done = bare("source ./dev help >&2; install_console || echo ${skipped[*]}", user=user)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the console in a browser: there is no chromium here\n"
    assert (bare.tree / "apt").exists() == (user == 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is played")
@pytest.mark.parametrize("user,why", [(0, "there is no buildah here"),
                                      (65534, "running one takes root's rights")])
def test_the_image_is_skipped_where_it_cannot_be_run(bare, user, why):
    done = bare("source ./dev help >&2; install_image || echo ${skipped[*]}", user=user)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"the image: {why}\n"
    assert (bare.tree / "apt").exists() == (user == 0)


@pytest.mark.parametrize("words, said", [
    ("fuzz nosuch 20", "fuzz: there is no target 'nosuch'; there are: all mqtt topic"),
    ("fuzz mqtt abc", "fuzz: the seconds are a whole number from 1 to 999999999, not 'abc'"),
    ("fuzz mqtt 0", "fuzz: the seconds are a whole number from 1 to 999999999, not '0'"),
    ("fuzz mqtt 3 4", "fuzz: takes no '4' here"),
    ("build nosuch", "build: there is no preset 'nosuch'; there are: release debug asan tsan fuzz coverage"),
    ("test --quik", "test: there is no part '--quik'; there are: --quick --console --image"),
    ("test --quick more", "test: takes no 'more' here"),
    ("test --console nosuch.mjs", "test: there is no file or folder 'nosuch.mjs'"),
    ("bench nosuch", "bench: there is no part 'nosuch'; there are: coap counts"),
    ("image other", "image: takes options, not 'other'; it is called skymock already"),
    ("soak long", "soak: the minutes are a number above 0, not 'long'"),
    ("soak 0.5 many", "soak: the devices are a whole number from 1 to 999999999, not 'many'"),
    ("coverage tests/nosuch", "coverage: there is no file or folder 'tests/nosuch'"),
    ("format it", "format: takes no 'it' here"),
    ("nosuch", "there is no word 'nosuch'")])
def test_wrong_words_are_told_before_anything_is_installed(bare, words, said):
    fuzz = bare.tree / "tests/fuzz"
    fuzz.mkdir(parents=True)
    for name in ("mqtt", "topic"):
        (fuzz / f"fuzz_{name}.c").touch()
    done = bare(f"./dev {words}")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].removeprefix("./dev").lstrip(" :") == said
    assert not (bare.tree / "apt").exists()
    assert bare("./dev fuzz --list").stdout == "mqtt\ntopic\n"


@pytest.mark.parametrize("words", ["fuzz mqtt 09", "build asan", "test --quick", "test", "soak 0.5 9",
                                   "coverage tests -k some", "bench --rounds 1", "bench coap"])
def test_right_words_go_on_to_what_is_to_be_installed(bare, words):
    (bare.tree / "tests/fuzz").mkdir(parents=True)
    (bare.tree / "tests/fuzz/fuzz_mqtt.c").touch()
    for name, text in (("dpkg-query", "exit 1"), ("apt-get", "exit 77")):
        (bare.tools / name).write_text(f"#!/bin/sh\n{text}\n")
    assert bare(f"./dev {words}").returncode in (1, 77)


@pytest.mark.parametrize("status, said", [
    (0, "fuzz mqtt: 1795187 runs, nothing found"),
    (1, "fuzz mqtt: 1795187 runs, it failed, see build/fuzz/mqtt.log; what makes it fail again is "
        "build/fuzz/mqtt-*")])
def test_a_run_of_the_fuzzer_ends_with_what_it_found(bare, status, said):
    (bare.tools / "tail").symlink_to(shutil.which("tail"))
    (bare.tools / "mkdir").unlink()
    (bare.tools / "mkdir").symlink_to(shutil.which("mkdir"))
    target = bare.tree / "build/fuzz/tests/fuzz/fuzz_mqtt"
    target.parent.mkdir(parents=True)
    target.write_text(f"#!/bin/sh\necho Done 1795187 runs in 21 second\\(s\\) >&2\nexit {status}\n")
    target.chmod(0o755)
    done = bare("source ./dev help >&2; fuzz_one mqtt 21")
    assert done.returncode == status and done.stdout.splitlines()[-1] == said


def test_a_lint_that_is_not_there_is_no_lint_that_passed():
    done = subprocess.run([sys.executable, str(server.ROOT / "tests/lint/lint.py"), "nosuch"],
                          capture_output=True, text=True, check=False, timeout=server.PATIENCE_S)
    assert done.returncode == 2
    assert "there is no lint 'nosuch'; there are: includes sizes" in done.stderr


def test_an_image_is_built_with_what_is_there(bare):
    (bare.tree / "CMakeLists.txt").write_text("project(skymock VERSION 1.2.3 LANGUAGES C)\n")
    (bare.tools / "basename").symlink_to(shutil.which("basename"))
    (bare.tools / "uname").write_text("#!/bin/sh\necho x86_64\n")
    (bare.tools / "uname").chmod(0o755)
    assert bare("./dev image").returncode == 1
    for name, more in (("buildah", " --format docker --build-arg BUILDPLATFORM=linux/amd64"), ("docker", "")):
        (bare.tools / name).write_text(f"#!/bin/sh\necho {name} $@\n")
        (bare.tools / name).chmod(0o755)
        said = f"{name} build -f docker/Dockerfile -t skymock{{}} --build-arg VERSION=1.2.3{{}}{more}"
        assert bare("./dev image").stdout == said.format("", "") + " .\n"
        assert bare("./dev image --arm64 --layers").stdout == \
            said.format(":arm64", " --platform linux/arm64") + " --layers .\n"
    assert bare("CONTAINER_TOOL=buildah ./dev image").stdout.startswith("buildah build ")


def test_packages_are_installed_once_for_a_lock_file(bare):
    (bare.tree / "tests/some").mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        (bare.tree / "tests/some" / name).write_text(name)
    for name in ("cmp", "cp", "mkdir"):
        (bare.tools / name).unlink(missing_ok=True)
        (bare.tools / name).symlink_to(shutil.which(name))
    words = "source ./dev help >&2; install_node some there Something || echo ${skipped[*]}"
    assert bare(words).stdout == "Something: there is no npm here\n"
    npm = bare.tools / "npm"
    npm.write_text(f"#!/bin/sh\necho $1 $2 $3 >>{bare.tree}/npm\ntest ! -e {bare.tree}/broken\n")
    npm.chmod(0o755)
    (bare.tree / "broken").touch()
    assert bare(words).stdout == "Something: npm ci failed\n"
    (bare.tree / "broken").unlink()
    assert [bare(words).stdout for _ in range(2)] == ["", ""]
    assert (bare.tree / "npm").read_text() == "ci --prefix build/there\n" * 2
    assert (bare.tree / "build/there/package-lock.json").exists()


def end(bare, words):
    logs = bare.tree / "build/test"
    logs.mkdir(parents=True, exist_ok=True)
    (bare.tree / "tests/fuzz").mkdir(parents=True)
    (bare.tree / "tests/fuzz/fuzz_mqtt.c").touch()
    (logs / "ctest-debug.log").write_text("100% tests passed, 0 tests failed out of 88\n")
    (logs / "pytest-debug.log").write_text(".....\n1200 passed, 3 skipped in 99.1s (0:01:39)\n")
    (logs / "pytest-asan.log").write_text("34 passed in 2.14s\n")
    done = bare(f"source ./dev help >&2; begun=$SECONDS; {words}")
    return done.returncode, done.stdout.splitlines()[-1]


def test_the_last_line_says_that_all_passed(bare):
    code, line = end(bare, "skip 'Node.js clients'; conclude all")
    assert code == 0
    assert line == ("all passed: 88 unit tests, 1234 black-box tests, lint and 1 fuzz targets "
                    "(skipped: Node.js clients), in 0 min 0 s")


def test_the_last_line_counts_what_a_browser_saw(bare):
    log = bare.tree / "build/test/console.log"
    log.parent.mkdir(parents=True)
    log.write_text("\u2714 1 of 2 pass (12ms)\n\u2139 tests 21\n\u2139 pass 21\n\u2139 fail 0\n")
    code, line = end(bare, "conclude --quick")
    assert code == 0 and line.startswith(
        "all passed: 88 unit tests, 1234 black-box tests, 21 browser tests, in 0 min")


def test_the_last_line_says_what_failed(bare):
    code, line = end(bare, "attempt false; attempt true; conclude all")
    assert code == 1 and line.startswith("failed: 1 of the checks, in 0 min")


def test_lint_knows_what_a_file_includes():
    """So that a small change is a quick lint."""
    database = tools.DATABASE / "compile_commands.json"
    if not database.exists():
        pytest.skip("needs a debug build")
    entry = next(entry for entry in tools.json.loads(database.read_text())
                 if entry["file"].endswith("/protocol/base/timerq.c"))
    found = tools._own_headers(entry)
    assert {"protocol/base/timerq.c", "protocol/base/timerq.h"} <= set(found)
    assert not any(name.startswith("server/") for name in found)
