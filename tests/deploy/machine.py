"""A Debian system in a folder, booted by systemd-nspawn, with systemd as its first process.

It shares the network of this machine and trusts the same certificate authorities. Some of its programs are replaced by
substitutes of the same name.
"""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

AUTHORITIES = Path("/usr/local/share/ca-certificates")  # extra certificates that the network of this machine needs
DEBIAN = "trixie"
PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,iproute2"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
TIMEOUT = 120  # seconds


class Machine:
    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, base: Path | None) -> None:
        if base:
            subprocess.run(["cp", "-a", base, self.root], check=True)
            return
        subprocess.run(["debootstrap", f"--include={PACKAGES}", DEBIAN, self.root], check=True)

    def prepare(self, source: Path, name: str, substitutes: dict[str, str]) -> None:
        """Add a repository to clone at /srv/source, a host name for this machine, and substitutes of some programs."""
        shutil.copytree(source, self.root / "srv" / "source", symlinks=True)
        shutil.copytree(AUTHORITIES, self.root / AUTHORITIES.relative_to("/"), dirs_exist_ok=True)
        subprocess.run(["chroot", self.root, "update-ca-certificates"], check=True, stdout=subprocess.DEVNULL)
        (self.root / "etc" / "hosts").write_text(f"127.0.0.1 localhost {name}\n")
        for program, text in substitutes.items():
            path = self.root / "usr" / "local" / "sbin" / program
            path.write_text(text)
            path.chmod(0o755)

    @contextlib.contextmanager
    def booted(self) -> Iterator[None]:
        command = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--resolv-conf=copy-host", "-b", "-D"]
        with (self.root.parent / "console.log").open("a") as log:
            nspawn = subprocess.Popen([*command, self.root], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.init = self._first_process(nspawn.pid)
            self.run("until systemctl is-system-running --wait | grep -E 'running|degraded'; do sleep 1; done")
            yield
        finally:
            self.run("systemctl poweroff", check=False)
            nspawn.wait(timeout=TIMEOUT)

    def _first_process(self, nspawn: int) -> str:
        children = Path(f"/proc/{nspawn}/task/{nspawn}/children")
        for _ in range(100):
            if pids := children.read_text().split():
                time.sleep(3)
                return pids[0]
            time.sleep(0.1)
        raise SystemExit("The machine did not start: see console.log.")

    def run(self, text: str, *, check: bool = True) -> str:
        inside = ["nsenter", "-t", self.init, "-m", "-u", "-i", "-p", "-C", "-r", "-w", "env", "-i", "HOME=/root"]
        done = subprocess.run([*inside, PATH, "bash", "-c", text], stdout=subprocess.PIPE, text=True)
        sys.stdout.write(done.stdout)
        if check:
            done.check_returncode()
        return done.stdout
