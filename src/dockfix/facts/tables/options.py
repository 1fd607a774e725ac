"""Which options each package manager has, and which of them take a value.

The value of an option must not be mistaken for a package, nor a package for a value, so each table says which options
take one. An option that a table does not list is unknown, and is marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct, field


class OptionTable(Struct, frozen=True):
    """The options of one program, or those that one of its subcommands adds or changes.

    `flags` take no value, `valued` take one (`--x v` and `--x=v`), `optional` take one after `=` only. `short` maps a
    letter to the long name, `aliases` another long spelling to the canonical one. `abbreviates`: the program's parser
    accepts an unambiguous prefix of a long name (optparse, getopt_long, nopt). `style` "single" means that long options
    begin with one dash (go, Maven), so letters do not cluster.
    """

    source: str
    flags: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    short: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    abbreviates: bool = False
    style: Literal["gnu", "single"] = "gnu"
    subcommands: Mapping[str, OptionTable] = field(default_factory=dict)


def _names(text: str) -> frozenset[str]:
    return frozenset(f"--{name}" for name in text.split())


def _pairs(text: str) -> dict[str, str]:
    """`"r:requirement y:yes"` as `{"r": "--requirement", "y": "--yes"}`."""
    return {letter: f"--{name}" for letter, _, name in (pair.partition(":") for pair in text.split())}


def _aliases(text: str) -> dict[str, str]:
    return {f"--{old}": f"--{new}" for old, _, new in (pair.partition(":") for pair in text.split())}


_PIP: Final = OptionTable(
    source="pip install|uninstall|download|wheel --help, pip 23.2 and 25; optparse accepts unambiguous prefixes",
    flags=_names(
        "no-deps pre dry-run user upgrade force-reinstall ignore-installed ignore-requires-python no-build-isolation "
        "use-pep517 no-use-pep517 check-build-dependencies break-system-packages compile no-compile "
        "no-warn-script-location no-warn-conflicts prefer-binary require-hashes no-clean no-index help debug isolated "
        "require-virtualenv verbose version quiet no-input no-cache-dir disable-pip-version-check no-color "
        "no-python-version-warning yes no-verify no-dependencies"
    ),
    valued=_names(
        "requirement constraint build-constraint editable target platform python-version implementation abi root "
        "prefix src upgrade-strategy config-settings global-option build-option install-option no-binary only-binary "
        "progress-bar root-user-action report index-url pypi-url extra-index-url find-links group python log "
        "keyring-provider proxy retries timeout exists-action trusted-host cert client-cert cache-dir use-feature "
        "use-deprecated dest wheel-dir uploaded-prior-to resume-retries requirements-from-script format path "
        "all-releases only-final"
    ),
    short=_pairs(
        "r:requirement c:constraint e:editable t:target U:upgrade I:ignore-installed C:config-settings i:index-url "
        "f:find-links h:help v:verbose V:version q:quiet y:yes d:dest w:wheel-dir"
    ),
    aliases=_aliases("no-dependencies:no-deps pypi-url:index-url config-setting:config-settings log-file:log"),
    abbreviates=True,
)

_UV: Final = OptionTable(
    source="uv <command> --help, uv 0.13",
    flags=_names(
        "active all-extras all-groups all-packages allow-existing allow-empty-requirements bare break-system-packages "
        "check check-exists clear compile-bytecode default dev dry-run emit-build-options emit-find-links "
        "emit-index-annotation emit-index-url exact force frozen generate-hashes gui-script help inexact isolated lfs "
        "locked managed-python no-active no-allow-empty-requirements no-annotate no-bin no-break-system-packages "
        "no-build no-build-isolation no-build-logs no-cache no-compile-bytecode no-config no-create-gitignore "
        "no-default-groups no-deps no-dev no-editable no-emit-local no-emit-project no-emit-workspace no-env-file "
        "no-hashes no-header no-index no-install-local no-install-project no-install-workspace no-managed-python "
        "no-progress no-project no-python-downloads no-registry no-require-build-hashes no-sources no-strip-extras "
        "no-strip-markers no-sync no-verify-hashes no-workspace offline only-dev quiet raw refresh reinstall "
        "relocatable require-build-hashes require-hashes sdist seed strict system no-system system-certs native-tls "
        "system-site-packages universal upgrade user verbose version wheel workspace all pre no-color preview "
        "no-preview show-settings"
    ),
    valued=_names(
        "add-bounds allow-insecure-host annotation-style bounds branch build-constraint cache-dir cert color "
        "config-file config-setting config-settings-package constraint custom-compile-command default-index directory "
        "editable env-file exclude-newer exclude-newer-package excludes extra extra-index-url find-links fork-strategy "
        "format graalpy-mirror group index index-strategy index-url install-dir keyring-provider link-mode marker "
        "mirror no-binary no-binary-package no-build-isolation-package no-build-package no-editable-package "
        "no-emit-package no-extra no-group no-install-package no-sources-package only-binary only-group optional "
        "out-dir output-file output-format override package prefix prerelease prerelease-package project prompt prune "
        "pyodide-mirror pypy-mirror python python-downloads-json-url python-fetch python-platform python-preference "
        "python-version refresh-package reinstall-package requirement resolution rev script tag target torch-backend "
        "upgrade-group upgrade-package with with-editable with-executables-from with-requirements preview-features "
        "token username password publish-url from"
    ),
    short=_pairs(
        "C:config-setting P:upgrade-package U:upgrade b:build-constraint c:constraint e:editable f:find-links h:help "
        "i:index-url n:no-cache p:python q:quiet r:requirement t:target v:verbose V:version w:with o:output-file"
    ),
    aliases=_aliases(
        "requirements:requirement constraints:constraint build-constraints:build-constraint overrides:override "
        "no-cache-dir:no-cache config-settings:config-setting trusted-host:allow-insecure-host "
        "force-reinstall:reinstall"
    ),
    subcommands={
        # `uv sync --no-binary` is a flag; `uv pip install --no-binary NAME` takes a value.
        "sync": OptionTable(source="uv sync --help", flags=_names("no-binary")),
        "add": OptionTable(source="uv add --help", flags=_names("no-binary editable"), short=_pairs("m:marker")),
        "remove": OptionTable(source="uv remove --help", flags=_names("no-binary")),
        "lock": OptionTable(source="uv lock --help", flags=_names("no-binary")),
        "export": OptionTable(source="uv export --help", flags=_names("no-binary")),
        "build": OptionTable(source="uv build --help", flags=_names("no-binary")),
        "run": OptionTable(
            source="uv run --help", flags=_names("no-binary module script"), short=_pairs("m:module s:script")
        ),
        "tool install": OptionTable(source="uv tool install --help", flags=_names("no-binary editable")),
        "tool run": OptionTable(source="uv tool run --help", flags=_names("no-binary editable")),
        "venv": OptionTable(source="uv venv --help", short=_pairs("c:clear")),
        "python install": OptionTable(
            source="uv python install --help", short=_pairs("i:install-dir f:force r:reinstall")
        ),
    },
)

_APT: Final = OptionTable(
    source="apt-get(8), Debian 12; apt's own command line parser",
    flags=_names(
        "no-install-recommends install-recommends install-suggests no-install-suggests download-only fix-broken "
        "ignore-missing fix-missing no-download simulate just-print dry-run recon no-act yes assume-yes assume-no "
        "no-show-upgraded verbose-versions build compile ignore-hold with-new-pkgs no-upgrade only-upgrade "
        "allow-downgrades allow-remove-essential allow-change-held-packages force-yes print-uris purge reinstall "
        "list-cleanup no-list-cleanup trivial-only mark-auto no-remove auto-remove autoremove only-source diff-only "
        "dsc-only tar-only arch-only indep-only allow-unauthenticated no-allow-insecure-repositories "
        "allow-insecure-repositories allow-releaseinfo-change show-progress update snapshot help version full all "
        "show-upgraded without-recommends with-recommends no-color no-pager"
    ),
    valued=_names("target-release default-release config-file option host-architecture build-profiles with-source"),
    optional=_names("quiet error-on color"),
    short=_pairs(
        "d:download-only f:fix-broken m:ignore-missing q:quiet s:simulate y:yes u:show-upgraded V:verbose-versions "
        "b:build t:target-release c:config-file o:option a:host-architecture P:build-profiles h:help v:version "
        "S:snapshot R:without-recommends r:with-recommends U:update"
    ),
    aliases=_aliases(
        "assume-yes:yes default-release:target-release compile:build fix-missing:ignore-missing autoremove:auto-remove "
        "just-print:simulate dry-run:simulate recon:simulate no-act:simulate without-recommends:no-install-recommends "
        "with-recommends:install-recommends"
    ),
)

_APK: Final = OptionTable(
    source="apk(8) and apk-add(8), apk-tools 2.14 and 3.0; getopt_long accepts unambiguous prefixes",
    flags=_names(
        "allow-untrusted force force-binary-stdout force-broken-world force-missing-repositories force-no-chroot "
        "force-non-repository force-old-apk force-overwrite force-refresh help interactive legacy-info logfile "
        "no-logfile no-cache no-check-certificate no-chown no-commit-hooks no-interactive no-network no-progress "
        "no-scripts overlay-from-stdin preserve-env print-arch purge quiet root-tmpfs simulate sync-file update-cache "
        "usermode verbose version clean-protected initdb latest no-clean-protected upgrade available ignore prune all "
        "rdepends self-upgrade-only no-self-upgrade recursive cache-packages no-cache-packages cache-predownload "
        "pretty-print check-certificate commit-hooks chown network scripts"
    ),
    valued=_names(
        "arch cache-dir cache-max-age keys-dir progress-fd repositories-file repository root timeout virtual wait"
    ),
    short=_pairs(
        "f:force h:help i:interactive p:root q:quiet s:simulate U:update-cache v:verbose V:version X:repository "
        "l:latest t:virtual u:upgrade a:available r:rdepends"
    ),
    aliases=_aliases("update:update-cache"),
    abbreviates=True,
)

_DNF: Final = OptionTable(
    source="dnf(8) 4.14, dnf5(8), yum(8) 3.4, microdnf --help",
    flags=_names(
        "yes assumeyes assumeno cacheonly quiet verbose refresh skip-broken allowerasing best nobest no-best "
        "nogpgcheck no-gpgchecks noplugins nodocs noautoremove downloadonly help version obsoletes security bugfix "
        "enhancement newpackage debugsolver showduplicates all installed available remote skip-unavailable "
        "allow-downgrade offline zchunk use-host-config resolve"
    ),
    valued=_names(
        "config setopt releasever installroot enablerepo disablerepo repo repoid exclude disableexcludes "
        "disableexcludepkgs color comment debuglevel errorlevel downloaddir destdir forcearch advisory bz cve "
        "sec-severity enableplugin disableplugin repofrompath rpmverbosity randomwait disable-plugin enable-plugin "
        "disable-repo enable-repo use-repo arch archlist from-repo installroot"
    ),
    short=_pairs(
        "y:yes q:quiet v:verbose b:best C:cacheonly c:config d:debuglevel e:errorlevel x:exclude h:help R:randomwait"
    ),
    aliases=_aliases("assumeyes:yes repoid:repo enable-repo:enablerepo disable-repo:disablerepo no-best:nobest"),
    abbreviates=True,
)

_ZYPPER: Final = OptionTable(
    source="zypper(8) 1.14",
    flags=_names(
        "non-interactive non-interactive-include-reboot-patches no-gpg-checks gpg-auto-import-keys quiet verbose "
        "no-abbrev no-refresh no-cd no-remote disable-repositories disable-system-resolvables xmlout ignore-unknown "
        "help version auto-agree-with-licenses auto-agree-with-product-licenses no-confirm no-recommends recommends "
        "force force-resolution no-force-resolution dry-run details download-only oldpackage replacefiles capability "
        "name force-build force-download clean-deps no-clean-deps all metadata raw-metadata allow-unsigned-rpm "
        "allow-vendor-change no-allow-vendor-change allow-downgrade no-allow-downgrade clean-metadata"
    ),
    valued=_names(
        "reposd-dir cache-dir raw-cache-dir solv-cache-dir pkg-cache-dir root installroot repo from type plus-repo "
        "plus-content releasever userdata config color download solver-focus"
    ),
    short=_pairs(
        "n:non-interactive q:quiet v:verbose y:no-confirm l:auto-agree-with-licenses f:force r:repo t:type R:root "
        "C:capability d:download-only D:dry-run p:plus-repo c:config h:help V:version u:clean-deps a:all m:metadata"
    ),
)

_NPM: Final = OptionTable(
    source="npm 11, @npmcli/config definitions and shorthands; nopt accepts unambiguous prefixes",
    flags=_names(
        "all allow-same-version audit bin-links bypass-2fa commit-hooks dangerously-allow-all-scripts description dev "
        "dry-run engine-strict force foreground-scripts format-package-lock fund git-tag-version global global-style "
        "if-present ignore-scripts include-staged include-workspace-root include-attestations install-links json "
        "legacy-bundling legacy-peer-deps link long offline omit-lockfile-registry-resolved optional package-lock "
        "package-lock-only parseable prefer-dedupe prefer-offline prefer-online production progress provenance "
        "read-only rebuild-bundle save save-bundle save-dev save-exact save-optional save-peer save-prod shrinkwrap "
        "sign-git-commit sign-git-tag strict-peer-deps strict-allow-scripts strict-ssl no-yes timing unicode "
        "update-notifier usage version versions workspaces workspaces-update yes quiet silent verbose help color "
        "unsafe-perm local porcelain readonly ws iwr"
    ),
    valued=_names(
        "access allow-directory allow-file allow-git allow-remote allow-scripts also audit-level auth-type before ca "
        "cache cache-max cache-min cafile call cert cidr cpu depth diff editor expires fetch-retries "
        "fetch-retry-factor fetch-retry-maxtimeout fetch-retry-mintimeout fetch-timeout git globalconfig heading "
        "https-proxy include install-strategy key libc local-address location lockfile-version loglevel logs-dir "
        "logs-max maxsockets message min-release-age node-options noproxy omit only os otp pack-destination package "
        "prefix preid proxy registry replace-registry-host save-prefix sbom-format scope script-shell searchlimit "
        "shell tag tag-version-prefix umask user-agent userconfig viewer which workspace reg target arch  python"
    ),
    short=_pairs(
        "q:quiet s:silent d:verbose a:all c:call f:force g:global L:location l:long m:message p:parseable C:prefix "
        "S:save B:save-bundle D:save-dev E:save-exact O:save-optional P:save-prod h:help v:version w:workspace "
        "y:yes n:no-yes"
    ),
    aliases=_aliases("reg:registry ws:workspaces iwr:include-workspace-root porcelain:parseable readonly:read-only"),
    abbreviates=True,
)

_YARN: Final = OptionTable(
    source="yarn 1.22 install --help; yarnpkg.com/cli (Berry 4)",
    flags=_names(
        "audit check-files disable-pnp enable-pnp dev exact flat focus force frozen-lockfile global har help "
        "ignore-engines ignore-optional ignore-platform ignore-scripts ignore-workspace-root-check immutable "
        "immutable-cache json link-duplicates no-bin-links no-default-rc no-lockfile no-node-version-check no-progress "
        "no-immutable non-interactive offline optional peer prefer-offline prod production pure-lockfile silent "
        "skip-integrity-check strict-semver tilde update-checksums verbose version all check-cache check-resolutions "
        "inline-builds refresh-lockfile latest recursive worktree parallel topological caret prefer-dev interactive "
        "cached fixed quiet no-audit"
    ),
    valued=_names(
        "cache-folder cwd global-folder https-proxy link-folder modules-folder mutex network-concurrency "
        "network-timeout otp preferred-cache-folder proxy registry use-yarnrc mode prefix include exclude from "
        "jobs pattern"
    ),
    optional=_names("emoji scripts-prepend-node-path production"),
    short=_pairs(
        "A:all D:dev E:exact O:optional P:peer T:tilde g:global h:help s:silent v:version "
        "W:ignore-workspace-root-check R:recursive q:quiet p:parallel t:topological i:interactive j:jobs"
    ),
    aliases=_aliases("save-dev:dev save-exact:exact save-optional:optional save-peer:peer save-tilde:tilde"),
)

_PNPM: Final = OptionTable(
    source="pnpm 10 help install|add|fetch|deploy; its options with values take --x v and --x=v",
    flags=_names(
        "aggregate-output color dev fail-if-no-match fix-lockfile force frozen-lockfile global help hoist "
        "ignore-pnpmfile ignore-scripts ignore-workspace lockfile lockfile-only merge-git-branch-lockfiles offline "
        "optional optimistic-repeat-install parallel prefer-frozen-lockfile prefer-offline prod production recursive "
        "resolution-only save-catalog save-dev save-exact save-optional save-peer save-prod save-workspace-protocol "
        "shamefully-hoist side-effects-cache side-effects-cache-readonly silent sort stream strict-peer-dependencies "
        "trust-lockfile update-checksums use-running-store-server use-stderr use-store-server verify-store-integrity "
        "workspace workspace-root config legacy if-present reverse bail yes version latest interactive "
        "ignore-workspace-root-check include-workspace-root"
    ),
    valued=_names(
        "allow-build child-concurrency dir filter filter-prod global-dir global-bin-dir hoist-pattern lockfile-dir "
        "loglevel modules-dir network-concurrency node-linker package-import-method public-hoist-pattern registry "
        "reporter resume-from save-catalog-name store-dir test-pattern changed-files-ignore-pattern trust-policy "
        "trust-policy-exclude trust-policy-ignore-after virtual-store-dir virtual-store-dir-max-length "
        "workspace-concurrency cache-dir state-dir prefix use-node-version os cpu libc depth"
    ),
    short=_pairs(
        "C:dir D:dev E:save-exact F:filter O:save-optional P:prod g:global h:help i:interactive r:recursive s:silent "
        "w:workspace-root y:yes v:version"
    ),
    aliases=_aliases("prefix:dir production:prod"),
    subcommands={
        "add": OptionTable(source="pnpm help add", short=_pairs("D:save-dev P:save-prod")),
    },
)

_POETRY: Final = OptionTable(
    source="poetry <command> --help, Poetry 2.5 (1.x: --no-dev, --remove-untracked, --default)",
    flags=_names(
        "all-extras all-groups allow-prereleases ansi clean compile dev dry-run editable help lock no-ansi no-cache "
        "no-dev no-directory no-interaction no-plugins no-root no-update only-root optional quiet regenerate "
        "remove-untracked sync unset verbose version with-credentials without-hashes without-urls local list"
    ),
    valued=_names(
        "directory project extras group markers only platform python source with without config-settings format "
        "local-version output repository username password cert client-cert build"
    ),
    short=_pairs(
        "C:directory P:project E:extras G:group D:dev V:version h:help n:no-interaction q:quiet v:verbose e:editable "
        "f:format o:output c:config-settings"
    ),
    subcommands={
        # `poetry add --optional GROUP` since 2.0; a flag before.
        "install": OptionTable(source="poetry install --help 1.8", valued=_names("optional-group")),
    },
)

_PDM: Final = OptionTable(
    source="pdm <command> --help, PDM 2.29",
    flags=_names(
        "check dry-run fail-fast no-default no-editable no-isolation no-lock no-self no-sync plugins prod dev global "
        "help quiet verbose clean only-keep reinstall pre save-compatible save-exact save-minimum save-safe-compatible "
        "save-wildcard stable update-all update-eager update-reuse update-reuse-installed unconstrained top recreate "
        "json list site-packages refresh append no-cross-platform no-static-urls static-urls version non-interactive "
        "ignore-python no-constraint"
    ),
    valued=_names(
        "config-setting override venv without group lockfile skip project editable env-file working-dir exclude-newer "
        "implementation platform python strategy config dest"
    ),
    short=_pairs(
        "x:fail-fast G:group L:lockfile d:dev g:global h:help k:skip p:project q:quiet v:verbose e:editable "
        "u:unconstrained r:reinstall t:top s:site-packages j:json l:list S:strategy V:version c:config "
        "n:non-interactive"
    ),
    aliases=_aliases(
        "production:prod frozen-lockfile:no-lock with:group prerelease:pre clean-unselected:only-keep outdated:dry-run"
    ),
)

_PIPENV: Final = OptionTable(
    source="pipenv install --help, Pipenv 2024",
    flags=_names(
        "system deploy dev dev-only ignore-pipfile skip-lock pre site-packages no-site-packages clear verbose quiet "
        "keep-outdated sequential selective-upgrade help version bare support three two"
    ),
    valued=_names("python pypi-mirror categories index editable requirement extra-pip-args"),
    short=_pairs("i:index d:dev e:editable r:requirement v:verbose q:quiet h:help"),
    aliases=_aliases("requirements:requirement"),
)

_GO: Final = OptionTable(
    source="go help build, go help mod download, go 1.24",
    flags=_names(
        "a n race msan asan cover v work x buildvcs linkshared modcacherw trimpath json u d f fix t insecure "
        "i cache modcache testcache fuzzcache r e c tool"
    ),
    valued=_names(
        "C p asmflags buildmode compiler covermode coverpkg gccgoflags gcflags installsuffix ldflags mod modfile "
        "overlay pgo pkgdir tags toolexec o run count timeout bench cpu parallel exec reuse go compat outputdir"
    ),
    optional=_names("buildvcs json"),
    style="single",
)

_CARGO: Final = OptionTable(
    source="cargo build --help, cargo install --help, cargo 1.95",
    flags=_names(
        "force dry-run no-track list debug verbose quiet help ignore-rust-version locked offline frozen bins examples "
        "all-features no-default-features keep-going future-incompat-report workspace all lib tests benches "
        "all-targets release unit-graph doc no-run no-deps version no-fail-fast respect-source-config no-delete "
        "versioned-dirs no-prepare no-zip"
    ),
    valued=_names(
        "version index registry git branch tag rev path root message-format color config bin example features jobs "
        "profile target target-dir package exclude test bench artifact-dir out-dir manifest-path sync recipe-path"
    ),
    optional=_names("timings"),
    short=_pairs(
        "f:force v:verbose q:quiet h:help F:features j:jobs p:package r:release n:dry-run V:version Z:config C:root"
    ),
    aliases=_aliases("vers:version"),
)

_GEM: Final = OptionTable(
    source="gem help install, RubyGems 3.5",
    flags=_names(
        "no-document force vendor wrappers env-shebang user-install no-user-install local remote both conservative "
        "minimal-deps development development-all ignore-dependencies verbose quiet silent help prerelease "
        "explain lock "
        "suggestions no-suggestions post-install-message no-post-install-message default no-ri no-rdoc no-wrappers "
        "clear-sources all executables update-sources no-format-executable format-executable debug backtrace norc"
    ),
    valued=_names(
        "version install-dir bindir document build-root trust-policy platform file source http-proxy bulk-threshold "
        "target-rbconfig config-file without"
    ),
    optional=_names("system"),
    short=_pairs(
        "v:version i:install-dir n:bindir N:no-document f:force w:wrappers E:env-shebang P:trust-policy l:local "
        "r:remote b:both g:file B:bulk-threshold p:http-proxy s:source h:help V:verbose q:quiet a:all x:executables "
        "I:ignore-dependencies"
    ),
    aliases=_aliases("development-all:development"),
)

_BUNDLER: Final = OptionTable(
    source="bundle-install(1), Bundler 2.5",
    flags=_names(
        "deployment frozen full-index local no-cache no-prune prefer-local quiet redownload force standalone system "
        "clean verbose no-color all global help version parseable dry-run all-platforms no-install"
    ),
    valued=_names("gemfile jobs path retry shebang target-rbconfig trust-policy with without cache-path group source"),
    optional=_names("binstubs standalone"),
    short=_pairs("j:jobs P:trust-policy V:verbose r:retry h:help g:group"),
)

_COMPOSER: Final = OptionTable(
    source="composer install --help, Composer 2.7",
    flags=_names(
        "prefer-source prefer-dist dry-run download-only dev no-suggest no-dev no-autoloader no-progress no-install "
        "no-update verbose optimize-autoloader classmap-authoritative apcu-autoloader help quiet version ansi no-ansi "
        "no-interaction profile no-plugins no-scripts no-cache with-dependencies with-all-dependencies "
        "update-with-dependencies update-with-all-dependencies sort-packages fixed prefer-stable prefer-lowest "
        "root-reqs optimize lock no-security-blocking no-blocking no-audit audit update-no-dev unused apcu strict-psr "
        "global"
    ),
    valued=_names(
        "prefer-install working-dir apcu-autoloader-prefix ignore-platform-req audit-format repository "
        "repository-url stability with apcu-prefix"
    ),
    optional=_names("ignore-platform-reqs"),
    short=_pairs(
        "v:verbose o:optimize-autoloader a:classmap-authoritative h:help q:quiet V:version n:no-interaction "
        "d:working-dir w:with-dependencies W:with-all-dependencies s:stability"
    ),
    abbreviates=True,
)

_MAVEN: Final = OptionTable(
    source="mvn --help, Maven 3.8",
    flags=_names(
        "also-make also-make-dependents batch-mode strict-checksums lax-checksums check-plugin-updates errors "
        "fail-at-end fail-fast fail-never help legacy-local-repository non-recursive no-plugin-registry "
        "no-plugin-updates no-snapshot-updates no-transfer-progress offline quiet update-snapshots update-plugins "
        "version show-version debug am amd B C c cpu e fae ff fn h llr N npr npu nsu ntp o q U up v V X"
    ),
    valued=_names(
        "builder define encrypt-master-password encrypt-password file global-settings global-toolchains log-file "
        "activate-profiles projects resume-from settings toolchains threads b D emp ep f gs gt l P pl rf s t T"
    ),
    aliases=_aliases("f:file s:settings pl:projects o:offline q:quiet P:activate-profiles D:define B:batch-mode"),
    style="single",
)

_GRADLE: Final = OptionTable(
    source="gradle --help, Gradle 8",
    flags=_names(
        "build-cache no-build-cache configuration-cache no-configuration-cache configure-on-demand continue continuous "
        "daemon no-daemon debug dry-run export-keys foreground full-stacktrace help info no-parallel no-rebuild "
        "offline parallel profile quiet refresh-dependencies refresh-keys rerun-tasks scan no-scan stacktrace status "
        "stop version warn watch-fs no-watch-fs no-search-upward write-locks"
    ),
    valued=_names(
        "build-file settings-file console dependency-verification exclude-task gradle-user-home include-build "
        "init-script max-workers priority project-cache-dir project-dir project-prop system-prop update-locks "
        "warning-mode write-verification-metadata tests configuration-cache-problems"
    ),
    short=_pairs(
        "a:no-rebuild b:build-file c:settings-file d:debug D:system-prop F:dependency-verification g:gradle-user-home "
        "h:help i:info I:init-script m:dry-run M:write-verification-metadata p:project-dir P:project-prop q:quiet "
        "s:stacktrace S:full-stacktrace t:continuous u:no-search-upward U:refresh-dependencies v:version w:warn "
        "x:exclude-task"
    ),
)

_DOTNET: Final = OptionTable(
    source="dotnet restore|build|publish --help, .NET SDK 9",
    flags=_names(
        "disable-build-servers no-cache no-http-cache no-dependencies ignore-failed-sources force interactive "
        "use-lock-file locked-mode force-evaluate use-current-runtime no-restore no-build no-self-contained nologo "
        "no-incremental no-logo help global local diagnostics sc ucr"
    ),
    valued=_names(
        "source packages configfile lock-file-path runtime verbosity framework configuration output artifacts-path "
        "arch os version-suffix manifest tool-path version add-source tl"
    ),
    optional=_names("self-contained property maxcpucount"),
    short=_pairs(
        "s:source r:runtime v:verbosity f:framework c:configuration o:output a:arch g:global h:help p:property "
        "m:maxcpucount"
    ),
)

_CONDA: Final = OptionTable(
    source="conda install|create|env create|clean --help, conda 24; mamba and micromamba 2 accept the same",
    flags=_names(
        "all always-copy always-softlink clobber copy download-only dry-run force force-pkgs-dirs force-reinstall "
        "freeze-installed help index-cache insecure json logfiles mkdir no-deps no-default-packages no-pin no-py-pin "
        "no-update-deps offline only-deps override-channels packages prune quiet show-channel-urls "
        "strict-channel-priority no-channel-priority tarballs tempfiles update-all update-deps update-specs "
        "use-index-cache use-local verbose yes dev version trash locks no-rc no-env"
    ),
    valued=_names(
        "channel file name prefix platform subdir revision repodata-fn solver experimental root-prefix rc-file "
        "clone category relocate-prefix cacert-path console"
    ),
    short=_pairs(
        "a:all c:channel f:force h:help i:index-cache k:insecure l:logfiles m:mkdir n:name O:override-channels "
        "p:prefix q:quiet s:tarballs t:tarballs v:verbose y:yes d:dry-run C:use-index-cache r:root-prefix"
    ),
    subcommands={
        "env create": OptionTable(source="conda env create --help", short=_pairs("f:file")),
        "env update": OptionTable(source="conda env update --help", short=_pairs("f:file")),
        "create": OptionTable(source="micromamba create --help", short=_pairs("f:file")),
        "install": OptionTable(source="micromamba install --help", short=_pairs("f:file")),
    },
)

OPTIONS: Final[Mapping[str, OptionTable]] = {
    "pip": _PIP,
    "uv": _UV,
    "apt": _APT,
    "apk": _APK,
    "dnf": _DNF,
    "yum": _DNF,
    "microdnf": _DNF,
    "zypper": _ZYPPER,
    "npm": _NPM,
    "yarn": _YARN,
    "pnpm": _PNPM,
    "poetry": _POETRY,
    "pdm": _PDM,
    "pipenv": _PIPENV,
    "go": _GO,
    "cargo": _CARGO,
    "gem": _GEM,
    "bundler": _BUNDLER,
    "composer": _COMPOSER,
    "maven": _MAVEN,
    "gradle": _GRADLE,
    "dotnet": _DOTNET,
    "conda": _CONDA,
    "mamba": _CONDA,
    "micromamba": _CONDA,
}
"""The option table of each manager, by the name that `PackageCommand.manager` uses."""
