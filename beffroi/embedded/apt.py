"""An apt of our own: private state, the machine's mirror, proxy and trust; nothing installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from beffroi.embedded.errors import OTHER_WAYS, EmbeddedError

MACHINE_ETC = Path("/etc/apt")
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
KEYRING_PACKAGE = "debian-archive-keyring"
MIRROR_SETTING = "BEFFROI_DEBIAN_MIRROR"

# Told to the progress listener: share of the download done, from 0 to 1.
Share = Callable[[float], None]


class Source(NamedTuple):
    """One suite of one mirror, verified by one keyring."""

    mirror: str
    suite: str
    keyring: Path


class Download(NamedTuple):
    """What one download brought."""

    files: list[Path]
    megabytes: float


class Apt:
    """Runs apt-get on a folder of its own, so that the machine's state is neither read nor changed.

    Without a source it reads the machine's own sources and trusts what the machine trusts.
    """

    def __init__(
        self,
        folder: Path,
        source: Source | None,
        assumed: Iterable[str] = (),
        machine_etc: Path = MACHINE_ETC,
    ) -> None:
        self.folder = folder
        self.source = source
        self._complaints = ""
        for name in ("state/lists/partial", "cache/archives/partial", "nothing/partial", "log"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        etc = folder / "etc"
        for name in ("apt.conf.d", "sources.list.d", "preferences.d", "trusted.gpg.d"):
            (etc / name).mkdir(parents=True, exist_ok=True)
        (folder / "state" / "status").write_text(_status(assumed))
        if source is not None:
            (etc / "sources.list").write_text(f"deb {source.mirror} {source.suite} main\n")
            shutil.copyfile(source.keyring, etc / "trusted.gpg.d" / "debian.gpg")
        self._configuration = folder / "apt.conf"
        self._configuration.write_text(
            _configuration(folder, etc if source else machine_etc, machine_etc)
        )

    def update(self) -> None:
        """Fetch the signed index; a suite that fails to verify is an error, never a warning.

        Of the machine's own sources some may fail as long as the packages are in the others.
        """
        done = self._run("update", "-o", "APT::Update::Error-Mode=any")
        self._complaints = done.stderr
        # Older apt ignores Error-Mode and succeeds with warnings about an index it did not get.
        failed = done.returncode != 0 or "Failed to fetch" in done.stderr
        if failed and self.source is not None:
            raise explain(done.stderr, self.source)

    def repositories(self) -> list[tuple[str, str]]:
        """Every (address, suite) that apt reads from its sources, whatever their file format."""
        listed = self._run("update", "--print-uris").stdout
        found = re.findall(r"^'(.+?)/dists/(.+?)/InRelease'", listed, re.MULTILINE)
        return list(dict.fromkeys(found))

    def download(self, packages: Iterable[str], share: Share) -> Download:
        """Fetch packages and all they depend on, each checked against the signed index."""
        wanted = ["install", "--yes", "--no-install-recommends", *packages]
        # What an interrupted download has already brought would not be listed.
        nothing = f"Dir::Cache::archives={self.folder / 'nothing'}"
        listed = self._run(*wanted, "--print-uris", "-qq", "-o", nothing)
        if listed.returncode != 0:
            raise explain(self._complaints + listed.stderr, self.source)
        sizes = {name: int(size) for name, size in re.findall(r"' (\S+\.deb) (\d+)", listed.stdout)}
        self._fetch(wanted, share)
        archives = self.folder / "cache" / "archives"
        files = sorted(archives / name for name in sizes)
        return Download(files, sum(sizes.values()) / 1e6)

    def _fetch(self, wanted: list[str], share: Share) -> None:
        reader, writer = os.pipe()
        log = self.folder / "download.log"
        with log.open("w") as output, os.fdopen(reader) as status:
            process = subprocess.Popen(
                self._command(*wanted, "--download-only", "-o", f"APT::Status-Fd={writer}"),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[writer],
            )
            os.close(writer)
            for line in status:
                if line.startswith("dlstatus:"):
                    share(float(line.split(":")[2]) / 100)
            code = process.wait()
        if code != 0:
            raise explain(log.read_text(), self.source)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def _command(self, *arguments: str) -> list[str]:
        return ["apt-get", "-q", "-o", "Acquire::Retries=2", *arguments]

    def _environment(self) -> dict[str, str]:
        quiet = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C", "DEBIAN_FRONTEND": "noninteractive"}
        return {**os.environ, **quiet, "APT_CONFIG": str(self._configuration)}


def mirrors(folder: Path, machine_etc: Path = MACHINE_ETC) -> list[str]:
    """Debian mirrors that this machine's own sources name, the likeliest first."""
    chosen = os.environ.get(MIRROR_SETTING)
    if chosen:
        return [chosen.rstrip("/")]
    own = own_suite()
    repositories = [
        (address, suite)
        for address, suite in Apt(folder, None, machine_etc=machine_etc).repositories()
        if not suite.endswith("-security") and not address.startswith("cdrom")
    ]
    # A vendor's repository often carries a suite of the same name; its keys would not verify,
    # so a wrong first guess costs a request, never safety.
    likely = sorted(
        repositories, key=lambda each: (each[1] != own, not each[0].endswith("/debian"))
    )
    found = list(dict.fromkeys(address for address, _ in likely))
    if not found:
        raise EmbeddedError(
            "No Debian mirror is known on this machine.",
            f"Its apt sources under {machine_etc} name no repository.",
            f"Set {MIRROR_SETTING} to the address of a Debian mirror. {OTHER_WAYS}",
        )
    return found


def own_suite() -> str | None:
    """The code name of the release that this machine runs."""
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.exists():
            named = re.search(r"^VERSION_CODENAME=\"?(\w+)", path.read_text(), re.MULTILINE)
            return named.group(1) if named else None
    return None


def machine_keyring() -> Path | None:
    """The archive keys that came with this machine, if it has any."""
    return next((path for path in KEYRINGS if path.exists()), None)


def newer_keyring(folder: Path) -> Path:
    """The archive keys as the machine's own release carries them today.

    An old installation, or Ubuntu, lacks the keys of later suites. Its own release, verified by
    the keys it does have, carries them as a package: the chain of trust stays unbroken.
    """
    apt = Apt(folder, None, assumed=())
    apt.update()
    files = apt.download([KEYRING_PACKAGE], lambda _: None).files
    for file in files:
        subprocess.run(["dpkg-deb", "-x", str(file), str(folder / "keys")], check=True)
    for path in KEYRINGS:
        unpacked = folder / "keys" / path.relative_to("/")
        if unpacked.exists():
            return unpacked.resolve()
    raise explain(f"{KEYRING_PACKAGE} holds no keyring", None)


def _status(assumed: Iterable[str]) -> str:
    # What a maintainer script or a service manager would need, and we do not, counts as there.
    entry = (
        "Package: {}\nStatus: install ok installed\nVersion: 999:0\nArchitecture: all\n"
        "Multi-Arch: foreign\nMaintainer: none\nDescription: assumed\n\n"
    )
    return "".join(entry.format(name) for name in assumed)


def _configuration(folder: Path, etc: Path, machine_etc: Path) -> str:
    # The machine's proxy, certificates and time checks hold here too; its hooks and its choice
    # of further indexes do not.
    asked = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    kept = [
        line
        for line in asked.stdout.splitlines()
        if line.startswith(("Acquire::", "APT::Sandbox::"))
        and not line.startswith(("Acquire::IndexTargets", "Acquire::Languages"))
    ]
    folders = {
        "Dir::Etc": etc,
        "Dir::Etc::main": folder / "etc" / "apt.conf",
        "Dir::Etc::parts": folder / "etc" / "apt.conf.d",
        "Dir::Etc::netrc": machine_etc / "auth.conf",
        "Dir::Etc::netrcparts": machine_etc / "auth.conf.d",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state" / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Log": folder / "log",
    }
    ours = [f'{name} "{path}";' for name, path in folders.items()]
    return "\n".join([*kept, *ours, 'Acquire::Languages "none";', ""])


_SIGNATURE = ("NO_PUBKEY", "GPG error", "not signed", "BADSIG", "EXPKEYSIG", "signature")
_MISSING = ("does not have a Release file", "404", "Unable to locate package")
_FULL = ("No space left", "enough free space")


def explain(output: str, source: Source | None) -> EmbeddedError:
    """What apt-get printed, told as one error with a remedy."""
    lines = [line for line in output.splitlines() if line[:2] in ("E:", "W:")]
    detail = " ".join((lines or output.strip().splitlines()[-3:])[:3]) or "apt-get gave no reason."
    whence = f"suite '{source.suite}'" if source else "this machine's own suite"
    if any(sign in output for sign in _SIGNATURE):
        return SignatureError(
            f"The signature of {whence} could not be verified.",
            detail,
            f"Bring the archive keys up to date (apt-get install {KEYRING_PACKAGE}) and check "
            f"the machine's clock. {OTHER_WAYS}",
        )
    if any(sign in output for sign in _FULL):
        return EmbeddedError(
            "The disk filled up while packages were fetched.",
            detail,
            "Free some space, or point BEFFROI_CACHE at a folder on a larger disk.",
        )
    if any(sign in output for sign in _MISSING):
        return EmbeddedError(
            f"The mirror does not carry what is needed from {whence}.",
            detail,
            f"Set {MIRROR_SETTING} to the address of a full Debian mirror. {OTHER_WAYS}",
        )
    return EmbeddedError(
        f"Packages from {whence} could not be fetched.",
        detail,
        "Check the network and the proxy settings of apt; what was fetched is kept and the next "
        f"try goes on from there. {OTHER_WAYS}",
    )


class SignatureError(EmbeddedError):
    """The archive keys at hand do not verify a suite; newer ones may."""
