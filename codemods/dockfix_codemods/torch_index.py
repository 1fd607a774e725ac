"""torch from the default index brings CUDA libraries into an image without a GPU.

## What it does

Reports an install of torch by name into an image that is not made for CUDA, without an index that has CPU wheels.

## Why is this bad?

On Linux the wheels of the default index depend on the CUDA libraries: several GB in the image, which a container
without a GPU never loads.

## Example

```dockerfile
FROM python:3.13-slim
RUN pip install torch
```

PyTorch has an index with wheels for the CPU, and one for each version of CUDA; pass one of them with
`pip install --index-url`.

## Fix safety

There is no fix: whether the container gets a GPU is not in the Dockerfile.

## When it does not apply

- CUDA, ROCm and PyTorch images, and unknown base images.
- An index, a folder of wheels or a backend in an option or the environment; local versions (`+cpu`).
- Stages that set variables of NVIDIA or CUDA, copy a configuration of pip or uv, or are built for another platform.
- Files that mention PyTorch's own index, a GPU or its vendors anywhere, or a package that needs a GPU (vllm).
- Images of services that get a GPU from compose, or that are built for arm64, and uv if the context configures it.

## References

- https://pytorch.org/get-started/locally/
- https://docs.astral.sh/uv/guides/integration/pytorch/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.model import Known
from dockfix.facts.packages import distribution_name
from dockfix.facts.stages import Stage
from dockfix.project.target import Target, context_candidates
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Add, Copy, Run

_NAMES: Final = frozenset(("torch", "torchvision", "torchaudio"))
_INDEX_OPTIONS: Final = (
    "--index-url", "--extra-index-url", "--find-links", "--index", "--default-index", "--no-index", "--torch-backend",
    "--constraint", "--config-settings", "--dry-run", "--no-deps", "--override",
)  # fmt: skip
_INDEX_VARIABLES: Final = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "PIP_CONSTRAINT", "UV_INDEX",
    "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_TORCH_BACKEND", "UV_CONFIG_FILE",
    "UV_CONSTRAINT",
)  # fmt: skip
_FAMILIES: Final = ("debian", "ubuntu", "rhel", "fedora")
_GPU: Final = ("cuda", "nvidia", "rocm", "pytorch", "gpu", "tensorrt")
_GPU_OR_INDEX_WORDS: Final = (
    "pytorch.org/whl", "cuda", "nvidia", "rocm", "--gpus", "vllm", "flash-attn", "xformers", "deepspeed",
    "bitsandbytes", "pip config", "pip3 config", "pip.conf", "uv.toml",
)  # fmt: skip
"""Words that show, anywhere in a file, that it is for a GPU or has an index of its own."""
_CONFIGS: Final = ("pip.conf", "uv.toml", "pip.ini")


def check(target: Target) -> Iterator[Finding]:
    """Find installs of torch by name, from the default index, into images without a GPU."""
    text = target.text.lower()
    if any(word in text for word in _GPU_OR_INDEX_WORDS) or _run_with_gpu(target):
        return
    for stage, run in target.facts.runs():
        finding = _first_install(target, run) if not _has_gpu(target, stage) else None
        if finding is not None:
            yield finding
            return  # once is enough: the other installs have the same cause


def _first_install(target: Target, run: Run) -> Advice | None:
    """The first install of torch in a RUN without a configured index."""
    commands, given = target.facts.commands(run), frozenset(target.facts.state(run).names())
    for step in commands.packages:
        names = _torch(step)
        if not names or any(name in given or name in step.env for name in _INDEX_VARIABLES):
            continue
        if step.package is not None and not (step.package.manager == "uv" and _configures_uv(target)):
            help_ = "without a GPU, use PyTorch's index for CPUs, `https://download.pytorch.org/whl/cpu`"
            return Advice(commands.span(step.command), _message(names), help=help_)
    return None


def _message(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    verb = "comes" if len(names) == 1 else "come"
    return f"{listed} {verb} with several GB of CUDA libraries"


def _run_with_gpu(target: Target) -> bool:
    """Whether a build of the image is for a service with a GPU, or for a platform without CUDA wheels."""
    services = [
        file.services[build.service]
        for build in target.builds
        for file in target.project.compose_files
        if build.kind == "compose" and build.source in (file.path, *file.files) and build.service in file.services
    ]
    names = " ".join(f"{build.service} {build.options}".lower() for build in target.builds)
    return any(service.gpu for service in services) or any(word in names for word in ("gpu", "cuda", "rocm", "arm64"))


def _configures_uv(target: Target) -> bool:
    """Whether the context has a configuration of uv, which may name an index."""
    contexts = (target.context,) if target.context is not None else context_candidates(target.project, target.path)
    return any(each.exists("uv.toml") or "[tool.uv" in (each.read_text("pyproject.toml") or "") for each in contexts)


def _has_gpu(target: Target, stage: Stage) -> bool:
    """Whether a stage is or may be for a GPU or another platform, or has a configured index."""
    ref = stage.base_ref
    if stage.base is None or stage.base.family not in _FAMILIES or not isinstance(ref, Known):
        return True
    if any(word in ref.value.lower() for word in _GPU) or stage.node.flags:
        return True
    state = target.facts.end_state(stage)
    if any(name.startswith(("NVIDIA_", "CUDA_", "TORCH_CUDA_")) for name in state.names()):
        return True
    copies = (each for each in stage.instructions if isinstance(each, Copy | Add))
    return any(word.text.endswith(_CONFIGS) for each in copies for word in each.paths)


def _torch(step: Step) -> tuple[str, ...]:
    """The packages of PyTorch that a command installs by name from the default index."""
    package = step.package
    if package is None or package.manager not in ("pip", "uv") or package.unknown_operands:
        return ()
    if package.verb not in (("install",), ("pip", "install")) or any(package.has(each) for each in _INDEX_OPTIONS):
        return ()
    values = [word.value for word in package.packages]
    if any(value is None or "+" in value or "://" in value for value in values):
        return ()
    names = (distribution_name(value) for value in values if value is not None)
    return tuple(dict.fromkeys(name for name in names if name in _NAMES))


CODEMOD: Final = Codemod(
    name="torch-index",
    title="torch from the default index brings CUDA libraries",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("torch",),
    findings=("base-ml 3",),
)
