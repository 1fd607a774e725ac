"""buildah: real builds on a base made of busybox, and what recorded logs say."""

import pytest

from dockfix.verify.builders.buildah import BuildahBuilder
from tests.verify.contract import Contract


@pytest.mark.slow
@pytest.mark.xdist_group("verify")
class TestBuildah(Contract):
    kind = BuildahBuilder
