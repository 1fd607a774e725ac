"""Programs that start as root and change the user themselves, or need root.

Sources: the manuals of the programs; tianon/gosu, ncopa/su-exec, just-containers/s6-overlay, supervisord.org.
"""

from __future__ import annotations

from typing import Final

STEP_DOWN_TOOLS: Final = frozenset(
    ("gosu", "su-exec", "suexec", "setpriv", "setuidgid", "s6-setuidgid", "chpst", "runuser", "setuser", "fixuid")
)
"""Programs that start another one as a user, and have no other use: an image has them for its start."""

SUPERVISORS: Final = frozenset(("supervisor", "supervisord", "runit", "s6", "s6-overlay", "s6-svscan", "monit"))
"""Programs, and packages of that name, that start several services as different users."""

ROOT_STARTERS: Final = frozenset(
    (
        *(
            "su",
            "sudo",
            "doas",
            "su-exec",
            "chroot",
            "unshare",
            "start-stop-daemon",
            "service",
            "systemctl",
            "rc-service",
        ),
        *("init", "systemd", "openrc", "openrc-init", "runsvdir", "runsvdir-start", "my_init", "supervisord", "monit"),
        *(
            "sshd",
            "dockerd",
            "containerd",
            "dind",
            "dockerd-entrypoint.sh",
            "cron",
            "crond",
            "anacron",
            "atd",
            "rsyslogd",
        ),
        *("nginx", "openresty", "angie", "tengine", "httpd", "httpd-foreground", "apache2", "apache2ctl", "apachectl"),
        *(
            "apache2-foreground",
            "php-fpm",
            "lighttpd",
            "haproxy",
            "squid",
            "varnishd",
            "unitd",
            "privoxy",
            "tor",
            "polipo",
        ),
        *("postgres", "mysqld", "mysqld_safe", "mariadbd", "redis-server", "mongod", "memcached", "rabbitmq-server"),
        *(
            "named",
            "dnsmasq",
            "unbound",
            "ntpd",
            "chronyd",
            "dhcpd",
            "dovecot",
            "postfix",
            "master",
            "exim4",
            "opendkim",
        ),
        *(
            "vsftpd",
            "proftpd",
            "pure-ftpd",
            "smbd",
            "nmbd",
            "slapd",
            "openvpn",
            "keepalived",
            "snmpd",
            "tcpdump",
            "mount",
        ),
    )
)
"""Programs that listen on a port below 1024 or use another right of root, and then change the user themselves; and
those that start other programs as a user."""

INTERACTIVE: Final = frozenset(
    "sh bash ash dash zsh fish node php python ruby perl irb ghci iex erl jshell julia R".split()  # noqa: SIM905 - clearer
)
"""What an image without a program of its own starts: it is the base of others, or a tool for people."""
