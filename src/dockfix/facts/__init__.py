"""What is true of a build, read from its syntax trees. Nothing here edits or runs anything.

How is the build structured?

- `build`: `analyse`, the entry point, and `BuildFacts`, which computes each fact when it is first requested.
- `model`: a fact is known, one of several values, or unknown with a reason.
- `stages`: the build stages, and what each takes from the others (FROM, COPY --from, mounts).
- `search`: where instructions with a property are, in a stage and those that share its chain.
- `triggers`: the steps of ONBUILD as those of an image that is based on the stage.
- `frontend`: which builder a Dockerfile requires, and which frontend `# syntax=` selects.

What is in effect at an instruction?

- `state`: variables, user, shell, working directory and home at one instruction.
- `scope`: how each instruction changes them, stage by stage.
- `expansion`: expanding words where some variables are not known.
- `variables`: which variables an instruction uses or mentions, and whether it may read others.

What does an instruction run, and which files does it use?

- `commands`: the commands that an instruction runs, with what the script has set before each.
- `joining`: whether shell scripts can be joined into one, and with which operator.
- `scripts`: commands that run what the Dockerfile does not show.
- `outcome`: whether the failure of a command ends the build.
- `packages`: package manager commands: options, operands, action, and the files they read (a package).
- `toolchain`: which commands need compilers, headers or git.
- `python_programs`: Python programs inside a RUN.
- `entrypoints`: what an ENTRYPOINT does with the command of its image.
- `copies`: where COPY and ADD write.
- `paths`: paths in an image.

Where are caches, and which mounts serve them?

- `caches`: where a package manager keeps its cache, and what disables it (a package).
- `mounts`: the cache mounts of a RUN, and the caches that its commands use.

What does the image contain?

- `images`: base images: distribution, package manager, shell, user, tools, environment.
- `platforms`: platforms as `--platform` names them, and the images that exist for only one.
- `accounts`: the users and groups at one point of a build, and the commands that create them (a package).

What is known of services and Python tools?

- `health`: health checks: which programs they call, whether the image has them, what they request (a package).
- `postgres`: which base images run PostgreSQL, and which packages install its libraries.
- `python_environments`: environments created by `uv venv`, and pip inside them.
- `uv_installs`: uv installed by its own script, and what needs it afterwards (a package).

Data:

- `tables`: knowledge about tools and images, each row with its source (a package).
"""
