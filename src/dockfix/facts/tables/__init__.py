"""Knowledge about tools and images as data; every table names its source.

Images:

- `images`: distributions, and the images built on them, with their known content.
- `accounts`: users, groups and their numbers in base images.
- `entrypoints`: the ENTRYPOINTs of base images.
- `filesystem`: where programs and packages keep their files, and kinds of file names.

Programs:

- `programs`: what programs do and do not do: one row each, with its traits.
- `commands`: which program is which package manager, what its subcommands do.
- `manifests`: which manifests, configuration and other files each package manager reads.
- `options`: which options each package manager has, and which take a value.
- `environment`: variables that programs read without a command naming them.
- `tools`: programs that health checks call, and the packages that contain them.
"""
