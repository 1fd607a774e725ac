"""Where programs and packages keep their files, and kinds of files and folders by name."""

from __future__ import annotations

import re
from typing import Final

from dockfix.facts.tables.programs import Trait, programs_with


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FHS_TOP: Final = _words("bin boot dev etc lib lib32 lib64 libx32 opt proc root run sbin sys tmp usr var home")
"""Folders of `/` that packages and programs use (FHS 3.0 section 3). /srv, /mnt and /media are for local use."""

VAR_FOLDERS: Final = _words(
    "account adm backups cache crash db empty ftp games gopher kerberos lib local lock log mail nis opt preserve run "
    "spool www yp"
)
"""Folders of `/var` that packages use (FHS 3.0 section 5, and /var/www of web servers' packages)."""

LOCAL_FOLDERS: Final = _words("etc games include lib lib32 lib64 libexec libx32 man share")
"""Folders of `/usr/local` that programs look into: the linker, compilers, man, fontconfig, ca-certificates.

Packages put no files below `/usr/local` (Debian policy 9.1.2; Fedora's packaging guidelines), but pip and npm do.
"""

STANDARD_FOLDERS: Final = _words(
    "/ /bin /etc /home /lib /media /mnt /opt /root /run /sbin /srv /tmp /usr /usr/bin /usr/lib /usr/local "
    "/usr/local/bin /usr/local/lib /usr/local/share /usr/sbin /usr/share /usr/src /var /var/cache /var/lib /var/log "
    "/var/tmp"
)
"""Folders that exist in every image with a shell."""

SCRIPT_ENDINGS: Final = (".sh", ".bash", ".py", ".pl", ".rb", ".js", ".mjs", ".php", ".conf", ".json", ".yml", ".yaml")
"""Endings of file names that no maintainer script calls as a program."""

FILE_ENDINGS: Final = _words(
    "sh bash py pyi pl rb js mjs cjs ts tsx jsx php txt md rst toml lock json yml yaml xml ini cfg conf cnf properties "
    "env sql html css csv tsv c cc cpp h hpp go rs java kt scala jar war whl deb rpm apk gz tgz zip xz bz2 tar pem crt "
    "key cer pub service list gradle csproj sln proto svg png ico template tmpl tpl j2 in r ipynb lua vcl hcl tf mk "
    "asc gpg patch diff repo exe dll so"
)
"""Endings of file names, for where the context cannot be read: a folder `entrypoint.sh` is unlikely."""

ARCHIVE_ENDINGS: Final = _words("tar gz tgz tpz bz2 tb2 tbz tbz2 xz txz lz lzma tlz zst tzst z tz")
"""Endings of tar archives and of what compresses them, in lower case."""

NOT_TAR_ENDINGS: Final = FILE_ENDINGS - ARCHIVE_ENDINGS - {"apk"} | _words(
    "ear aar jks p12 pfx crl csr jpg jpeg gif ttf woff woff2 pdf sass scss less vue svelte kts groovy gradlew bat cmd "
    "ps1 psm1 vb fs fsproj vbproj ejs erb haml hbs mustache jinja jinja2 phtml inc def ld cmake am ac m4 pro zsh fish "
    "csh ksh awk sed pm t cgi wsgi ps sol ex exs erl hs ml clj cljs edn lisp el nim zig d dart swift jl cr rake ru "
    "gemspec podspec cabal nix bzl bazel tfvars rego cue graphql gql avsc thrift xsd xsl xslt dtd wsdl plist desktop "
    "timer socket mount target rules network netdev pid log sample dist default conf_example example tpl cron crontab "
    "htpasswd htaccess npmrc yarnrc nvmrc bashrc profile vimrc gitconfig gitignore dockerignore editorconfig"
)
"""Endings of text, source code, programs and zip or ar files: formats that are no tar archive. `apk` is none of them: a
package of Alpine is a compressed tar. Source: the format behind each ending."""

FILE_NAMES: Final = _words(
    "Makefile Dockerfile Gemfile Rakefile Procfile Pipfile Caddyfile Vagrantfile Jenkinsfile LICENSE README CHANGELOG "
    "VERSION entrypoint docker-entrypoint go.mod go.sum go.work configure gradlew mvnw artisan"
)
"""Names of files without an ending, or with an unusual one."""

# Programs by trait (`tables.programs`).
TOOLS_WITHOUT_PATHS: Final = programs_with(Trait.NO_PATHS)
ACCOUNT_TOOLS: Final = programs_with(Trait.SETS_IDS)
FILE_TOOLS: Final = programs_with(Trait.NAMED_FILES)
UNPACKERS: Final = programs_with(Trait.UNPACKS)
DOWNLOADERS: Final = programs_with(Trait.DOWNLOADS)

# Files and folders that programs do or do not look for by name.

TOOL_TOP: Final = re.compile(
    r"go|go-.*|gopath|nix|gnu|snap|kaniko|flutter|n|sdk|android.*|jdk.*|java|cargo|rust|rustup|nvm|pyenv|rbenv|asdf|gems?"
    r"|node_modules|(?:virtual|v|py)?env|(?:mini|ana)?conda\d?|(?:micro)?mamba|mini(?:forge|mamba)\d?|mambaforge|vendor"
    r"|cache|linuxbrew|init|initrd.*|vmlinuz.*|cdrom|swap|selinux|emul|host"
)
"""Folders of `/` that language images and installers create (golang, nix, conda, kaniko); the whole name matches."""

TOOLS_WITHOUT_RECORD: Final = programs_with(Trait.LEAVES_NO_RECORD)
"""Commands that write no path into a file: they change only files and folders themselves."""

INERT_ENDINGS: Final = _words(
    "md rst txt adoc html htm css scss less sh bash py ipynb rs c cc cpp h hpp java kt scala ts tsx jsx js sql csv tsv "
    "png jpg jpeg gif svg ico pdf proto tmpl tpl j2 template patch diff go php pl rb lua r"
)
"""Endings of files that no program reads as its configuration because of their folder, unless their names begin with a
dot or contain `.config.`. Requirement files are read where they are named."""

INERT_NAMES: Final = _words(
    "readme license licence copying changelog changes authors notice version entrypoint docker-entrypoint makefile "
    "dockerfile procfile go.mod go.sum"
)
"""Other names of such files, in lower case. go.mod names folders of modules; only their go.mod is read."""

DISCOVERED_FOLDERS: Final = _words(
    "node_modules bower_components vendor venv env virtualenv patches packages gems wheels conf.d __pypackages__"
)
"""Folders that installers look for in their working directory, in addition to those whose names begin with a dot."""
