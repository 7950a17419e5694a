"""The kit for Python brings the fixtures `skymock` and `skymock_device`."""

pytest_plugins = ["skymock"]
