"""How is each file server configured, started and ended for a measurement, and how much CPU time has it used?

Each is set up as its manual says for speed: sendfile, no access log, no throttling. A peer is one object that is started many
times, each time in a new folder, and serves what lies in `root(folder)`.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import servers
from servers import Failed

HOST = "127.0.0.1"
# A server that does not listen by then does not start at all; copyparty takes two seconds.
START_WITHIN_S = 30
# A server that has not ended by then, after it was asked to, is killed.
END_WITHIN_S = 10
# GZY computes the digests of what lies in its folder before it lists it; a board's worth of files is done by then.
SHOWN_WITHIN_S = 120

NGINX_CONFIG = """\
user root;
worker_processes auto;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000;
  client_max_body_size 0;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {host}:{port}{tls};
    root {root};
    dav_methods PUT;
    create_full_put_path on;
  }}
}}
"""
NGINX_TLS = " ssl;\n    ssl_certificate {certificate};\n    ssl_certificate_key {key}"
VSFTPD_CONFIG = """\
listen=YES
listen_address={host}
listen_port={port}
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root={root}
anon_upload_enable=YES
anon_mkdir_write_enable=YES
write_enable=YES
anon_umask=022
ftp_username=ftp
secure_chroot_dir={empty}
seccomp_sandbox=NO
xferlog_enable=NO
"""
SSHD_CONFIG = """\
Port {port}
ListenAddress {host}
HostKey {folder}/host
AuthorizedKeysFile {folder}/one.pub
PidFile {folder}/pid
StrictModes no
PermitRootLogin yes
UsePAM no
Subsystem sftp {sftp}
"""


class Peer:
    """A file server, in the clear or encrypted."""

    program = ""
    # What stands before a file's name in a URL.
    path = "/"
    # The folder below its root where files may be brought to.
    incoming = ""

    def __init__(self, binary, tls=False):
        self.binary, self.tls = binary, tls

    @property
    def name(self):
        """What it is called in the table."""
        return self.program

    def root(self, folder):
        """The folder whose files it serves."""
        return os.path.join(folder, "root")

    def command(self, folder, port):
        """Writes what the server needs into the folder and returns its command line."""
        raise NotImplementedError

    def start(self, folder, port, core=None):
        """Starts it and returns it, running, when it takes connections. `core`: the only one it may use."""
        os.makedirs(self.root(folder), exist_ok=True)
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        with open(os.path.join(folder, "output"), "ab") as output:
            process = subprocess.Popen([*pinned, *self.command(folder, port)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       start_new_session=True, preexec_fn=servers.set_limits)
        until = time.monotonic() + START_WITHIN_S
        while process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection((HOST, port), timeout=1).close()
                return Running(self, process, port, self.root(folder))
            except OSError:
                time.sleep(0.02)
        servers.end(process)
        raise Failed(f"{self.name} does not listen on port {port}; it said: {servers.last_words(folder)}")

    def shows(self, running, names):
        """Waits until it would serve these files; all but GZY do so at once."""


class Gzy(Peer):
    program = "gzy"
    path = "/cloud/"

    def root(self, folder):
        return os.path.join(folder, "Cloud")

    def command(self, folder, port):
        return [self.binary, "server", "--listen", f"{HOST}:{port}", "--data", folder, "--cloud", self.root(folder), "--flood", "off",
                "--per-ip", "20000", "--max-connections", "20000", "--max-transfers", "256"]

    def shows(self, running, names):
        from files import wire
        until = time.monotonic() + SHOWN_WITHIN_S
        with wire.Http(running) as http:
            for name in names:
                while http.request("HEAD", name).status != 200:
                    if time.monotonic() > until:
                        raise Failed(f"gzy does not show {name}, which lies in its folder, within {SHOWN_WITHIN_S} s")
                    time.sleep(0.05)


class Nginx(Peer):
    program = "nginx"

    def command(self, folder, port):
        tls = NGINX_TLS.format(**servers.identity(folder)) if self.tls else ""
        config = os.path.join(folder, "nginx.conf")
        servers.write(config, NGINX_CONFIG.format(folder=folder, host=HOST, port=port, root=self.root(folder), tls=tls))
        return [self.binary, "-p", folder, "-c", config]


class Vsftpd(Peer):
    program = "vsftpd"
    incoming = "in"

    def command(self, folder, port):
        empty = os.path.join(folder, "empty")
        os.makedirs(empty, exist_ok=True)
        # Whoever comes without a name is the user `ftp`, who may write below the root only.
        os.chmod(folder, 0o755)
        incoming = os.path.join(self.root(folder), self.incoming)
        os.makedirs(incoming)
        os.chmod(incoming, 0o777)
        config = os.path.join(folder, "vsftpd.conf")
        servers.write(config, VSFTPD_CONFIG.format(host=HOST, port=port, root=self.root(folder), empty=empty))
        return [self.binary, config]


class Dufs(Peer):
    program = "dufs"

    def command(self, folder, port):
        tls = []
        if self.tls:
            files = servers.identity(folder)
            tls = ["--tls-cert", files["certificate"], "--tls-key", files["key"]]
        return [self.binary, "--allow-all", "--bind", HOST, "--port", str(port), "--log-format", "", *tls, self.root(folder)]


class Copyparty(Peer):
    """A Python server that checks hashes at both ends."""

    program = "copyparty"

    def command(self, folder, port):
        return [self.binary, "-q", "-i", HOST, "-p", str(port), "-v", f"{self.root(folder)}::rwd", "-e2d", "--hist", os.path.join(folder, "hist")]


class Sshd(Peer):
    program = "sftp"

    def command(self, folder, port):
        for name in ("host", "one"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(folder, name)], check=True)
        os.makedirs("/run/sshd", exist_ok=True)
        config = os.path.join(folder, "sshd.conf")
        servers.write(config, SSHD_CONFIG.format(folder=folder, host=HOST, port=port, sftp=self._subsystem()))
        return [self.binary, "-D", "-e", "-f", config]

    def _subsystem(self):
        beside = os.path.join(os.path.dirname(self.binary), "..", "lib", "openssh", "sftp-server")
        return os.path.realpath(beside)


class Running:
    """A peer that runs."""

    def __init__(self, peer, process, port, root):
        self.peer, self.process, self.port, self.root = peer, process, port, root

    def cpu_s(self):
        """CPU seconds of it and its children, ended ones included as far as they were waited for."""
        family = self._family()
        live = sum(_clock_s(pid) for pid in family)
        return live + sum(_ended_children_s(pid) for pid in family)

    def kib(self, name="VmRSS"):
        """Memory of it and its children, as the kernel counts it."""
        total = 0
        for pid in self._family():
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                total += int(re.search(rf"{name}:\s+(\d+)", file.read()).group(1))
        return total

    def threads(self):
        """How many threads it and its children have now."""
        return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in self._family())

    def incoming(self, name):
        """Where a file that was brought lies, as it should be called in a request: below its root."""
        return os.path.join(self.peer.incoming, name)

    def connect(self):
        """A connection to it, encrypted where it is."""
        plain = socket.create_connection((HOST, self.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.peer.tls:
            return plain
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(plain)

    def end(self):
        """Ends it, and what it has started."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _family(self):
        """Its process and all below it that live."""
        parents = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                parents[int(pid)] = int(_stat(pid)[1])
            except (OSError, IndexError):
                continue
        family = [self.process.pid]
        for pid in family:
            family += [child for child, parent in parents.items() if parent == pid]
        return family


def found(program, path):
    """The binary of a peer: where the user says it is, or where the system finds it; none when there is none."""
    return path or shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def _clock_s(pid):
    """The CPU clock of a process, exact, all its threads included. The number is what `clock_getcpuclockid` gives."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0


def _ended_children_s(pid):
    """CPU time of children that were waited for, in the kernel's ticks of 10 ms."""
    try:
        words = _stat(pid)
    except OSError:
        return 0
    return (int(words[13]) + int(words[14])) / os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The words of its `stat` from the third on, which is behind the name: a name may have blanks."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()
