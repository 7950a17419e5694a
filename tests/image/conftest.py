"""The image once for all tests, and containers of it. Whoever cannot build or run one skips them."""

import os
import uuid

import containers
import pytest
import server


@pytest.fixture(scope="session")
def image():
    """Its name; SKYMOCK_IMAGE says one that is there already."""
    containers.possible(containers.look_around)
    if "SKYMOCK_IMAGE" not in os.environ:
        containers.possible(containers.build)
    return os.environ.get("SKYMOCK_IMAGE", "localhost/skymock")


@pytest.fixture
def run(image):
    """run(*command, options=(), environment={}) gives a container of one's own."""
    running = []

    def run_one(*command, **how):
        running.append(containers.possible(containers.Container, image, *command, **how))
        return running[-1]

    yield run_one
    for each in running:
        each.remove()


@pytest.fixture(scope="module")
def container(image):
    """One that nobody ends: `url` is its admin listener's."""
    running = containers.possible(containers.Container, image, options=("--read-only",))
    yield running
    running.remove()


@pytest.fixture
def root(image):
    """The image's files, mounted at `path`, to be written to."""
    mounted = containers.possible(containers.Root, image)
    yield mounted
    mounted.close()


@pytest.fixture
def volume(image):
    """The name of a volume that is not there yet."""
    name = f"skymock-test-{uuid.uuid4().hex[:12]}"
    yield name
    containers.podman("volume", "rm", "--force", name)


@pytest.fixture
def peer():
    """peer(port) opens a raw connection."""
    opened = []

    def open_one(port):
        opened.append(server.Peer(port))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()
