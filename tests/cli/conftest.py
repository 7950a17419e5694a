"""What tests of the command line share."""

import pytest
import server


@pytest.fixture
def verdict(skymock):
    """verdict("--strict") asks the server at hand."""
    def ask(*options):
        return server.run("verdict", "--url", f"http://127.0.0.1:{skymock.ports['admin']}",
                          *options)
    return ask
