"""What is true of a build, read from its trees. Read-only.

The build:

- `build`: `analyse`, the one entry, and `BuildFacts`, which finds everything when it is first asked for.
- `model`: a fact is known, one of several, or unknown with a reason.
- `stages`: the stages, and what each takes from the others (FROM, COPY --from, mounts).
- `scope`: what holds at each instruction: variables, user, shell, working directory, home.
- `expansion`: expanding words where not every variable is known.
- `names`: which variables an instruction uses, mentions, or may read.

Commands:

- `commands`: the commands that an instruction runs, with what the script has set before each.
- `packages`: which package manager a command runs, with which options, operands and files.
- `toolchain`: which commands need compilers, headers or git.
- `programs`: the Python programs that a RUN holds.
- `io`: which files a RUN may read and write, and where a COPY puts its sources.
- `paths`: paths in an image.

Caches of package managers:

- `caches`: where a command keeps its cache, and what switches the cache off.
- `mounts`: which cache mounts a RUN has, and which caches its commands use.
- `frontend`: what a Dockerfile needs of its builder, and which frontend `# syntax=` selects.

Images and users:

- `images`: what a base image is: distribution, package manager, shell, user, tools, environment.
- `accounts`: which users and groups there are at one point of a build.
- `account_replay`: what the commands of a build do to its users and groups.
- `account_commands`: how `useradd`, `adduser`, `groupadd` and similar spell what they do.
- `account_gaps`: which steps and base images may bring accounts that are not listed.

Services and Python tools:

- `health`: which programs a health check calls, whether the image has them, and what they ask.
- `postgres`: which base images run PostgreSQL, and which packages bring its libraries.
- `python_environments`: environments that `uv venv` makes, and pip in them.
- `uv_installs`: uv installed by its own script, and what needs it afterwards.

Data:

- `tables`: knowledge about tools and images, each row with its source (a package).
"""
