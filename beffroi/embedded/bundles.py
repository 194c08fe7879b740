"""What is fetched: packages that belong together, and what makes them work outside /usr."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bundle:
    """Packages that are fetched together, from one suite, with a libc of their own."""

    name: str
    # None means the machine's own release.
    suite: str | None
    packages: tuple[str, ...]
    # What the bundle is for, as a pattern under its prefix.
    entry: str
    # Run once with these arguments to prove that the entry starts.
    probe: tuple[str, ...] = ()
    # Whether it runs as the servers' user rather than as the caller.
    serves: bool = False
    # Dependencies that only installation or services need.
    assumed: tuple[str, ...] = ()
    # Folders of shared libraries besides usr/lib/<triplet>.
    libraries: tuple[str, ...] = ()
    # Files to add: path and text, in which {prefix} stands for the final place.
    files: tuple[tuple[str, str], ...] = ()
    # Folders not worth their room.
    unneeded: tuple[str, ...] = ("usr/share/man", "usr/share/locale", "usr/share/lintian")
    megabytes: int = 100


TIMESCALEDB = Bundle(
    "timescaledb",
    suite="trixie",
    packages=("postgresql-17", "postgresql-17-timescaledb"),
    entry="usr/lib/postgresql/17/bin/postgres",
    probe=("--version",),
    serves=True,
    assumed=(
        "adduser",
        "debconf",
        "libllvm19",  # Only just-in-time compilation needs it, and that is switched off.
        "locales",
        "netbase",
        "openssl",
        "perl",
        "postgresql-client-common",
        "postgresql-common",
        "procps",
        "ssl-cert",
        "tzdata",  # Read from the machine's own /usr/share/zoneinfo: the path is compiled in.
        "ucf",
    ),
    unneeded=(*Bundle.unneeded, "usr/lib/postgresql/17/lib/bitcode"),
    megabytes=350,
)

MOSQUITTO = Bundle(
    "mosquitto",
    suite="forky",
    packages=("mosquitto",),
    entry="usr/sbin/mosquitto",
    probe=("-h",),
    serves=True,
    assumed=("debconf", "openssl-provider-legacy", "systemd", "sysvinit-utils"),
    megabytes=150,
)

PIP = Bundle(
    "pip",
    suite=None,
    packages=("python3-pip-whl",),
    entry="usr/share/python-wheels/pip-*.whl",
    assumed=("ca-certificates",),
    megabytes=120,
)

# For browser tests: the shell without windows, which is what Playwright calls headless.
CHROMIUM = Bundle(
    "chromium",
    suite="trixie",
    packages=("chromium-headless-shell", "fonts-dejavu-core"),
    entry="chromium",
    probe=("--version",),
    assumed=(
        "debconf",
        "libllvm19",  # Drawing on a graphics card would need it.
        "libz3-4",
        "systemd",
        "ucf",
        "x11-common",
        "x11-utils",
        "xdg-utils",
    ),
    libraries=("usr/lib/{triplet}/nss", "usr/lib/{triplet}/pulseaudio"),
    files=(
        (
            "chromium",
            "#!/bin/sh\n"
            "# The fonts of the bundle, so that every machine draws the same page.\n"
            'export FONTCONFIG_FILE="{prefix}/fonts.conf"\n'
            'exec "{prefix}/usr/lib/chromium/chromium-headless-shell" "$@"\n',
        ),
        (
            "fonts.conf",
            '<?xml version="1.0"?>\n'
            '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n'
            "<fontconfig>\n"
            "  <dir>{prefix}/usr/share/fonts</dir>\n"
            '  <cachedir prefix="xdg">fontconfig</cachedir>\n'
            "  <alias><family>sans-serif</family>"
            "<prefer><family>DejaVu Sans</family></prefer></alias>\n"
            # Chromium's own default for serif text asks by this name.
            "  <alias><family>Times New Roman</family>"
            "<prefer><family>DejaVu Serif</family></prefer></alias>\n"
            "  <alias><family>serif</family>"
            "<prefer><family>DejaVu Serif</family></prefer></alias>\n"
            "  <alias><family>monospace</family>"
            "<prefer><family>DejaVu Sans Mono</family></prefer></alias>\n"
            "</fontconfig>\n",
        ),
    ),
    megabytes=800,
)

BUNDLES = {bundle.name: bundle for bundle in (TIMESCALEDB, MOSQUITTO, PIP, CHROMIUM)}
