"""Files that are written for others: replaced whole where they are files, else written into."""

import json
import os
import signal
import stat
import subprocess

import pytest
import server


def serve(ports_file, **options):
    """A server with that --ports-file, and its lines until it is ready."""
    process = subprocess.Popen(
        [str(server.PROGRAM), "serve", "--listen", "all=0", "--ports-file", str(ports_file)],
        stderr=subprocess.PIPE, text=True, env=server.ENVIRONMENT, **options)
    return process


def end(process):
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=server.PATIENCE_S)[1]
    assert process.returncode == 0, errors


def is_ports(text):
    return set(json.loads(text)) == set(server.LISTENERS)


def read_ready(stream):
    lines = []
    while not lines or not lines[-1].startswith("skymock is ready"):
        lines.append(stream.readline())
        assert lines[-1], lines
    return lines


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_ports_to_standard_output(name):
    process = serve(name, stdout=subprocess.PIPE)
    assert is_ports(read_ready(process.stdout)[0])
    end(process)
    assert os.path.islink("/dev/stdout")


def test_ports_to_a_standard_output_that_is_a_file(tmp_path):
    out = tmp_path / "out"
    out.write_text("before\n")
    with open(out, "a") as stream:
        process = serve("/dev/stdout", stdout=stream)
    while "skymock is ready" not in out.read_text():
        assert process.poll() is None
    end(process)
    lines = out.read_text().splitlines()
    assert lines[0] == "before" and is_ports(lines[1])
    assert os.path.islink("/dev/stdout")


def test_ports_to_a_pipe_that_was_inherited():
    reader, writer = os.pipe()
    process = serve(f"/dev/fd/{writer}", stdout=subprocess.PIPE, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert is_ports(pipe.readline())
    end(process)


def test_ports_to_nowhere_leaves_the_device():
    process = serve("/dev/null", stdout=subprocess.PIPE)
    read_ready(process.stdout)
    end(process)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_ports_to_a_fifo(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = serve(fifo, stdout=subprocess.PIPE)
    assert is_ports(fifo.read_text())
    end(process)
    assert stat.S_ISFIFO(os.stat(fifo).st_mode)


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    process = serve(tmp_path / "link", stdout=subprocess.PIPE)
    read_ready(process.stdout)
    assert (tmp_path / "link").is_symlink() and is_ports((tmp_path / "real").read_text())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link", "real"]
    end(process)


@pytest.mark.parametrize("name", ["/nonexistent/ports", "/dev/fd/99", "/"])
def test_ports_that_cannot_be_written(name):
    process = serve(name, stdout=subprocess.PIPE)
    errors = process.communicate(timeout=server.PATIENCE_S)[1]
    assert process.returncode == 2 and errors.count("\n") == 1 and name in errors
