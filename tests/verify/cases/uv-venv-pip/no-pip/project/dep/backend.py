"""A build backend that needs nothing: it writes a wheel with one module and one start script."""

import zipfile
from pathlib import Path

INFO = "dep-1.0.dist-info"
FILES = {
    "dep.py": Path(__file__).with_name("dep.py").read_text(),
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: dep\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/entry_points.txt": "[console_scripts]\ndep = dep:main\n",
}


def build_wheel(folder: str, config_settings: object = None, metadata_directory: object = None) -> str:
    name = "dep-1.0-py3-none-any.whl"
    record = "".join(f"{path},,\n" for path in [*FILES, f"{INFO}/RECORD"])
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        for path, text in {**FILES, f"{INFO}/RECORD": record}.items():
            wheel.writestr(path, text)
    return name
