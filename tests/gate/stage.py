# SPDX-License-Identifier: GPL-2.0-or-later
"""Stage: a tree of plain files that looks like a kernel's, the daemon with its gate on it, and puppets that open them

fanotify works on any file, so that all but the devices is real. What it shows is the gate; what sysfs itself does with a
write, tests/vm shows.
"""
import ctypes
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time

IGB0, IGB1 = "0000:01:00.0", "0000:02:00.0"
LONG = "SRIOVD_LONG" in os.environ


def die_with_parent():
    ctypes.CDLL(None).prctl(1, 9)


def until(test, what, seconds=30):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not in {seconds} s")
        time.sleep(0.005)


def write(path, text=""):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def read(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return f.read()


class Tree:
    """What the daemon takes for /sys and /dev"""
    FUNCTION = {"class": "0x020000\n", "vendor": "0x8086\n", "device": "0x10c9\n", "sriov_totalvfs": "7\n",
                "sriov_numvfs": "0\n", "sriov_drivers_autoprobe": "1\n", "remove": "", "rescan": "", "reset": "",
                "driver_override": "", "enable": "1\n"}

    def __init__(self, path):
        self.sys = os.path.join(path, "sys")
        for name in ("bus/pci/devices", "bus/pci/drivers", "bus/pci/slots", "bus/pci_express/drivers/pciehp",
                     "class/pci_bus", "devices/pci0000:00"):
            os.makedirs(os.path.join(self.sys, name))
        self.gone = os.path.join(path, "gone")
        for name in ("dev", "gone"):
            os.mkdir(os.path.join(path, name))
        for name in ("rescan", "drivers_probe", "drivers_autoprobe"):
            write(self.at("bus/pci", name))
        self.add_driver("igb")
        self.add(IGB0, "igb")
        self.add(IGB1, "igb")

    def at(self, *names):
        return os.path.join(self.sys, *names)

    def fn(self, address, *names):
        return self.at("bus/pci/devices", address, *names)

    def driver(self, name, file):
        return self.at("bus/pci/drivers", name, file)

    def add_driver(self, name):
        os.mkdir(self.at("bus/pci/drivers", name))
        for file in ("bind", "unbind", "new_id", "remove_id"):
            write(self.driver(name, file))

    def _dir(self, address):
        return self.at("devices/pci0000:00", address)

    def add(self, address, driver=None, **files):
        os.mkdir(self._dir(address))
        for name, text in dict(self.FUNCTION, **files).items():
            write(os.path.join(self._dir(address), name), text)
        if driver:
            os.symlink(f"../../../bus/pci/drivers/{driver}", os.path.join(self._dir(address), "driver"))
        os.symlink(f"../../../devices/pci0000:00/{address}", self.fn(address))

    def remove(self, address):
        """Its files live on elsewhere: as with sysfs, whose inodes outlive the device where somebody has a mark on them."""
        os.unlink(self.fn(address))
        os.rename(self._dir(address), os.path.join(self.gone, str(len(os.listdir(self.gone)))))

    def add_vf(self, pf, address, index=0):
        """As the kernel links them; the driver is none."""
        self.add(address)
        for name in ("sriov_numvfs", "sriov_totalvfs", "sriov_drivers_autoprobe", "remove", "rescan"):
            os.unlink(self.fn(address, name))
        os.symlink(f"../{pf}", self.fn(address, "physfn"))
        os.symlink(f"../{address}", self.fn(pf, f"virtfn{index}"))
        write(self.fn(pf, "sriov_numvfs"), f"{index + 1}\n")


class Puppet:
    """A program that opens what it is told to; every answer may be long in coming"""

    def __init__(self, name=None):
        argv = [os.environ["PUPPET"]]
        self.process = subprocess.Popen(argv, executable=name, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        preexec_fn=die_with_parent)
        self.pid = self.process.pid
        self.buffer = b""

    def send(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())

    def answer(self, seconds=30):
        """None if there is none by then"""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as s:
            s.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                left = end - time.monotonic()
                if left < 0 or not s.select(left):
                    return None
                more = os.read(self.process.stdout.fileno(), 4096)
                if not more:
                    return None
                self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def ask(self, *words):
        self.send(*words)
        return self.answer()

    def open(self, path, how="wronly"):
        """The descriptor, or minus the error; it is let in at once"""
        return self.fd(self.ask("open", how, path))

    @staticmethod
    def fd(answer):
        if answer is None:
            raise TimeoutError("the puppet got no answer")
        word, number = answer.split()
        return int(number) if word == "fd" else -int(number)

    def is_held(self):
        """A thread of it sleeps in a call, and it has said nothing."""
        return self.answer(0) is None

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)

    def kill(self):
        self.process.kill()
        self.process.wait(10)


class Stage:
    def __init__(self, mode="serialize", lease=600, more=""):
        self.dir = tempfile.mkdtemp(prefix="gate.")
        os.mkdir(self.path("run"), 0o755)
        self.tree = Tree(self.dir)
        self.daemon = None
        self.before = []  # words in front of the daemon's own
        self.puppets = []
        self.settings(mode, lease, more)
        self.env = dict(os.environ, SRIOVD_TREE=self.dir, SRIOVD_RUNTIME_DIRECTORY=self.path("run"),
                        SRIOVD_CONFIG=self.path("sriovd.conf"), NO_COLOR="1", LC_ALL="C.UTF-8",
                        DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nowhere")
        self.env.pop("NOTIFY_SOCKET", None)

    def path(self, name):
        return os.path.join(self.dir, name)

    def settings(self, mode, lease=600, more=""):
        write(self.path("sriovd.conf"), f'gate = "{mode}";\ngate_lease = {lease};\n{more}')

    def start(self):
        """Returns when it says that it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            name = self.path("notify")
            if os.path.exists(name):
                os.unlink(name)
            s.bind(name)
            s.settimeout(30)
            with open(self.path("log"), "a", encoding="utf-8") as log:
                self.daemon = subprocess.Popen([*self.before, os.environ["SRIOVD"]], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               env=dict(self.env, NOTIFY_SOCKET=name), preexec_fn=die_with_parent)
            while b"READY=1" not in s.recv(4096):
                pass
        return self

    def stop(self, how=signal.SIGTERM):
        daemon, self.daemon = self.daemon, None
        daemon.send_signal(how)
        return daemon.wait(30)

    def done(self):
        """First the daemon: who is held by it could not even be killed at once while it is stopped."""
        if self.daemon:
            self.daemon.send_signal(signal.SIGCONT)
            self.stop()
        for p in self.puppets:
            p.kill()
        if "KEEP" not in os.environ:
            shutil.rmtree(self.dir)

    def puppet(self, name=None):
        p = Puppet(name)
        self.puppets.append(p)
        return p

    def log(self):
        return read(self.path("log"))

    def n_jobs(self):
        """Jobs since the start of the first daemon"""
        return len(set(re.findall(r"\bjob (\d+)\b", self.log())))

    def until_log(self, pattern, seconds=30):
        until(lambda: re.search(pattern, self.log()), f"'{pattern}' in the log", seconds)
        return re.search(pattern, self.log())

    def knock(self, puppet, path, how="wronly", verb="open"):
        """It waits, and has a job of its own by now."""
        before = self.n_jobs()
        puppet.send(verb, how, path)
        until(lambda: self.n_jobs() > before, f"a job for {path}")

    def ctl(self, *words, seconds=60):
        return subprocess.run([os.environ["SRIOVCTL"], *words], env=self.env, capture_output=True, text=True,
                              timeout=seconds, check=False)

    def start_ctl(self, *words):
        return subprocess.Popen([os.environ["SRIOVCTL"], *words], env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def programs(self, state):
        """Of whom sriovctl says that they are so: waiting, inside, unordered"""
        lines = self.ctl("gate", "--no-legend").stdout.splitlines()
        return [int(w[2]) for w in map(str.split, lines) if len(w) > 3 and w[0] == state]

    def look(self):
        """It looks at the whole tree, as after an event of the kernel's."""
        p = self.ctl("rescan")
        if p.returncode != 0:
            raise RuntimeError(p.stderr)

    def fds(self, pid=None):
        """What /proc/PID/fd leads to, by number"""
        at = f"/proc/{pid or self.daemon.pid}/fd"
        found = {}
        for fd in os.listdir(at):
            try:
                found[int(fd)] = os.readlink(f"{at}/{fd}")
            except FileNotFoundError:
                pass
        return found

    def n_marks(self):
        """Those on the tree, as the kernel counts them"""
        groups = [fd for fd, to in self.fds().items() if to == "anon_inode:[fanotify]"]
        if not groups:
            return 0
        assert len(groups) == 1, f"one group: {groups}"
        dev = os.stat(self.tree.sys).st_dev
        sdev = f"{os.major(dev) << 20 | os.minor(dev):x}"
        return len(re.findall(rf"^fanotify ino:\S+ sdev:{sdev} ", read(f"/proc/{self.daemon.pid}/fdinfo/{groups[0]}"), re.M))
