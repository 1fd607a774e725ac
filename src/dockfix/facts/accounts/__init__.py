"""The users and groups at one point of a build.

- `model`: users, groups, and what is not known of them.
- `replay`: what the commands of a build do to its users and groups.
- `commands`: the options and operands of `useradd`, `adduser`, `groupadd` and similar commands.
- `gaps`: which steps and base images may create accounts that are not listed.
"""

from dockfix.facts.accounts.model import Accounts, Gap, GroupAccount, UserAccount

__all__ = ["Accounts", "Gap", "GroupAccount", "UserAccount"]
