# SPDX-License-Identifier: GPL-2.0-or-later
"""Stage: a simulated kernel, a bus of our own, the real daemon and sriovctl, in a folder of their own"""
import os
import shutil
import socket
import subprocess
import tempfile
import time

import wire

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"""


def die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)


class Stage:
    def __init__(self, bus=True, topology="default", variant="C"):
        self.dir = tempfile.mkdtemp(prefix="bus.")
        os.chmod(self.dir, 0o755)
        self.processes = {}
        self.env = dict(os.environ, SRIOVD_SIM=self.path("sim"), SRIOVD_RUNTIME_DIRECTORY=self.path("run"),
                        DBUS_SYSTEM_BUS_ADDRESS="unix:path=" + self.path("bus"), NO_COLOR="1", LC_ALL="C.UTF-8")
        self.env.pop("NOTIFY_SOCKET", None)
        os.mkdir(self.path("run"), 0o755)
        with open(self.path("bus.conf"), "w", encoding="ascii") as f:
            f.write(CONFIG.format(path=self.path("bus")))
        # Another user may not be let into the folder where things are built.
        self.sriovctl = shutil.copy(os.environ["SRIOVCTL"], self.path("sriovctl"))
        self.start("sim-server", [os.environ["SRIOVD_SIM_SERVER"], self.path("sim"), f"--topology={topology}",
                                  f"--variant={variant}"])
        self.until(lambda: self.sim("now") is not None, "the simulator")
        if bus:
            self.start_bus()

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, name, argv, env=None):
        with open(self.path(name + ".log"), "a", encoding="utf-8") as log:
            self.processes[name] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                    env=env or self.env, preexec_fn=die_with_parent)

    def stop(self, name, kill=False):
        p = self.processes.pop(name)
        p.kill() if kill else p.terminate()
        try:
            return p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            return p.wait(10)

    def children(self, name):
        pid = self.processes[name].pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]

    @staticmethod
    def until(test, what, seconds=30):
        end = time.monotonic() + seconds
        while not test():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not in {seconds} s")
            time.sleep(0.02)

    def start_bus(self):
        self.start("dbus-daemon", ["dbus-daemon", "--config-file=" + self.path("bus.conf"), "--nofork", "--nopidfile"])
        self.until(lambda: self.can_connect("bus"), "the bus")

    def can_connect(self, name):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.path(name))
            return True
        except OSError:
            return False

    def start_daemon(self):
        """Returns when it says that it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            name = self.path("notify")
            if os.path.exists(name):
                os.unlink(name)
            s.bind(name)
            s.settimeout(30)
            self.start("sriovd", [os.environ["SRIOVD"]], dict(self.env, NOTIFY_SOCKET=name))
            while b"READY=1" not in s.recv(4096):
                pass

    def stop_all(self):
        for name in ("sriovd", "dbus-daemon", "sim-server"):
            if name in self.processes:
                self.stop(name)
        if "KEEP" not in os.environ:
            shutil.rmtree(self.dir)

    def sim(self, *words):
        """What sim-ctl said, or None where it failed."""
        p = subprocess.run([os.environ["SIM_CTL"], *words], env=self.env, capture_output=True, text=True, timeout=60,
                           check=False)
        return p.stdout if p.returncode == 0 else None

    def writes(self, attr=None):
        return int(self.sim("writes", *([attr] if attr else [])))

    def ctl(self, *words, user=None, env=None):
        argv = [self.sriovctl, *words]
        if user:
            argv = ["setpriv", f"--reuid={user}", f"--regid={user_group(user)}", "--clear-groups", *argv]
        return subprocess.run(argv, env=env or self.env, capture_output=True, text=True, timeout=120, check=False)

    def bus(self):
        self.until(self.has_name, "org.sriovd1 on the bus")
        return wire.Bus(self.path("bus"))

    def has_name(self):
        try:
            bus = wire.Bus(self.path("bus"))
        except OSError:
            return False
        try:
            return bus.call("NameHasOwner", "s", "org.sriovd1", path="/org/freedesktop/DBus",
                            interface="org.freedesktop.DBus", destination="org.freedesktop.DBus")
        finally:
            bus.close()


def user_group(user):
    import grp
    import pwd
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
