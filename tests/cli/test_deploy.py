"""The files of docker/ that bring skymock somewhere, held against the program and the image."""

import json
import re
import subprocess

import pytest
import server

yaml = pytest.importorskip("yaml", reason="python3-yaml is not there")

DOCKER = server.ROOT / "docker"
EXAMPLE = server.ROOT / "tests/examples/devices.json"
PODS = ["job.yml", "sidecar.yml"]
CONFIG_MAP = "skymock-devices"
ADDRESS = "192.0.2.1"


def load(path):
    """The documents of a file by what they are; an unknown kind would be an error of ours."""
    return list(yaml.safe_load_all((DOCKER / path).read_text()))


def services(path):
    return load(path)[0]["services"]


def pod(path):
    """The specification of the pod that a file describes."""
    found, = load(f"kubernetes/{path}")
    return found["spec"]["template"]["spec"] if found["kind"] == "Job" else found["spec"]


def container(spec, name):
    found, = [each for each in spec["initContainers"] + spec["containers"] if each["name"] == name]
    return found


def hosts(*options):
    done = server.run("hosts", *options)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def names(fixtures=EXAMPLE):
    return [line.split()[1] for line in hosts("--fixtures", fixtures)]


def said_in_dockerfile(word):
    text = re.sub(r"\\\n", " ", (DOCKER / "Dockerfile").read_text())
    return [line.partition(" ")[2] for line in text.splitlines() if line.startswith(f"{word} ")]


def image_environment():
    return dict(pair.split("=", 1) for line in said_in_dockerfile("ENV") for pair in line.split())


def exposed():
    """(port, protocol) of each listener, which is what the image says."""
    return {(int(port), protocol or "tcp") for line in said_in_dockerfile("EXPOSE")
            for port, _, protocol in (each.partition("/") for each in line.split())}


def options():
    """The environment variables that `serve` knows."""
    return set(re.findall(r"SKYMOCK_[A-Z_]+", server.run("serve", "--help").stdout))


# ---- compose ----

def test_the_device_finds_every_name():
    assert services("compose.yml")["skymock"]["networks"]["default"]["aliases"] == names()


def test_the_names_are_those_of_the_devices_that_are_served():
    skymock = services("compose.yml")["skymock"]
    source, target = skymock["volumes"][0].split(":")[:2]
    assert (DOCKER / source).resolve() == EXAMPLE
    assert skymock["environment"]["SKYMOCK_FIXTURES"] == target


@pytest.mark.parametrize("file", ["compose.yml", "compose.bench.yml"])
def test_compose_speaks_of_what_there_is(file):
    for name, service in services(file).items():
        build = service.get("build")
        if build is not None:
            build = build if isinstance(build, dict) else {"context": build}
            recipe = DOCKER / build["context"] / build.get("dockerfile", "Dockerfile")
            assert recipe.is_file(), f"{name}: {recipe}"
        if service["image"] == "skymock" and "command" not in service:
            assert set(service["environment"]) <= options()
            assert "data:/data" in service["volumes"]
        for needed in service.get("depends_on", []):
            assert needed in services(file)
    assert image_environment()["SKYMOCK_STORE"].startswith("/data/")


def test_what_clients_are_told_in_compose_is_true():
    """The name of the service is in the certificate, and the admin API is asked under it."""
    environment = image_environment()
    assert environment["SKYMOCK_SAN"] == environment["SKYMOCK_ADMIN_HOST"] == "skymock"
    listen = services("compose.yml")["skymock"]["environment"]["SKYMOCK_LISTEN"]
    assert listen == "https=443"
    assert "TCP:127.0.0.1:443" in (DOCKER / "port80/Dockerfile").read_text()
    device = (server.ROOT / "tests/examples/compose/device.sh").read_text()
    assert "http://skymock:8080" in device


def test_a_verdict_is_asked_as_the_command_line_has_it():
    verdict = services("compose.yml")["verdict"]
    known = set(re.findall(r"--[a-z-]+", server.run("verdict", "--help").stdout))
    assert {word for word in verdict["command"] if word.startswith("--")} <= known
    assert set(verdict["environment"]) <= options()


def test_the_bench_resolves_every_name():
    command = services("compose.bench.yml")["names"]["command"]
    told = [word.replace("${BENCH_IP}", ADDRESS).removeprefix("--") for word in command]
    assert told == hosts("--dnsmasq", "--ip", ADDRESS)


def test_the_bench_serves_every_port_and_the_vendors():
    """Each port of the image is there under its own number, or under those that SDKs have built in."""
    def apart(port):
        where, _, protocol = port.partition("/")
        *_, outer, inner = where.split(":")
        return int(outer), (int(inner), protocol or "tcp")

    mapped = [apart(port) for port in services("compose.bench.yml")["skymock"]["ports"]]
    assert {inner for _, inner in mapped} == exposed()
    assert [outer for outer, inner in mapped if inner == (8443, "tcp")] == [443, 80]
    assert all(outer == port for outer, (port, _) in mapped if port != 8443)
    admin, = [port for port in services("compose.bench.yml")["skymock"]["ports"] if "8080" in port]
    assert admin.startswith("127.0.0.1:")


# ---- Kubernetes ----

# What the API server takes for a name; RFC 1123 itself does not mind capitals.
DNS_1123 = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@pytest.mark.parametrize("file", PODS)
def test_the_pod_finds_every_name(file):
    alias, = pod(file)["hostAliases"]
    assert alias["ip"] == "127.0.0.1"
    assert alias["hostnames"] == [name.lower() for name in names()]
    for name in alias["hostnames"]:
        assert DNS_1123.fullmatch(name) and len(name) <= 253, name


def head(file):
    """The commands that a file is introduced with."""
    comments = re.match(r"(#.*\n)+", (DOCKER / "kubernetes" / file).read_text()).group()
    return re.findall(r"(?m)^#   +(.*)$", comments)


@pytest.mark.parametrize("file", PODS)
def test_many_of_a_file_run_side_by_side(file):
    """Only the fixture has a fixed name, and it is the one that the commands make."""
    document, = load(f"kubernetes/{file}")
    assert set(document["metadata"]) == {"generateName"}
    volume, = [each for each in pod(file)["volumes"] if "configMap" in each]
    assert volume["configMap"] == {"name": CONFIG_MAP}
    source = EXAMPLE.relative_to(server.ROOT)
    made, started = [line for line in head(file) if "kubectl create" in line]
    assert made.startswith(f"kubectl create configmap {CONFIG_MAP} --from-file={source}")
    assert f"-f docker/kubernetes/{file}" in started
    assert not [line for line in head(file) if "kubectl apply" in line]


KUBECTL = """#!/bin/sh
echo "$@" >>calls
case $1,$2,$3 in
create,-o,name) echo job.batch/skymock-device-x ;;
wait,--for=condition=$END,*) [ "$(wc -l <calls)" -gt 6 ] ;; # it takes its time
wait,*) exit 1 ;;
esac
"""


@pytest.mark.parametrize("end,status", [("complete", 0), ("failed", 1)])
def test_a_job_is_waited_for_until_either_end(end, status, tmp_path):
    """`kubectl wait` knows one condition, and a Job that has failed is never complete."""
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    done = subprocess.run(["sh"], input="\n".join(head("job.yml")), cwd=tmp_path, text=True,
                          env={"PATH": f"{tmp_path}:{server.ENVIRONMENT['PATH']}", "END": end},
                          capture_output=True, check=False, timeout=server.PATIENCE_S)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert done.returncode == status, done.stderr
    assert all("job.batch/skymock-device-x" in call for call in calls[2:])
    assert "logs job.batch/skymock-device-x -c verdict" in calls
    document, = load("kubernetes/job.yml")
    assert document["spec"]["activeDeadlineSeconds"]  # so that one of the two comes


@pytest.mark.parametrize("file", PODS)
def test_the_sidecar_is_the_image_as_it_is(file):
    """Ports, folders and commands are the image's; only 443 is moved."""
    spec = pod(file)
    skymock = container(spec, "skymock")
    assert skymock["restartPolicy"] == "Always" and spec["initContainers"][0] is skymock
    assert "command" not in skymock  # ENTRYPOINT and CMD do
    environment = {each["name"]: each["value"] for each in skymock["env"]}
    assert environment == {"SKYMOCK_LISTEN": "https=443"} and set(environment) <= options()
    ports = {(port["containerPort"], port.get("protocol", "TCP").lower())
             for port in skymock["ports"]}
    assert ports == (exposed() - {(8443, "tcp")}) | {(443, "tcp")}
    assert skymock["startupProbe"]["exec"]["command"] == ["skymock", "healthcheck"]
    assert skymock["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "admin"}
    mounts = {mount["mountPath"]: mount for mount in skymock["volumeMounts"]}
    assert set(mounts) == {"/data", image_environment()["SKYMOCK_FIXTURES"]}
    assert mounts["/fixtures"]["readOnly"]


@pytest.mark.parametrize("file", PODS)
def test_ports_have_the_names_that_skymock_gives_them(file, skymock):
    named = {port["name"] for port in container(pod(file), "skymock")["ports"]}
    assert named == set(skymock.ports)


@pytest.mark.parametrize("file", PODS)
def test_nothing_in_the_pod_has_rights_it_does_not_need(file):
    """What the `restricted` profile of the Pod Security Standards asks for."""
    spec = pod(file)
    user, = said_in_dockerfile("USER")
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}" == user
    assert spec["securityContext"]["sysctls"] == [
        {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    for each in spec["initContainers"] + spec["containers"]:
        assert each["securityContext"] == {"readOnlyRootFilesystem": True,
                                           "allowPrivilegeEscalation": False,
                                           "capabilities": {"drop": ["ALL"]}}, each["name"]
    volumes = {volume["name"] for volume in spec["volumes"]}
    assert volumes == {mount["name"] for each in spec["initContainers"] + spec["containers"]
                       for mount in each.get("volumeMounts", [])}


def test_the_job_runs_the_device_and_then_asks_for_the_verdict():
    spec = pod("job.yml")
    assert [each["name"] for each in spec["initContainers"]] == ["skymock", "device"]
    verdict = container(spec, "verdict")
    known = set(re.findall(r"--[a-z-]+", server.run("verdict", "--help").stdout))
    assert verdict["args"][0] == "verdict" and set(verdict["args"][1:]) <= known


# ---- whatever is copied ----

def shown():
    """Each command line of the examples and the pages, by file, put together where it is broken."""
    listing = [*(server.ROOT / "tests/examples").rglob("*"), *(server.ROOT / "tests").rglob("*.md"),
               *(server.ROOT / "server").rglob("*.md"), *server.ROOT.glob("*.md"),
               *DOCKER.rglob("*.md"), *DOCKER.rglob("*.yml")]
    for path in listing:
        if path.is_file() and "__pycache__" not in path.parts and "node_modules" not in path.parts:
            for line in re.sub(r"\\\n", " ", path.read_text(encoding="utf-8")).splitlines():
                yield path.relative_to(server.ROOT), line


def test_a_file_that_curl_writes_is_no_refusal():
    """Without -f a page that says 404 would be taken for the CA."""
    for path, line in shown():
        for command in re.findall(r"\bcurl\b[^|;)`]*", line):
            if re.search(r" -[a-zA-Z]*o ", command):
                assert re.search(r" (-[a-zA-Z]*f[a-zA-Z]*|--fail\S*) ", command), f"{path}: {line}"


def test_examples_are_content_with_the_curl_of_older_distributions():
    """--json came with curl 7.82; Ubuntu 22.04 has 7.81."""
    assert not [f"{path}: {line}" for path, line in shown()
                if path.parts[:2] == ("tests", "examples") and " --json " in line]


def test_the_two_files_of_compose_are_two_projects():
    """Without a name both would be `docker`, and each the other's orphans."""
    assert load("compose.bench.yml")[0]["name"] != load("compose.yml")[0].get("name", DOCKER.name)


# ---- CI ----

CI = server.ROOT / "tests/examples/ci"


@pytest.mark.parametrize("file", ["github-actions.yml", "gitlab-ci.yml", "README.md"])
def test_recipes_say_what_the_program_knows(file):
    """They are not run; options, variables and paths of skymock in them are real."""
    text = (CI / file).read_text()
    if file.endswith(".yml"):
        assert yaml.safe_load(text)
        assert "Not run by skymock's own CI" in text
    help_of = {command: server.run(command, "--help").stdout
               for command in ("exec", "serve", "hosts", "ca")}
    for command, line in re.findall(r"skymock (exec|serve|hosts|ca) ((?:\\\n|[^\n`])*)", text):
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", line.split(" -- ")[0]):
            assert option in help_of[command], f"skymock {command} {option}"
    known = set(re.findall(r"SKYMOCK_[A-Z_]+", "".join(help_of.values()))) | {
        "SKYMOCK_URL", "SKYMOCK_CA", "SKYMOCK_HOST", "SKYMOCK_PORT_MQTT"}
    assert set(re.findall(r"SKYMOCK_[A-Z_]+", text)) <= known
    for folder in re.findall(r"\]\(([^)]*)\)", text):
        assert (CI / folder).exists(), folder


def test_the_names_of_services_are_of_those_that_there_are():
    jobs = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"]
    options = jobs["service"]["services"]["skymock"]["options"].split()
    aliases = [name for option, name in zip(options, options[1:]) if option == "--network-alias"]
    service, = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["firmware"]["services"]
    aliases += service["alias"].split(",")[1:]
    assert aliases and set(aliases) <= set(names())


def test_a_fixture_goes_in_and_a_verdict_comes_out_by_the_api(start):
    """As a service container is used."""
    mine = start(fixtures=None)
    mine.api.post("/api/v1/products", json.loads(EXAMPLE.read_text()))
    assert mine.api.get("/api/v1/devices/aliyun/a1Example/thermostat")["enabled"]
    status, answer = mine.api.request("GET", "/api/v1/verdicts?run=true")
    assert status == 200 and list(answer)[-1] == "verdict"
