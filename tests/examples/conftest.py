import pytest
from cloud import call


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins with the devices as devices.json has them, in real time."""
    call("POST", "reset", {})
