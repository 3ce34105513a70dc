"""Follow the server guide (deploy/README.md) literally: its own commands, on a fresh Debian 13 with systemd.

    sudo uv run python -m tests.deploy.follow FOLDER [--proxy caddy] [--database postgresql]

Needs root, `debootstrap`, `systemd-container`, and the ports 80, 443 and 8000 of this machine. Some
programs are replaced by substitutes: `certbot` makes a self-signed certificate, as Caddy does for a name under
`.local`; `editor` fills in the settings; the answers of `createsuperuser` come from the environment. Mails go to a
local server.
"""

import argparse
import shutil
import subprocess
from pathlib import Path

from tests.deploy.guide import ROOT, SITE, script
from tests.deploy.machine import Machine
from tests.deploy.trial import DUPLICATE_KEY, MAIL_PORT, PERSONAL_DATA, MailServer, Trial, say

VISIT = Path(__file__).with_name("visit.py")
SUBSTITUTES = {
    "certbot": f"""#!/bin/sh
folder=/etc/letsencrypt/live/{SITE}
mkdir -p $folder && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={SITE} \\
  -addext subjectAltName=DNS:{SITE} -keyout $folder/privkey.pem -out $folder/fullchain.pem 2>/dev/null
cp $folder/fullchain.pem /usr/local/share/ca-certificates/trial.crt && update-ca-certificates >/dev/null 2>&1
""",
    "editor": f"""#!/bin/sh
sed -i 's|^EMAIL_URL=.*|EMAIL_URL=smtp://127.0.0.1:{MAIL_PORT}|' "$1"
sed -i 's|^LEGAL_CONTACT=.*|LEGAL_CONTACT=donnees@example.org|' "$1"
""",
}
# Needed because one origin sends very many forms. The table is named since the model's name differs by release.
RESET_RATE_LIMITS = "from django.db import connection; connection.cursor().execute('DELETE FROM registrations_hit')"
VISITOR, CODE = "127.0.0.9", "abcdefghijklmnopqrstuv"
CHECK_LOGS = f"""set -eu
curl -fsS --interface {VISITOR} -o /dev/null -w '%{{http_code}}\\n' https://{SITE}/rejoindre/{CODE}/ || true
systemctl stop webinar-web.socket webinar-web
curl -sS --interface {VISITOR} -o /dev/null https://{SITE}/mon-inscription/{CODE}/
systemctl start webinar-web.socket webinar-web
if [ -d /var/log/postgresql ]; then
  runuser -u webinar -- psql -qc "{DUPLICATE_KEY}" 2>/dev/null || grep -q 'duplicate key' /var/log/postgresql/*.log
fi
sleep 2
find /var/log/nginx /var/log/caddy /var/log/postgresql -name '*.log' -exec cat {{}} + >/tmp/logs 2>/dev/null || true
journalctl >>/tmp/logs
if grep -E '{CODE[:12]}|{VISITOR}|{PERSONAL_DATA}' /tmp/logs; then exit 1; fi
if cat /var/log/nginx/*.log 2>/dev/null | grep -F 127.0.0.1; then exit 1; fi
echo "ok     no code, address or origin in $(wc -l </tmp/logs) lines of logs"
"""
IS_READY = f"curl -fsS --retry 20 --retry-all-errors --retry-delay 3 https://{SITE}/readyz"


class Server(Trial):
    def __init__(self, machine: Machine, mails: MailServer, choices: tuple[str, ...]) -> None:
        super().__init__(mails)
        self.machine, self.choices = machine, choices

    def run(self, text: str) -> str:
        return self.machine.run(text)

    def manage(self, arguments: str) -> str:
        return self.run(f"webinar {arguments}")

    def visit(self, arguments: str = "") -> None:
        shutil.copy(VISIT, self.machine.root / "opt" / "visit.py")
        self.run(f"/opt/webinar/.venv/bin/python /opt/visit.py https://{SITE} {self.slug} {arguments}")

    def back_up(self) -> None:
        self.run("systemctl start webinar-backup.service")

    def restore(self) -> None:
        self.run(script("Bring back a backup"))
        self.run(IS_READY)

    def check_site(self) -> None:
        super().check_site()
        self.run("ls /var/lib/webinar/reports/*.pdf")
        say("a document was typeset under the limits of the unit")
        self.run(CHECK_LOGS)

    def change(self, heading: str) -> None:
        """Run the commands under the heading, while visitors request pages continuously."""
        (self.machine.root / "opt" / "change").write_text(script(heading))
        self.visit("--during 'bash /opt/change'")

    def follow(self, release: str) -> None:
        with self.machine.booted():
            self.run(script("Install", *self.choices))
            self.load_event()
            self.check_restore()
            self.check_site()
            self.asked(RESET_RATE_LIMITS)
            self.run(f"git -C /srv/source checkout --quiet --detach {release}")
            for heading, address in (("Upgrade", "nouvelle@example.org"), ("Roll back", "ancienne@example.org")):
                self.change(heading)
                self.sign_up(address)
                say(f"{heading}: somebody signed up, and has the mail")
        with self.machine.booted():
            self.run(IS_READY)
            self.manage("status")
            say("the site is there after the machine has started again")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="A new folder, for the machine and its logs.")
    parser.add_argument("--source", type=Path, default=ROOT, help="A repository to clone; default: this one.")
    parser.add_argument("--upgrade-from", default="HEAD", metavar="COMMIT", help="What is installed first.")
    parser.add_argument("--base", type=Path, help="A Debian that debootstrap has made before.")
    parser.add_argument("--proxy", choices=["nginx", "caddy"], default="nginx")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    source = options.folder / "source"
    subprocess.run(["git", "clone", "--quiet", options.source, source], check=True)
    release = subprocess.check_output(["git", "-C", source, "rev-parse", "HEAD"], text=True).strip()
    subprocess.run(["git", "-C", source, "checkout", "--quiet", "--detach", options.upgrade_from], check=True)
    machine = Machine(options.folder / "machine")
    machine.make(options.base)
    machine.prepare(source, SITE, SUBSTITUTES)
    mails = MailServer(options.folder / "mails")
    with mails.running():
        Server(machine, mails, (options.proxy, options.database)).follow(release)


if __name__ == "__main__":
    main()
