"""Commands of package managers.

- `model`: a package manager command as a value.
- `recognise`: from the words of a shell command to that value.
- `reads`: which files of the build such a command reads.
- `requirements`: which package a requirement names, which operands are names, and pip's requirement files.
"""

from dockfix.facts.packages.model import Option, PackageCommand, WordLike
from dockfix.facts.packages.reads import Reads, literal_requirements_only, manifests_for, reads
from dockfix.facts.packages.recognise import recognise
from dockfix.facts.packages.requirements import distribution_name, is_literal_name, requirement_files
from dockfix.facts.tables.commands import Action
from dockfix.facts.tables.manifests import FILE_VARIABLES

__all__ = [
    "FILE_VARIABLES",
    "Action",
    "Option",
    "PackageCommand",
    "Reads",
    "WordLike",
    "distribution_name",
    "is_literal_name",
    "literal_requirements_only",
    "manifests_for",
    "reads",
    "recognise",
    "requirement_files",
]
