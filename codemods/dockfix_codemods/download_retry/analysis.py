"""Python calls that download a model or a data set, and how each of them fails.

The imports of the program say which function a call means; nothing is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    import libcst


class Download(Struct, frozen=True):
    """A function that downloads. `fails` says how: it raises an exception, ends the interpreter, or returns False."""

    fails: Literal["raises", "exits", "returns False"]
    source: str


_HUB: Final = Download("raises", "huggingface.co/docs/huggingface_hub/package_reference/file_download")
_TRANSFORMERS: Final = Download("raises", "huggingface.co/docs/transformers/main_classes/model")
_SBERT: Final = Download("raises", "sbert.net/docs/package_reference/sentence_transformer/SentenceTransformer.html")
_TORCH_HUB: Final = Download("raises", "docs.pytorch.org/docs/stable/hub.html")
_SPACY: Final = Download("exits", "spacy.io/api/cli#download; spacy/cli/download.py ends with msg.fail(exits=1)")
_TIKTOKEN: Final = Download("raises", "github.com/openai/tiktoken tiktoken/load.py, read_file")

DOWNLOADS: Final[Mapping[str, Download]] = MappingProxyType(
    {
        "sentence_transformers.SentenceTransformer": _SBERT,
        "sentence_transformers.CrossEncoder": _SBERT,
        "sentence_transformers.SparseEncoder": _SBERT,
        "transformers.*.from_pretrained": _TRANSFORMERS,
        "transformers.pipeline": Download("raises", "huggingface.co/docs/transformers/main_classes/pipelines"),
        "tokenizers.Tokenizer.from_pretrained": Download("raises", "huggingface.co/docs/tokenizers/api/tokenizer"),
        "diffusers.*.from_pretrained": Download("raises", "huggingface.co/docs/diffusers/api/pipelines/overview"),
        "huggingface_hub.snapshot_download": _HUB,
        "huggingface_hub.hf_hub_download": _HUB,
        "datasets.load_dataset": Download("raises", "huggingface.co/docs/datasets/package_reference/loading_methods"),
        "nltk.download": Download("returns False", "github.com/nltk/nltk nltk/downloader.py, Downloader.download"),
        "nltk.downloader.download": Download("returns False", "github.com/nltk/nltk nltk/downloader.py"),
        "spacy.cli.download": _SPACY,
        "spacy.cli.download.download": _SPACY,
        "torch.hub.load": _TORCH_HUB,
        "torch.hub.load_state_dict_from_url": _TORCH_HUB,
        "torch.hub.download_url_to_file": _TORCH_HUB,
        "urllib.request.urlretrieve": Download("raises", "docs.python.org/3/library/urllib.request.html"),
        "whisper.load_model": Download("raises", "github.com/openai/whisper whisper/__init__.py, _download"),
        "faster_whisper.WhisperModel": Download("raises", "github.com/SYSTRAN/faster-whisper faster_whisper/utils.py"),
        "faster_whisper.download_model": Download(
            "raises", "github.com/SYSTRAN/faster-whisper faster_whisper/utils.py"
        ),
        "easyocr.Reader": Download("raises", "jaided.ai/easyocr/documentation"),
        "tiktoken.get_encoding": _TIKTOKEN,
        "tiktoken.encoding_for_model": _TIKTOKEN,
        "stanza.download": Download("raises", "stanfordnlp.github.io/stanza/download_models.html"),
        "gensim.downloader.load": Download("raises", "radimrehurek.com/gensim/downloader.html"),
        "fastembed.TextEmbedding": Download("raises", "qdrant.github.io/fastembed"),
    }
)
"""Functions by dotted name; `*` is any one name. Each row names the source of its behavior."""

RETRY_LIBRARIES: Final = frozenset(("tenacity", "backoff", "retry", "retrying", "stamina"))
"""Packages that retry calls; a program that imports one handles failures itself."""


class DownloadCall(Struct, frozen=True, eq=False):
    """A call that downloads: the function, the index of the statement in the flattened module, and the call."""

    name: str
    download: Download
    statement: int
    node: libcst.Call


def download_calls(statements: list[libcst.BaseStatement | libcst.BaseSmallStatement]) -> Iterator[DownloadCall]:
    """The calls that download once: those in a loop, a `try` or a function are left out."""
    import libcst  # noqa: PLC0415 - loaded on first use

    later = (
        libcst.For, libcst.While, libcst.Try, libcst.TryStar, libcst.FunctionDef, libcst.Lambda, libcst.ClassDef,
        libcst.CompFor,
    )  # fmt: skip
    repeated = (libcst.ListComp, libcst.SetComp, libcst.DictComp, libcst.GeneratorExp)
    names: dict[str, str] = {}
    for index, statement in enumerate(statements):
        stack: list[libcst.CSTNode] = [statement]
        while stack:
            node = stack.pop()
            if isinstance(node, libcst.Import | libcst.ImportFrom):
                names.update(_imported(node))
            elif isinstance(node, later + repeated):
                continue
            elif isinstance(node, libcst.Call):
                name = _resolved(node.func, names)
                download = _lookup(name)
                if download is not None and not _is_local(node):
                    yield DownloadCall(name, download, index, node)
            stack.extend(reversed(node.children))


def _imported(node: libcst.Import | libcst.ImportFrom) -> Iterator[tuple[str, str]]:
    import libcst  # noqa: PLC0415 - loaded on first use

    if isinstance(node.names, libcst.ImportStar):
        return
    prefix = ""
    if isinstance(node, libcst.ImportFrom):
        if node.relative or node.module is None:
            return
        prefix = f"{_dotted(node.module)}."
    for alias in node.names:
        name = _dotted(alias.name)
        if alias.asname is not None and isinstance(alias.asname.name, libcst.Name):
            yield alias.asname.name.value, f"{prefix}{name}"
        else:
            yield name.partition(".")[0], f"{prefix}{name}" if prefix else name.partition(".")[0]


def _dotted(node: libcst.BaseExpression) -> str:
    import libcst  # noqa: PLC0415 - loaded on first use

    parts: list[str] = []
    while isinstance(node, libcst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    parts.append(node.value if isinstance(node, libcst.Name) else "")
    return ".".join(reversed(parts))


def _resolved(node: libcst.BaseExpression, names: Mapping[str, str]) -> str:
    """The full dotted name of the called function; empty if it is not imported."""
    first, dot, rest = _dotted(node).partition(".")
    return f"{names[first]}{dot}{rest}" if first in names else ""


def _lookup(name: str) -> Download | None:
    if name in DOWNLOADS:
        return DOWNLOADS[name]
    parts = name.split(".")
    if len(parts) < 2:
        return None
    return DOWNLOADS.get(".".join((*parts[:-2], "*", parts[-1])))


def _is_local(call: libcst.Call) -> bool:
    """Whether a call has a path or nothing as its argument, or forbids downloads."""
    import libcst  # noqa: PLC0415 - loaded on first use

    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value in ("local_files_only", "download_enabled"):
            literal = arg.value.value if isinstance(arg.value, libcst.Name) else ""
            if literal == ("True" if arg.keyword.value == "local_files_only" else "False"):
                return True
    if not call.args:
        return True  # `nltk.download()` is interactive, and the others need an argument
    first = call.args[0] if call.args[0].keyword is None else None
    if first is None or not isinstance(first.value, libcst.SimpleString):
        return False
    value = first.value.evaluated_value
    return isinstance(value, str) and value.startswith(("/", "./", "../", "~", "file:"))
