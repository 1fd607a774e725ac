"""The codes of hadolint and the build checks of BuildKit: what each finds, and why no rule answers some of them.

The codes are those of hadolint 2.15.1 (`src/Hadolint/Rule` in its repository) and of BuildKit's
`frontend/dockerfile/docs/rules` at commit 73ed6825c4b7 (August 2026). Which rule answers a code is said by the rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["CHECKS", "HADOLINT", "SHELLCHECK", "UNANSWERED", "known_code", "why_unanswered"]

HADOLINT: Final[Mapping[str, str]] = {
    "DL1000": "a file that cannot be parsed",
    "DL1001": "a comment that ignores a rule",
    "DL3000": "a relative `WORKDIR`",
    "DL3001": "a command without use in a container, such as `ssh` or `service`",
    "DL3002": "a final user that is root",
    "DL3003": "`cd` where `WORKDIR` would do",
    "DL3004": "`sudo`",
    "DL3006": "a base image without a tag",
    "DL3007": "a base image with the tag `latest`",
    "DL3008": "`apt-get install` without versions",
    "DL3009": "package lists that `apt-get` leaves in the layer",
    "DL3010": "`COPY` of an archive that is unpacked later",
    "DL3011": "a port that is out of range",
    "DL3012": "several `HEALTHCHECK` instructions",
    "DL3013": "`pip install` without versions",
    "DL3014": "`apt-get install` without `-y`",
    "DL3015": "`apt-get install` without `--no-install-recommends`",
    "DL3016": "`npm install` without versions",
    "DL3018": "`apk add` without versions",
    "DL3019": "`apk add` without `--no-cache`",
    "DL3020": "`ADD` where `COPY` would do",
    "DL3021": "`COPY` of several sources to a destination without a final `/`",
    "DL3022": "`COPY --from` of a name that is no stage",
    "DL3023": "`COPY --from` of its own stage",
    "DL3024": "two stages with one name",
    "DL3025": "`CMD` or `ENTRYPOINT` in shell form",
    "DL3026": "a base image from a registry that is not trusted",
    "DL3027": "`apt` in a script",
    "DL3028": "`gem install` without versions",
    "DL3029": "a constant `--platform` of `FROM`",
    "DL3030": "`yum install` without `-y`",
    "DL3032": "`yum` without `yum clean all`",
    "DL3033": "`yum install` without versions",
    "DL3034": "`zypper` without a non-interactive option",
    "DL3035": "`zypper dist-upgrade`",
    "DL3036": "`zypper` without `zypper clean`",
    "DL3037": "`zypper install` without versions",
    "DL3038": "`dnf install` without `-y`",
    "DL3040": "`dnf` without `dnf clean all`",
    "DL3041": "`dnf install` without versions",
    "DL3042": "`pip install` without `--no-cache-dir`",
    "DL3043": "`ONBUILD` of an instruction that it cannot have",
    "DL3044": "a variable that its own `ENV` sets",
    "DL3045": "`COPY` to a relative path without a `WORKDIR`",
    "DL3046": "`useradd` with a high UID without `--no-log-init`",
    "DL3047": "`wget` with a progress bar",
    "DL3048": "an invalid label key",
    "DL3049": "a label of the schema that is missing",
    "DL3050": "a label that is not in the schema",
    "DL3051": "an empty label",
    "DL3052": "a label that is not a URL",
    "DL3053": "a label that is not a time as in RFC 3339",
    "DL3054": "a label that is not an SPDX license",
    "DL3055": "a label that is not a git hash",
    "DL3056": "a label that is not a semantic version",
    "DL3057": "no `HEALTHCHECK`",
    "DL3058": "a label that is not an e-mail address",
    "DL3059": "consecutive `RUN` instructions",
    "DL3060": "a cache that `yarn` leaves in the layer",
    "DL3061": "a first instruction that is neither `FROM` nor `ARG`",
    "DL3062": "`go install` without a version",
    "DL3063": "a stage with a reserved name",
    "DL3064": "a secret in `ARG` or `ENV`",
    "DL3065": "a redundant `--platform=$TARGETPLATFORM`",
    "DL3066": "`USER` with a name instead of a number",
    "DL3067": "a copy of the whole file system of a stage",
    "DL4000": "`MAINTAINER`",
    "DL4001": "both `wget` and `curl`",
    "DL4003": "several `CMD` instructions",
    "DL4004": "several `ENTRYPOINT` instructions",
    "DL4005": "a link of `/bin/sh` where `SHELL` would do",
    "DL4006": "a pipe without `pipefail`",
}
"""The codes of hadolint itself, each with what it finds."""

CHECKS: Final[Mapping[str, str]] = {
    "ConsistentInstructionCasing": "instruction keywords in mixed case",
    "CopyIgnoredFile": "`COPY` or `ADD` of a file that `.dockerignore` leaves out",
    "DuplicateStageName": "two stages with one name",
    "ExposeInvalidFormat": "`EXPOSE` with an address or a host port",
    "ExposeProtoCasing": "`EXPOSE` with a protocol in capitals",
    "FromAsCasing": "`AS` in another case than its `FROM`",
    "FromPlatformFlagConstDisallowed": "a constant `--platform` of `FROM`",
    "InvalidBaseImagePlatform": "a base image that does not exist for the platform of the build",
    "InvalidDefaultArgInFrom": "a default of a global `ARG` that makes an invalid image name",
    "InvalidDefinitionDescription": "a comment above `FROM` or `ARG` that does not describe it",
    "JSONArgsRecommended": "`CMD` or `ENTRYPOINT` in shell form",
    "LegacyKeyValueFormat": "`ENV key value` or `LABEL key value`, without `=`",
    "MaintainerDeprecated": "`MAINTAINER`",
    "MultipleInstructionsDisallowed": "several `CMD`, `ENTRYPOINT` or `HEALTHCHECK` instructions in a stage",
    "NoEmptyContinuation": "an empty line in a continued instruction",
    "RedundantTargetPlatform": "a redundant `--platform=$TARGETPLATFORM`",
    "ReservedStageName": "a stage with a reserved name",
    "SecretsUsedInArgOrEnv": "a secret in `ARG` or `ENV`",
    "StageNameCasing": "a stage name with capitals",
    "UndefinedArgInFrom": "an undeclared variable in `FROM`",
    "UndefinedVar": "an undefined variable",
    "WorkdirRelativePath": "a relative `WORKDIR`",
}
"""The build checks of BuildKit, each with what it finds."""

SHELLCHECK: Final[Mapping[str, str]] = {
    "SC1007": "a blank after `=` of an assignment",
    "SC1010": "`then`, `do` or `done` without a `;` before it",
    "SC1035": "a blank that is missing, as in `[x]`",
    "SC1072": "text that cannot be parsed",
    "SC1073": "text that cannot be parsed",
    "SC2002": "`cat` of one file into a pipe",
    "SC2005": "`echo` of what a command writes",
    "SC2006": "backticks instead of `$(...)`",
    "SC2010": "`ls` whose output is searched with grep",
    "SC2015": "`a && b || c`, which also runs `c` if `b` fails",
    "SC2016": "an expression in single quotes, which do not expand it",
    "SC2028": "`echo` of backslash escapes, which it may not expand",
    "SC2034": "a variable that is never used",
    "SC2035": "a pattern whose matches may look like options",
    "SC2038": "`find` into `xargs` without `-print0`",
    "SC2039": "what a POSIX shell does not have",
    "SC2043": "a loop over a single constant",
    "SC2044": "a loop over the output of `find`",
    "SC2045": "a loop over the output of `ls`",
    "SC2046": "a command substitution without quotes, whose output is split into words",
    "SC2059": "a variable in the format of `printf`",
    "SC2086": "a variable without quotes, whose value is split into words and expanded as a pattern",
    "SC2103": "`cd ..` instead of a subshell",
    "SC2115": "`rm -r` of a path that is `/` if a variable is empty",
    "SC2129": "several redirects to one file",
    "SC2140": "quotes that end in the middle of a word",
    "SC2148": "no interpreter line",
    "SC2153": "a variable that is not assigned, and one with a similar name that is",
    "SC2154": "a variable that is not assigned",
    "SC2155": "an assignment in a declaration, which hides the status of its command",
    "SC2164": "`cd` without a check that the folder exists",
    "SC2166": "`-a` or `-o` in a test, which is not well defined",
    "SC2174": "`mkdir -m -p`, whose mode is only for the last folder",
    "SC2181": "`$?` instead of the command itself as the condition",
    "SC2185": "`find` without a folder to search",
    "SC2196": "`egrep`, which is deprecated",
    "SC2226": "`ln` without a destination",
    "SC3009": "brace expansion, which a POSIX shell does not have",
    "SC3010": "`[[ ]]`, which a POSIX shell does not have",
    "SC3014": "`==` in a test, which a POSIX shell does not have",
    "SC3028": "a variable of bash, which a POSIX shell does not have",
    "SC3036": "options of `echo`, which a POSIX shell does not have",
    "SC3040": "an option of `set` that a POSIX shell does not have, such as `pipefail`",
    "SC3046": "`source`, which a POSIX shell does not have",
    "SC3060": "replacement in an expansion, which a POSIX shell does not have",
}
"""The frequent codes of ShellCheck, each with what it finds; others are accepted, too."""

_UNPARSABLE: Final = (
    "dockfix reports what BuildKit refuses as a problem of the input, with its line and exit code 2, and it cannot be"
    " ignored"
)

UNANSWERED: Final[Mapping[str, str]] = {
    "DL1000": _UNPARSABLE,
    "DL3043": "BuildKit refuses such a file: dockfix reports that with the line, and checks nothing else in it",
    "DL3061": _UNPARSABLE,
}
"""The codes that no rule answers on purpose, each with the reason."""

_SHELLCHECK: Final = re.compile(r"SC[0-9]{4}")
_NO_SHELLCHECK: Final = "it is a code of ShellCheck; the rule `shellcheck` shows them all"
_BY_LOWER: Final = {code.lower(): code for code in (*HADOLINT, *CHECKS)}


def known_code(name: str) -> str | None:
    """A code of hadolint, ShellCheck or BuildKit as it is usually written; None if the name is not one."""
    return _BY_LOWER.get(name.lower()) or (name.upper() if _SHELLCHECK.fullmatch(name.upper()) else None)


def why_unanswered(code: str) -> str | None:
    """Why no rule answers a code; None if that is not on purpose."""
    return _NO_SHELLCHECK if _SHELLCHECK.fullmatch(code) else UNANSWERED.get(code)
