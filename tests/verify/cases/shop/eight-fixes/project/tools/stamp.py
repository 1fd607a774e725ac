"""Notes what the image is built from; REVISION is a build argument."""

import os
from pathlib import Path

Path("/etc/shop-release").write_text(f"revision={os.environ.get('REVISION')}\n")
