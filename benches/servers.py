"""How is each server configured, started, and ended for a measurement?

Each is set up as its own manual says for many connections from one address: no throttling, no look-ups of names,
no limits that the load would meet. A server is one object that can be started many times, each time in a new folder.
"""

import os
import resource
import signal
import socket
import subprocess
import time

# A server that does not listen by then does not start at all.
START_WITHIN_S = 20
# A server that has not ended by then, after it was asked to, is killed.
END_WITHIN_S = 10
# More than any scenario connects.
MOST_CONNECTIONS = 20_000
# Between the port of a server that also listens in the clear and that other port.
PLAIN_PORTS = 1000

NGIRCD_TLS = """\
[SSL]
CertFile = {certificate}
KeyFile = {key}
Ports = {port}
"""
NGIRCD_CONFIG = """\
[Global]
Name = bench.example
Info = benchmark
AdminInfo1 = benchmark
AdminEMail = nobody@bench.example
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = welcome
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
{tls}[Options]
DNS = no
Ident = no
PAM = no
IncludeDir = {folder}
"""

# softsendq and recvq are far above what is ever under way; hardsendq is the default of the manual and is what cuts
# the reader that never reads.
INSPIRCD_CONFIG = """\
<server name="bench.example" description="benchmark" network="bench">
<admin name="nobody" nick="nobody" email="nobody@bench.example">
{tls}<bind address="127.0.0.1" port="{port}" type="clients"{profile}>
<connect name="all" allow="*" timeout="3600" pingfreq="3600" limit="{most}" localmax="{most}" globalmax="{most}"
         maxchans="100" hardsendq="1M" softsendq="512K" recvq="1M" maxconnwarn="no" fakelag="no"
         threshold="1000000" commandrate="1000000000" resolvehostnames="no" useident="no">
<performance netbuffersize="65536" somaxconn="4096" softlimit="{most}" clonesonconnect="no" quietbursts="yes">
<options defaultmodes="nt">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}" moddir="{modules}">
<pid file="{folder}/pid">
<log method="file" type="*" level="default" target="{folder}/log">
"""
INSPIRCD_TLS = """\
<module name="ssl_gnutls">
<sslprofile name="bench" provider="gnutls" certfile="{certificate}" keyfile="{key}">
"""
INSPIRCD_MODULES = "/usr/lib/inspircd/modules"


class Failed(Exception):
    """A server or a scenario did not work; the text says which and why."""


class Server:
    """One of the servers that are compared, in the clear or encrypted."""

    program = ""
    # People on their way in at the same time: what the shortest accept queue of the three takes (ngircd's holds 10).
    at_a_time = 8

    def __init__(self, tls=False):
        self.tls = tls

    @property
    def name(self):
        """What it is called in the table."""
        return f"{self.program} TLS" if self.tls else self.program

    def command(self, folder, port):
        """Writes what the server needs into the folder and returns its command line."""
        raise NotImplementedError

    def start(self, folder, port, core):
        """Starts it on this core and returns the process once it accepts connections."""
        with open(os.path.join(folder, "output"), "ab") as output:
            process = subprocess.Popen(
                ["taskset", "-c", str(core), *self.command(folder, port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=set_limits,
            )
        until = time.monotonic() + START_WITHIN_S
        while process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return process
            except OSError:
                time.sleep(0.02)
        end(process)
        raise Failed(f"{self.name} does not listen on port {port}; it said: {last_words(folder)}")


class Gzy(Server):
    program = "gzy"
    # The same crowd at a time as inspircd gets: everybody comes back at once after a restart.
    at_a_time = 512

    def __init__(self, binary, tls=False):
        super().__init__(tls)
        self.binary = os.path.abspath(binary)

    def command(self, folder, port):
        most = str(MOST_CONNECTIONS)
        return [self.binary, "server", "--listen", f"127.0.0.1:{port}", "--data", folder, "--lobby", "",
                "--flood", "off", "--max-connections", most, "--per-ip", most]


class Ngircd(Server):
    program = "ngircd"

    def command(self, folder, port):
        config = os.path.join(folder, "ngircd.conf")
        empty = os.path.join(folder, "more")
        os.makedirs(empty, exist_ok=True)
        # It always listens in the clear too.
        tls = NGIRCD_TLS.format(port=port, **identity(folder)) if self.tls else ""
        write(config, NGIRCD_CONFIG.format(port=port + PLAIN_PORTS if self.tls else port, folder=empty, tls=tls))
        return ["ngircd", "--nodaemon", "--config", config]


class Inspircd(Server):
    program = "inspircd"
    # It admits people by its clock, once a second.
    at_a_time = 512

    def command(self, folder, port):
        config = os.path.join(folder, "inspircd.conf")
        tls = INSPIRCD_TLS.format(**identity(folder)) if self.tls else ""
        profile = ' sslprofile="bench"' if self.tls else ""
        write(config, INSPIRCD_CONFIG.format(port=port, folder=folder, most=MOST_CONNECTIONS, modules=INSPIRCD_MODULES,
                                             tls=tls, profile=profile))
        as_root = ["--runasroot"] if os.geteuid() == 0 else []
        return ["inspircd", *as_root, "--nofork", "--config", config]


def identity(folder):
    """A key and certificate of the kind that GZY makes for itself: ECDSA on P-256."""
    files = {"certificate": os.path.join(folder, "tls.crt"), "key": os.path.join(folder, "tls.key")}
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "30", "-subj", "/CN=bench.example", "-out", files["certificate"], "-keyout", files["key"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"openssl makes no certificate: {ascii(done.stderr[-300:])}")
    return files


def end(process):
    """Asks the server to end, then makes it; only the process that was started here and its children."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_WITHIN_S)


def last_words(folder):
    """The end of what a server printed, safe to print again."""
    try:
        with open(os.path.join(folder, "output"), "rb") as output:
            return ascii(output.read()[-500:].decode("utf-8", "replace"))
    except OSError as error:
        return f"nothing ({error})"


def set_limits():
    """One file per connection: as many as the system lets a process have. No core dumps."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # inspircd falls over when it is ended with TLS in it; nobody wants its memory in the tree.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
