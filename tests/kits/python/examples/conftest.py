"""All that there is to set up. skymock.py lies in this folder, too."""

pytest_plugins = ["skymock"]
