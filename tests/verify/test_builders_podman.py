"""podman: real builds on a base made of busybox."""

import pytest

from dockfix.verify.builders.podman import PodmanBuilder
from tests.verify.contract import Contract


@pytest.mark.slow
@pytest.mark.xdist_group("verify")
class TestPodman(Contract):
    """Real builds."""

    kind = PodmanBuilder
